"""Model packs: a folder with a card, the training weights and the exported graph.

A pack holds ``card.json``, ``weights.safetensors``, ``graph.xml.gz`` and ``graph.bin``. The
card names each file with its sha256; nothing is loaded before it was checked, or is pickle.
The graph takes its numbers from the weights (`ml.infer.stored_graph`): they are stored once.
"""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import asdict, dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, cast

from ml.distribution import Distribution, distribution_from_json
from ml.errors import ModelError, WeightsCorruptError, WeightsMissingError
from ml.files import write_json
from ml.findings import ModelUse, OperatingPoint
from ml.hashed import known_name
from ml.mammo.codes import FindingType, ImageKind, PresentationIntent
from ml.mammo.prepare import PrepareSpec, Wants
from ml.texts import mark

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

# Names the folder of the packs to use instead of those that come with the program.
CARD, WEIGHTS, GRAPH, GRAPH_WEIGHTS = (
    "card.json",
    "weights.safetensors",
    "graph.xml",
    "graph.bin",
)
# A twelfth of its size; packs of earlier versions hold it plain.
PACKED_GRAPH = f"{GRAPH}.gz"
# The models that every analysis needs, and the one that helps where pixels are fine enough.
NEEDED_ROLES = ("detector", "classifier")
FINE_ROLE = "calcifications"
ROLES = (*NEEDED_ROLES, FINE_ROLE)
# By role: the models that have a part in what one says of an image.
BESIDE = {FINE_ROLE: (), "detector": (FINE_ROLE,), "classifier": ("detector", FINE_ROLE)}


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure with its 95 % interval.

    Attributes
    ----------
    value, low, high
        The estimate and the ends of its interval.
    n
        Patients (or images, where `data` says so) that it was measured on.
    data
        Which data.
    """

    name: str
    value: float
    low: float
    high: float
    n: int
    data: str


@dataclass(frozen=True, slots=True)
class Calibration:
    """From a score to a probability: ``1 / (1 + exp(-(slope * logit(score) + intercept)))``.

    Platt 1999, on the logit, fitted on data that the weights were not trained on.

    Attributes
    ----------
    prevalence
        Share of positives in the data of the fit, for which the probability holds (see
        `ml.prevalence`); None in cards that were written before it was kept.
    """

    slope: float
    intercept: float
    prevalence: float | None = None


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What a pack says of itself.

    Attributes
    ----------
    role
        One of `ROLES`: ``"calcifications"`` is a detector of finer pixels, beside the other.
    operating_points
        The first is the default; at least one.
    prepare
        How an image becomes the graph's canvas.
    classes
        The detector's, in the order of its output; empty for a classifier.
    files
        sha256 (64 hexadecimal digits) of every file of the pack.
    calibration
        By score: ``"detector"``, ``"lesion"``, ``"malignancy"``; a missing one: no probability.
    validated_kinds
        The kinds of image on which the probabilities were validated.
    intents
        The presentation intents that the model may look at; an image that names none is taken.
    training_patients, training_images
        `name_sha256` of each patient and image that was trained on, simulated ones too, so that
        no test reuses one.
    parents
        ``name@version`` of the packs whose weights it began with, and theirs; what those were
        trained on is in the two lists above (`inherit` puts it there).
    mark_weights
        A classifier's, by ``"lesion"`` and ``"malignancy"``: how much the detector's best mark
        counts in the score of an image, 0 to 1; a missing one: not at all (`ml.infer.marks`).
    overrides
        Why somebody trained on data whose audit was red, in her words; of the parents, too.
    precision
        ``"bf16"`` where the graph says in bf16 what the weights say in float32, else ``"f32"``.
    distribution
        How its scores lay on the first of the test data; None where that was not kept.
    """

    name: str
    version: str
    role: str
    licence: str
    data: str
    intended_use: str
    operating_points: tuple[OperatingPoint, ...]
    prepare: PrepareSpec
    files: Mapping[str, str]
    classes: tuple[FindingType, ...] = ()
    figures: tuple[Figure, ...] = ()
    calibration: Mapping[str, Calibration] = field(default_factory=lambda: MappingProxyType({}))
    validated_kinds: tuple[ImageKind, ...] = ()
    intents: tuple[PresentationIntent, ...] = (PresentationIntent.FOR_PRESENTATION,)
    training_patients: tuple[str, ...] = ()
    training_images: tuple[str, ...] = ()
    parents: tuple[str, ...] = ()
    mark_weights: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    precision: str = "f32"
    overrides: tuple[str, ...] = ()
    distribution: Distribution | None = None

    @property
    def key(self) -> str:
        """How commands and reports name it: ``name@version``."""
        return f"{self.name}@{self.version}"

    @property
    def use(self) -> ModelUse:
        """How an `Analysis` names this model."""
        fitted = {name: fit.prevalence for name, fit in self.calibration.items()}
        return ModelUse(
            self.name,
            self.version,
            self.files[WEIGHTS],
            self.operating_points[0],
            MappingProxyType({n: share for n, share in fitted.items() if share is not None}),
            _card_sha256(self),
        )


