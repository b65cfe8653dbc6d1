"""What sources add to what is told, and where each verdict of a probe begins."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from ml.audit import probes
from ml.audit.probes import (
    ACROSS,
    BLIND,
    CODEC,
    SOURCE,
    WITHIN,
    Blind,
    blind_check,
    probe_checks,
)
from ml.audit.questions import LESION, Question
from ml.audit.report import Check, Verdict
from ml.audit.ridge import Probe, Told
from ml.manifest import ManifestRow, Source

if TYPE_CHECKING:
    from numpy.typing import NDArray

WOMEN = 120
SHUFFLES = 199


def blocks(*signals: NDArray[np.float64], seed: int = 0) -> dict[str, NDArray[np.float64]]:
    """Twelve features of noise; what is given stands in the first ones, with noise, too."""
    values = np.random.default_rng(seed).normal(size=(len(signals[0]), 12))
    for at, signal in enumerate(signals):
        values[:, at] += 3 * signal
    return {"grays": values}


def blind(
    answers: NDArray[np.bool_],
    second: NDArray[np.bool_],
    seen: dict[str, NDArray[np.float64]],
    column: str = "",
) -> Blind:
    """A woman an image, some from a second source: generated, or of another `column`."""
    rows = tuple(
        ManifestRow(
            f"{n}",
            f"p{n}",
            source=Source.GENERATED if other and not column else Source.REAL,
            extra={column: "B" if other else "A"} if column else {},
        )
        for n, other in enumerate(second)
    )
    return Blind(Question(LESION, rows, answers), seen, lambda: seen, permutations=SHUFFLES)


def by_name(checks: list[Check]) -> dict[str, Check]:
    return {check.name.template: check for check in checks}


def confounded() -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Four fifths of one source have the answer, one fifth of the other."""
    at = np.arange(WOMEN)
    second = at % 2 == 1
    return np.where(second, at // 2 % 5 < 4, at // 2 % 5 == 0), second


@pytest.mark.parametrize("column", ["", "data_set", "institution", "vendor"])
def test_what_is_told_over_the_sources_and_not_within_is_red(column: str) -> None:
    answers, second = confounded()
    found = by_name(
        list(probe_checks(blind(answers, second, blocks(second.astype(float)), column)))
    )
    assert found[BLIND].verdict is Verdict.RED
    assert found[SOURCE].verdict is Verdict.RED
    gap = found[WITHIN]
    assert gap.verdict is Verdict.RED
    assert {f.name: f.value for f in gap.figures}["gap"] > 0.2
    assert {f.name: f.low for f in gap.figures}["gap"] > probes.MOST_GAP
    assert "part of it is the source" in str(gap.reason)
    names = {"real, A", "real, B"} if column else {"generated", "real"}
    assert {f.name for f in found[ACROSS].figures} == names


def test_what_is_told_within_every_source_alike_is_no_gap() -> None:
    at = np.arange(WOMEN)
    answers, second = at % 2 == 1, at // 2 % 2 == 1
    seen = blocks(answers.astype(float), second.astype(float))
    found = by_name(list(probe_checks(blind(answers, second, seen))))
    assert found[BLIND].verdict is Verdict.RED
    assert found[WITHIN].verdict is Verdict.GREEN
    assert found[SOURCE].verdict is Verdict.GREEN
    # The answer is told alike in a source that was left out.
    assert min(f.value for f in found[ACROSS].figures) > 0.9


def test_what_does_not_carry_to_a_source_left_out_is_seen_in_its_area() -> None:
    at = np.arange(WOMEN)
    answers, second = at % 2 == 1, at // 2 % 2 == 1
    # What is bright in one source is dark in the other.
    turned = np.where(second, ~answers, answers).astype(float)
    found = by_name(list(probe_checks(blind(answers, second, blocks(turned)))))
    across = found[ACROSS]
    assert across.verdict is Verdict.GREEN
    assert max(f.value for f in across.figures) < 0.1


def test_sources_that_cannot_be_told_are_green_though_they_go_with_the_answer() -> None:
    answers, second = confounded()
    check = by_name(list(probe_checks(blind(answers, second, blocks(np.zeros(WOMEN))))))[SOURCE]
    assert check.figures[0].value > 0.5
    assert check.verdict is Verdict.GREEN
    assert "better than by chance" in str(check.reason)


def test_a_high_area_of_few_images_is_no_source_that_is_told() -> None:
    """Above 0.6 by luck: shuffled sources are told as well."""
    answers, second = confounded()
    lucky: list[Verdict] = []
    for seed in range(60):
        one = blind(answers[:24], second[:24], blocks(np.zeros(24), seed=seed))
        check = probes.source_check(one, Probe(one.blocks, one.question.patients))
        if max(f.value for f in check.figures[1:]) > probes.SOURCE_AREA:
            lucky.append(check.verdict)
    assert len(lucky) > 5
    assert lucky.count(Verdict.RED) <= 2, "the level is one in a hundred"


@pytest.mark.parametrize(
    ("kept", "verdict", "words"),
    [(True, Verdict.RED, "more than the file's form"), (False, Verdict.AMBER, "form told it")],
)
def test_the_codec_says_whether_it_was_the_form(
    kept: bool, verdict: Verdict, words: str
) -> None:
    answers = np.arange(WOMEN) % 2 == 1
    seen = blocks(answers.astype(float))
    coded = seen if kept else blocks(np.zeros(WOMEN))
    one = replace(blind(answers, answers & False, seen), coded=lambda: coded)
    found = by_name(list(probe_checks(one)))
    assert found[BLIND].verdict is Verdict.RED
    assert found[CODEC].verdict is verdict
    assert words in str(found[CODEC].reason)
    # Nothing is asked of the codec where nothing is told.
    silent = replace(one, blocks=blocks(np.zeros(WOMEN)))
    assert CODEC not in by_name(list(probe_checks(silent)))


@pytest.mark.parametrize(
    ("as_good", "tests", "verdict"),
    [(3, 1, Verdict.RED), (4, 1, Verdict.GREEN), (1, 2, Verdict.RED), (2, 2, Verdict.GREEN)],
)
def test_red_begins_below_the_level_which_questions_share(
    as_good: int, tests: int, verdict: Verdict
) -> None:
    """Of 499 shuffles four do as well: p = 0.01, and that is not under it."""
    answers = np.arange(WOMEN) % 2 == 1
    one = replace(blind(answers, answers, blocks(np.zeros(WOMEN))), tests=tests)
    chance = np.where(np.arange(499) < as_good, 0.8, 0.5)
    told = Told(np.arange(WOMEN, dtype=float), 0.8, chance, "grays")
    assert told.p == pytest.approx((1 + as_good) / 500)
    assert blind_check(one, told, 60).verdict is verdict


def few() -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Four women with a lesion, all but one from the second of two sources."""
    second = np.arange(WOMEN) >= WOMEN - 10
    return np.isin(np.arange(WOMEN), [0, WOMEN - 1, WOMEN - 2, WOMEN - 3]), second


def test_sources_are_asked_also_where_few_women_have_the_rarer_answer() -> None:
    answers, second = few()
    found = by_name(list(probe_checks(blind(answers, second, blocks(second.astype(float))))))
    assert found[BLIND].verdict is Verdict.AMBER
    assert "4 patients" in str(found[BLIND].reason)
    assert found[SOURCE].verdict is Verdict.RED
    assert found[WITHIN].verdict in (Verdict.GREEN, Verdict.AMBER)
    assert {f.name for f in found[ACROSS].figures} == {"generated", "real"}
    # With one source there is nothing to ask.
    alone = list(probe_checks(blind(answers, second & False, blocks(second.astype(float)))))
    assert [check.name.template for check in alone] == [BLIND]


def test_with_lesions_in_sight_only_what_sources_add_is_asked() -> None:
    answers, second = confounded()
    seen = blocks(second.astype(float))
    found = by_name(list(probe_checks(replace(blind(answers, second, seen), in_sight=True))))
    assert set(found) == {SOURCE, WITHIN, ACROSS}
    assert found[SOURCE].verdict is Verdict.RED
    assert found[WITHIN].verdict is Verdict.RED
    # Lesions that are seen tell the answer, and with it most of the sources: no source is told.
    lesions = replace(blind(answers, second, blocks(answers.astype(float))), in_sight=True)
    found = by_name(list(probe_checks(lesions)))
    assert found[WITHIN].verdict is Verdict.GREEN
    assert found[SOURCE].verdict is Verdict.GREEN
