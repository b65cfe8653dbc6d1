"""Jobs of a model in shadow: what it still has to look at, and what is read out of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from unittest.mock import Mock

import pytest

from ml.in_use import cards_in_use
from ml.registry import CARD, read_card
from ml.versions import Origin, Versions
from tests.factories.analyses import make_analysis, make_image, make_image_analysis
from tests.factories.packs import make_packs, rewrite_card
from viewer.core.home import find_home
from viewer.jobs.models import ModelProcess
from viewer.jobs.shadow import change_shadow, readout, shadow_job, wanted_job
from viewer.library.library import Library

if TYPE_CHECKING:
    from pathlib import Path

    from ml.findings import Analysis, ModelUse

ROLE, KEY = "classifier", "own-classifier@1"


@pytest.fixture
def own(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Versions:
    """A classifier in shadow that calls from 0.3 on; the one in use does from 0.5 on."""
    make_packs(tmp_path / "models")
    monkeypatch.setattr("ml.places.MODELS", tmp_path / "models")
    trained = make_packs(tmp_path / "trained")[ROLE]
    point = {"name": "low", "threshold": 0.3, "chosen_on": "x"}
    rewrite_card(trained, name="own-classifier", operating_points=[point])
    versions = Versions(find_home().models)
    versions.add(trained, Origin("a" * 64, "0.3.0"))
    change_shadow(versions.folder, ROLE, KEY, "Dr. A")
    return versions


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path / "library.sqlite")


def said(title: str, lesion: float, shadow: Versions | None = None) -> Analysis:
    """What the models in use say of an image, or with the one in shadow among them."""
    uses: dict[str, ModelUse] = {role: card.use for role, card in cards_in_use().items()}
    if shadow is not None:
        uses[ROLE] = read_card(shadow.place(ROLE, KEY) / CARD).use
    image = make_image_analysis(title, lesion=lesion)
    return replace(make_analysis(), models=uses, images=(image,))


def test_only_what_it_has_not_seen_is_wanted(own: Versions, library: Library) -> None:
    models = ModelProcess()
    images, live = [make_image("RCC"), make_image("LCC")], said("RCC", 0.4)
    library.keep_shadow(ROLE, said("RCC", 0.4, own), live)
    (task,) = wanted_job(images, live, models, library).work()  # type: ignore[misc]
    assert (task.role, task.folder) == (ROLE, own.place(ROLE, KEY))
    assert task.image is images[1]
    assert task.live is live
    change_shadow(own.folder, ROLE, "", "Dr. A")
    assert wanted_job(images, live, models, library).work() == ()
    assert models.pid is None


def test_one_that_is_out_of_shadow_is_not_asked_any_more(
    own: Versions, library: Library
) -> None:
    models, read = Mock(environment=ModelProcess().environment), Mock()
    job = wanted_job([make_image("RCC")], said("RCC", 0.4), models, library)
    (task,) = job.work()  # type: ignore[misc]
    change_shadow(own.folder, ROLE, "", "Dr. A")
    assert shadow_job(task, models, read).work() is None
    models.submit.assert_not_called()
    read.assert_not_called()


def test_each_is_read_out_at_its_own_operating_point(own: Versions, library: Library) -> None:
    (before,) = readout(library)
    assert (before.role, before.key, before.images) == (ROLE, KEY, 0)
    for title, shadow, live in (("RCC", 0.4, 0.4), ("LCC", 0.6, 0.6), ("LMLO", 0.2, 0.7)):
        library.keep_shadow(ROLE, said(title, shadow, own), said(title, live))
    (told,) = readout(library)
    assert (told.images, told.only_shadow, told.only_live) == (3, 1, 1)
    shadow = own.shadow(ROLE)
    assert shadow is not None
    assert told.since == shadow.since
    change_shadow(own.folder, ROLE, "", "Dr. A")
    assert readout(library) == ()