@dataclass(frozen=True, slots=True)
class ModelPack:
    """A checked pack: its card and where its files lie."""

    folder: Path
    card: ModelCard

    @property
    def graph(self) -> Path:
        """The exported graph (OpenVINO IR), packed where its name ends so."""
        return self.folder / (PACKED_GRAPH if PACKED_GRAPH in self.card.files else GRAPH)

    @property
    def weights(self) -> Path:
        """The training weights (safetensors)."""
        return self.folder / WEIGHTS

    @property
    def constants(self) -> Path:
        """What the graph needs beside the weights (raw bytes)."""
        return self.folder / GRAPH_WEIGHTS


def read_pack(folder: Path) -> ModelPack:
    """Read a pack's card and check every file that it names.

    Raises
    ------
    WeightsMissingError
        Where the card or a file is not there.
    WeightsCorruptError
        Where a file is not the one that the card names.
    ModelError
        Where the card itself is no card.
    """
    card = read_card(folder / CARD)
    for name, sha256 in card.files.items():
        _check_file(folder / name, sha256)
    return ModelPack(folder, card)


def read_card(path: Path) -> ModelCard:
    """Read a card; keys that this version does not know are ignored.

    Raises
    ------
    WeightsMissingError
        Where there is none.
    ModelError
        Where it is not of the form that `card_to_json` writes.
    """
    try:
        content = json.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise _missing(path) from error
    except (OSError, ValueError) as error:
        raise _broken(path, error) from error
    try:
        return _card(_object(content))
    except (KeyError, TypeError, ValueError) as error:
        raise _broken(path, error) from error


def wants_of(cards: Mapping[str, ModelCard]) -> Wants:
    """What a set of models, by role, wants to be given of an image.

    Raises
    ------
    WeightsMissingError
        Where a needed one is not there.
    ModelError
        Where the detector and the classifier want different images.
    """
    for role in NEEDED_ROLES:
        if role not in cards:
            raise WeightsMissingError(
                mark("No model for the role {role} is installed; install the program again."),
                role=role,
            )
    detector, fine = cards["detector"], cards.get(FINE_ROLE)
    if detector.prepare != cards["classifier"].prepare:
        raise ModelError(
            mark("The detector and the classifier want different images; install both again.")
        )
    return Wants(detector.prepare, detector.intents, fine.prepare if fine else None)


