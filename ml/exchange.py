"""What the viewer and the model process say to each other.

A message is one JSON object behind its length (4 bytes, little end first). Pixels go by shared
memory: a few megabytes that `ml.mammo.prepare` made, named in the message. Neither half needs
torch or OpenVINO for it.
"""

from __future__ import annotations

import json
import struct
import sys
import traceback
from dataclasses import asdict, dataclass
from multiprocessing import resource_tracker
from multiprocessing.shared_memory import SharedMemory
from typing import TYPE_CHECKING, cast

import numpy as np

import ml.errors
from ml.errors import MammoError, UnsuitableImageError
from ml.mammo.codes import (
    ImageKind,
    Laterality,
    PresentationIntent,
    ViewModifier,
    ViewPosition,
)
from ml.mammo.geometry import Affine
from ml.mammo.prepare import Prepared, PrepareSpec, prepare_for
from ml.texts import mark, translate

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import BinaryIO

    from numpy.typing import NDArray

    from ml.mammo.mammogram import Mammogram
    from ml.mammo.prepare import Wants

Message = dict[str, object]

_LENGTH = struct.Struct("<I")
# A study of a hundred images with their maps stays under this; more is no message of ours.
_LONGEST_BYTES = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """What the models are told of an image beside its pixels: no name, no patient."""

    path: str
    sop_instance_uid: str
    study_instance_uid: str
    rows: int
    columns: int
    kind: ImageKind
    laterality: Laterality | None = None
    view: ViewPosition | None = None
    view_modifiers: tuple[ViewModifier, ...] = ()
    intent: PresentationIntent | None = None
    implant: bool = False
    frames: int = 1


@dataclass(frozen=True, slots=True, eq=False)
class PreparedImage:
    """One image on its way to the models.

    Attributes
    ----------
    prepared
        None where `refused` says why there is nothing to look at.
    refused
        A translated sentence, or None.
    fine
        The same breast in finer pixels, where the image has them and a model wants them.
    """

    facts: ImageFacts
    prepared: Prepared | None
    refused: str | None = None
    fine: Prepared | None = None

    @property
    def canvases(self) -> tuple[Prepared, ...]:
        """All that there is to be looked at."""
        return tuple(one for one in (self.prepared, self.fine) if one is not None)


def image_facts(mammogram: Mammogram) -> ImageFacts:
    """What the models may know of a mammogram."""
    return ImageFacts(
        path=str(mammogram.path),
        sop_instance_uid=mammogram.sop_instance_uid,
        study_instance_uid=mammogram.study_instance_uid,
        rows=mammogram.rows,
        columns=mammogram.columns,
        kind=mammogram.kind,
        laterality=mammogram.laterality.value if mammogram.laterality else None,
        view=mammogram.view.value if mammogram.view else None,
        view_modifiers=mammogram.view_modifiers,
        intent=mammogram.intent,
        implant=mammogram.implant,
        frames=mammogram.frames,
    )


def refusal(facts: ImageFacts, intents: tuple[PresentationIntent, ...]) -> str | None:
    """Why the models must not look at an image, or None.

    Parameters
    ----------
    intents
        What the model's card allows; an image that names no intent is let through.
    """
    close_up = {ViewModifier.SPOT, ViewModifier.MAGNIFICATION}
    if facts.kind is ImageKind.TOMOSYNTHESIS or facts.frames > 1:
        return translate(
            mark("The models do not read tomosynthesis; read this image yourself.")
        )
    if facts.implant:
        return translate(mark("The models were not made for breasts with an implant."))
    if facts.view is ViewPosition.SPECIMEN:
        return translate(mark("The models were not made for specimens."))
    if close_up & set(facts.view_modifiers):
        return translate(mark("The models were not made for spot or magnification views."))
    if facts.intent is not None and facts.intent not in intents:
        return translate(
            mark("The models were not made for this presentation intent ({intent}).")
        ).format(intent=facts.intent.value)
    return None


def prepare_image(
    mammogram: Mammogram,
    wants: Wants,
    read: Callable[[Mammogram], NDArray[np.generic]],
) -> PreparedImage:
    """Read and prepare an image, or say why not.

    Parameters
    ----------
    read
        Gives the stored pixels at full size; not called for an image that is refused.

    Raises
    ------
    ReadError
        Whatever `read` raises.
    """
    facts = image_facts(mammogram)
    refused = refusal(facts, wants.intents)
    if refused is not None:
        return PreparedImage(facts, None, refused)
    pixels = read(mammogram)
    try:
        whole, fine = prepare_for(pixels, mammogram, wants)
    except UnsuitableImageError as error:
        return PreparedImage(facts, None, str(error))
    return PreparedImage(facts, whole, fine=fine)


def write_message(stream: BinaryIO, message: Message) -> None:
    """Write one message and push it out.

    Raises
    ------
    OSError
        Where the other side is gone.
    """
    content = json.dumps(message, separators=(",", ":")).encode()
    stream.write(_LENGTH.pack(len(content)) + content)
    stream.flush()


