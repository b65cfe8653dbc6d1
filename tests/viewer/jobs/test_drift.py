"""The library's analyses against the cards of the models in use: as values, and as a table."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from ml.distribution import QUANTILES, Distribution, Part
from ml.findings import Analysis
from ml.in_use import cards_in_use
from ml.places import MODELS_VARIABLE
from tests.factories.analyses import make_finding, make_image_analysis
from tests.factories.packs import make_packs, rewrite_card
from viewer.__main__ import main
from viewer.core.drift import Standing
from viewer.core.home import find_home
from viewer.jobs.drift import watch_models
from viewer.library.library import Library

if TYPE_CHECKING:
    from pathlib import Path

LOW = Part(tuple(map(float, np.linspace(0, 0.4, QUANTILES))), 400, 400)
HIGH = Part(tuple(map(float, np.linspace(0.6, 1, QUANTILES))), 400, 400)


def expect(folder: Path) -> None:
    """Have the cards of both models say where their scores lie."""
    content = Distribution(LOW, HIGH, "simulated, test").to_json()
    for role in ("classifier", "detector"):
        rewrite_card(folder / role, distribution=content)


def analyze(library: Library, count: int, maker: str, lesion: float, mark: float) -> None:
    """Keep what the models in use say of as many studies of one image, evenly up to a score."""
    models = {role: card.use for role, card in cards_in_use().items()}
    for number in range(count):
        share = (number + 0.5) / count
        uid = f"{maker}.{number}"
        image = replace(
            make_image_analysis("RCC", lesion=lesion * share),
            sop_instance_uid=uid,
            study_instance_uid=f"study of {uid}",
            findings=(make_finding(mark * share),),
        )
        library.keep_analysis(Analysis(models, (image,), "test"), {uid: maker})


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    make_packs(tmp_path / "models")
    monkeypatch.setenv(MODELS_VARIABLE, str(tmp_path / "models"))
    return tmp_path / "models"


@pytest.fixture
def library(home: Path) -> Library:
    return Library(find_home().library)


def test_each_model_is_held_against_its_own_card(models: Path, library: Library) -> None:
    expect(models)
    analyze(library, 100, "HOLOGIC", lesion=0.4, mark=1.0)
    watched = watch_models(library, 1.0)
    assert {(one.role, one.maker): one.standing for one in watched} == {
        ("detector", None): Standing.ALARM,
        ("detector", "HOLOGIC"): Standing.ALARM,
        ("classifier", None): Standing.STEADY,
        ("classifier", "HOLOGIC"): Standing.STEADY,
    }
    assert {one.model for one in watched} == {"tiny-detector@0.1.0", "tiny-classifier@0.1.0"}


def test_the_reader_says_how_many_lesions_are_expected(models: Path, library: Library) -> None:
    expect(models)
    analyze(library, 100, "HOLOGIC", lesion=0.4, mark=0.4)
    assert all(one.standing is Standing.STEADY for one in watch_models(library, 1.0))
    assert all(one.standing is Standing.ALARM for one in watch_models(library, 500.0))


def test_only_the_last_two_hundred_count(models: Path, library: Library) -> None:
    expect(models)
    analyze(library, 150, "OLD", lesion=1.0, mark=1.0)
    analyze(library, 200, "NEW", lesion=0.4, mark=0.4)
    watched = watch_models(library, 1.0)
    assert [(one.images, one.maker) for one in watched] == [(200, None), (200, "NEW")] * 2
    assert all(one.standing is Standing.STEADY for one in watched)


def test_a_table_is_printed(
    models: Path, library: Library, capsys: pytest.CaptureFixture[str]
) -> None:
    expect(models)
    analyze(library, 100, "HOLOGIC", lesion=0.4, mark=1.0)
    analyze(library, 5, "GE", lesion=0.4, mark=1.0)
    library.close()
    assert main(["models", "drift"]) == 0
    heading, *lines = capsys.readouterr().out.splitlines()
    assert heading.split("\t") == [
        *("model", "maker", "images", "studies", "KS", "p", "PSI", "standing"),
    ]
    rows = [line.split("\t") for line in lines if "\t" in line]
    assert [(row[0], row[1], row[2], row[-1]) for row in rows] == [
        ("tiny-detector@0.1.0", "all", "105", "alarm"),
        ("tiny-detector@0.1.0", "GE", "5", "too few"),
        ("tiny-detector@0.1.0", "HOLOGIC", "100", "alarm"),
        ("tiny-classifier@0.1.0", "all", "105", "as expected"),
        ("tiny-classifier@0.1.0", "GE", "5", "too few"),
        ("tiny-classifier@0.1.0", "HOLOGIC", "100", "as expected"),
    ]
    assert sum("do not rely on the model" in line for line in lines) == 2


def test_cards_without_a_distribution_are_said_to_be_so(
    models: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["models", "drift"]) == 0
    assert capsys.readouterr().out.count("nothing to compare with.") == 2