def file_sha256(path: Path) -> str:
    """The sha256 of a file's content, as 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def inherit(card: ModelCard, parents: Iterable[ModelCard]) -> ModelCard:
    """Add to a card what the packs that its weights began with were trained on, and why."""
    known = tuple(parents)
    patients, images = set(card.training_patients), set(card.training_images)
    for parent in known:
        patients.update(parent.training_patients)
        images.update(parent.training_images)
    nearest = (parent.key for parent in known if parent.key not in card.parents)
    names = (*nearest, *card.parents, *(name for parent in known for name in parent.parents))
    overrides = (reason for each in (card, *known) for reason in each.overrides)
    return replace(
        card,
        training_patients=tuple(sorted(patients)),
        training_images=tuple(sorted(images)),
        parents=tuple(dict.fromkeys(names)),
        overrides=tuple(dict.fromkeys(overrides)),
    )


def probability_of(fit: Calibration, score: float) -> float:
    """The probability of a score in [0, 1], at the prevalence of the fit."""
    value = fit.slope * logit(score) + fit.intercept
    return 1 / (1 + math.exp(-min(max(value, -30.0), 30.0)))


def logit(share: float) -> float:
    """The logarithm of the odds; 0 and 1 are kept off by a millionth."""
    inner = min(max(share, 1e-6), 1 - 1e-6)
    return math.log(inner / (1 - inner))


def card_to_json(card: ModelCard) -> dict[str, object]:
    """Write a card as plain JSON values."""
    return {
        "name": card.name,
        "version": card.version,
        "role": card.role,
        "licence": card.licence,
        "data": card.data,
        "intended_use": card.intended_use,
        "operating_points": [asdict(point) for point in card.operating_points],
        "prepare": card.prepare.to_json(),
        "files": dict(card.files),
        "classes": [kind.value for kind in card.classes],
        "figures": [asdict(figure) for figure in card.figures],
        "calibration": {name: asdict(fit) for name, fit in card.calibration.items()},
        "validated_kinds": [kind.value for kind in card.validated_kinds],
        "intents": [intent.value for intent in card.intents],
        "training_patients": list(card.training_patients),
        "training_images": list(card.training_images),
        "parents": list(card.parents),
        "mark_weights": dict(card.mark_weights),
        "precision": card.precision,
        # Where a card has none, its hash shall stay.
        **({"overrides": list(card.overrides)} if card.overrides else {}),
        **({"distribution": card.distribution.to_json()} if card.distribution else {}),
    }


def _card_sha256(card: ModelCard) -> str:
    content = json.dumps(card_to_json(card), sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()


def write_card(folder: Path, card: ModelCard) -> None:
    """Write a pack's card; the old one stays whole until the new one is."""
    write_json(folder / CARD, card_to_json(card))


def _check_file(path: Path, sha256: str) -> None:
    if not path.is_file():
        raise _missing(path)
    if file_sha256(path) != sha256:
        raise WeightsCorruptError(
            mark("The file {name} of the model {model} is damaged; install the model again."),
            name=path.name,
            model=path.parent.name,
        )


def _missing(path: Path) -> WeightsMissingError:
    return WeightsMissingError(
        mark("The file {name} of the model {model} is missing; install the model again."),
        name=path.name,
        model=path.parent.name,
    )


def _broken(path: Path, error: Exception) -> ModelError:
    return ModelError(
        mark("The card of the model {model} cannot be read; install the model again."),
        detail=f"{type(error).__name__}: {error}",
        model=path.parent.name,
    )


