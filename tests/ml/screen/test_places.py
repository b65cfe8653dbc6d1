"""A file, or a member of an archive, as one text and as something that can be opened."""

from __future__ import annotations

import os
import random
import re
import struct
import tempfile
import tracemalloc
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.errors import BudgetError, ReadError
from ml.screen.places import LARGEST_RATIO, Place, of_disk, place_of

if TYPE_CHECKING:
    from collections.abc import Callable

NAMES = (
    "a.dcm",
    "with space .dcm",
    "!",
    "a!",
    "!!",
    "b.zip",
    "b.ZIP!",
    "b.zip!!",
    "c.zip!!!",
    "ü\u0130\ufb01 \U0001f600.dcm",
    "\u0130.zip!",
    os.fsdecode(b"\xff\xfe.dcm"),
    "a\nb.dcm",
)
MEMBERS = (
    "",
    *NAMES,
    "in/side.dcm",
    "in.zip!/side.dcm",
    "!/a",
    "!!/b.zip!/c",
    "../up.dcm",
    "/rooted.dcm",
    "back\\slash.dcm",
)


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Copies of members go into a folder of their own, which is looked into afterwards."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def archive_of(folder: Path, *names: str, content: bytes = b"inside") -> Path:
    path = folder / "archive.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return path


@pytest.mark.parametrize("member", MEMBERS)
@pytest.mark.parametrize("name", NAMES)
def test_a_place_comes_back_from_its_text(name: str, member: str) -> None:
    for folder in (Path("/data"), Path("/data/x.zip!"), Path("/in/y.zip!!/z.zip!/b!"), Path()):
        place = Place(folder / (f"{name}.zip" if member else name), member)
        assert place_of(str(place)) == place


PARTS = st.text(st.sampled_from("a!.zipZIP \u0131\u0130é\udcff"), min_size=1, max_size=9)
FOLDERS = st.lists(PARTS.filter(lambda part: part not in (".", "..")), min_size=1, max_size=4)


@given(FOLDERS, st.text(st.sampled_from("a!./zip\udcff"), max_size=12))
def test_any_place_comes_back_from_its_text(parts: list[str], member: str) -> None:
    path = Path("/", *parts)
    place = Place(path.with_name(f"{path.name}.Zip") if member else path, member)
    assert place_of(str(place)) == place


def test_no_two_places_have_one_text() -> None:
    places = {
        Place(Path("/a.zip!/b.dcm")),
        Place(Path("/a.zip"), "b.dcm"),
        Place(Path("/a.zip!!/b.dcm")),
        Place(Path("/a.zip"), "!/b.dcm"),
        Place(Path("/a.zip!/c.zip"), "b.dcm"),
        Place(Path("/a.zip"), "c.zip!/b.dcm"),
    }
    assert len({str(place) for place in places}) == len(places)


def test_an_ordinary_place_reads_as_one_would_write_it() -> None:
    assert str(Place(Path("/new!/a b.dcm"))) == "/new!/a b.dcm"
    assert str(Place(Path("/disc.zip"), "in/a.dcm")) == "/disc.zip!/in/a.dcm"
    assert Place(Path("/disc.zip"), "in/a.dcm").name == "a.dcm"
    assert Place(Path("/in/a.dcm")).name == "a.dcm"


def test_a_file_is_opened_where_it_lies(tmp_path: Path) -> None:
    file = tmp_path / "a.dcm"
    with Place(file).opened() as opened:
        assert opened == file


def test_a_member_is_copied_and_the_copy_is_gone_afterwards(
    tmp_path: Path, temporary: Path
) -> None:
    archive = archive_of(tmp_path, "in/a.dcm", content=b"x" * 200_000)
    with Place(archive, "in/a.dcm").opened() as copy:
        assert (copy.name, copy.read_bytes()) == ("a.dcm", b"x" * 200_000)
    assert not list(temporary.iterdir())
    place = Place(archive, "in/a.dcm")
    with pytest.raises(ZeroDivisionError), place.opened():
        _ = 1 / 0
    assert not list(temporary.iterdir())


@pytest.mark.parametrize(
    "name",
    [
        "../../up.dcm",
        "/rooted.dcm",
        "a/..",
        "..",
        "n" * 300 + ".png",
        "ü" * 200 + ".png",
        "a:b?.png",
        "back\\slash.png",
        "line\nbreak.png",
        "ends. ",
    ],
)
def test_no_name_leads_out_of_the_temporary_folder(
    name: str, tmp_path: Path, temporary: Path
) -> None:
    archive = archive_of(tmp_path, name)
    before = sorted(tmp_path.rglob("*"))
    with Place(archive, name).opened() as copy:
        assert copy.resolve().parent.parent == temporary.resolve()
        assert copy.read_bytes() == b"inside"
        # The ending says what it is.
        assert copy.suffix == Path(name).suffix.rstrip(". ") or name in ("a/..", "..")
    assert sorted(tmp_path.rglob("*")) == before


