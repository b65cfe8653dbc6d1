"""What a screened folder leaves behind: three tables, a JSON document and a page.

| file | what |
|---|---|
| ``results.csv`` | a row an image, by study: what `analyze --json` says of it, flattened |
| ``worklist.csv`` | a row a study, in the order of reading |
| ``skipped.csv`` | a row a file that is no image of a study, and why |
| ``results.json`` | everything, a line a study |
| ``report.html`` | for reading and printing (`ml.screen.page`), and ``report-2.html`` … |

Column names and words such as ``"attention"`` are the same in every language, for scripts.
Images are written as they come: none is held when the next is.
"""

from __future__ import annotations

import csv
import json
import re
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from math import isfinite
from typing import TYPE_CHECKING, TextIO

from ml.files import replacing
from ml.findings import Analysis, ImageAnalysis
from ml.findings_json import analysis_to_json, image_to_json
from ml.mammo.codes import Laterality
from ml.screen.page import SKIPPED_CSV, About, html_page
from ml.screen.ranking import LEVELS, SIDES, sentence_of, state_of
from ml.screen.rows import State
from ml.screen.sheets import number_in, sheet_name, sheets_of
from ml.texts import RESEARCH_USE_ONLY, translate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from ml.findings import ModelUse
    from ml.screen.ranking import BreastRank, StudyRank, Summary
    from ml.screen.rows import Heading, ScreenedImage, ScreenedStudy

RESULTS_CSV, WORKLIST_CSV = "results.csv", "worklist.csv"
RESULTS_JSON, REPORT_HTML = "results.json", sheet_name(1)
# In place of a `State`: there is no answer yet.
WAITING = "waiting"

IMAGE_COLUMNS = (
    *("path", "study_instance_uid", "sop_instance_uid", "laterality", "view"),
    *("rows", "columns", "state", "refused", "failed", "not_validated"),
    *("findings", "best_finding_score", "lesion_score", "lesion_probability"),
    *("malignancy_score", "malignancy_probability", "density", "milliseconds", "models"),
)
SKIPPED_COLUMNS = ("path", "standing", "why")
_BREAST_COLUMNS = ("score", "probability", "malignancy_probability", "verdict")
_SIDE_NAMES = {Laterality.RIGHT: "right", Laterality.LEFT: "left"}
STUDY_COLUMNS = (
    *("place", "group", "reasons", "patient_id", "study_instance_uid", "study_date"),
    *("synthetic", "probability", "score", "verdict"),
    *(f"{_SIDE_NAMES[side]}_{name}" for side in SIDES for name in _BREAST_COLUMNS),
    *("density", "images", "refused", "failed", "waiting"),
)
# What a spreadsheet takes for a formula, also behind blanks and in wide letters.
_FORMULA = re.compile(r"[\t\r\n]|\s*[=+\-@\uFF1D\uFF0B\uFF0D\uFF20]")


def write_results(
    folder: Path,
    about: About,
    ranks: Sequence[StudyRank],
    studies: Callable[[], Iterable[ScreenedStudy]],
    thumbnail: Callable[[str], str | None] = lambda place: None,
    skipped: Callable[[], Iterable[Heading]] = tuple,
) -> None:
    """Write all files; an interruption leaves of each the old one or the new one.

    The report is written last: where it is new, so is everything else.

    Parameters
    ----------
    folder
        Made where it is not there.
    about
        What the files are of.
    ranks
        In the order of reading, as `ml.screen.ranking.ranked` gives them; each file numbers the
        studies so.
    studies
        Called twice, gives every study, one after another, in any order. A study that is not in
        `ranks` (found since) is left out of all files.
    thumbnail
        From an image's place to its picture, relative to `folder`; None where there is none. By
        place, not by heading: the ranks hold places only, so that a page of 100,000 images
        needs no second look at them.
    skipped
        The files that are no image of a study.

    Raises
    ------
    OSError
        Where `folder` cannot be written: the disk is full, gone or somebody else's.
    """
    folder.mkdir(parents=True, exist_ok=True)
    # The ranks' texts are not copied: this costs some bytes a study.
    numbers = {rank.key: number for number, rank in enumerate(ranks)}
    models, summary = about.models, about.summary

    def kept() -> Iterator[tuple[int, ScreenedStudy]]:
        return ((numbers[each.key], each) for each in studies() if each.key in numbers)

    with _text(folder / RESULTS_CSV) as file:
        _write_images(file, models, (study for _, study in kept()))
    with _text(folder / SKIPPED_CSV) as file:
        _write_skipped(file, skipped())
    with _text(folder / WORKLIST_CSV) as file:
        _write_worklist(file, ranks)
    with _text(folder / RESULTS_JSON) as file:
        studies_json = (_study(n + 1, ranks[n], study, models) for n, study in kept())
        _write_json(file, models, summary, studies_json)
    _write_report(folder, about, ranks, thumbnail)


