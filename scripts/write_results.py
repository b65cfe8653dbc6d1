"""Write `resources/docs/results.md` from the reports in `resources/docs/reports`.

    python scripts/write_results.py

Two forms of report are read: what `mammoscope evaluate` writes (figures by model and source)
and what `scripts/cross_validate.py` writes (a row for each thing that a recipe adds). No figure
on the page is typed by hand; a test compares the page with what this script makes.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

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


def main() -> int:
    """Read every report and write the page."""
    PAGE.write_text(results_page(read_reports(REPORTS)), encoding="utf-8", newline="\n")
    print(f"wrote {PAGE.relative_to(ROOT).as_posix()}")
    return 0


def read_reports(folder: Path) -> dict[str, Report]:
    """Every report of a folder by its name, in the order of the alphabet."""
    return {
        path.stem: json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(folder.glob("*.json"))
    }


def results_page(reports: Mapping[str, Report]) -> str:
    """The whole page, as Markdown."""
    parts = [_report(name, report) for name, report in reports.items()]
    return "\n".join([HEADER, *(parts or [EMPTY])])


def _report(name: str, report: Report) -> str:
    title = report.get("title", name.replace("_", " "))
    parts = [f"## {_cell(title)}\n"]
    if report.get("note"):
        parts.append(f"{report['note']}\n")
    if "rows" in report:
        parts += _comparison(report["rows"])
    for key, model in report.get("models", {}).items():
        for part in model["data"].values():
            parts += _measured(key, part)
    return "\n".join(parts)


def _comparison(rows: Mapping[str, Report]) -> list[str]:
    """Recipes below one another: detectors in one table, classifiers in another."""
    detectors = {name: row for name, row in rows.items() if "froc_lesion_free" in row}
    others = {name: row for name, row in rows.items() if "image" in row}
    parts: list[str] = []
    if detectors:
        first = next(iter(detectors.values()))
        rates = [f"{each['false_marks']:g}" for each in first["froc_lesion_free"]]
        lines = [
            (name, *(_estimate(each["sensitivity"]) for each in row["froc_lesion_free"]))
            for name, row in detectors.items()
        ]
        parts += [
            f"Sensitivity at so many false marks per lesion-free image. {first['hit_rule']}\n",
            _table(("recipe", *rates), lines),
        ]
    if others:
        lines = [
            (name, level, *(_estimate(row[level][target]["auc"]) for target in _TARGETS))
            for name, row in others.items()
            for level in LEVELS
            if row[level]["lesion"]["n"]
        ]
        parts.append(_table(("recipe", "over", "AUC, lesion", "AUC, malignancy"), lines))
    return parts


_TARGETS = ("lesion", "malignancy")


def _measured(key: str, part: Report) -> list[str]:
    parts = [
        f"### {_cell(key)} on {_cell(part['name'])}\n",
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
        (f"{a['false_marks']:g}", _estimate(a["sensitivity"]), _estimate(b["sensitivity"]))
        for a, b in zip(free, over_all, strict=True)
    ]
    points = [
        (
            point["name"],
            f"{point['threshold']:g}",
            _estimate(point["sensitivity"]),
            _estimate(point["false_marks_per_lesion_free_image"]),
        )
        for point in found["operating_points"]
    ]
    precision = found["mean_average_precision"]
    return [
        f"{found['lesions']} lesions, {found['lesion_free_images']} lesion-free images. "
        f"{found['hit_rule']}\n",
        _table(
            ("false marks an image", "sensitivity, lesion-free images", "all images"), rates
        ),
        _table(
            ("frozen operating point", "threshold", "sensitivity", "false marks"),
            points,
        ),
        _table(
            ("mAP50", "mAP50-95"),
            [(_estimate(precision["mAP50"]), _estimate(precision["mAP50-95"]))],
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
            (title, *(_estimate(each.get(name)) for each in found.values()))
            for name, title in CASE_FIGURES.items()
        ]
        for number, point in enumerate(found["image"]["operating_points"]):
            for name in ("sensitivity", "specificity"):
                achieved = [e["operating_points"][number][name] for e in found.values()]
                title = f"{name} at {point['threshold']:g} ({point['name']})"
                lines.append((title, *map(_estimate, achieved)))
        parts.append(_table((target, *(f"over {level}s" for level in LEVELS)), lines))
    return parts


def _density(levels: Report) -> str:
    lines: list[tuple[str, ...]] = [("cases", *(str(each["n"]) for each in levels.values()))]
    lines += [
        (title, *(_estimate(each[name]) for each in levels.values()))
        for name, title in DENSITY_FIGURES.items()
    ]
    return _table(("density", *(f"over {level}s" for level in levels)), lines)


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
            *(_estimate(group["figures"].get(name)) for name in names),
        )
        for group in chosen
    ]
    return [_table((chosen[0]["of"], "", "n", *names), lines)]


def _table(headings: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    rows = [headings, ["---"] * len(headings), *lines]
    return "".join(f"| {' | '.join(map(_cell, row))} |\n" for row in rows)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _estimate(estimate: Mapping[str, float | None] | None) -> str:
    if estimate is None or estimate["value"] is None:
        return "-"
    text = f"{estimate['value']:.3f}"
    low, high = estimate["low"], estimate["high"]
    return text if low is None or high is None else f"{text} ({low:.3f} to {high:.3f})"


if __name__ == "__main__":
    sys.exit(main())
