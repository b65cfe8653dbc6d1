"""What the matrix says, in words: the sentences, `helps.json` and the page `helps.md`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ml.files import replacing, write_json
from ml.texts import mark, translate
from ml.train.helps_figures import (
    ERROR,
    GAIN,
    REFERENCE,
    Verdict,
    best_synthetic,
    least_patients,
)
from ml.train.modes import Mode
from ml.train.order import HELPS, HELPS_PAGE, MODE_WORDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from ml.evaluate.bootstrap import Estimate
    from ml.train.helps_figures import Arm, Comparison, Findings, Measured
    from ml.train.order import HelpsOrder

# Steps and batch by the part of a training: the same in all.
Budget = dict[str, dict[str, int]]

_SAID = {
    Verdict.HELPS: mark("It helps: {figure} is higher by {least} at least."),
    Verdict.HARMS: mark("It harms: {figure} is lower by {less} at least."),
    Verdict.TOO_FEW: mark("Too few to tell: a gain of more than {gain} is still possible."),
    Verdict.NO_GAIN: mark("No gain of more than {gain}: the interval ends at {high}."),
}
_MORE_OF_BOTH = mark("It finds more, but marks more falsely, too: no help is shown.")
_LESS_OF_BOTH = mark("It finds less, but marks less falsely, too: no harm is shown.")
_UNKNOWN = mark("Too few to tell: there is no interval.")
_RESTS = mark(
    "Too few to tell: the number of patients that the difference rests on is {rests}, and "
    "below {fewest} nothing is said of it."
)
_OVER_ALL = {
    Verdict.HELPS: mark(
        "Synthetic images help here: with {arm}, {figure} is {more} higher than with real "
        "images alone (95 % interval {low} to {high}; p = {p} after Holm over {count} "
        "comparisons; {patients} patients, {seeds} seeds)."
    ),
    Verdict.HARMS: mark(
        "Synthetic images harm here: even with the best of their modes, {arm}, {figure} is "
        "lower than with real images alone by {less} at least ({patients} patients, {seeds} "
        "seeds)."
    ),
    Verdict.TOO_FEW: mark(
        "Whether synthetic images help cannot be told from {patients} patients and {seeds} "
        "seeds: with {arm}, {figure} changes by {value}, and anything from {low} to {high} is "
        "possible."
    ),
    Verdict.NO_GAIN: mark(
        "Synthetic images bring no gain of more than {gain} here: even with {arm}, {figure} "
        "changes by {high} at most ({patients} patients, {seeds} seeds)."
    ),
    Verdict.TRADED: mark(
        "No help of synthetic images is shown: with {arm}, {figure} changes by {value}, and "
        "false marks for each image without lesion by {rise}, which is another trade and not "
        "a better model."
    ),
}
_RESTS_OVER_ALL = mark(
    "Whether synthetic images help cannot be told from {patients} patients and {seeds} seeds: "
    "with {arm}, {figure} changes by {value}, but the number of patients that this rests on is "
    "{rests}, and below {fewest} nothing is said of it."
)
_UNKNOWN_OVER_ALL = mark(
    "Whether synthetic images help cannot be told: there are too few patients for testing for "
    "any interval."
)


def arm_text(arm: Arm) -> str:
    """A mode with its dose, in words."""
    words = translate(MODE_WORDS[arm.mode])
    if not arm.dose:
        return words
    dosed = translate("{mode} ({dose} for each real one)")
    return dosed.format(mode=words, dose=f"{arm.dose:g}")


def sentence_of(one: Comparison) -> str:
    """What the interval allows to say of one mode."""
    if one.verdict is Verdict.TRADED:
        return translate(_MORE_OF_BOTH if one.gain.low > 0 else _LESS_OF_BOTH)
    if math.isnan(one.gain.high):
        return translate(_UNKNOWN)
    if _rests_on_few(one):
        return translate(_RESTS).format(**_words(one))
    return translate(_SAID[one.verdict]).format(**_words(one))


def sentence_over_all(found: Findings) -> str:
    """What may be said of synthetic images: of the best of their modes."""
    best = best_synthetic(found)
    if math.isnan(best.gain.high):
        return translate(_UNKNOWN_OVER_ALL)
    counted = {
        "arm": arm_text(best.arm),
        "count": len(found.comparisons),
        "patients": found.patients,
        "seeds": found.seeds,
    }
    text = _RESTS_OVER_ALL if _rests_on_few(best) else _OVER_ALL[best.verdict]
    return translate(text).format(**_words(best), **counted)


def _rests_on_few(one: Comparison) -> bool:
    """Whether the interval, of too few patients to be believed, is better left unsaid."""
    return one.verdict is Verdict.TOO_FEW and one.rests < one.fewest


def _words(one: Comparison) -> dict[str, str]:
    rise = one.rise.value if one.rise else math.nan
    return {
        "figure": translate(one.figure),
        "value": f"{one.gain.value:+.3f}",
        "low": f"{one.gain.low:+.3f}",
        "high": f"{one.gain.high:+.3f}",
        "more": f"{one.gain.value:.3f}",
        "least": f"{one.gain.low:.3f}",
        "less": f"{-one.gain.high:.3f}",
        "rise": f"{rise:+.3f}",
        "p": f"{one.p:.3f}",
        "gain": f"{GAIN:g}",
        "rests": f"{one.rests}",
        "fewest": f"{one.fewest}",
    }


def write_findings(out: Path, order: HelpsOrder, budget: Budget, found: Findings) -> None:
    """Write `HELPS` and `HELPS_PAGE` into a folder, each whole or not at all."""
    with replacing(out / HELPS_PAGE) as fresh:
        page = "\n".join(_page(order, budget, found)) + "\n"
        fresh.write_text(page, encoding="utf-8", newline="\n")
    write_json(out / HELPS, _plain(order, budget, found))


def _plain(order: HelpsOrder, budget: Budget, found: Findings) -> dict[str, object]:
    return {
        "sentence": sentence_over_all(found),
        "verdict": best_synthetic(found).verdict.value,
        "order": order.to_json(),
        "budget": budget,
        "images": found.images,
        "patients": found.patients,
        "reference": REFERENCE.value,
        "measured": [
            {
                **_of_arm(one.arm, one.figure),
                **one.estimate.to_json(),
                "of_seeds": list(one.of_seeds),
                "false_marks": one.false_marks.to_json() if one.false_marks else None,
            }
            for one in found.measured
        ],
        "comparisons": [
            {
                **_of_arm(one.arm, one.figure),
                **one.gain.to_json(),
                "p": None if math.isnan(one.p) else one.p,
                "false_marks": one.rise.to_json() if one.rise else None,
                "rests_on": one.rests,
                "verdict": one.verdict.value,
                "sentence": sentence_of(one),
            }
            for one in found.comparisons
        ],
    }


def _of_arm(arm: Arm, figure: str) -> dict[str, object]:
    return {"mode": arm.mode.value, "words": arm_text(arm), "dose": arm.dose, "figure": figure}


def _page(order: HelpsOrder, budget: Budget, found: Findings) -> Iterator[str]:
    yield f"# {translate('Does it help?')}"
    yield ""
    yield f"**{sentence_over_all(found)}**"
    yield ""
    yield _how(order, budget, found)
    compared = {(one.arm, one.figure): one for one in found.comparisons}
    for figure in dict.fromkeys(one.figure for one in found.measured):
        measured = [one for one in found.measured if one.figure == figure]
        yield ""
        yield f"## {translate(figure)}"
        yield ""
        yield from _table(measured, compared)
        yield ""
        yield f"### {translate('Dose-response of real and synthetic images mixed')}"
        yield ""
        yield from _doses(measured, compared)
    yield ""
    yield translate(
        "Research use only. It speaks of these images and this training, and of no other."
    )


def _how(order: HelpsOrder, budget: Budget, found: Findings) -> str:
    steps = ", ".join(f"{part} {b['steps']} x {b['batch']}" for part, b in budget.items())
    text = translate(
        "{role}: every training from scratch with the same updates (steps x batch: {steps}), "
        "{seeds} seeds a mode, measured on {images} real images of {patients} patients for "
        "testing. Each mode is compared with {reference}, paired by image and by seed; 95 % "
        "intervals are over patients and seeds, and p is corrected by Holm for all {count} "
        "comparisons. It helps where p is below {error}, the interval lies above 0, and the "
        "difference rests on at least {fewest} patients: with a lesion (for an area: with the "
        "rarer truth), and answered otherwise."
    )
    return text.format(
        role=order.role,
        steps=steps,
        seeds=found.seeds,
        images=found.images,
        patients=found.patients,
        reference=translate(MODE_WORDS[REFERENCE]),
        count=len(found.comparisons),
        error=f"{ERROR:g}",
        fewest=least_patients(len(found.comparisons)),
    )


def _table(
    measured: Sequence[Measured], compared: Mapping[tuple[Arm, str], Comparison]
) -> Iterator[str]:
    marks = any(one.false_marks for one in measured)
    yield _line(
        translate("mode"),
        translate("dose"),
        translate("figure"),
        *([translate("false marks"), translate("more false marks")] if marks else []),
        translate("difference"),
        "p (Holm)",
        translate("what may be said"),
    )
    yield _line(*["---"] * (8 if marks else 6))
    for one in measured:
        against = compared.get((one.arm, one.figure))
        yield _line(
            translate(MODE_WORDS[one.arm.mode]),
            _dose(one.arm),
            _figure(one.estimate),
            *([_figure(one.false_marks), _gain(against and against.rise)] if marks else []),
            _gain(against and against.gain),
            _p(against),
            sentence_of(against) if against else translate("what the others are held against"),
        )


def _doses(
    measured: Sequence[Measured], compared: Mapping[tuple[Arm, str], Comparison]
) -> Iterator[str]:
    yield _line(translate("dose"), translate("figure"), translate("difference"), "p (Holm)")
    yield _line(*["---"] * 4)
    modes = (REFERENCE, Mode.MIXED)
    for one in sorted(measured, key=lambda one: one.arm.dose):
        if one.arm.mode in modes:
            against = compared.get((one.arm, one.figure))
            gain = _gain(against and against.gain)
            yield _line(f"{one.arm.dose:g}", _figure(one.estimate), gain, _p(against))


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _dose(arm: Arm) -> str:
    return f"{arm.dose:g}" if arm.dose else ""


def _figure(one: Estimate | None) -> str:
    return "" if one is None else f"{one.value:.3f} ({one.low:.3f} to {one.high:.3f})"


def _gain(one: Estimate | None) -> str:
    return "" if one is None else f"{one.value:+.3f} ({one.low:+.3f} to {one.high:+.3f})"


def _p(one: Comparison | None) -> str:
    return "" if one is None or math.isnan(one.p) else f"{one.p:.3f}"