def harmless(value: object) -> object:
    """A cell that no spreadsheet takes for a formula: headers are written by strangers."""
    if isinstance(value, str) and _FORMULA.match(value):
        return f"'{value}"
    return value


@contextmanager
def _text(path: Path) -> Iterator[TextIO]:
    """A text file that takes its place in the end."""
    with replacing(path) as fresh, _opened(fresh) as file:
        yield file


def _opened(path: Path) -> TextIO:
    """The name of a file may be no text at all: what is none is written as its number."""
    return path.open("w", encoding="utf-8", errors="backslashreplace", newline="")


def _write_report(
    folder: Path,
    about: About,
    ranks: Sequence[StudyRank],
    thumbnail: Callable[[str], str | None],
) -> None:
    """Write every page; until the last one is whole, the old pages stand.

    A stack is left backwards: ``report.html`` takes its place when all that it leads to are
    there. Pages of an earlier, longer list go when no page leads to them any more.
    """
    sheets = sheets_of(len(ranks))
    with ExitStack() as replaced:
        for sheet in sheets:
            fresh = replaced.enter_context(replacing(folder / sheet.name))
            members = ranks[sheet.first - 1 : sheet.last]
            with _opened(fresh) as file:
                file.writelines(html_page(about, sheet, members, thumbnail))
    for path in list(folder.iterdir()):
        if (number_in(path.name) or 0) > len(sheets):
            path.unlink(missing_ok=True)


def _write_images(
    file: TextIO, models: Mapping[str, ModelUse], studies: Iterable[ScreenedStudy]
) -> None:
    table = csv.writer(file)
    table.writerow(IMAGE_COLUMNS)
    spoke = ";".join(f"{role}={use.name}@{use.version}" for role, use in models.items())
    for study in studies:
        table.writerows(map(harmless, _image_row(image, spoke)) for image in study.images)


def _image_row(image: ScreenedImage, spoke: str) -> tuple[object, ...]:
    """In the order of `IMAGE_COLUMNS`; None is an empty cell."""
    found, state = _said(image), state_of(image)
    scores = [finding.score for finding in found.findings if finding.score > 0]
    return (
        *(found.path, found.study_instance_uid, found.sop_instance_uid),
        found.laterality.value if found.laterality else None,
        found.view.value if found.view else None,
        *(found.rows, found.columns, state or WAITING),
        sentence_of(image) if state is State.REFUSED else None,
        sentence_of(image) if state is State.FAILED else None,
        found.not_validated,
        *(len(scores), max(scores, default=None)),
        *(found.lesion_score, found.lesion_probability),
        *(found.malignancy_score, found.malignancy_probability),
        max(found.density, key=lambda share: share[1])[0].value if found.density else None,
        *(round(found.milliseconds, 1), spoke),
    )


def _write_skipped(file: TextIO, skipped: Iterable[Heading]) -> None:
    table = csv.writer(file)
    table.writerow(SKIPPED_COLUMNS)
    for each in skipped:
        cells = (each.entry.place, each.standing.value, each.sentence)
        table.writerow([harmless(cell) for cell in cells])


def _write_worklist(file: TextIO, ranks: Iterable[StudyRank]) -> None:
    table = csv.writer(file)
    table.writerow(STUDY_COLUMNS)
    for place, rank in enumerate(ranks, 1):
        table.writerow(map(harmless, _study_row(place, rank)))


def _study_row(place: int, rank: StudyRank) -> tuple[object, ...]:
    """In the order of `STUDY_COLUMNS`; None is an empty cell."""
    breasts = {breast.laterality: breast for breast in rank.breasts}
    return (
        *(place, rank.group.value, " | ".join(rank.reasons)),
        *(rank.patient_id, rank.study_uid, rank.date),
        "yes" if rank.synthetic else "no",
        *(rank.probability, rank.score, _verdict(rank.above)),
        *(cell for side in SIDES for cell in _breast_cells(breasts.get(side))),
        rank.density.value if rank.density else None,
        *(rank.images, rank.refused, rank.failed, rank.waiting),
    )


