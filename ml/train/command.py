"""`mammoscope train`: a model from the images that a manifest lists."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import TYPE_CHECKING

from ml.control import NOBODY, Breathing, Control, breathing
from ml.data.canvases import Order, begun, finished, read_canvases, write_order
from ml.data.duplicates import fingerprints, refuse_duplicates
from ml.data.sources.listed import listed_pairs
from ml.errors import DataError
from ml.files import write_json
from ml.in_use import packs_in_use
from ml.mammo.prepare import FINE, WHOLE, Wants
from ml.manifest import PURPOSES, Source, Split, read_manifest
from ml.registry import BESIDE, FINE_ROLE, read_pack
from ml.splits import host_of, split_of
from ml.synth.memory import device_of_order
from ml.texts import mark, translate
from ml.train.beginnings import noted, refuse_changed
from ml.train.fingerprint import fingerprint
from ml.train.held_out import refuse_known_patients
from ml.train.modes import Stage, as_told, refuse_children, stages_of
from ml.train.order import PLAN, SAMPLE_EVERY
from ml.train.packs import HeldOut, Origin, make_pack
from ml.train.plan import device_at_hand, plan_training
from ml.train.samples import Sampled
from ml.train.teaching import teach

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import torch
    from torch import nn

    from ml.data.canvases import CanvasItem, CanvasSet
    from ml.mammo.prepare import PrepareSpec
    from ml.manifest import Manifest, ManifestRow
    from ml.registry import ModelPack
    from ml.train.beginnings import Beginning
    from ml.train.loop import Recipe
    from ml.train.modes import Teaching
    from ml.train.plan import Plan

PREPARED = "prepared"
# Says in the folder of the prepared images that no image is in two of its parts.
CHECKED = "no-copies"
VALIDATION = "the manifest's rows for validation"
MEASURED = f"{VALIDATION}, which chose the thresholds, too"
DATA = "{images} images of {patients} patients: the manifest {name}, its rows for training."
AFTER = " It began with the weights of {parent}, trained on: {data}"


def main(
    role: str,
    manifest_path: Path,
    out: Path,
    *,
    from_scratch: bool = False,
    plan: Plan | None = None,
    device: str = "auto",
    part: float = 1.0,
    control: Control = NOBODY,
    overrides: tuple[str, ...] = (),
    teaching: Teaching | None = None,
    prepared: Path | None = None,
    sample_every: int = SAMPLE_EVERY,
    beginning: Beginning | None = None,
) -> None:
    """Train, measure and write a model pack into `out`; a killed training goes on.

    Parameters
    ----------
    from_scratch
        Do not begin with the installed model's weights, nor measure with other installed ones.
    plan
        Instead of the one that the data and the device decide.
    device
        One of `ml.synth.order.DEVICES`.
    part
        Share of the steps of the plan.
    overrides, beginning
        Why it is trained on red data, and its audit: without that it never goes live.
    teaching
        Which images teach, and how; left out: all alike. With one, only real ones measure.
    prepared
        Folder of the prepared images, shared by several trainings on one manifest.
    sample_every
        Steps between two live samples (`ml.train.samples`).

    Raises
    ------
    DataError
        Where no image could teach or measure, one who measures was taught, or a table changed.
    Stopped
        Where `control` ends the work; it goes on from the checkpoint.
    """
    kind = device_of_order(device)
    manifest = _audited(manifest_path, beginning, teaching)
    beside = {} if from_scratch else _beside(role)
    purposes = _purposes(manifest, prepared or out / PREPARED, beside, role, control)
    training, there = _material(role, purposes[Split.TRAIN])
    parent = None if from_scratch else _parent(role, training.spec)
    _refuse_known((*([parent] if parent else []), *beside.values()), manifest)
    lesson = Lesson.of(training, there, teaching)
    plan = lesson.plan(plan or _plan(lesson.planned(), kind, parent)).part(part)
    shown = _material(role, purposes[Split.VALIDATION])
    samples = Sampled(control, role, *shown, out, sample_every)
    _write_plan(out, plan, lesson, beginning)
    model = _taught(role, lesson, plan, out, _weights(parent), samples)
    origin = _origin(role, manifest, manifest_path.name, lesson, parent, overrides)
    pack = make_pack(out, role, model, origin, _held_out(purposes, control), beside=beside)
    _tell(pack, Steps(role, plan, control).of, control)


def prepare(
    role: str, manifest_path: Path, folder: Path, control: Control = NOBODY
) -> tuple[CanvasSet, tuple[int, ...]]:
    """Prepare the images of one manifest for trainings in every mode, from scratch.

    Parameters
    ----------
    folder
        To be given to `main` as `prepared`.

    Returns
    -------
    CanvasSet, tuple of int
        Those for training as the role sees them, and which of them it can look at.

    Raises
    ------
    DataError
        As `main`.
    Stopped
        Where `control` ends the work.
    """
    manifest = read_manifest(manifest_path)
    refuse_children(manifest)
    shown = _only_real_held_out(manifest)
    purposes = _purposes(shown, folder, {}, role, control)
    return _material(role, purposes[Split.TRAIN])


def _audited(path: Path, beginning: Beginning | None, teaching: Teaching | None) -> Manifest:
    """What was audited; with a mode only real images measure."""
    manifest = read_manifest(path)
    refuse_changed(beginning, path)
    if teaching is None:
        return manifest
    refuse_children(manifest)
    return _only_real_held_out(manifest)


def _refuse_known(others: tuple[ModelPack, ...], manifest: Manifest) -> None:
    for other in others:
        refuse_known_patients(other.card.training_patients, manifest)


def _write_plan(out: Path, plan: Plan, lesson: Lesson, beginning: Beginning | None) -> None:
    out.mkdir(parents=True, exist_ok=True)
    write_json(out / PLAN, plan.to_json() | lesson.told() | noted(out, beginning))


@dataclass(frozen=True, slots=True)
class Lesson:
    """Who teaches, of the images for training.

    Attributes
    ----------
    teaching
        None: every image alike.
    """

    training: CanvasSet
    stages: tuple[Stage, ...]
    teaching: Teaching | None

    @staticmethod
    def of(training: CanvasSet, there: tuple[int, ...], teaching: Teaching | None) -> Lesson:
        """Choose them by the mode.

        Raises
        ------
        DataError
            As `ml.train.modes.stages_of`.
        """
        stages = (Stage(there),)
        if teaching is not None:
            stages = stages_of(teaching, training.items, there)
        return Lesson(training, stages, teaching)

    def taught(self) -> tuple[CanvasItem, ...]:
        """The images that have a part in it."""
        if self.teaching is None:
            return self.training.items
        chosen = {index for stage in self.stages for index in stage.all}
        return tuple(self.training.items[index] for index in sorted(chosen))

    def planned(self) -> CanvasSet:
        """What the plan is made from: with a mode the real images, so that all are equal."""
        if self.teaching is None:
            return self.training
        items = (item for item in self.training.items if item.source == Source.REAL.value)
        return replace(self.training, items=tuple(items))

    def plan(self, plan: Plan) -> Plan:
        """With the random numbers of its seed."""
        return plan if self.teaching is None else self.teaching.plan(plan)

    def told(self) -> dict[str, object]:
        """What the plan says of it."""
        if self.teaching is None:
            return {}
        return {"teaching": {**self.teaching.to_json(), "data": self.sentence().strip()}}

    def sentence(self) -> str:
        """What the card says of it."""
        if self.teaching is None:
            return ""
        taught = self.taught()
        real = sum(item.source == Source.REAL.value for item in taught)
        return self.teaching.sentence(real, len(taught) - real)


def _only_real_held_out(manifest: Manifest) -> Manifest:
    """What synthetic images are good for is measured on real ones alone."""
    rows = (
        row
        for row in manifest.rows
        if split_of(row) is Split.TRAIN or row.source is Source.REAL
    )
    return replace(manifest, rows=tuple(rows))


def _plan(training: CanvasSet, device: str, parent: ModelPack | None) -> Plan:
    tuning = parent is not None
    return plan_training(fingerprint(training), device_at_hand(device), tuning=tuning)


def _taught(
    role: str,
    lesson: Lesson,
    plan: Plan,
    out: Path,
    start: Mapping[str, torch.Tensor] | None,
    samples: Sampled,
) -> nn.Module:
    return teach(
        role,
        lesson.training,
        lesson.stages,
        plan,
        out,
        start=start,
        progress=Steps(role, plan, samples).of_stage,
        begun=samples.watch,
        control=samples,
    )


def _tell(pack: ModelPack, steps: int, control: Control) -> None:
    for figure in pack.card.figures:
        control.log(
            f"{figure.name}: {figure.value:.3f} ({figure.low:.3f} to {figure.high:.3f}), "
            f"{figure.n} patients"
        )
    control.say(steps, steps, {"pack": str(pack.folder)})


class Steps:
    """How far a training is, over its stages together.

    Attributes
    ----------
    of
        Steps of all stages.
    """

    def __init__(self, role: str, plan: Plan, control: Control) -> None:
        stages: dict[str, Recipe] = {"detector": plan.detector}
        if role == "classifier":
            stages = {"patches": plan.patches, "classifier": plan.classifier}
        self._control = control
        self._before = dict(
            zip(stages, accumulate((r.steps for r in stages.values()), initial=0), strict=False)
        )
        self.of = sum(recipe.steps for recipe in stages.values())

    def of_stage(self, stage: str, before: int = 0) -> Callable[[int, float], None]:
        """What a stage's training calls with each step and its loss.

        Parameters
        ----------
        before
            Steps of the stage that were done with other images.
        """

        def progress(step: int, loss: float) -> None:
            news = {"stage": stage, "loss": round(loss, 5)}
            self._control.say(self._before[stage] + before + step + 1, self.of, news)
            # Told first: stopped here, the training goes on with the next step.
            self._control.breathe()

        return progress


def _installed(role: str) -> ModelPack | None:
    folder = packs_in_use().get(role)
    return read_pack(folder) if folder else None


def _parent(role: str, spec: PrepareSpec) -> ModelPack | None:
    """The installed model, where it looks at the same kind of canvas."""
    pack = _installed(role)
    return pack if pack and pack.card.prepare == spec else None


def _beside(role: str) -> dict[str, ModelPack]:
    """The installed models that the new one will be used with."""
    packs = {other: _installed(other) for other in BESIDE[role]}
    return {other: pack for other, pack in packs.items() if pack is not None}


def _wants(role: str, beside: ModelPack | None) -> Wants:
    """The finer canvas is for the detector of calcifications, and for whoever works with it."""
    if role == FINE_ROLE:
        return Wants(WHOLE, (), FINE)
    return Wants(WHOLE, (), beside.card.prepare if beside else None)


def _material(role: str, canvases: CanvasSet) -> tuple[CanvasSet, tuple[int, ...]]:
    """The images as a role sees them, and which of them it can look at."""
    if role == FINE_ROLE:
        return canvases.calcifications()
    return canvases, tuple(range(len(canvases.items)))


def _origin(
    role: str,
    manifest: Manifest,
    name: str,
    lesson: Lesson,
    parent: ModelPack | None,
    overrides: tuple[str, ...] = (),
) -> Origin:
    taught, spec = lesson.taught(), lesson.training.spec
    shown = {item.image_id for item in taught}
    hosts = {host_of(row) for row in manifest.rows if row.path in shown} - {""}
    patients = len({item.patient_id for item in taught})
    text = DATA.format(images=len(taught), patients=patients, name=name)
    text += lesson.sentence()
    if parent is not None:
        text += AFTER.format(parent=parent.card.key, data=parent.card.data)
    card = parent.card if parent else None
    return Origin(f"own-{role}", "1", text, spec, taught, frozenset(hosts), card, overrides)


def _purposes(
    manifest: Manifest,
    folder: Path,
    beside: Mapping[str, ModelPack],
    role: str,
    control: Control,
) -> dict[Split, CanvasSet]:
    """What is to train, to validate and to test, and no image in two of them.

    Without images for testing a model can be trained, but never compared.
    """
    wants = _wants(role, beside.get(FINE_ROLE))
    needed = (Split.TRAIN, Split.VALIDATION)
    purposes = {
        purpose: _prepared(manifest, purpose, folder, wants, role, control)
        for purpose in Split
        if purpose in needed or any(split_of(row) is purpose for row in manifest.rows)
    }
    # Once for all trainings that share the folder.
    if not (folder / CHECKED).exists():
        refuse_duplicates(
            {
                purpose: fingerprints(
                    (item.image_id, pixels)
                    for pixels, item in breathing(some.images(), control)
                )
                for purpose, some in purposes.items()
            }
        )
        (folder / CHECKED).touch()
    return purposes


def _held_out(purposes: Mapping[Split, CanvasSet], control: Control) -> HeldOut:
    """The rows for testing stay unseen: every look that somebody may choose by is a use.

    Who looks at them later tells the gate, which counts it (`ml.versions.Versions.test`).
    """
    control.log(translate(mark("Measuring on the rows for validation.")))
    validation = Breathing(purposes[Split.VALIDATION].pairs(), control)
    return HeldOut(VALIDATION, validation, {MEASURED: validation})


def _prepared(
    manifest: Manifest, purpose: Split, into: Path, wants: Wants, role: str, control: Control
) -> CanvasSet:
    rows = [as_told(manifest, row) for row in manifest.rows if split_of(row) is purpose]
    if not rows:
        raise DataError(
            mark("The manifest has no image {purpose}; name more patients."),
            purpose=translate(PURPOSES[purpose]),
        )
    folder, spec = into / purpose.value, wants.whole
    # Training needs the finer canvas only where it is what is trained.
    fine = wants.fine if role == FINE_ROLE or purpose is not Split.TRAIN else None
    order = Order(len(rows), spec, fine, _name_of(manifest, rows))
    if not finished(folder, order):
        (into / CHECKED).unlink(missing_ok=True)
        _prepare(manifest, rows, order, folder, control)
    prepared = read_canvases(folder)
    shown, there = _material(role, prepared)
    items = [shown.items[index] for index in there]
    if not items:
        raise DataError(
            mark(
                "No image {purpose} has pixels fine enough for calcifications; name images "
                "of at most 0.1 mm."
            ),
            purpose=translate(PURPOSES[purpose]),
        )
    if not any(item.boxes for item in items) or not any(item.free for item in items):
        raise DataError(
            mark(
                "The images {purpose} must be some with a boxed lesion and some without "
                "any lesion; name more patients."
            ),
            purpose=translate(PURPOSES[purpose]),
        )
    return prepared


def _name_of(manifest: Manifest, rows: Sequence[ManifestRow]) -> str:
    """Of all that the tables say of these images: where it changes, they are prepared anew."""
    paths = {row.path for row in rows}
    placed = (one for one in (*manifest.boxes, *manifest.hard) if one.path in paths)
    told = "\n".join(map(repr, (*rows, *placed)))
    return hashlib.sha256(told.encode()).hexdigest()


def _prepare(
    manifest: Manifest,
    rows: Sequence[ManifestRow],
    order: Order,
    folder: Path,
    control: Control,
) -> None:
    """Prepare images, from where an interruption left off."""
    begin = begun(folder, order)
    wants = Wants(order.spec, (), order.fine)
    pairs = listed_pairs(manifest, rows[begin:], wants)
    write_order(folder, breathing(pairs, control), order, begin)


def _weights(parent: ModelPack | None) -> Mapping[str, torch.Tensor] | None:
    if parent is None:
        return None
    from safetensors.torch import load_file

    return load_file(parent.weights)
