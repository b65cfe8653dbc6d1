from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import pytest

from ml.audit.page import markdown_page
from ml.audit.report import AuditReport, Check, Figure, Sentence, Verdict, worst
from ml.errors import DataError


def report(*verdicts: Verdict) -> AuditReport:
    checks = tuple(
        Check(
            Sentence.of("Check {number}", number=number),
            verdict,
            Sentence.of("Found {column}.", column="vendor|x"),
            Sentence.of("Mend {column}.", column="vendor")
            if verdict is Verdict.RED
            else Sentence(),
            (Figure("V", 0.71234, 0.5, 0.8), Figure("n", 12), Figure("none", float("nan"))),
        )
        for number, verdict in enumerate(verdicts)
    )
    return AuditReport("films", 12, 7, checks, {"manifest.csv": "ab"}, files="cd")


def test_the_whole_is_as_bad_as_its_worst_check() -> None:
    green, amber, red = Verdict
    assert worst([]) is green
    assert report(green, amber, green).verdict is amber
    assert report(amber, red).verdict is red
    assert report(amber).allows_training
    assert not report(red).allows_training


def test_json_goes_both_ways() -> None:
    one = report(*Verdict).overridden("it is  a trial")
    kept = json.loads(json.dumps(one.to_json(), allow_nan=False))
    two = AuditReport.from_json(kept)
    assert two.to_json() == one.to_json()
    assert kept["verdict"] == "red"
    assert kept["checks"][2]["cure"]["text"] == "Mend vendor."
    assert (two.override, two.files) == ("it is a trial", "cd")
    del kept["files"]
    assert AuditReport.from_json(kept).files == ""
    assert np.isnan(two.checks[0].figures[2].value)
    assert two.checks[1] != two.checks[2]


@pytest.mark.parametrize("broken", [{}, {"data": 1}, {"checks": 3}, {"checks": [{}]}])
def test_what_is_no_report_is_refused(broken: dict[str, object]) -> None:
    whole = report(Verdict.RED).to_json()
    kept = {**whole, **broken} if broken else {}
    if "data" in broken:
        kept.pop("images")
    with pytest.raises(DataError, match="no report of an audit"):
        AuditReport.from_json(kept)


def test_an_override_needs_a_reason_and_changes_no_verdict() -> None:
    with pytest.raises(DataError, match="sentence"):
        report(Verdict.RED).overridden("  yes ")
    one = report(Verdict.RED).overridden("one source only, for a lesson")
    assert one.verdict is Verdict.RED
    assert one.allows_training


def test_the_page_begins_with_the_worst_and_keeps_the_reason() -> None:
    page = markdown_page(report(*Verdict).overridden("for a lesson"))
    where = [
        page.index(word) for word in ("# Audit of films", "Red:", "for a lesson", "## red")
    ]
    where += [page.index("## amber"), page.index("## green")]
    assert all(one < two for one, two in pairwise(where))
    assert "What to do: Mend vendor." in page
    assert "| V | 0.712 (0.500 to 0.800) |" in page
    assert "| n | 12 |" in page
    assert "| none | - |" in page