def _breast_cells(breast: BreastRank | None) -> tuple[object, ...]:
    """In the order of `_BREAST_COLUMNS`."""
    if breast is None:
        return (None,) * len(_BREAST_COLUMNS)
    return (
        *(breast.score, breast.probability, breast.malignancy_probability),
        _verdict(breast.above),
    )


def _verdict(above: bool | None) -> str:
    """Against the operating point, for scripts."""
    return "" if above is None else "above" if above else "below"


def _write_json(
    file: TextIO,
    models: Mapping[str, ModelUse],
    summary: Summary,
    studies: Iterable[dict[str, object]],
) -> None:
    head = {
        "research_use_only": translate(RESEARCH_USE_ONLY),
        "models": analysis_to_json(Analysis(models, ()))["models"],
        "summary": _summary(summary),
    }
    file.write(f'{json.dumps(head)[:-1]}, "studies": [')
    for number, study in enumerate(studies):
        file.write(f"{',' if number else ''}\n{json.dumps(study)}")
    file.write("\n]}\n")


def _summary(summary: Summary) -> dict[str, object]:
    return {
        "studies": {
            "all": summary.studies,
            "attention": summary.attention,
            "above": summary.above,
        },
        "images": {
            "all": summary.images,
            "analyzed": summary.analyzed,
            "refused": summary.refused,
            "failed": summary.failed,
            WAITING: summary.waiting,
        },
        "skipped_files": dict(summary.skipped),
        "threshold": summary.threshold,
        "lesion_scores": {
            "per_cent": list(LEVELS),
            "folder": list(summary.quantiles),
            "card": _card(summary),
        },
    }


def _card(summary: Summary) -> dict[str, object] | None:
    known, quantiles = summary.distribution, summary.card_quantiles
    if known is None or quantiles is None:
        return None
    return {
        "data": known.data,
        "without_lesion": list(quantiles[0]),
        "with_lesion": list(quantiles[1]),
    }


def _study(
    place: int, rank: StudyRank, study: ScreenedStudy, models: Mapping[str, ModelUse]
) -> dict[str, object]:
    return {
        "place": place,
        "group": rank.group.value,
        "reasons": list(rank.reasons),
        "patient_id": rank.patient_id,
        "study_instance_uid": rank.study_uid,
        "study_date": rank.date,
        "synthetic": rank.synthetic,
        "score": rank.score,
        "probability": rank.probability,
        "above": rank.above,
        "density": rank.density.value if rank.density else None,
        "breasts": [_breast(breast) for breast in rank.breasts],
        "images": [_image(image, models) for image in study.images],
    }


def _breast(breast: BreastRank) -> dict[str, object]:
    return {
        "laterality": breast.laterality.value,
        "score": breast.score,
        "probability": breast.probability,
        "malignancy_probability": breast.malignancy_probability,
        "above": breast.above,
    }


def _image(image: ScreenedImage, models: Mapping[str, ModelUse]) -> dict[str, object]:
    """As `analyze --json` writes it, and what came of it: without an answer, nulls."""
    return {
        **{name: _finite(part) for name, part in image_to_json(_said(image), models).items()},
        "state": state_of(image) or WAITING,
        "sentence": sentence_of(image),
    }


def _finite(value: object) -> object:
    """JSON has no word for what is no number: one such score would spoil the whole file."""
    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, list):
        return [_finite(part) for part in value]
    if isinstance(value, dict):
        return {name: _finite(part) for name, part in value.items()}
    return value


def _said(image: ScreenedImage) -> ImageAnalysis:
    """What the models say, or an analysis that says nothing; with the place that was met.

    What was read from an archive was read from a copy that is gone.
    """
    heading = image.heading
    if image.answer is not None and image.answer.analysis is not None:
        return replace(image.answer.analysis, path=heading.entry.place)
    return ImageAnalysis(
        path=heading.entry.place,
        sop_instance_uid=heading.sop_instance_uid,
        study_instance_uid=heading.study_instance_uid,
        laterality=None,
        view=None,
        rows=heading.rows,
        columns=heading.columns,
    )