def test_a_bomb_is_stopped(
    tmp_path: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ml.screen.places.MAX_INFLATED", 32 << 20)
    archive = tmp_path / "bomb.zip"
    with zipfile.ZipFile(archive, "w") as written:
        info = zipfile.ZipInfo("a.dcm")
        info.compress_type = zipfile.ZIP_DEFLATED
        with written.open(info, "w", force_zip64=True) as member:
            for _ in range(3):
                member.write(bytes(1 << 24))
    assert archive.stat().st_size * LARGEST_RATIO < 32 << 20
    with (
        pytest.raises(BudgetError, match=r"a\.dcm inflates to more"),
        Place(archive, "a.dcm").opened(),
    ):
        pass
    assert not list(temporary.iterdir())


def claiming(archive: Path, size: int) -> None:
    """Have both headers of the only member claim another size."""
    content = bytearray(archive.read_bytes())
    for sign, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        struct.pack_into("<I", content, content.index(sign) + offset, size)
    archive.write_bytes(content)


@pytest.mark.parametrize("claimed", [0, 10, 99_999, 0xFFFFFFF0])
def test_what_a_member_claims_of_its_size_is_not_believed(
    claimed: int, tmp_path: Path, temporary: Path
) -> None:
    archive = archive_of(tmp_path, "a.dcm", content=bytes(100_000))
    claiming(archive, claimed)
    with pytest.raises(ReadError), Place(archive, "a.dcm").opened():
        pass
    assert not list(temporary.iterdir())


def test_what_inflates_all_at_once_needs_little_memory(tmp_path: Path) -> None:
    archive = tmp_path / "a.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_LZMA) as written:
        written.writestr("a.dcm", bytes(60 << 20))
    tracemalloc.start()
    with Place(archive, "a.dcm").opened() as copy:
        assert copy.stat().st_size == 60 << 20
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 80 << 20


def test_a_large_member_of_a_large_archive_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tomosynthesis is larger than any picture: what counts is how much it inflates."""
    monkeypatch.setattr("ml.screen.places.MAX_INFLATED", 1000)
    archive = archive_of(tmp_path, "a.dcm", content=os.urandom(5000))
    with Place(archive, "a.dcm").opened() as copy:
        assert copy.stat().st_size == 5000
    bomb = archive_of(tmp_path, "a.dcm", content=bytes(5000))
    with pytest.raises(BudgetError), Place(bomb, "a.dcm").opened():
        pass


def encrypted(archive: Path) -> None:
    content = bytearray(archive.read_bytes())
    for sign, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(sign) + offset] |= 1
    archive.write_bytes(content)


def damaged(archive: Path) -> None:
    content = bytearray(archive.read_bytes())
    at = content.index(b"a.dcm") + 10
    content[at : at + 20] = bytes(20)
    archive.write_bytes(content)


def cut(archive: Path) -> None:
    archive.write_bytes(archive.read_bytes()[:-40])


def strangely_packed(archive: Path) -> None:
    content = bytearray(archive.read_bytes())
    for sign, offset in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        struct.pack_into("<H", content, content.index(sign) + offset, 9)
    archive.write_bytes(content)


@pytest.mark.parametrize("spoil", [encrypted, damaged, cut, strangely_packed])
def test_what_cannot_be_taken_out_is_said_in_a_sentence(
    spoil: Callable[[Path], None], tmp_path: Path, temporary: Path
) -> None:
    archive = archive_of(tmp_path, "in/a.dcm", content=os.urandom(3000))
    spoil(archive)
    with (
        pytest.raises(ReadError, match=r"a\.dcm cannot be taken out of archive\.zip") as told,
        Place(archive, "in/a.dcm").opened(),
    ):
        pass
    assert not of_disk(told.value.__cause__)
    assert not list(temporary.iterdir())


def test_a_member_that_is_not_there_is_said_in_a_sentence(tmp_path: Path) -> None:
    with (
        pytest.raises(ReadError, match="cannot be taken out"),
        Place(archive_of(tmp_path, "a.dcm"), "b.dcm").opened(),
    ):
        pass


def test_an_archive_that_is_gone_is_the_disks_matter(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as told, Place(tmp_path / "no.zip", "a.dcm").opened():
        pass
    assert of_disk(told.value)


@pytest.mark.parametrize("seed", range(2))
def test_an_archive_with_any_bytes_wrong_gives_a_sentence(seed: int, tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for kind in (
            zipfile.ZIP_STORED,
            zipfile.ZIP_DEFLATED,
            zipfile.ZIP_BZIP2,
            zipfile.ZIP_LZMA,
        ):
            archive.writestr(zipfile.ZipInfo(f"{kind}.dcm"), bytes(500), kind)
    whole, chance = path.read_bytes(), random.Random(seed)
    refused: list[ReadError] = []
    for _ in range(60):
        content = bytearray(whole)
        for _ in range(chance.choice((1, 2, 5))):
            content[chance.randrange(len(content))] = chance.choice(
                (0, 255, chance.randrange(256))
            )
        path.write_bytes(content)
        for kind in (0, 8, 12, 14):
            try:
                with Place(path, f"{kind}.dcm").opened() as copy:
                    assert copy.is_file()
            except ReadError as error:
                refused.append(error)
    assert len(refused) > 10
    assert all(re.search("cannot be taken out|inflates to more", str(e)) for e in refused)
