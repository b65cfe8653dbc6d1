"""What the page of results says of synthetic images, and of the audit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from results_tables import cell, estimate, table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    # What `json.loads` gives of a report.
    Report = Mapping[str, Any]


def generated(report: Report) -> list[str]:
    """What `scripts/report_generator.py` writes: generated images beside others."""
    parts = [f"**{report['cannot']}**\n", f"![Generated images]({report['sheet']})\n"]
    parts.append(f"Taught: {report['data']}\n")
    for name, found in report["quality"].items():
        counted = ", ".join(f"{n} {what}" for what, n in found["counts"].items())
        parts += [f"### Beside {cell(name)}\n", f"Images: {counted}.\n"]
        parts.append(_beside(found["figures"]))
    lines = [
        (
            line["kind"],
            str(line["n"]),
            *(estimate(line[what]) for what in ("painted", "untouched", "simulated")),
        )
        for line in report["marks"]
    ]
    headings = ("painted", "places", "marked when painted", "before", "simulated ones marked")
    parts += [
        "### Do the detectors that ship mark what was painted?\n",
        "Share of places with a mark in their box, at the operating point "
        f"{report['threshold']}; the detectors were taught on simulated women of the same "
        "kind, and on no generated image.\n",
        table(headings, lines),
    ]
    return parts


def taught(report: Report) -> list[str]:
    """What `scripts/headline.py` writes: what each way of teaching brings."""
    told = report["original"]
    parts = [
        f"The original's accuracy: {told['without']:.1%} without, {told['with']:.1%} with "
        f"synthetic images. {_accuracy(report)}\n",
        _gains(report),
        f"The generator that painted: {report['generator']}; it was taught phantoms "
        "alone, and is not the shipped one of that name, which was taught films, too.\n",
    ]
    for name, asked in sorted(report["questions"].items(), key=_films_first):
        lines = [
            (
                row["figure"],
                row["way"],
                estimate(row),
                estimate(row.get("gain")),
                "" if row.get("p") is None else f"{row['p']:.3f}",
                row.get("verdict", ""),
            )
            for row in sorted(asked["rows"], key=lambda row: (row["figure"], "gain" in row))
        ]
        parts += [
            f"### {cell(name.replace('/', ', '))}\n",
            f"{asked['images']} images of {asked['patients']} patients, {asked['with_lesion']} "
            f"of them with a lesion; seeds: {asked['seeds']}.\n",
            table(("figure", "taught", "measured", "gain", "p", "said"), lines),
        ]
    return parts


def _films_first(question: tuple[str, Report]) -> tuple[bool, int, str]:
    """Real films before phantoms, few before many."""
    asked, _, count = question[0].partition("-")
    return not asked.endswith("films"), int(count or 0), asked


def _accuracy(report: Report) -> str:
    """The same figure of ours, where films were asked."""
    asked = report["questions"].get("classifier/films", {"rows": ()})
    rows = [row for row in asked["rows"] if row["figure"] == "accuracy"]
    rows.sort(key=lambda row: "gain" in row)
    if not rows:
        return "Ours:"
    # Rounded as in the table below, so that both say the same.
    shares = ({name: round(row[name], 3) for name in ("value", "low", "high")} for row in rows)
    ours = ", ".join(
        f"{one['value']:.1%} ({one['low']:.1%} to {one['high']:.1%}) {row['way']}"
        for row, one in zip(rows, shares, strict=True)
    )
    healthy = 1 - asked["with_lesion"] / asked["images"]
    return (
        f"Ours, on films of women whom no model had seen: {ours}; whoever calls every film "
        f"healthy is right in {healthy:.1%}."
    )


def _gains(report: Report) -> str:
    """In one sentence what is claimed."""
    helps = [
        f"{name.replace('/', ', ')}: {row['way']} ({row['figure']})"
        for name, asked in report["questions"].items()
        for row in asked["rows"]
        if row.get("verdict") == "helps"
    ]
    if helps:
        return f"A gain is claimed for {'; '.join(helps)}, and for nothing else.\n"
    return (
        "No gain is claimed: nowhere is the interval above zero and p, corrected, below 0.05.\n"
    )


def tried(sets: Mapping[str, Report]) -> list[str]:
    """What `scripts/audit_trial.py` writes: what the audit said of sets that are known."""
    lines = [
        (
            name,
            "flawed" if each["flawed"] else "sound",
            f"{each['red']} of {each['of']}",
            f"{each['red_by_pixels_alone']} of {each['of']}",
            "" if each["naive_accuracy"] is None else f"{each['naive_accuracy']:.1%}",
        )
        for name, each in sets.items()
    ]
    headings = ("set", "is", "red", "by pixels alone", "accuracy without an audit")
    caught, flawed = _reds(sets, flawed=True)
    stopped, sound = _reds(sets, flawed=False)
    counted = (
        "Each seed draws other images. Flawed sets that are red, as they should be: "
        f"{caught} of {flawed}. Sound sets that are red, and should not be: "
        f"{stopped} of {sound}.\n"
    )
    return [counted, table(headings, lines)]


def _reds(sets: Mapping[str, Report], *, flawed: bool) -> tuple[int, int]:
    these = [each for each in sets.values() if each["flawed"] is flawed]
    return sum(each["red"] for each in these), sum(each["of"] for each in these)


def _beside(figures: Sequence[Report]) -> str:
    """One line a figure, one column for each set that it is of."""
    columns = list(dict.fromkeys(figure["data"] for figure in figures))
    found = {(figure["name"], figure["data"]): figure for figure in figures}
    names = dict.fromkeys(figure["name"] for figure in figures)
    lines = [(name, *(estimate(found.get((name, of))) for of in columns)) for name in names]
    return table(("figure", *columns), lines)
