"""Write `resources/docs/results.md` from the reports in `resources/docs/reports`.

    python scripts/write_results.py

Six forms of report are read: what `mammoscope evaluate` writes (figures by model and source),
what `scripts/cross_validate.py` writes (a row for each thing that a recipe adds), what
`scripts/read_cbis.py` writes (a line a film), what `scripts/report_generator.py` writes
(generated images beside others), what `scripts/headline.py` writes (ways of teaching by
question), and what `scripts/audit_trial.py` writes (sets that the audit was tried on). No
figure on the page is typed by hand; a test compares the page with what this script makes.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from results_synthetic import generated, taught, tried
from results_tables import cell, estimate, table

from ml.files import replacing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    # What `json.loads` gives of a report.
    Report = Mapping[str, Any]

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "resources" / "docs"
REPORTS = DOCS / "reports"
PAGE = DOCS / "results.md"
HEADER = """\
# What the models reach

Made by `scripts/write_results.py` from the reports in `resources/docs/reports`; no figure is
typed. In brackets: the 95 % interval, over patients, never over images. Sources are never
pooled. A figure that the data do not define is a dash. Research use only.
"""
EMPTY = "No report has been written yet: nothing is claimed.\n"
LEVELS = ("image", "breast", "patient")
CASE_FIGURES = {
    "auc": "AUC",
    "auc_delong": "AUC, DeLong interval",
    "average_precision": "average precision",
    "sensitivity_at_specificity_0.90": "sensitivity at specificity 0.90",
    "sensitivity_at_specificity_0.95": "sensitivity at specificity 0.95",
    "brier": "Brier score",
    "calibration_error": "calibration error",
}
DENSITY_FIGURES = {
    "kappa_quadratic": "kappa, quadratic",
    "kappa_linear": "kappa, linear",
    "exact_agreement": "same letter",
    "dense_accuracy": "dense or not",
}


@dataclass(frozen=True, slots=True)
class Goal:
    """What was aimed at before anything was trained.

    Attributes
    ----------
    report, role, figure
        Where the measured figure stands: a report's file, a model's role, a figure's name.
    row, level
        In a report of rows, instead of role and figure: the row, and which part of it.
    """

    title: str
    least: float
    report: str
    role: str = ""
    figure: str = ""
    row: str = ""
    level: tuple[str, ...] = ()


_SEEN = "lesions of d' 3 or more"
_FAINT = "share below d' 3"
_FAINT_GROUPS = ("under 1", "1 to 2", "2 to 3")
_TOGETHER = "classifier: both together"
GOALS = (
    Goal(
        f"phantoms, accuracy over images, {_SEEN}",
        0.98,
        "phantoms",
        "classifier",
        f"accuracy, lesion, {_SEEN}",
    ),
    Goal(
        f"phantoms, AUC over images, {_SEEN}",
        0.99,
        "phantoms",
        "classifier",
        f"AUC, lesion, {_SEEN}",
    ),
    Goal(
        f"phantoms, sensitivity at 0.25 false marks, {_SEEN}",
        0.95,
        "phantoms",
        "detector",
        f"sensitivity at 0.25 false marks per lesion-free image, {_SEEN}",
    ),
    Goal(
        "phantoms, density, weighted kappa",
        0.85,
        "phantoms",
        "classifier",
        "density, weighted kappa",
    ),
    Goal("phantoms, share of the lesions below d' 3", 0.30, "phantoms", "detector", _FAINT),
    Goal(
        "mini-MIAS, five folds, AUC, lesion",
        0.80,
        "mini_mias",
        row=_TOGETHER,
        level=("image", "lesion", "auc"),
    ),
    Goal(
        "mini-MIAS, five folds, AUC, malignancy",
        0.80,
        "mini_mias",
        row=_TOGETHER,
        level=("image", "malignancy", "auc"),
    ),
    Goal(
        "mini-MIAS, five folds, sensitivity at 1 false mark",
        0.70,
        "mini_mias",
        row="detector: phantoms, then films",
        level=("froc_lesion_free", "1"),
    ),
)


def main() -> int:
    """Read every report and write the page."""
    PAGE.write_text(results_page(read_reports(REPORTS)), encoding="utf-8", newline="\n")
    print(f"wrote {PAGE.relative_to(ROOT).as_posix()}")
    return 0


def write_report(name: str, document: Mapping[str, object]) -> None:
    """Keep a report among those that the page is made of."""
    REPORTS.mkdir(parents=True, exist_ok=True)
    with replacing(REPORTS / f"{name}.json") as fresh:
        # A value a line, for whoever compares two versions; the repository is small.
        fresh.write_text(json.dumps(document, indent=0, allow_nan=False) + "\n", "utf-8")


def read_reports(folder: Path) -> dict[str, Report]:
    """Every report of a folder by its name, in the order of the alphabet."""
    return {
        path.stem: json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(folder.glob("*.json"))
    }


def results_page(reports: Mapping[str, Report]) -> str:
    """The whole page, as Markdown."""
    parts = [_report(name, report) for name, report in reports.items()]
    return "\n".join([HEADER, *_goals(reports), *(parts or [EMPTY])])


def _goals(reports: Mapping[str, Report]) -> list[str]:
    """What was aimed at beside what was measured: the missed ones first of all."""
    lines: list[tuple[str, ...]] = []
    for goal in GOALS:
        measured = _reached(goal, reports)
        if measured is None:
            continue
        value = measured["value"]
        word = "yes" if value is not None and value >= goal.least else "no"
        lines.append((goal.title, f"{goal.least:.2f}", estimate(measured), word))
    if not lines:
        return []
    lines.sort(key=lambda line: line[-1] == "yes")
    return ["## Goals\n", table(("goal", "at least", "measured", "reached"), lines)]


def _reached(goal: Goal, reports: Mapping[str, Report]) -> Report | None:
    """The goal's figure as it was measured; None where it was not."""
    report = reports.get(goal.report, {})
    if goal.row:
        return _of_row(report.get("rows", {}).get(goal.row, {}), goal.level)
    for model in report.get("models", {}).values():
        if model["card"]["role"] == goal.role:
            (part,) = model["data"].values()
            if goal.figure == _FAINT:
                return _faint_share(part["subgroups"])
            return next((each for each in part["figures"] if each["name"] == goal.figure), None)
    return None


