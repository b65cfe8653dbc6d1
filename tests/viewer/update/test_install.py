"""An update is taken whole or not at all, tests itself first, and can be left again."""

from __future__ import annotations

import shutil
import sys
import tarfile
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ml.control import Control, Stopped
from tests.factories.disks import small_disk
from tests.factories.updates import LIBRARY, make_program, make_update, publisher
from viewer.core.errors import UpdateError
from viewer.core.home import VERSIONS_FILE
from viewer.update import install
from viewer.update.install import install_update, leave_update, version_in_use
from viewer.update.package import Release, release_of_comment, this_platform
from viewer.update.program import SWITCH
from viewer.update.signature import read_public_key
from viewer.update.versions import read_versions, to_start

if TYPE_CHECKING:
    from pathlib import Path

    from viewer.update.program import Program
    from viewer.update.versions import Installed

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="the stand-in is a shell script"
)
TRUSTED = [read_public_key(publisher().line)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "home" / "versions"


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return make_program(tmp_path / "opt")


@pytest.fixture
def handed(tmp_path: Path) -> Path:
    made = tmp_path / "handed out"
    made.mkdir()
    return made


def take(file: Path, folder: Path, program: Program, **more: bool) -> Installed:
    return install_update(file, folder, program, TRUSTED, **more)


def folders(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir() if each.is_dir())


def test_an_update_is_started_from_then_on(
    handed: Path, folder: Path, program: Program
) -> None:
    assert to_start(folder, program.version) is None
    new = take(make_update(handed), folder, program)
    assert (new.version, new.edition, new.signed_by) == ("0.2.0", "reader", TRUSTED[0].number)
    started = to_start(folder, program.version)
    assert started == folder / new.folder / "mammoscope"
    assert (folder / new.folder / "_internal" / "data.bin").read_bytes() == b"1" * 700
    assert version_in_use(folder, program) == ("0.2.0", LIBRARY)


def test_going_back_starts_what_was_before(
    handed: Path, folder: Path, program: Program
) -> None:
    take(make_update(handed), folder, program)
    third = take(make_update(handed, "0.3.0"), folder, program)
    assert version_in_use(folder, program)[0] == "0.3.0"
    assert leave_update(folder) == third
    assert version_in_use(folder, program)[0] == "0.2.0"
    leave_update(folder)
    assert to_start(folder, program.version) is None
    assert folders(folder) == []
    with pytest.raises(UpdateError, match="nothing to go back from"):
        leave_update(folder)


def test_the_library_is_taken_back_by_the_version_that_is_left(
    handed: Path, folder: Path, program: Program
) -> None:
    take(make_update(handed, "0.2.0", library=LIBRARY + 1), folder, program)
    new = take(make_update(handed, "0.3.0", library=LIBRARY + 3), folder, program)
    assert new.library_before == LIBRARY + 1
    leave_update(folder)
    assert (folder / "asked").read_text() == f"update --library-to {LIBRARY + 1}\n"


def test_where_the_library_cannot_be_taken_back_all_stays(
    handed: Path, folder: Path, program: Program
) -> None:
    update = make_update(handed, library=LIBRARY + 1, leave="; echo it is locked >&2; exit 1")
    new = take(update, folder, program)
    with pytest.raises(UpdateError, match="it is locked"):
        leave_update(folder)
    assert read_versions(folder).last == new
    assert folders(folder) == [new.folder]


@pytest.mark.parametrize("test", ["&& exit 3", "; kill -9 $$"])
def test_a_version_that_fails_its_test_is_not_taken(
    handed: Path, folder: Path, program: Program, test: str
) -> None:
    with pytest.raises(UpdateError, match=r"0\.2\.0 does not work") as told:
        take(make_update(handed, test=f"; echo it broke {test}"), folder, program)
    assert "it broke" in told.value.detail
    assert to_start(folder, program.version) is None
    assert folders(folder) == []


def test_a_program_that_says_another_version_is_not_taken(
    handed: Path, folder: Path, program: Program
) -> None:
    with pytest.raises(UpdateError, match="does not work"):
        take(make_update(handed, says="0.1.5"), folder, program)


@pytest.mark.parametrize(
    ("version", "changed", "told"),
    [
        ("0.1.0", {}, r"version 0\.1\.0; 0\.1\.0 runs already"),
        ("0.0.9", {}, "runs already"),
        ("0.2.0", {"platform": "plan9-vax"}, "for plan9-vax, this computer is"),
        ("0.2.0", {"size": 10**15}, "make room"),
    ],
)
def test_what_does_not_fit_is_refused_before_it_is_unpacked(
    handed: Path,
    folder: Path,
    program: Program,
    version: str,
    changed: dict[str, str],
    told: str,
) -> None:
    with pytest.raises(UpdateError, match=told):
        take(make_update(handed, version, **changed), folder, program)
    assert not folder.exists() or folders(folder) == []


def test_an_older_version_is_taken_where_it_is_wanted(
    handed: Path, folder: Path, program: Program
) -> None:
    take(make_update(handed, "0.3.0"), folder, program)
    with pytest.raises(UpdateError, match=r"0\.3\.0 runs already"):
        take(make_update(handed, "0.2.0"), folder, program)
    take(make_update(handed, "0.2.0"), folder, program, older=True)
    assert version_in_use(folder, program)[0] == "0.2.0"


def test_who_does_not_sign_is_not_heard(handed: Path, folder: Path, program: Program) -> None:
    update = make_update(handed)
    beside = update.with_name(f"{update.name}.minisig")
    beside.rename(handed / "elsewhere")
    with pytest.raises(UpdateError, match=r"no mammoscope-0\.2\.0\.tar\.xz\.minisig beside"):
        take(update, folder, program)
    beside.write_bytes(b"\xff\xfe\xff")
    with pytest.raises(UpdateError, match="cannot be read; fetch it again"):
        take(update, folder, program)
    with pytest.raises(UpdateError, match="not what its publisher signed"):
        take(make_update(handed, signed_by=publisher(1)), folder, program)
    assert not folder.exists()


def test_what_is_signed_and_no_update_is_refused(
    handed: Path, folder: Path, program: Program
) -> None:
    text = handed / "letter.txt"
    text.write_text("Dear reader")
    publisher().sign(text, "a letter")
    with pytest.raises(UpdateError, match="no update of Mammoscope"):
        take(text, folder, program)
    publisher().sign(text, Release("0.2.0", "reader", this_platform(), 4, 10).to_comment())
    with pytest.raises(UpdateError, match="cannot be unpacked"):
        take(text, folder, program)
    empty = handed / "empty.tar"
    with tarfile.open(empty, "w") as archive:
        archive.add(text, "mammoscope/letter.txt")
    publisher().sign(empty, Release("0.2.0", "reader", this_platform(), 4, 10).to_comment())
    with pytest.raises(UpdateError, match="no update of Mammoscope"):
        take(empty, folder, program)
    assert folders(folder) == []


@pytest.mark.parametrize("name", ["a/../../outside", "a//etc/outside", "a/b"])
def test_nothing_is_unpacked_outside_its_folder(
    handed: Path, folder: Path, program: Program, name: str
) -> None:
    evil = handed / "evil.tar"
    with tarfile.open(evil, "w") as archive:
        link = tarfile.TarInfo("a/b")
        link.type, link.linkname = tarfile.SYMTYPE, "../../.."
        archive.addfile(tarfile.TarInfo(name) if name != "a/b" else link)
    publisher().sign(evil, Release("0.2.0", "reader", this_platform(), 4, 10).to_comment())
    with pytest.raises(UpdateError):
        take(evil, folder, program)
    assert not list(folder.parent.rglob("outside"))
    assert folders(folder) == []


@pytest.mark.parametrize(
    "comment",
    [
        "",
        "mammoscope",
        "mammoscope version=x edition=reader platform=p library=4 bytes=1",
        "mammoscope version=1 edition=reader platform=p library=four bytes=1",
        "other version=1 edition=reader platform=p library=4 bytes=1",
    ],
)
def test_a_comment_that_says_something_else(comment: str) -> None:
    with pytest.raises(UpdateError, match="no update of Mammoscope"):
        release_of_comment(comment)


def test_a_comment_is_read_as_it_was_written() -> None:
    release = Release("1.2.3", "studio", "linux-x86_64", 7, 10)
    assert release_of_comment(release.to_comment()) == release


class Ending(Control):
    """Ends after so many breaths."""

    def __init__(self, after: int) -> None:
        self.left = after
        self.said: list[tuple[int, int]] = []

    def breathe(self) -> None:
        if self.left == 0:
            raise Stopped
        self.left -= 1

    def say(self, done: int, of: int, news: object = None) -> None:
        self.said.append((done, of))


@pytest.mark.parametrize("after", range(4))
def test_an_update_that_is_ended_leaves_nothing(
    handed: Path, folder: Path, program: Program, after: int
) -> None:
    control = Ending(after)
    with pytest.raises(Stopped):
        install_update(make_update(handed), folder, program, TRUSTED, control)
    assert folders(folder) == []
    assert not (folder / VERSIONS_FILE).exists()


def test_progress_counts_what_is_unpacked(handed: Path, folder: Path, program: Program) -> None:
    control = Ending(99)
    install_update(make_update(handed), folder, program, TRUSTED, control)
    done = [each for each, of in control.said if of == 1000]
    assert len(done) == len(control.said)
    assert 0 < done[0] < done[-1] <= 1000


def test_a_newer_package_of_the_administrator_goes_first(
    handed: Path, folder: Path, program: Program
) -> None:
    take(make_update(handed), folder, program)
    assert to_start(folder, "0.2.0") is None
    assert version_in_use(folder, replace(program, version="0.3.0", library=9)) == ("0.3.0", 9)


def test_updates_can_be_switched_off(handed: Path, folder: Path, program: Program) -> None:
    assert program.installed
    (program.installed / SWITCH).touch()
    with pytest.raises(UpdateError, match="switched updates off"):
        take(make_update(handed), folder, program)


def test_a_checkout_is_not_updated(handed: Path, folder: Path, program: Program) -> None:
    with pytest.raises(UpdateError, match="git pull"):
        take(make_update(handed), folder, replace(program, folder=None))


def test_a_damaged_list_starts_what_is_installed(
    handed: Path, folder: Path, program: Program
) -> None:
    new = take(make_update(handed), folder, program)
    (folder / VERSIONS_FILE).write_text('{"installed": [{"version": 3}]}')
    assert to_start(folder, program.version) is None
    (folder / VERSIONS_FILE).write_text("[]")
    assert to_start(folder, program.version) is None
    take(make_update(handed), folder, program)
    shutil.rmtree(folder / read_versions(folder).installed[-1].folder)
    assert to_start(folder, program.version) is None
    assert folders(folder) == [new.folder]


def test_what_an_update_left_unfinished_is_cleared_away(
    handed: Path, folder: Path, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    half = folder / "0.1.9-half"
    half.mkdir(parents=True)
    first = take(make_update(handed), folder, program)
    # It might be another window's, at this moment.
    assert half.exists()
    monkeypatch.setattr(install, "_YOUNG_S", -1.0)
    second = take(make_update(handed, "0.3.0"), folder, program)
    assert folders(folder) == sorted([first.folder, second.folder])
    third = take(make_update(handed, "0.4.0"), folder, program)
    assert [each.folder for each in read_versions(folder).installed] == [
        second.folder,
        third.folder,
    ]


def test_a_full_disk_leaves_the_old_version(
    handed: Path, tmp_path: Path, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As if another program filled it meanwhile.
    monkeypatch.setattr(install, "SPARE_BYTES", 0)
    with small_disk(tmp_path / "full", 1) as folder:
        with pytest.raises(UpdateError, match="No space left on device"):
            take(make_update(handed, data=2_000_000), folder, program)
        assert list(folder.iterdir()) == []
        take(make_update(handed), folder, program)