def _card(content: dict[str, object]) -> ModelCard:
    role = _text(content["role"])
    points = tuple(_point(_object(item)) for item in _list(content["operating_points"]))
    if role not in ROLES or not points:
        raise ValueError(f"role {role!r} with {len(points)} operating points")
    return ModelCard(
        name=_text(content["name"]),
        version=_text(content["version"]),
        role=role,
        licence=_text(content["licence"]),
        data=_text(content["data"]),
        intended_use=_text(content["intended_use"]),
        operating_points=points,
        prepare=_prepare(_object(content["prepare"])),
        files=MappingProxyType(_files(_object(content["files"]))),
        classes=tuple(FindingType(item) for item in _list(content.get("classes", []))),
        figures=tuple(_figure(_object(item)) for item in _list(content.get("figures", []))),
        calibration=MappingProxyType(_calibration(content.get("calibration", {}))),
        validated_kinds=tuple(ImageKind(i) for i in _list(content.get("validated_kinds", []))),
        intents=_intents(content),
        training_patients=_names(content.get("training_patients", [])),
        training_images=_names(content.get("training_images", [])),
        parents=_texts(content.get("parents", [])),
        mark_weights=MappingProxyType(_weights(content.get("mark_weights", {}))),
        precision=_text(content.get("precision", "f32")),
        overrides=_texts(content.get("overrides", [])),
        distribution=(
            distribution_from_json(_object(content["distribution"]))
            if "distribution" in content
            else None
        ),
    )


def _files(content: dict[str, object]) -> dict[str, str]:
    files = {name: _text(sha256) for name, sha256 in content.items()}
    if any("/" in name or "\\" in name or name.startswith(".") for name in files):
        raise ValueError("a file outside the pack")
    # A graph that no hash covers would be run unchecked.
    graphs = {GRAPH, PACKED_GRAPH} & files.keys()
    if len(graphs) != 1 or not {WEIGHTS, GRAPH_WEIGHTS} <= files.keys():
        raise ValueError("the weights or the exported graph are not named")
    return files


def _intents(content: dict[str, object]) -> tuple[PresentationIntent, ...]:
    if "intents" not in content:
        return (PresentationIntent.FOR_PRESENTATION,)
    return tuple(PresentationIntent(item) for item in _list(content["intents"]))


def _prepare(content: dict[str, object]) -> PrepareSpec:
    return PrepareSpec(
        rows=int(_number(content["rows"])),
        columns=int(_number(content["columns"])),
        pixel_mm=_number(content["pixel_mm"]),
        low_percentile=_number(content["low_percentile"]),
        high_percentile=_number(content["high_percentile"]),
    )


def _point(content: dict[str, object]) -> OperatingPoint:
    return OperatingPoint(
        name=_text(content["name"]),
        threshold=_number(content["threshold"]),
        chosen_on=_text(content["chosen_on"]),
        sensitivity=_optional(content.get("sensitivity")),
        specificity=_optional(content.get("specificity")),
        false_positives_per_image=_optional(content.get("false_positives_per_image")),
    )


def _figure(content: dict[str, object]) -> Figure:
    value, low, high = (_number(content[name]) for name in ("value", "low", "high"))
    n = int(_number(content["n"]))
    return Figure(_text(content["name"]), value, low, high, n, _text(content["data"]))


def _calibration(content: object) -> dict[str, Calibration]:
    fits = {name: _object(fit) for name, fit in _object(content).items()}
    return {
        name: Calibration(
            _number(fit["slope"]), _number(fit["intercept"]), _share(fit.get("prevalence"))
        )
        for name, fit in fits.items()
    }


def _weights(content: object) -> dict[str, float]:
    weights = {name: _number(value) for name, value in _object(content).items()}
    if not all(0 <= value <= 1 for value in weights.values()):
        raise ValueError(f"no weights: {weights}")
    return weights


def _share(value: object) -> float | None:
    share = _optional(value)
    if share is not None and not 0 < share < 1:
        raise ValueError(f"no prevalence: {share}")
    return share


def _object(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise TypeError("an object was expected")
    return cast("dict[str, object]", value)


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise TypeError("a list was expected")
    return cast("list[object]", value)


def _names(value: object) -> tuple[str, ...]:
    return tuple(map(known_name, _texts(value)))


def _texts(value: object) -> tuple[str, ...]:
    return tuple(_text(item) for item in _list(value))


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"a text was expected, not {value!r}")
    return value


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"a number was expected, not {value!r}")
    return float(value)


def _optional(value: object) -> float | None:
    return None if value is None else _number(value)