def _of_row(found: Any, level: Sequence[str]) -> Report | None:
    for name in level:
        if isinstance(found, list):
            at = [each for each in found if f"{each['false_marks']:g}" == name]
            found = at[0]["sensitivity"] if at else {}
        else:
            found = found.get(name, {})
    return found or None


def _faint_share(groups: Sequence[Report]) -> Report | None:
    """Of the lesions whose detectability is known."""
    rated = {
        group["group"]: group["n"]
        for group in groups
        if (group["of"], group["division"]) == ("lesions", "detectability d'")
    }
    if not rated:
        return None
    faint = sum(n for name, n in rated.items() if name in _FAINT_GROUPS)
    return {"value": faint / sum(rated.values()), "low": None, "high": None}


def _report(name: str, report: Report) -> str:
    title = report.get("title", name.replace("_", " "))
    parts = [f"## {cell(title)}\n"]
    if report.get("note"):
        parts.append(f"{report['note']}\n")
    for of, written in _FORMS.items():
        if of in report:
            parts += written(report)
    for key, model in report.get("models", {}).items():
        for part in model["data"].values():
            parts += _measured(key, part)
    return "\n".join(parts)


def _read(report: Report) -> list[str]:
    """What `scripts/read_cbis.py` writes: a line a film, and what was seen."""
    return [
        _films(report["films"]),
        *(
            f"- {cell(each['woman'])}, {each['breast']}: {each['seen']}\n"
            for each in report.get("discussion", ())
        ),
    ]


def _comparison(report: Report) -> list[str]:
    """Recipes below one another: detectors in one table, classifiers in another."""
    rows: Mapping[str, Report] = report["rows"]
    detectors = {name: row for name, row in rows.items() if "froc_lesion_free" in row}
    others = {name: row for name, row in rows.items() if "image" in row}
    parts: list[str] = []
    if detectors:
        first = next(iter(detectors.values()))
        rates = [f"{each['false_marks']:g}" for each in first["froc_lesion_free"]]
        lines = [
            (
                name,
                *(estimate(each["sensitivity"]) for each in row["froc_lesion_free"]),
                _change(row, "at {} "),
            )
            for name, row in detectors.items()
        ]
        parts += [
            f"Sensitivity at so many false marks per lesion-free image. {first['hit_rule']}\n",
            table(("recipe", *rates, "change"), lines),
        ]
    if others:
        lines = [
            (
                name,
                level,
                *(estimate(row[level][target]["auc"]) for target in _TARGETS),
                _change(row, "{} ") if level == "image" else "",
            )
            for name, row in others.items()
            for level in LEVELS
            if row[level]["lesion"]["n"]
        ]
        headings = ("recipe", "over", "AUC, lesion", "AUC, malignancy", "change over images")
        parts.append(table(headings, lines))
    return parts + _verdict(rows)


def _verdict(rows: Mapping[str, Report]) -> list[str]:
    """Which changes are more than chance: their interval does not hold 0."""
    told: dict[bool, list[str]] = {True: [], False: []}
    for name, row in rows.items():
        for of, change in row.get("change", {}).items():
            low, high = change["low"], change["high"]
            certain = low is not None and high is not None and (low > 0 or high < 0)
            told[certain].append(f"{name} ({of})")
    if not any(told.values()):
        return []
    return [
        f"More than chance, with an interval that does not hold 0: {_listed(told[True])}.\n",
        f"Not told from chance on so few films: {_listed(told[False])}.\n",
    ]


def _listed(names: Sequence[str]) -> str:
    return "; ".join(names) or "none"


def _change(row: Report, of: str) -> str:
    """What a row's one step brought, beside the row without it."""
    if not row.get("beside"):
        return ""
    changes = [f"{of.format(name)}{estimate(each)}" for name, each in row["change"].items()]
    return f"{', '.join(changes)} beside '{row['beside']}'"