def read_message(stream: BinaryIO) -> Message | None:
    """Read one message; None where the stream ended, in the middle of one too.

    Raises
    ------
    ValueError
        Where what came is no message.
    """
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    if length > _LONGEST_BYTES:
        raise ValueError(f"a message of {length} bytes")
    content = stream.read(length)
    return json.loads(content) if len(content) == length else None


def share_pixels(pixels: NDArray[np.uint16]) -> SharedMemory:
    """Copy a canvas into new shared memory, which the caller must close and unlink."""
    block = SharedMemory(create=True, size=pixels.nbytes)
    np.ndarray(pixels.shape, np.uint16, block.buf)[:] = pixels
    return block


def image_to_message(image: PreparedImage, blocks: Sequence[SharedMemory]) -> Message:
    """Write an image as JSON values; the pixels of its canvases lie in `blocks`."""
    facts = asdict(image.facts)
    facts["kind"] = image.facts.kind.value
    facts["laterality"] = image.facts.laterality.value if image.facts.laterality else None
    facts["view"] = image.facts.view.value if image.facts.view else None
    facts["view_modifiers"] = [modifier.value for modifier in image.facts.view_modifiers]
    facts["intent"] = image.facts.intent.value if image.facts.intent else None
    canvases = [
        {
            "block": block.name,
            "to_stored": asdict(prepared.to_stored),
            "spec": prepared.spec.to_json(),
        }
        for prepared, block in zip(image.canvases, blocks, strict=True)
    ]
    return {"facts": facts, "refused": image.refused, "canvases": canvases}


def image_from_message(message: Message) -> PreparedImage:
    """Read what `image_to_message` wrote, and copy the pixels.

    Raises
    ------
    FileNotFoundError
        Where the shared memory is gone: nobody waits for the answer.
    """
    facts = _facts(cast("Message", message["facts"]))
    refused = cast("str | None", message["refused"])
    canvases = [_canvas(one) for one in cast("list[Message]", message["canvases"])]
    whole, fine = (*canvases, None, None)[:2]
    return PreparedImage(facts, whole, refused, fine)


def _canvas(message: Message) -> Prepared:
    spec = PrepareSpec.from_json(cast("dict[str, float]", message["spec"]))
    pixels = _shared_pixels(cast("str", message["block"]), (spec.rows, spec.columns))
    to_stored = Affine(**cast("dict[str, float]", message["to_stored"]))
    return Prepared(pixels, to_stored, spec)


def _facts(values: Message) -> ImageFacts:
    laterality, view, intent = values["laterality"], values["view"], values["intent"]
    modifiers = cast("list[str]", values["view_modifiers"])
    return ImageFacts(
        path=cast("str", values["path"]),
        sop_instance_uid=cast("str", values["sop_instance_uid"]),
        study_instance_uid=cast("str", values["study_instance_uid"]),
        rows=cast("int", values["rows"]),
        columns=cast("int", values["columns"]),
        kind=ImageKind(values["kind"]),
        laterality=Laterality(laterality) if laterality else None,
        view=ViewPosition(view) if view else None,
        view_modifiers=tuple(ViewModifier(item) for item in modifiers),
        intent=PresentationIntent(intent) if intent else None,
        implant=cast("bool", values["implant"]),
        frames=cast("int", values["frames"]),
    )


def _shared_pixels(name: str, shape: tuple[int, int]) -> NDArray[np.uint16]:
    block = _attached(name)
    try:
        return np.ndarray(shape, np.uint16, block.buf).copy()
    finally:
        block.close()


def _attached(name: str) -> SharedMemory:
    if sys.version_info >= (3, 13):
        return SharedMemory(name, track=False)
    # Before 3.13 whoever attaches also registers, and the memory of a study would be taken
    # away from the viewer when the model process dies: just when it is wanted for the retry.
    register = resource_tracker.register
    resource_tracker.register = _register_nothing
    try:
        return SharedMemory(name)
    finally:
        resource_tracker.register = register


def _register_nothing(name: object, rtype: object) -> None:
    pass


def error_to_message(error: Exception) -> Message:
    """Write an error: a sentence for the user, or a bug without anything of the patient."""
    if isinstance(error, MammoError):
        values = {
            name: value if isinstance(value, int | float) else str(value)
            for name, value in error.values.items()
        }
        kind = type(error).__name__
        return {"kind": kind, "template": error.template, "values": values}
    # Neither the message of the exception nor any value: both may hold a path or a name.
    frames = [f"{f.name}:{f.lineno}" for f in traceback.extract_tb(error.__traceback__)]
    return {"bug": f"{type(error).__name__} in {' > '.join(frames)}"}


def error_from_message(message: Message) -> Exception:
    """Read what `error_to_message` wrote; a bug becomes a `RuntimeError`."""
    if "bug" in message:
        return RuntimeError(f"the model process failed: {message['bug']}")
    kind = getattr(ml.errors, cast("str", message["kind"]), MammoError)
    values = cast("dict[str, object]", message["values"])
    return kind(cast("str", message["template"]), detail="", **values)
