"""Does it help? Every mode of `ml.train.modes` with every seed, measured and compared.

    out/audit.json          of the data: once for all trainings
    out/matrix.json         what the trainings of this folder have in common
    out/prepared/           the images, shared by all trainings
    out/trainings/mixed-0.5-seed2/
                            one training with its pack, and `ANSWERS`, what it said
    out/helps.json, helps.md
                            what may be said of each mode (`ml.train.helps_page`)

A training whose answers are there is not done again: a killed matrix goes on, and one with more
seeds or doses trains only those. All begin from scratch and take the same steps of the same
batch; a plan that differs is refused. It says how far it is in steps of all trainings, with the
news

    {"training": 3, "of_trainings": 21, "mode": "mixed", "dose": 1.0, "seed": 0, "stage": ...}
    {"helps": "/out/helps.json"}      in the end
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

from ml.audit.command import tables_of
from ml.control import NOBODY, Control, PassedOn, breathing
from ml.errors import DataError
from ml.evaluate.versus import part_of, rows_for_testing
from ml.files import write_json
from ml.in_use import own_versions
from ml.manifest import read_manifest
from ml.texts import mark, translate
from ml.train.curve import Recorded
from ml.train.order import CURVE, HELPS, MODE_WORDS, PLAN, HelpsOrder, TrainingOrder
from ml.train.run import audited, overrides_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ml.train.helps_figures import Answers, Arm
    from ml.train.helps_page import Budget

MATRIX, TRAININGS, ANSWERS = "matrix.json", "trainings", "answers.json"
PREPARED = "prepared"
# The parts of a training by role, as its plan names them.
_PARTS = {"classifier": ("patches", "classifier")}


@dataclass(frozen=True, slots=True)
class Cell:
    """One training of the matrix.

    Attributes
    ----------
    number, count
        Which of how many, from 1.
    """

    arm: Arm
    seed: int
    folder: Path
    number: int
    count: int

    def news(self) -> dict[str, object]:
        """Which training it is, as it is told."""
        return {
            "training": self.number,
            "of_trainings": self.count,
            "mode": self.arm.mode.value,
            "dose": self.arm.dose,
            "seed": self.seed,
        }


class _OfCell(PassedOn):
    """One training's part of the whole matrix; its budget is checked before its first step."""

    def __init__(self, control: Control, cell: Cell, check: Callable[[], object]) -> None:
        super().__init__(control)
        self._cell, self._check = cell, check
        self._checked = False

    def say(self, done: int, of: int, news: Mapping[str, object] | None = None) -> None:
        """Tell steps of all trainings together; they all have equally many."""
        if not self._checked:
            self._check()
            self._checked = True
        told = {name: said for name, said in (news or {}).items() if name != "pack"}
        done, of = (self._cell.number - 1) * of + done, self._cell.count * of
        super().say(done, of, self._cell.news() | told if told else None)


def run(spec: Mapping[str, object], control: Control = NOBODY) -> None:
    """Train and measure what is missing of a matrix, and say what it shows.

    Parameters
    ----------
    spec
        `HelpsOrder.to_json`.

    Raises
    ------
    MammoError
        Where the order is none, the images cannot teach every mode, their audit is red, or the
        folder holds another matrix.
    Stopped
        Where `control` ends the work.
    """
    order = HelpsOrder.from_json(spec)
    out = Path(order.out)
    out.mkdir(parents=True, exist_ok=True)
    _refuse_another(order)
    asked = (order.manifest, order.out, order.role, order.device, order.part, True)
    report = audited(TrainingOrder(*asked, override=order.override), control)
    _refuse_early(order, control)
    cells, overrides = cells_of(order), overrides_of(report)
    budgets: dict[str, Budget] = {}
    for cell in cells:
        control.breathe()
        if not (cell.folder / ANSWERS).exists():
            text = translate("Training {number} of {count}: {mode}, seed {seed}.")
            mode = translate(MODE_WORDS[cell.arm.mode])
            control.log(text.format(**(cell.news() | _counted(cell) | {"mode": mode})))
            train_cell(order, cell, overrides, budgets, control)
        check_budget(order, cell, budgets)
    _conclude(order, cells, budgets, control)


def _counted(cell: Cell) -> dict[str, object]:
    return {"number": cell.number, "count": cell.count}


def cells_of(order: HelpsOrder) -> tuple[Cell, ...]:
    """Every mode with the first seed, then with the next: a matrix cut short is whole seeds."""
    from ml.train.helps_figures import arms_of

    arms = arms_of(order)
    pairs = [(arm, seed) for seed in range(order.seeds) for arm in arms]
    folder = Path(order.out) / TRAININGS
    return tuple(
        Cell(arm, seed, folder / arm.folder(seed), number, len(pairs))
        for number, (arm, seed) in enumerate(pairs, 1)
    )


