"""The sets whose flaws are known, and how it is counted what the audit said of them."""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent.parent / "scripts"))
import audit_trial

from ml.manifest import ManifestRow, Source

KINDS = ("real_healthy", "real_lesions", "made_healthy", "made_lesions", "made_alike")
HALF = 2


def pool() -> audit_trial.Pool:
    """Four images of each kind, whose paths say what they are."""
    return audit_trial.Pool(*([_item(kind, number) for number in range(4)] for kind in KINDS))


def _item(kind: str, number: int) -> audit_trial.Item:
    source = Source.REAL if kind.startswith("real") else Source.GENERATED
    name = f"{kind}-{number}"
    return audit_trial.Item(ManifestRow(name, name, source=source), (), _no_pixels)


def _no_pixels() -> object:
    raise AssertionError("nobody looks at them here")


def kinds_of(items: list[audit_trial.Item]) -> dict[str, int]:
    found = [item.row.path.rpartition("-")[0] for item in items]
    return {kind: found.count(kind) for kind in dict.fromkeys(found)}


def test_each_set_has_the_flaw_that_it_is_called_by() -> None:
    made = audit_trial.designs(pool())
    assert set(made) == {*audit_trial.FLAWED, *audit_trial.SOUND}
    assert not set(audit_trial.FLAWED) & set(audit_trial.SOUND)
    # The public project's design: who is healthy was generated, who is ill is real.
    assert kinds_of(made["original"]) == {"made_healthy": 4, "real_lesions": 4}
    assert kinds_of(made["original, source unsaid"]) == {"made_healthy": 4, "real_lesions": 4}
    assert {item.row.source for item in made["original, source unsaid"]} == {None}
    assert kinds_of(made["lesions mixed"]) == {
        "made_healthy": 4,
        "real_lesions": HALF,
        "made_lesions": HALF,
    }
    assert kinds_of(made["healthy mixed"]) == {
        "real_healthy": HALF,
        "made_healthy": HALF,
        "real_lesions": 4,
    }
    assert kinds_of(made["balanced"]) == {
        "real_healthy": HALF,
        "made_alike": HALF,
        "real_lesions": HALF,
        "made_lesions": HALF,
    }
    for name in ("clean", "two codecs", "one codec"):
        assert kinds_of(made[name]) == {"real_healthy": 4, "real_lesions": 4}
    for items in made.values():
        assert len({item.row.path for item in items}) == len(items) == 8


def test_what_the_audit_said_is_counted_by_data_and_set() -> None:
    def run(data: str, name: str, verdict: str, pixels: str, naive: float | None) -> dict:
        return {
            **{"data": data, "set": name, "verdict": verdict},
            **{"by_pixels": pixels, "naive_accuracy": naive},
        }

    told = audit_trial.summary(
        [
            run("films", "original", "red", "red", 1.0),
            run("films", "original", "amber", "green", 0.9),
            run("phantoms", "original", "red", "amber", 0.8),
            run("films", "clean", "green", "green", None),
        ]
    )
    assert told["films: original"] == {
        **{"flawed": True, "of": 2, "red": 1, "green": 0},
        **{"red_by_pixels_alone": 1, "naive_accuracy": 0.95},
    }
    assert told["phantoms: original"]["red"] == told["phantoms: original"]["of"] == 1
    assert told["films: clean"] == {
        **{"flawed": False, "of": 1, "red": 0, "green": 1},
        **{"red_by_pixels_alone": 0, "naive_accuracy": None},
    }


def test_what_a_report_has_is_not_asked_again(tmp_path: Path) -> None:
    path = tmp_path / "audit.json"
    assert audit_trial.earlier(path) == []
    path.write_text(json.dumps({"runs": [{"seed": 1}]}))
    assert audit_trial.earlier(path) == [{"seed": 1}]
