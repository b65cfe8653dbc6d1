"""A report's JSON document as one HTML page that needs no other file."""

from __future__ import annotations

import base64
from html import escape
from typing import TYPE_CHECKING, Any

from ml.evaluate.plots import calibration_plot, froc_plot, roc_plot, table_plot

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    # What `json.loads` gives of a report.
    Document = Mapping[str, Any]

LEVELS = {"image": "images", "breast": "breasts", "patient": "patients"}
TARGETS = {"lesion": "lesion", "malignancy": "malignancy"}
CASE_FIGURES = {
    "auc": "AUC (bootstrap)",
    "auc_delong": "AUC (DeLong, clustered)",
    "average_precision": "average precision",
    "sensitivity_at_specificity_0.90": "sensitivity at specificity 0.90",
    "sensitivity_at_specificity_0.95": "sensitivity at specificity 0.95",
    "brier": "Brier score",
    "calibration_error": "expected calibration error",
}
DENSITY_FIGURES = {
    "kappa_quadratic": "kappa, quadratic weights",
    "kappa_linear": "kappa, linear weights",
    "exact_agreement": "same letter",
    "dense_accuracy": "dense or not",
}
STYLE = """
body{font:15px/1.5 system-ui,sans-serif;color:#1c2430;max-width:68rem;margin:2rem auto;
padding:0 1.2rem}
h1{font-size:1.7rem}h2{margin-top:2.4rem;border-bottom:2px solid #1f5fa8;padding-bottom:.2rem}
h3{margin-top:1.8rem;color:#1f5fa8}h4{margin-bottom:.3rem}
table{border-collapse:collapse;margin:.6rem 0 1rem;font-variant-numeric:tabular-nums}
th,td{padding:.25rem .8rem .25rem 0;text-align:left;vertical-align:top;
border-bottom:1px solid #e3e7ec}
th{font-weight:600;color:#556070}.number{text-align:right}
.plots{display:flex;flex-wrap:wrap;gap:1rem}.plots figure{margin:0}
figcaption{color:#556070;font-size:.9em}
td:first-child{min-width:9rem}.parts td:nth-child(2){white-space:nowrap}
.few,.empty{color:#b3261e}.empty{font-weight:600}.note{color:#556070;max-width:46rem}
"""


def html_page(document: Document) -> str:
    """The whole page."""
    parts = [_model(key, model) for key, model in document["models"].items()]
    title = f"Evaluation on {document['manifest']}"
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body>"
        f"<h1>{escape(title)}</h1>"
        '<p class="note">Research use only. Every interval is a 95 % interval over patients '
        f"({document['draws']} draws), never over images. Sources are never pooled. "
        "Parts with fewer than 30 cases stand in red.</p>"
        f"{''.join(parts)}</body></html>\n"
    )


def _model(key: str, model: Document) -> str:
    data = "".join(_data(part) for part in model["data"].values())
    return f"<h2>{escape(key)}</h2>{_card(model['card'])}{data}{_claim(model['claim'])}"


def _card(card: Document) -> str:
    fits = "; ".join(
        f"{name}: {_share(fit.get('prevalence'))}" for name, fit in card["calibration"].items()
    )
    rows = {
        "Role": card["role"],
        "Intended use": card["intended_use"],
        "Trained on": card["data"],
        "Began with": ", ".join(card["parents"]) or "no other pack",
        "Patients and images trained on": (
            f"{card['training_patients']} and {card['training_images']}; refused as test data"
        ),
        "Kinds of image with a probability": ", ".join(card["validated_kinds"]) or "none",
        "Prevalence that the probabilities hold for": fits,
        "Licence": card["licence"],
    }
    lines = [
        f"<tr><th>{escape(name)}</th><td>{escape(str(text)) or _EMPTY}</td></tr>"
        for name, text in rows.items()
    ]
    # Stands there only where there is something to say, and then for ever.
    if reasons := card.get("overrides"):
        told = "; ".join(reasons)
        lines.append(
            "<tr class=few><th>Trained against a red audit, because</th>"
            f"<td>{escape(told)}</td></tr>"
        )
    return f"<table>{''.join(lines)}</table>"


_EMPTY = '<span class="empty">empty</span>'


def _data(part: Document) -> str:
    parts = [
        f"<h3>{escape(part['name'])}</h3><p>{part['images']} images of {part['patients']} "
        f"patients, {part['images_with_lesion']} images with a lesion. Reference standard: "
        f"{escape(part['reference_standards'])}.</p>"
    ]
    if "detection" in part:
        parts.append(_detection(part["detection"]))
    if "classification" in part:
        parts.append(_classification(part["classification"]))
        parts.append(_density(part["density"]))
    parts.append(_subgroups(part["subgroups"]))
    return "".join(parts)


def _detection(found: Document) -> str:
    free, over_all = found["froc_lesion_free"], found["froc_all_images"]
    rates = [
        (
            f"{one['false_marks']:g}",
            _estimate(one["sensitivity"]),
            _estimate(two["sensitivity"]),
        )
        for one, two in zip(free, over_all, strict=True)
    ]
    rates.append(("mean", _estimate(found["mean_froc_sensitivity"]), ""))
    points = [
        (
            escape(point["name"]),
            f"{point['threshold']:g}",
            _estimate(point["sensitivity"]),
            _estimate(point["false_marks_per_lesion_free_image"]),
            _estimate(point["false_marks_per_image"]),
        )
        for point in found["operating_points"]
    ]
    precision = found["mean_average_precision"]
    named = [(name, _estimate(precision[name])) for name in ("mAP50", "mAP50-95")]
    return (
        f"<h4>Detection: {found['lesions']} lesions, {found['lesion_free_images']} lesion-free "
        f'images</h4><p class="note">{escape(found["hit_rule"])}</p>'
        + _figures([("FROC", froc_plot(found["curve"], free))])
        + _table(
            ("false marks an image", "sensitivity, lesion-free images", "all images"), rates
        )
        + "<h4>At the frozen thresholds</h4>"
        + _table(
            (
                *("operating point", "threshold", "sensitivity"),
                *("false marks, lesion-free image", "false marks, any image"),
            ),
            points,
        )
        + f'<p class="note">{escape(precision["rule"])}</p>'
        + _table(("mean average precision", ""), named)
    )