_TARGETS = ("lesion", "malignancy")


def _films(films: Sequence[Report]) -> str:
    """What `scripts/read_cbis.py` writes: one line a film."""
    headings = ("woman", "breast, truth", "view", "density", "lesion", "malignancy", "marks")
    lines = [
        (
            film["woman"],
            f"{film['breast']}, {film['truth']}",
            film["view"],
            film["density"],
            f"{film['lesion_score']:.2f}{', called' if film['called'] else ''}",
            f"{film['malignancy_score']:.2f}",
            "; ".join(map(_mark, film["marks"])) or "none",
        )
        for film in films
    ]
    point = f"Called at the operating point {films[0]['operating_point']}.\n\n" if films else ""
    return point + table(headings, lines)


def _mark(mark: Report) -> str:
    place = f"{mark['down']:.0%} down, {mark['across']:.0%} across"
    return f"{mark['finding_type']} {mark['score']:.2f} ({place})"


def _measured(key: str, part: Report) -> list[str]:
    parts = [
        f"### {cell(key)} on {cell(part['name'])}\n",
        f"{part['images']} images of {part['patients']} patients, "
        f"{part['images_with_lesion']} images with a lesion. "
        f"Reference standard: {part['reference_standards']}.\n",
    ]
    if "detection" in part:
        parts += _detection(part["detection"])
    if "classification" in part:
        parts += _classification(part["classification"])
    if any(level["n"] for level in part.get("density", {}).values()):
        parts.append(_density(part["density"]))
    return parts + _by_detectability(part["subgroups"])


def _detection(found: Report) -> list[str]:
    free, over_all = found["froc_lesion_free"], found["froc_all_images"]
    rates = [
        (f"{a['false_marks']:g}", estimate(a["sensitivity"]), estimate(b["sensitivity"]))
        for a, b in zip(free, over_all, strict=True)
    ]
    points = [
        (
            point["name"],
            f"{point['threshold']:g}",
            estimate(point["sensitivity"]),
            estimate(point["false_marks_per_lesion_free_image"]),
        )
        for point in found["operating_points"]
    ]
    precision = found["mean_average_precision"]
    return [
        f"{found['lesions']} lesions, {found['lesion_free_images']} lesion-free images. "
        f"{found['hit_rule']}\n",
        table(("false marks an image", "sensitivity, lesion-free images", "all images"), rates),
        table(
            ("frozen operating point", "threshold", "sensitivity", "false marks"),
            points,
        ),
        table(
            ("mAP50", "mAP50-95"),
            [(estimate(precision["mAP50"]), estimate(precision["mAP50-95"]))],
        ),
    ]


def _classification(levels: Report) -> list[str]:
    parts: list[str] = []
    for target in _TARGETS:
        found = {level: levels[level][target] for level in LEVELS}
        lines: list[tuple[str, ...]] = [
            ("cases, positive", *(f"{e['n']}, {e['positives']}" for e in found.values()))
        ]
        lines += [
            (title, *(estimate(each.get(name)) for each in found.values()))
            for name, title in CASE_FIGURES.items()
        ]
        for number, point in enumerate(found["image"]["operating_points"]):
            for name in ("sensitivity", "specificity"):
                achieved = [e["operating_points"][number][name] for e in found.values()]
                title = f"{name} at {point['threshold']:g} ({point['name']})"
                lines.append((title, *map(estimate, achieved)))
        parts.append(table((target, *(f"over {level}s" for level in LEVELS)), lines))
    return parts


def _density(levels: Report) -> str:
    lines: list[tuple[str, ...]] = [("cases", *(str(each["n"]) for each in levels.values()))]
    lines += [
        (title, *(estimate(each[name]) for each in levels.values()))
        for name, title in DENSITY_FIGURES.items()
    ]
    return table(("density", *(f"over {level}s" for level in levels)), lines)


def _by_detectability(groups: Sequence[Report]) -> list[str]:
    """The parts that say whether a miss is the model's or the physics'; the rest is in HTML."""
    chosen = [
        group
        for group in groups
        if group["division"] in ("detectability d'", "finding type", "density")
        and group["of"] in ("lesions", "images with a lesion")
    ]
    if not chosen:
        return []
    names = [name for name in chosen[0]["figures"] if name.startswith("sensitivity")]
    lines = [
        (
            group["division"],
            group["group"],
            f"{group['n']}{' (few)' if group['few'] else ''}",
            *(estimate(group["figures"].get(name)) for name in names),
        )
        for group in chosen
    ]
    return [table((chosen[0]["of"], "", "n", *names), lines)]


# How a report is told, by what it holds.
_FORMS: dict[str, Callable[[Report], list[str]]] = {
    "rows": _comparison,
    "films": _read,
    "quality": generated,
    "questions": taught,
    "sets": lambda report: tried(report["sets"]),
}


if __name__ == "__main__":
    sys.exit(main())