def train_cell(
    order: HelpsOrder,
    cell: Cell,
    overrides: tuple[str, ...],
    budgets: dict[str, Budget],
    control: Control,
) -> None:
    """Train one mode with one seed, and keep what it says of the images for testing.

    Raises
    ------
    DataError
        As `ml.train.command.main`, and where its budget is not that of the others.
    Stopped
        Where `control` ends the work.
    """
    from ml.train.command import main

    cell.folder.mkdir(parents=True, exist_ok=True)
    watched = _OfCell(control, cell, lambda: check_budget(order, cell, budgets))
    main(
        order.role,
        Path(order.manifest),
        cell.folder,
        from_scratch=True,
        device=order.device,
        part=order.part,
        control=Recorded(watched, cell.folder / CURVE),
        overrides=overrides,
        teaching=cell.arm.teaching(cell.seed),
        prepared=Path(order.out) / PREPARED,
    )
    _count_use(order, cell)
    answers = measure(cell.folder, Path(order.out) / PREPARED / "test", control)
    write_json(cell.folder / ANSWERS, answers)
    # Nobody goes on from these any more, and of dozens of trainings they fill a disk.
    for checkpoint in cell.folder.rglob("*.pt"):
        checkpoint.unlink()


def _count_use(order: HelpsOrder, cell: Cell) -> None:
    """Who chooses one of many ways by their answers has asked for each: the gate is told."""
    versions = own_versions()
    if versions is not None and cell.seed == 0:
        part = part_of(rows_for_testing(read_manifest(Path(order.manifest))))
        versions.test(order.role, cell.folder.name, part)


def measure(trained: Path, prepared: Path, control: Control) -> Answers:
    """What a trained pack says of prepared images.

    Raises
    ------
    Stopped
        Where `control` ends the work.
    """
    from ml.data.canvases import read_canvases
    from ml.evaluate.measurement import Measurement
    from ml.registry import read_pack
    from ml.train.helps_figures import answers_of

    pack = read_pack(trained)
    pairs = breathing(read_canvases(prepared).pairs(), control)
    said = Measurement.of(pack, {}).run(pairs)
    return answers_of(said, pack.card.operating_points[0].threshold)


def check_budget(order: HelpsOrder, cell: Cell, budgets: dict[str, Budget]) -> None:
    """Keep what a training may spend, and refuse one that may spend more or less than others.

    Raises
    ------
    DataError
        Says how much.
    """
    plan = json.loads((cell.folder / PLAN).read_text("utf-8"))
    parts = _PARTS.get(order.role, ("detector",))
    mine = {
        part: {name: int(plan[part][name]) for name in ("steps", "batch")} for part in parts
    }
    budgets[cell.folder.name] = mine
    for name, other in budgets.items():
        if other != mine:
            raise DataError(
                mark(
                    "Only equal trainings can be compared: {one} takes {mine}, {other} takes "
                    "{others} (steps x batch). Go on where the first was trained, or begin in "
                    "another folder."
                ),
                one=cell.folder.name,
                mine=_spent(mine),
                other=name,
                others=_spent(other),
            )


def _spent(budget: Budget) -> str:
    return ", ".join(f"{each['steps']} x {each['batch']}" for each in budget.values())


def _refuse_another(order: HelpsOrder) -> None:
    """A folder holds one matrix; only seeds and doses may be added to it."""
    path = Path(order.out) / MATRIX
    mine = {
        "role": order.role,
        "part": order.part,
        "tables": tables_of(Path(order.manifest)),
    }
    if not path.exists():
        write_json(path, mine)
    elif json.loads(path.read_text("utf-8")) != mine:
        raise DataError(
            mark(
                "{folder} holds trainings of other data, of another role or of another length; "
                "choose another folder."
            ),
            folder=Path(order.out).name,
        )


def _refuse_early(order: HelpsOrder, control: Control) -> None:
    """What one mode lacks is said before the others were trained for hours."""
    from ml.train.command import prepare
    from ml.train.helps_figures import arms_of
    from ml.train.modes import stages_of

    rows_for_testing(read_manifest(Path(order.manifest)))
    folder = Path(order.out) / PREPARED
    training, there = prepare(order.role, Path(order.manifest), folder, control)
    for arm in arms_of(order):
        stages_of(arm.teaching(0), training.items, there)


def _conclude(
    order: HelpsOrder, cells: tuple[Cell, ...], budgets: dict[str, Budget], control: Control
) -> None:
    from ml.train.helps_figures import findings_of
    from ml.train.helps_page import sentence_over_all, write_findings

    control.log(translate(mark("Comparing the modes.")))
    answers: dict[Arm, list[Answers]] = {}
    for cell in cells:
        kept = json.loads((cell.folder / ANSWERS).read_text("utf-8"))
        answers.setdefault(cell.arm, []).append(cast("Answers", kept))
    found = findings_of(answers)
    write_findings(Path(order.out), order, next(iter(budgets.values())), found)
    control.log(sentence_over_all(found))
    control.say(1, 1, {"helps": str(Path(order.out) / HELPS)})
