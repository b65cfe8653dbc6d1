from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

import write_results  # noqa: E402 the path comes first

from ml.evaluate.classification import classification_report  # noqa: E402
from ml.evaluate.detection import detection_report  # noqa: E402
from ml.evaluate.figures import MOST_ACCURATE  # noqa: E402
from ml.evaluate.report import data_report, model_report  # noqa: E402
from ml.findings import OperatingPoint  # noqa: E402
from ml.mammo.codes import FindingType  # noqa: E402
from ml.manifest import ManifestRow  # noqa: E402
from tests.factories.packs import make_card  # noqa: E402
from tests.factories.truths import make_judged, make_marked  # noqa: E402

FILES = {"weights.safetensors": "c" * 64, "graph.xml": "a" * 64, "graph.bin": "b" * 64}
MARKED = [make_marked(f"p{i}", (0.9,) if i % 2 else (), (0.1 * (i % 4),)) for i in range(8)]
JUDGED = [
    make_judged(f"p{i}", i / 8, lesion=i > 3, density=i % 4, said=i % 4) for i in range(8)
]


def test_the_page_is_what_the_reports_say() -> None:
    kept = write_results.PAGE.read_text(encoding="utf-8")
    made = write_results.results_page(write_results.read_reports(write_results.REPORTS))
    assert kept == made, "run scripts/write_results.py"


def test_without_reports_nothing_is_claimed(tmp_path: Path) -> None:
    assert write_results.results_page(write_results.read_reports(tmp_path)).endswith(
        "nothing is claimed.\n"
    )


def test_what_evaluate_writes_becomes_tables(tmp_path: Path) -> None:
    rows = [ManifestRow(f"{i}.dcm", f"p{i}") for i in range(8)]
    models = {}
    for role, outcomes in (("detector", MARKED), ("classifier", JUDGED)):
        card = make_card(role, FILES)
        part = data_report(card, rows, outcomes, "a | set", draws=20)
        models[card.key] = model_report(card, {"phantom": part})
    (tmp_path / "phantoms.json").write_text(json.dumps({"models": models}))
    page = write_results.results_page(write_results.read_reports(tmp_path))
    assert "### tiny-detector@0.1.0 on a \\| set" in page
    assert "| 0.125 | 1.000 (1.000 to 1.000) |" in page, "every lesion is found at 0.9"
    assert "| AUC | 1.000 (1.000 to 1.000) | - | 1.000" in page, "no side is known"
    assert "| same letter | 1.000" in page
    assert "finding type | mass | 4 (few)" in page
    widths = {line.count("|") for line in page.split("\n\n")[3].splitlines()}
    assert len(widths) == 1, "a table's rows are equally long"


def test_what_a_cross_validation_writes_becomes_two_tables(tmp_path: Path) -> None:
    report = {
        "title": "Films",
        "rows": {
            "detector: alone": detection_report(MARKED, (), draws=20),
            "detector: less": {
                **detection_report(MARKED, (), draws=20),
                "beside": "detector: alone",
                "change": {
                    "1": {"value": -0.25, "low": -0.5, "high": 0.0},
                    "2": {"value": -0.25, "low": -0.5, "high": -0.1},
                },
            },
            "classifier: alone": classification_report(JUDGED, (), {}, draws=20),
        },
    }
    (tmp_path / "films.json").write_text(json.dumps(report))
    page = write_results.results_page(write_results.read_reports(tmp_path))
    assert "## Films" in page
    assert "| recipe | 0.125 | 0.25 | 0.5 | 1 | 2 | 4 | change |" in page
    assert "| at 1 -0.250 (-0.500 to 0.000), at 2 -0.250 (-0.500 to -0.100) beside" in page
    assert "does not hold 0: detector: less (2).\n" in page
    assert "from chance on so few films: detector: less (1).\n" in page
    assert "| detector: alone | 1.000" in page
    assert "| classifier: alone | image | 1.000" in page
    assert "| classifier: alone | breast |" not in page, "no case at that level"


def test_every_goal_has_its_figure() -> None:
    """By the names that the evaluation writes: a goal whose figure is renamed would vanish."""
    rated = [
        replace(each, item=replace(each.item, detectability=(d,) * len(each.item.boxes)))
        for each, d in zip(MARKED, (1.5, 4, 2, 8, 0.5, 2.5, 7, 9), strict=True)
    ]
    box = {"boxes": ((0.0, 0.0, 8.0, 8.0),), "finding_types": (FindingType.MASS,)}
    judged = [
        replace(each, item=replace(each.item, **box, detectability=(5.0,)))
        if each.item.lesion
        else each
        for each in JUDGED
    ]
    rows = [ManifestRow(f"{i}.dcm", f"p{i}") for i in range(8)]
    models = {}
    for role, outcomes in (("detector", rated), ("classifier", judged)):
        points = (OperatingPoint(MOST_ACCURATE, 0.45, ""),)
        card = replace(make_card(role, FILES), operating_points=points)
        part = data_report(card, rows, outcomes, "phantoms", draws=20)
        models[card.key] = model_report(card, {"phantom": part})
    folds = {
        "detector: phantoms, then films": detection_report(MARKED, (), draws=20),
        "classifier: both together": classification_report(JUDGED, (), {}, draws=20),
    }
    reports = {"phantoms": {"models": models}, "mini_mias": {"rows": folds}}
    page = write_results.results_page(reports)
    table = page.split("## Goals\n")[1].split("##")[0]
    for goal in write_results.GOALS:
        assert goal.title in table
    # Four lesions, at d' 4, 8, 2.5 and 9.
    assert "| phantoms, share of the lesions below d' 3 | 0.30 | 0.250 | no |" in table
    assert (
        "| mini-MIAS, five folds, AUC, lesion | 0.80 | 1.000 (1.000 to 1.000) | yes |" in table
    )
    assert "## Goals" not in write_results.results_page({})


