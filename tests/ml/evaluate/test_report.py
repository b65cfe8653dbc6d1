from __future__ import annotations

import json
import re
from dataclasses import replace

import numpy as np
import pytest

from ml.evaluate.page import html_page
from ml.evaluate.report import data_report, model_report
from ml.manifest import ManifestRow, ReferenceStandard
from tests.factories.packs import make_card
from tests.factories.truths import make_judged, make_marked

FILES = {"weights.safetensors": "c" * 64, "graph.xml": "a" * 64, "graph.bin": "b" * 64}
EVIL = "<script>alert(1)</script>"


def rows(n: int) -> list[ManifestRow]:
    standard = ReferenceStandard.SIMULATION
    return [ManifestRow(f"{i}.dcm", f"p{i}", reference_standard=standard) for i in range(n)]


def a_document() -> dict[str, object]:
    rng = np.random.default_rng(1)
    marked = [
        make_marked(f"p{i}", (rng.random(),) if i % 2 else (), tuple(rng.random(2)))
        for i in range(24)
    ]
    judged = [
        make_judged(f"p{i}", rng.random(), lesion=i % 2 == 0, density=i % 4, said=i % 3)
        for i in range(24)
    ]
    judged = [replace(o, item=replace(o.item, vendor=EVIL, laterality="L")) for o in judged]
    models = {}
    for role, outcomes in (("detector", marked), ("classifier", judged)):
        card = replace(make_card(role, FILES), training_patients=("a" * 64,) * 3)
        part = data_report(card, rows(24), outcomes, f"{EVIL} set", draws=20)
        models[card.key] = model_report(card, {"phantom": part})
    return {"schema": 1, "manifest": "m", "draws": 20, "models": models}


@pytest.fixture(scope="module")
def document() -> dict[str, object]:
    return a_document()


@pytest.fixture(scope="module")
def page(document: dict[str, object]) -> str:
    return html_page(document)


def test_the_document_is_json_without_nan(document: dict[str, object]) -> None:
    text = json.dumps(document, allow_nan=False)
    assert json.loads(text) == document


def test_training_lists_are_counted_not_repeated(document: dict[str, object]) -> None:
    card = document["models"]["tiny-detector@0.1.0"]["card"]  # type: ignore[index]
    assert card["training_patients"] == 3


def test_claim_is_filled_as_far_as_it_goes(document: dict[str, object]) -> None:
    items = document["models"]["tiny-detector@0.1.0"]["claim"]  # type: ignore[index]
    texts = {each["item"]: each["text"] for each in items}
    assert list(texts) == list(range(1, 43))
    assert "24 images of 24 patients, 12 with a lesion" in texts[34]
    assert "simulation (24)" in texts[14]
    assert "yolo26n" in texts[22]
    assert [texts[item] for item in (32, 37, 40, 42)] == [""] * 4, "nobody told"


def test_empty_items_and_small_parts_stand_out(page: str) -> None:
    assert page.count('<span class="empty">empty</span>') > 20
    assert ".few,.empty{color:#b3261e}" in page
    assert "<tr class=few>" in page
    assert "(patients: 24), few</td>" in page


def test_the_page_needs_no_other_file_and_runs_nothing(page: str) -> None:
    assert not re.search(r"""(src|href)="(?!data:)""", page)
    assert "<script" not in page
    assert "&lt;script&gt;" in page, "names of vendors and data are shown as they are"


def test_the_page_shows_every_level_rate_and_rule(page: str) -> None:
    for text in (
        *("over images", "over breasts", "over patients"),
        *("<td>0.125</td>", "<td>4</td>", "mAP50-95", "kappa, quadratic weights"),
        *("middle lies in the lesion", "AUC (DeLong, clustered)", "Brier score"),
    ):
        assert text in page.replace("&#x27;", "'"), text


def test_the_same_outcomes_give_the_same_page(page: str) -> None:
    assert html_page(a_document()) == page


def test_the_reason_for_training_against_an_audit_stands_on_the_page() -> None:
    document = a_document()
    assert "red audit" not in html_page(document)
    models: dict[str, dict[str, object]] = document["models"]  # type: ignore[assignment]
    model = models["tiny-detector@0.1.0"]
    model["card"] = {**model["card"], "overrides": ["only a <trial>"]}  # type: ignore[dict-item]
    told = html_page(document)
    assert "Trained against a red audit, because</th><td>only a &lt;trial&gt;</td>" in told
