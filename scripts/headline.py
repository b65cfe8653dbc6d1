"""The headline, done right: whether what is synthetic helps where real images are few.

    python scripts/headline.py --work FOLDER --mini-mias FOLDER [--generator PACK] [--only NAME]

Four ways of teaching take the same number of updates: real images only; phantoms first; images
with lesions that the generator painted beside the real ones; and both. Two questions are asked
of a detector and of a classifier: mini-MIAS in five folds by patient, and 50, 100 and 200
images of makers that no phantom for teaching has, measured on 400 others of them. The generator
must have seen no film: one that was taught any is refused. It paints into phantoms of its own;
without `--generator` the two ways that need it are left out, and a later run adds them.

Where an answer of a film's fold is cut, and which probability it has, is decided by the other
folds' answers of models that saw neither: one for each two folds.

All is asked at 0.4 mm, half as fine as the models that ship look: 144 trainings a seed take a
processor five hours then, and two dozen as fine as they do. Masses are seen so, single specks
are not.

Each finished training leaves its raw answers in WORK/answers, and is not done again; what is
missing is left out of the report, which goes to `resources/docs/reports/headline.json`.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, combinations
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from folds import graph_of
from headline_figures import INNER, kept, report_of, to_keep

from ml.data.canvases import CanvasItem, read_canvases, write_canvases
from ml.data.sources.mini_mias import mini_mias_canvases
from ml.data.sources.phantoms import PhantomSet, phantom_canvases
from ml.evaluate.outcomes import judge_images, mark_images
from ml.files import write_json
from ml.hashed import name_sha256
from ml.mammo.codes import BreastDensity, FindingType
from ml.mammo.prepare import WHOLE, PrepareSpec, prepare
from ml.models.classifier import DeployedClassifier
from ml.models.detector import deployed
from ml.phantom.vendors import FILMS, UNSEEN_VENDORS, VENDORS
from ml.places import MODELS
from ml.splits import FOLDS, patient_fold
from ml.synth.balance import any_prompt
from ml.synth.hosts import PhantomHosts
from ml.synth.lesions import NoRoomError, paint_lesion
from ml.synth.pack import read_generator
from ml.synth.pipeline import Sampling, load_generator
from ml.synth.prompts import LesionKind
from ml.synth.teaching import vendor_word
from ml.train.fingerprint import fingerprint
from ml.train.modes import Mode, Stage, Teaching
from ml.train.plan import device_at_hand, plan_training
from ml.train.teaching import teach

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from headline_crossed import Answer
    from numpy.typing import NDArray
    from torch import nn

    from ml.data.canvases import CanvasSet
    from ml.synth.pipeline import Generator
    from ml.train.plan import Plan

REPORT = MODELS.parent / "docs" / "reports" / "headline.json"
ROLES = ("detector", "classifier")
FEW = (50, 100, 200)
COARSE = PrepareSpec(WHOLE.rows // 2, WHOLE.columns // 2, 2 * WHOLE.pixel_mm)
CROP_PX = 160
# Seeds that nothing else draws from, of the makers of each purpose.
TEACHING = PhantomSet(9_000_000, 800, lesion_rate=0.65, most_lesions=4)
REAL = PhantomSet(9_400_000, max(FEW), vendors=UNSEEN_VENDORS)
TEST = PhantomSet(9_500_000, 400, vendors=UNSEEN_VENDORS)
PAINTED, FIRST_HOST = 400, 9_600_000
FILMS_AT_MOST = 400
# Of every training, however it is taught: half of them with phantoms where they come first.
STEPS = {"detector": 400, "patches": 160, "classifier": 240}
# Beside the trainings of one role and seed, which share it.
PHANTOMS_FIRST = "../phantoms-first"
KINDS: tuple[LesionKind | None, ...] = (*LesionKind, None, None, None)
FOUND = {LesionKind.CALCIFICATION_CLUSTER: FindingType.CALCIFICATIONS}
GRADES = tuple(BreastDensity)

log = logging.getLogger("headline")


@dataclass(frozen=True, slots=True)
class Way:
    """How a model is taught."""

    name: str
    phantoms: bool = False
    painted: bool = False


WAYS = (
    Way("real only"),
    Way("phantoms first", phantoms=True),
    Way("generated beside", painted=True),
    Way("both", phantoms=True, painted=True),
)


@dataclass(frozen=True, slots=True)
class Question:
    """Which images are real and teach, and which are asked.

    Attributes
    ----------
    name
        ``films-0`` to ``films-4``, ``phantoms-50``, or ``inner-0-1``: films of two folds, which
        decide where each other's answers are cut.
    """

    name: str
    real: tuple[int, ...]
    asked: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """All images in one set, and which of them are what."""

    canvases: CanvasSet
    parts: dict[str, range]

    def questions(self) -> Iterator[Question]:
        """In the order in which they are asked."""
        films = self.parts["films"]
        folds = {i: patient_fold(self.canvases.items[i].patient_id) for i in films}
        for fold in range(FOLDS):
            real = tuple(i for i in films if folds[i] != fold)
            asked = tuple(i for i in films if folds[i] == fold)
            yield Question(f"films-{fold}", real, asked)
        for count in FEW:
            real = tuple(self.parts["real"][:count])
            yield Question(f"phantoms-{count}", real, tuple(self.parts["test"]))
        for pair in combinations(range(FOLDS), 2):
            real = tuple(i for i in films if folds[i] not in pair)
            asked = tuple(i for i in films if folds[i] in pair)
            yield Question(f"{INNER}-{pair[0]}-{pair[1]}", real, asked)

    def ways(self) -> Iterator[Way]:
        """Those that need nothing that is not there."""
        for way in WAYS:
            if "painted" in self.parts or not way.painted:
                yield way

    def stages(self, way: Way, question: Question) -> tuple[Stage, ...]:
        """Who teaches, in the order of teaching: as many generated images as real ones."""
        last = Stage(question.real, films=True)
        if way.painted:
            painted = tuple(self.parts["painted"][: len(question.real)])
            last = Stage(painted, real=question.real)
        if not way.phantoms:
            return (last,)
        first = Stage(tuple(self.parts["phantoms"]), share=0.5, folder=PHANTOMS_FIRST)
        return first, replace(last, share=0.5, goes_on=True)


def main() -> None:
    """Prepare, train what is missing, and write the report."""
    given = _parser().parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    material = prepared(given.work, given.mini_mias, given.generator)
    plan = plan_of(read_canvases(given.work / "phantoms"))
    for cell in cells(material, given.seeds):
        if given.only in cell.name and not cell.place(given.work).exists():
            log.info("%s", cell.name)
            model = trained(cell, material, plan, given.work)
            said = to_keep(answers(cell.role, model, material, cell.question))
            cell.place(given.work).parent.mkdir(parents=True, exist_ok=True)
            write_json(cell.place(given.work), {"answers": said})
    who = read_generator(given.generator) if given.generator else None
    painter = f"{who.card.key}, weights sha256 {who.lesions_sha256}" if who else ""
    write_json(REPORT, report_of(found(given.work, material), generator=painter))


@dataclass(frozen=True, slots=True)
class Cell:
    """One training."""

    role: str
    seed: int
    way: Way
    question: Question

    @property
    def name(self) -> str:
        """``detector/seed-0/real-only/films-0``."""
        way = self.way.name.replace(" ", "-")
        return f"{self.role}/seed-{self.seed}/{way}/{self.question.name}"

    def place(self, work: Path) -> Path:
        """Of its answers."""
        return work / "answers" / f"{self.name}.json"


def cells(material: Material, seeds: int) -> Iterator[Cell]:
    """One seed after the other, so that what is there when it is stopped is whole."""
    for seed in range(seeds):
        for role in ROLES:
            for question in material.questions():
                for way in material.ways():
                    yield Cell(role, seed, way, question)


def trained(cell: Cell, material: Material, plan: Plan, work: Path) -> nn.Module:
    """A model, taught in its way; phantoms that come first are taught once for all."""
    stages = material.stages(cell.way, cell.question)
    sown = Teaching(Mode.AUGMENTED, seed=cell.seed)
    # Side by side, so that all of a role and seed have the same `PHANTOMS_FIRST`.
    parts = cell.name.split("/")
    out = work / "trainings" / "/".join(parts[:2]) / "-".join(parts[2:])
    return teach(
        cell.role, material.canvases, stages, sown.plan(plan), out, progress=_in_silence
    )


def _in_silence(part: str, before: int) -> Callable[[int, float], None]:
    return lambda step, loss: None


def found(work: Path, material: Material) -> dict[str, dict[str, dict[int, list[Answer]]]]:
    """The answers that are there: of each role and question, of each way, by seed."""
    items = {item.image_id: item for item in material.canvases.items}
    told: dict[str, dict[str, dict[int, list[Answer]]]] = {}
    for path in sorted((work / "answers").rglob("*.json")):
        role, seed, way, question = path.relative_to(work / "answers").with_suffix("").parts
        of_way = told.setdefault(f"{role}/{question}", {}).setdefault(way, {})
        said = json.loads(path.read_text("utf-8"))["answers"]
        of_way[int(seed.removeprefix("seed-"))] = kept(said, items)
    return told


def answers(
    role: str, model: nn.Module, material: Material, question: Question
) -> Sequence[Answer]:
    """What a trained model says of the images that are asked."""
    images = material.canvases.images(question.asked)
    if role == "detector":
        return mark_images(graph_of(deployed(model)), images)
    return judge_images(graph_of(DeployedClassifier(model).eval()), images)  # type: ignore[arg-type]


def plan_of(phantoms: CanvasSet) -> Plan:
    """One plan for all of them, whatever else there is."""
    plan = plan_training(fingerprint(phantoms), device_at_hand())
    return replace(
        plan,
        crop_px=CROP_PX,
        detector=replace(plan.detector, steps=STEPS["detector"]),
        patches=replace(plan.patches, steps=STEPS["patches"]),
        classifier=replace(plan.classifier, steps=STEPS["classifier"], phantom_variants=1),
    )


def prepared(work: Path, mini_mias: Path, pack: Path | None) -> Material:
    """Make all images, or find them; each kind is made once.

    Parameters
    ----------
    pack
        None: nothing is painted.
    """
    count = os.cpu_count() or 1
    draw = partial(phantom_canvases, spec=COARSE, processes=count)
    kinds: dict[str, tuple[Callable[[], Iterator[tuple[NDArray[np.uint16], CanvasItem]]], int]]
    kinds = {
        "films": (lambda: mini_mias_canvases(mini_mias, COARSE), FILMS_AT_MOST),
        "phantoms": (lambda: draw(TEACHING), TEACHING.count),
        "real": (lambda: draw(REAL), REAL.count),
        "test": (lambda: draw(TEST), TEST.count),
    }
    if pack is not None:
        kinds["painted"] = (lambda: painted(untaught(pack, mini_mias)), PAINTED)
    sets: dict[str, CanvasSet] = {}
    for name, (make, most) in kinds.items():
        if not (work / name / "canvases.json").exists():
            write_canvases(work / name, make(), most, COARSE)
        sets[name] = read_canvases(work / name)
    parts: dict[str, range] = {}
    end = 0
    for name, one in sets.items():
        parts[name] = range(end, end + len(one.items))
        end += len(one.items)
    together = work / "-".join(("together", *sets))
    if not (together / "canvases.json").exists():
        images = chain.from_iterable(one.images() for one in sets.values())
        write_canvases(together, images, end, COARSE)
    return Material(read_canvases(together), parts)


def untaught(folder: Path, mini_mias: Path) -> Generator:
    """The generator, which must have seen none of the women of the folds."""
    pack = read_generator(folder)
    taught = set(pack.card.training_patients)
    if not taught:
        raise SystemExit("This generator does not say whom it was taught; use one that does.")
    films = (item.patient_id for _, item in mini_mias_canvases(mini_mias, COARSE))
    if any(name_sha256(patient) in taught for patient in films):
        raise SystemExit(
            "This generator was taught films of women who are judged here; teach one with "
            "phantoms alone (default_generator.py without --mini-mias)."
        )
    return load_generator(pack, device_at_hand().kind)


def painted(generator: Generator) -> Iterator[tuple[NDArray[np.uint16], CanvasItem]]:
    """Phantoms with a lesion that the generator painted, and as many with healthy tissue."""
    words = [vendor_word(maker.name) for maker in VENDORS + FILMS]
    made, number = 0, 0
    while made < PAINTED:
        number += 1
        kind = KINDS[number % len(KINDS)]
        rng = np.random.default_rng((FIRST_HOST, number))
        prompt = any_prompt(words, kind, rng)
        seed = FIRST_HOST + number
        host = PhantomHosts().host(prompt, seed)
        try:
            done = paint_lesion(
                generator, host.pixels, host.mammogram, prompt, seed, Sampling()
            )
        except NoRoomError:
            continue
        whole = prepare(done.pixels, host.mammogram, COARSE)
        box = whole.to_stored.inverse().box(done.box)
        corners = (box.row0, box.col0, box.row1, box.col1)
        yield (
            whole.pixels,
            CanvasItem(
                f"painted-{number}",
                f"painted-{number}",
                "generated",
                (corners,) if kind else (),
                (FOUND.get(kind, FindingType.MASS),) if kind else (),
                None,
                GRADES.index(prompt.density),
                lesion=kind is not None,
            ),
        )
        made += 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Does what is synthetic help?")
    parser.add_argument("--work", required=True, type=Path, metavar="FOLDER")
    parser.add_argument("--mini-mias", required=True, type=Path, metavar="FOLDER")
    parser.add_argument("--generator", type=Path, metavar="PACK", help="taught no film")
    parser.add_argument("--seeds", type=int, default=1, metavar="N")
    parser.add_argument("--only", default="", metavar="NAME", help="trainings so called")
    return parser


if __name__ == "__main__":
    main()