def test_films_that_are_read_but_not_counted_become_a_table() -> None:
    mark = {"finding_type": "mass", "score": 0.5, "down": 0.25, "across": 0.7}
    film = {
        "woman": "P_1",
        "breast": "left",
        "truth": "benign mass",
        "view": "CC",
        "lesion_score": 0.875,
        "malignancy_score": 0.25,
        "called": True,
        "operating_point": "sensitivity 0.90",
        "density": "B",
        "marks": [mark],
    }
    calm = film | {"called": False, "marks": []}
    seen = {"woman": "P_1", "breast": "left", "seen": "Marked in one view only."}
    report = {"films": [film, calm], "discussion": [seen]}
    page = write_results.results_page({"cbis": report})
    assert "Called at the operating point sensitivity 0.90." in page
    told = "| P_1 | left, benign mass | CC | B | 0.88, called | 0.25 | mass 0.50 "
    assert told + "(25% down, 70% across) |" in page
    assert "| 0.88 | 0.25 | none |" in page
    assert "\n- P_1, left: Marked in one view only." in page


def test_generated_images_stand_beside_others_with_what_they_cannot_do():
    share = {"value": 0.5, "low": 0.25, "high": 0.75}
    none = {"value": None, "low": None, "high": None}
    report = {
        "title": "The generator",
        "cannot": "What it cannot do: 97% are told.",
        "sheet": "sheet.jpg",
        "data": "2 women.",
        "threshold": "0.25 false marks",
        "quality": {
            "women": {
                "counts": {"generated": 20, "held-out": 21},
                "figures": [
                    {"name": "KID", "data": "generated", **share},
                    {"name": "KID", "data": "held-out, by halves", **share, "value": 0.125},
                    {"name": "view as asked", "data": "generated", **share},
                ],
            }
        },
        "marks": [
            {"kind": "mass", "n": 4, "painted": share, "untouched": share, "simulated": none}
        ],
    }
    page = write_results.results_page({"generator": report})
    assert "**What it cannot do: 97% are told.**" in page
    assert "![Generated images](sheet.jpg)" in page
    assert "Images: 20 generated, 21 held-out." in page
    assert "| figure | generated | held-out, by halves |" in page
    assert "| KID | 0.500 (0.250 to 0.750) | 0.125 (0.250 to 0.750) |" in page
    assert "| view as asked | 0.500 (0.250 to 0.750) | - |" in page
    assert "| mass | 4 | 0.500 (0.250 to 0.750) | 0.500 (0.250 to 0.750) | - |" in page


def test_ways_of_teaching_become_a_table_beside_the_original() -> None:
    measured = {"figure": "AUC, lesion", "value": 0.7, "low": 0.6, "high": 0.8}
    gain = {"value": 0.1, "low": 0.02, "high": 0.2}
    rows = [
        {**measured, "way": "real-only"},
        {**measured, "way": "both", "gain": gain, "p": 0.03, "verdict": "helps"},
    ]
    right = {**measured, "figure": "accuracy", "value": 0.6}
    rows += [
        {**right, "way": "both", "gain": gain, "value": 0.7},
        {**right, "way": "real-only"},
    ]
    counted = {"images": 10, "with_lesion": 4, "patients": 5, "seeds": 2}
    asked = {
        "detector/phantoms-50": {**counted, "rows": rows[:1]},
        "classifier/films": {**counted, "rows": rows},
    }
    report = {
        "original": {"without": 0.505, "with": 0.98},
        "generator": "a generator@1",
        "questions": asked,
    }
    page = write_results.results_page({"headline": report})
    assert "50.5% without, 98.0% with" in page
    assert page.index("### classifier, films") < page.index("### detector, phantoms-50")
    ours = "60.0% (60.0% to 80.0%) real-only, 70.0% (60.0% to 80.0%) both"
    assert f"no model had seen: {ours}; whoever calls every film healthy is right in" in page
    assert "is right in 60.0%." in page
    assert "painted: a generator@1;" in page
    assert "10 images of 5 patients, 4 of them with a lesion; seeds: 2." in page
    said = "| both | 0.700 (0.600 to 0.800) | 0.100 (0.020 to 0.200) | 0.030 | helps |"
    assert said in page
    assert "A gain is claimed for classifier, films: both (AUC, lesion), and" in page
    assert "No gain is claimed" not in page
    rows[1]["verdict"] = "too few to tell"
    assert "No gain is claimed" in write_results.results_page({"headline": report})


def test_what_the_audit_said_of_known_sets_becomes_a_table() -> None:
    known = {"of": 20, "red": 20, "red_by_pixels_alone": 19}
    sets = {
        "phantoms: original": {**known, "flawed": True, "naive_accuracy": 0.98},
        "phantoms: clean": {**known, "red": 1, "flawed": False, "naive_accuracy": None},
    }
    page = write_results.results_page({"audit": {"title": "The audit", "sets": sets}})
    assert "| phantoms: original | flawed | 20 of 20 | 19 of 20 | 98.0% |" in page
    assert "| phantoms: clean | sound | 1 of 20 | 19 of 20 |  |" in page