def _classification(levels: Document) -> str:
    parts: list[str] = []
    for target in TARGETS:
        found = {level: levels[level][target] for level in LEVELS}
        plots = [("ROC", roc_plot({LEVELS[k]: each["roc"] for k, each in found.items()}))]
        plots += [
            (f"Calibration, {LEVELS[k]}", calibration_plot(each["calibration_curve"]))
            for k, each in found.items()
            if each.get("calibration_curve")
        ]
        parts.append(f"<h4>Classification: {TARGETS[target]}</h4>{_figures(plots)}")
        parts.append(_levels(found))
    return "".join(parts)


def _levels(found: Mapping[str, Document]) -> str:
    """One table: a column for each level, so that no figure stands without its level."""
    rows: list[tuple[str, ...]] = [
        ("cases", *(str(each["n"]) for each in found.values())),
        ("positive", *(_positives(each) for each in found.values())),
        ("left out, side not known", *(str(each["left_out"]) for each in found.values())),
    ]
    rows += [
        (title, *(_estimate(each.get(name)) for each in found.values()))
        for name, title in CASE_FIGURES.items()
    ]
    points = next(iter(found.values()))["operating_points"]
    rows += [
        (
            f"{name} at {point['threshold']:g} ({escape(point['name'])})",
            *(_estimate(each["operating_points"][number][name]) for each in found.values()),
        )
        for number, point in enumerate(points)
        for name in ("sensitivity", "specificity")
    ]
    return _table(("", *(f"over {LEVELS[level]}" for level in found)), rows)


def _density(levels: Document) -> str:
    known = {level: each for level, each in levels.items() if each["n"]}
    if not known:
        return "<h4>Density</h4><p>Not known of these images.</p>"
    rows = [("cases", *(str(each["n"]) for each in known.values()))]
    rows += [
        (title, *(_estimate(each[name]) for each in known.values()))
        for name, title in DENSITY_FIGURES.items()
    ]
    plots = [(LEVELS[level], table_plot(each["table"])) for level, each in known.items()]
    headings = ("", *(f"over {LEVELS[level]}" for level in known))
    return f"<h4>Density</h4>{_figures(plots)}{_table(headings, rows)}"


def _subgroups(groups: Sequence[Document]) -> str:
    tables: dict[str, list[Document]] = {}
    for group in groups:
        tables.setdefault(f"{group['of']} by {group['division']}", []).append(group)
    parts = ["<h4>Parts of the data</h4>"] if tables else []
    for title, members in tables.items():
        names = tuple(members[0]["figures"])
        rows = [
            (
                escape(member["group"]),
                f"{member['n']} (patients: {member['patients']})"
                # Said in a word too: not everybody sees red.
                + (", few" if member["few"] else ""),
                *(_estimate(member["figures"][name]) for name in names),
            )
            for member in members
        ]
        few = [member["few"] for member in members]
        table = _table((escape(title), "n", *map(escape, names)), rows, few)
        parts.append(f'<div class="parts">{table}</div>')
    return "".join(parts)


def _claim(items: Sequence[Document]) -> str:
    rows = [
        (str(item["item"]), escape(item["title"]), escape(item["text"]) or _EMPTY)
        for item in items
    ]
    empty = sum(not item["text"] for item in items)
    return (
        f"<h3>Model card by CLAIM</h3><p>Filled: {len(items) - empty} of {len(items)} items; "
        f'<span class="empty">{empty} are empty</span> (Mongan 2020).</p>'
        + _table(("item", "", ""), rows)
    )


def _table(
    headings: Iterable[str], rows: Iterable[Sequence[str]], few: Sequence[bool] = ()
) -> str:
    """Cells are HTML already."""
    head = "".join(f"<th>{text}</th>" for text in headings)
    lines = [
        f"<tr{' class=few' if number < len(few) and few[number] else ''}>"
        + "".join(f"<td>{cell}</td>" for cell in row)
        + "</tr>"
        for number, row in enumerate(rows)
    ]
    return f"<table><tr>{head}</tr>{''.join(lines)}</table>"


def _figures(plots: Iterable[tuple[str, str]]) -> str:
    # As an image of its own, so that the ids of two plots cannot meet.
    shown = [
        f'<figure><img alt="{escape(name)}" src="data:image/svg+xml;base64,'
        f'{base64.b64encode(svg.encode()).decode()}"><figcaption>{escape(name)}</figcaption>'
        "</figure>"
        for name, svg in plots
    ]
    return f'<div class="plots">{"".join(shown)}</div>'


def _estimate(estimate: Mapping[str, float | None] | None) -> str:
    if estimate is None or estimate["value"] is None:
        return "not defined"
    text = f"{estimate['value']:.3f}"
    low, high = estimate["low"], estimate["high"]
    return text if low is None or high is None else f"{text} ({low:.3f} to {high:.3f})"


def _positives(each: Document) -> str:
    return f"{each['positives']} (prevalence {_share(each['prevalence'])})"


def _share(value: float | None) -> str:
    return "not known" if value is None else f"{value:.3f}"
