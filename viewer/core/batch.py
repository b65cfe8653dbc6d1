"""A batch of generated images as the studio shows it: what came, what is kept, how good."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import TYPE_CHECKING

from ml.texts import mark, translate

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ml.registry import Figure

_LESION = " with a "
_PLACE = " in the "


@dataclass(frozen=True, slots=True)
class Shot:
    """One image.

    Attributes
    ----------
    path, thumbnail
        The DICOM file and the picture beside it.
    number
        Its place in the order, from 1.
    passed
        The filters let it through.
    reason
        Why they did not, or should not have.
    wanted
        The user keeps it.
    """

    path: str
    thumbnail: str
    prompt: str
    number: int
    passed: bool = True
    reason: str = ""
    wanted: bool = True

    @property
    def kept(self) -> bool:
        """Whether it would be saved."""
        return self.passed and self.wanted


@dataclass(frozen=True, slots=True)
class Batch:
    """All images of one job.

    Attributes
    ----------
    shots
        As they came.
    figures
        What was measured of the batch; empty: nothing yet.
    """

    job_id: int
    folder: str
    seed: int
    shots: tuple[Shot, ...] = ()
    figures: tuple[Figure, ...] = ()

    @property
    def kept(self) -> tuple[Shot, ...]:
        """What would be saved."""
        return tuple(shot for shot in self.shots if shot.kept)


def shot_of(news: Mapping[str, object]) -> Shot | None:
    """The image that a job tells of; None where it tells of something else."""
    if not all(isinstance(news.get(name), str) for name in ("path", "thumbnail", "prompt")):
        return None
    path = str(news["path"])
    number = PurePath(path).stem.split("-")[0]
    return Shot(
        path,
        str(news["thumbnail"]),
        str(news["prompt"]),
        int(number) if number.isascii() and number.isdigit() else 0,
        passed=news.get("kept") is not False,
        reason=translate(str(news.get("reason") or "")),
    )


def hear(batch: Batch, news: Mapping[str, object]) -> Batch:
    """Take the image that the job tells of."""
    shot = shot_of(news)
    return batch if shot is None else add_shots(batch, (shot,))


def tells_of_quality(news: Mapping[str, object]) -> bool:
    """Whether the batch was measured: its figures lie in its folder."""
    return bool(news.get("quality"))


def add_shots(batch: Batch, shots: Iterable[Shot]) -> Batch:
    """Take images, each once, also where the folder and the news tell of the same."""
    known = {shot.path for shot in batch.shots}
    fresh = tuple(shot for shot in shots if shot.path not in known)
    return replace(batch, shots=(*batch.shots, *fresh)) if fresh else batch


def find(batch: Batch, shots: Iterable[Shot], figures: tuple[Figure, ...]) -> Batch:
    """Take what lies in the batch's folder; images that came meanwhile stand behind it.

    What was chosen here since then counts.
    """
    chosen = {shot.path: shot.wanted for shot in batch.shots}
    there = (replace(shot, wanted=chosen.get(shot.path, shot.wanted)) for shot in shots)
    found = add_shots(replace(batch, shots=(), figures=figures or batch.figures), there)
    return add_shots(found, batch.shots)


def toggle(batch: Batch, path: str) -> Batch:
    """Keep an image, or not; what the filters refused is never kept."""
    shots = tuple(
        replace(shot, wanted=not shot.wanted) if shot.path == path and shot.passed else shot
        for shot in batch.shots
    )
    return replace(batch, shots=shots)


def not_kept(batch: Batch) -> tuple[str, ...]:
    """The names of the files that the user does not keep."""
    return tuple(PurePath(shot.path).name for shot in batch.shots if not shot.wanted)


def caption(batch: Batch, shot: Shot) -> str:
    """What stands under an image: ``"seed 7.3 · mass"``."""
    seed = translate("seed {seed}").format(seed=f"{batch.seed}.{shot.number}")
    return f"{seed} · {lesion_of(shot.prompt)}"


def lesion_of(prompt: str) -> str:
    """The lesion's words in a sentence."""
    said = prompt.partition(f",{_LESION}")[2].partition(_PLACE)[0]
    return said or translate("no lesion")


def told(batch: Batch, shot: Shot) -> str:
    """All that is known of an image in one line, for who cannot see it."""
    state = translate("kept") if shot.kept else translate("not kept")
    if not shot.passed:
        state = translate("filtered out")
    parts = (translate("SYNTHETIC"), caption(batch, shot), state, shot.reason)
    return " · ".join(part for part in parts if part)


def filtered_out(batch: Batch) -> tuple[tuple[str, int], ...]:
    """The filters' reasons and how many images each refused, the most frequent first."""
    counted = Counter(shot.reason for shot in batch.shots if not shot.passed)
    return tuple(counted.most_common())


# What `ml.synth.quality` measures, in short, for as long as it has not.
UNMEASURED = (
    mark("KID"),
    mark("precision and recall"),
    mark("MS-SSIM of pairs"),
    mark("nearest training over held-out"),
    mark("density, view and side as asked"),
    mark("told from real, AUC"),
)
# As `ml.synth.quality` names them: what a figure is of, and what belongs to another one.
GENERATED, DEVIATION = "generated", ": deviation over subsets"


@dataclass(frozen=True, slots=True)
class FigureLine:
    """One figure of the batch.

    Attributes
    ----------
    value
        With its deviation; empty where there is nothing.
    told
        The same with its interval, its number, and what real images reach.
    """

    name: str
    value: str
    told: str


def figure_lines(figures: Sequence[Figure]) -> tuple[FigureLine, ...]:
    """What was measured; nothing is made up for what was not."""
    if not figures:
        nothing = translate("not measured yet")
        return tuple(
            FigureLine(translate(name), nothing, f"{translate(name)}: {nothing}")
            for name in UNMEASURED
        )
    made = (f for f in figures if f.data == GENERATED and not f.name.endswith(DEVIATION))
    return tuple(_line(figure, figures) for figure in made)


def _line(figure: Figure, figures: Sequence[Figure]) -> FigureLine:
    value = f"{figure.value:.3g}"
    deviations = (
        f.value
        for f in figures
        if f.data == GENERATED and f.name == f"{figure.name}{DEVIATION}"
    )
    for deviation in deviations:
        value += f" ± {deviation:.2g}"
    parts = [f"{figure.value:.3g} ({figure.low:.3g} to {figure.high:.3g}), n = {figure.n}"]
    others = (f for f in figures if f.name == figure.name and f.data != GENERATED)
    parts += [f"{other.data}: {other.value:.3g}" for other in others]
    return FigureLine(figure.name, value, f"{figure.name}: {'; '.join(parts)}")
