"""Versions of models: added, promoted, gone back from, and none of it ever lost."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ml.errors import ModelError, WeightsCorruptError
from ml.hashed import name_sha256
from ml.in_use import own_version, packs_in_use, shadows
from ml.places import MODELS, MODELS_VARIABLE, OWN_MODELS_VARIABLE
from ml.registry import CARD, inherit, read_pack
from ml.versions import HISTORY, SHIPPED, FrozenPart, Origin, Versions
from tests.factories.packs import make_card, make_packs, rewrite_card

if TYPE_CHECKING:
    from pathlib import Path

ORIGIN = Origin("a" * 64, "0.3.0", {"part": 1.0}, "green")
ROLE = "detector"


def part_of(*women: str) -> FrozenPart:
    return FrozenPart("+".join(women), frozenset(map(name_sha256, women)))


@pytest.fixture
def trained(tmp_path: Path) -> Path:
    return make_packs(tmp_path / "trained")[ROLE]


@pytest.fixture
def versions(tmp_path: Path) -> Versions:
    return Versions(tmp_path / "models")


def test_each_version_is_kept_with_how_it_came_about(versions: Versions, trained: Path) -> None:
    first, second = versions.add(trained, ORIGIN), versions.add(trained, ORIGIN)
    assert [first.key, second.key] == ["tiny-detector@1", "tiny-detector@2"]
    assert versions.all(ROLE) == (first, second)
    assert versions.all("classifier") == ()
    assert first.origin == ORIGIN
    pack = read_pack(versions.place(ROLE, second.key))
    assert pack.card.key == second.key
    # Nothing is in use by being added.
    assert versions.live(ROLE) == SHIPPED
    assert versions.live_pack(ROLE) is None


def test_a_promoted_version_is_in_use_until_it_is_gone_back_from(
    versions: Versions, trained: Path
) -> None:
    first, second = versions.add(trained, ORIGIN), versions.add(trained, ORIGIN)
    for one in (first, second):
        versions.promote(ROLE, one.key, "Dr Reader", {"promoted": True})
        assert versions.live_pack(ROLE) == versions.place(ROLE, one.key)
    assert versions.go_back(ROLE, "Dr Reader") == first.key
    assert versions.go_back(ROLE, "Dr Reader") == SHIPPED
    with pytest.raises(ModelError, match="none before it"):
        versions.go_back(ROLE, "Dr Reader")
    # After going back the next promotion goes on from there.
    versions.promote(ROLE, second.key, "Dr Reader", {})
    assert versions.go_back(ROLE, "Dr Reader") == SHIPPED
    assert [one.key for one in versions.all(ROLE)] == [first.key, second.key]


def test_the_promoted_version_is_the_one_in_use_everywhere(
    versions: Versions, trained: Path
) -> None:
    shipped = packs_in_use({})
    own = {OWN_MODELS_VARIABLE: str(versions.folder)}
    assert packs_in_use(own) == shipped
    added = versions.add(trained, ORIGIN)
    assert packs_in_use(own) == shipped, "added is not promoted"
    versions.promote(ROLE, added.key, "Dr Reader", {})
    assert packs_in_use(own) == {**shipped, ROLE: versions.place(ROLE, added.key)}
    # A folder that is named instead of all others is all that counts.
    assert packs_in_use({**own, MODELS_VARIABLE: str(MODELS)}) == shipped
    versions.go_back(ROLE, "Dr Reader")
    assert packs_in_use(own) == shipped


def test_what_is_in_use_is_not_put_into_use_again(versions: Versions, trained: Path) -> None:
    key = versions.add(trained, ORIGIN).key
    versions.promote(ROLE, key, "Dr Reader", {"promoted": True, "uses": 3})
    last = json.loads((versions.folder / HISTORY).read_text().splitlines()[-1])
    assert last["decision"] == {"promoted": True, "uses": 3}, "the figures stay"
    with pytest.raises(ModelError, match="in use already"):
        versions.promote(ROLE, key, "Dr Reader", {})
    assert versions.go_back(ROLE, "Dr Reader") == SHIPPED


def test_a_versions_parent_is_the_one_that_it_began_with(
    versions: Versions, trained: Path
) -> None:
    """Not the last of all forebears by alphabet."""
    nine, ten = (
        replace(make_card(ROLE, {}), name="own", version=number) for number in ("9", "10")
    )
    ten = inherit(ten, [nine])
    parents = inherit(replace(make_card(ROLE, {}), name="own", version="11"), [ten]).parents
    assert parents == ("own@10", "own@9")
    rewrite_card(trained, parents=list(parents))
    assert versions.add(trained, ORIGIN).parent == "own@10"


def test_only_a_whole_version_is_promoted(versions: Versions, trained: Path) -> None:
    with pytest.raises(ModelError, match="not among the versions"):
        versions.promote(ROLE, "tiny-detector@1", "Dr Reader", {})
    added = versions.add(trained, ORIGIN)
    name = next(iter(read_pack(trained).card.files))
    (versions.place(ROLE, added.key) / name).write_bytes(b"other")
    with pytest.raises(WeightsCorruptError):
        versions.promote(ROLE, added.key, "Dr Reader", {})
    assert versions.live(ROLE) == SHIPPED


def test_a_version_in_use_that_is_gone_is_said(versions: Versions, trained: Path) -> None:
    added = versions.add(trained, ORIGIN)
    versions.promote(ROLE, added.key, "Dr Reader", {})
    (versions.place(ROLE, added.key) / CARD).unlink()
    with pytest.raises(ModelError, match=added.key):
        versions.live_pack(ROLE)


def test_a_crash_in_the_middle_loses_nothing_that_was_told(
    versions: Versions, trained: Path, caplog: pytest.LogCaptureFixture
) -> None:
    versions.promote(ROLE, versions.add(trained, ORIGIN).key, "Dr Reader", {})
    history = versions.folder / HISTORY
    with history.open("ab") as torn:
        torn.write(b'{"event": "promoted", "role": "detec')
    # A pack without its line: the copy was whole, the note never written.
    versions.place(ROLE, "tiny-detector@2").mkdir()
    again = Versions(versions.folder)
    assert again.live(ROLE) == "tiny-detector@1"
    assert "torn" in caplog.text
    assert again.add(trained, ORIGIN).key == "tiny-detector@2"
    assert [one.key for one in again.all(ROLE)] == ["tiny-detector@1", "tiny-detector@2"]
    caplog.clear()


def test_uses_of_a_test_part_are_counted_over_all_versions(
    versions: Versions, trained: Path
) -> None:
    first, second = versions.add(trained, ORIGIN), versions.add(trained, ORIGIN)
    part, other = part_of("A", "B"), part_of("C")
    assert versions.tests(part) == 0
    assert versions.test(ROLE, first.key, part) == 1
    assert versions.test(ROLE, second.key, part) == 2
    assert versions.test(ROLE, second.key, other) == 1


def test_a_woman_who_comes_or_goes_makes_no_new_test_part(
    versions: Versions, trained: Path
) -> None:
    key = versions.add(trained, ORIGIN).key
    for women in ("AB", "ABC", "B"):
        versions.test(ROLE, key, part_of(*women))
    assert versions.tests(part_of("B", "D")) == 3
    assert versions.tests(part_of("A", "D")) == 2
    assert versions.tests(part_of("C", "D")) == 1
    assert versions.tests(part_of("D")) == 0
    assert versions.tests(part_of()) == 0


def test_a_history_without_lists_of_patients_is_still_counted(
    versions: Versions, trained: Path
) -> None:
    key = versions.add(trained, ORIGIN).key
    part = part_of("A", "B")
    line = {"event": "tested", "role": ROLE, "key": key, "part_sha256": part.sha256}
    with (versions.folder / HISTORY).open("a") as history:
        history.write(f"{json.dumps(line)}\n" * 2)
    assert versions.tests(part) == 2
    assert versions.tests(part_of("A")) == 0, "nobody can tell who was in it"
    assert versions.test(ROLE, key, part) == 3
    assert versions.tests(part_of("A")) == 3, "now it is known"


def test_no_pack_is_thrown_away_whose_history_is_lost(
    versions: Versions, trained: Path
) -> None:
    first = versions.add(trained, ORIGIN)
    (versions.folder / HISTORY).unlink()
    card = (versions.place(ROLE, first.key) / CARD).read_bytes()
    assert versions.add(trained, ORIGIN).key == "tiny-detector@2"
    assert (versions.place(ROLE, first.key) / CARD).read_bytes() == card
    read_pack(versions.place(ROLE, first.key))


def test_one_goes_back_from_a_version_that_is_gone(versions: Versions, trained: Path) -> None:
    added = versions.add(trained, ORIGIN)
    versions.promote(ROLE, added.key, "Dr Reader", {})
    shutil.rmtree(versions.place(ROLE, added.key))
    assert versions.live(ROLE) == added.key
    assert versions.all(ROLE) == (added,)
    assert versions.go_back(ROLE, "Dr Reader") == SHIPPED
    assert versions.live_pack(ROLE) is None


def test_an_own_version_is_found_by_its_key(versions: Versions, trained: Path) -> None:
    own = {OWN_MODELS_VARIABLE: str(versions.folder)}
    key = versions.add(trained, ORIGIN).key
    assert own_version(key, own) == versions.place(ROLE, key)
    assert own_version("tiny-detector@7", own) is None
    assert own_version(key, {}) is None
    (versions.place(ROLE, key) / CARD).unlink()
    with pytest.raises(ModelError, match=key):
        own_version(key, own)


def test_one_version_of_a_role_runs_in_shadow(versions: Versions, trained: Path) -> None:
    first, second = versions.add(trained, ORIGIN), versions.add(trained, ORIGIN)
    assert versions.shadow(ROLE) is None
    for one in (first, second):
        versions.put_in_shadow(ROLE, one.key, "Dr Reader")
        shadow = versions.shadow(ROLE)
        assert shadow is not None
        assert (shadow.role, shadow.key, shadow.who) == (ROLE, one.key, "Dr Reader")
        assert shadow.since
    assert versions.shadow("classifier") is None
    # Nothing is in use by being in shadow.
    assert versions.live(ROLE) == SHIPPED
    assert versions.end_shadow(ROLE, "Dr Reader") == second.key
    assert versions.shadow(ROLE) is None
    with pytest.raises(ModelError, match="runs in shadow"):
        versions.end_shadow(ROLE, "Dr Reader")


def test_what_comes_into_use_is_no_shadow_any_more(versions: Versions, trained: Path) -> None:
    first, second = versions.add(trained, ORIGIN), versions.add(trained, ORIGIN)
    versions.put_in_shadow(ROLE, second.key, "Dr Reader")
    versions.promote(ROLE, first.key, "Dr Reader", {})
    shadow = versions.shadow(ROLE)
    assert shadow is not None, "another one was promoted"
    versions.promote(ROLE, second.key, "Dr Reader", {})
    assert versions.shadow(ROLE) is None
    with pytest.raises(ModelError, match="is in use"):
        versions.put_in_shadow(ROLE, second.key, "Dr Reader")
    versions.put_in_shadow(ROLE, first.key, "Dr Reader")
    assert versions.go_back(ROLE, "Dr Reader") == first.key
    assert versions.shadow(ROLE) is None


def test_only_a_whole_version_runs_in_shadow(versions: Versions, trained: Path) -> None:
    with pytest.raises(ModelError, match="not among the versions"):
        versions.put_in_shadow(ROLE, "tiny-detector@1", "Dr Reader")
    added = versions.add(trained, ORIGIN)
    name = next(iter(read_pack(trained).card.files))
    (versions.place(ROLE, added.key) / name).write_bytes(b"other")
    with pytest.raises(WeightsCorruptError):
        versions.put_in_shadow(ROLE, added.key, "Dr Reader")
    assert versions.shadow(ROLE) is None


def test_where_a_shadow_lies_is_known_everywhere(versions: Versions, trained: Path) -> None:
    own = {OWN_MODELS_VARIABLE: str(versions.folder)}
    assert shadows(own) == ()
    added = versions.add(trained, ORIGIN)
    versions.put_in_shadow(ROLE, added.key, "Dr Reader")
    (found,) = shadows(own)
    assert (found.shadow.key, found.folder) == (added.key, versions.place(ROLE, added.key))
    assert packs_in_use(own)[ROLE] != found.folder
    assert shadows({**own, MODELS_VARIABLE: str(MODELS)}) == ()
    (found.folder / CARD).unlink()
    assert shadows(own) == (), "what is gone shows nothing, and stops nobody"
