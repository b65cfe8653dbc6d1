"""What goes into a frozen folder, its licences, its list of parts and its package."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import PySide6
import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts" / "package"))

from bundled import Part, find_parts, read_entries, strangers  # noqa: E402
from frozen_program import unexpected_lines  # noqa: E402
from left_out import STUDIO  # noqa: E402
from licences import LicenceError, copyright_text, write_licences  # noqa: E402
from linux_packages import make_deb, write_sums  # noqa: E402
from needs import NeedsError, packages_of  # noqa: E402
from parts_list import parts_list  # noqa: E402
from shrink import forget_places, is_aligned  # noqa: E402
from trim import is_kept, links, wanted  # noqa: E402
from virtual_screen import shows_study  # noqa: E402
from windows_installer import numbers_of  # noqa: E402

QT = "PySide6/Qt"


@pytest.mark.parametrize(
    ("place", "kept"),
    [
        (f"{QT}/plugins/platforms/libqxcb.so", True),
        (f"{QT}/plugins/platforms/libqvnc.so", False),
        ("PySide6/plugins/platforms/qwindows.dll", True),
        (f"{QT}/translations/qtbase_de.qm", True),
        (f"{QT}/translations/qtbase_pl.qm", False),
        (f"{QT}/translations/qt_help_de.qm", False),
        ("imagecodecs/_jpegls.abi3.so", True),
        ("imagecodecs/_shared_cython.abi3.so", True),
        ("imagecodecs/_jpegxl.abi3.so", False),
        ("openvino/libs/libopenvino_intel_cpu_plugin.so", True),
        ("openvino/libs/libopenvino_intel_gpu_plugin.so", False),
        ("openvino/libs/libopenvino_ir_frontend.so.2641", True),
        ("openvino/frontend/__init__.py", True),
        ("resources/translations/de/LC_MESSAGES/mammoscope.mo", True),
        ("resources/translations/de/LC_MESSAGES/mammoscope.po", False),
    ],
)
def test_a_file_is_kept_by_its_name(place: str, kept: bool) -> None:
    assert is_kept((place, f"/somewhere/{place}")) is kept


@pytest.mark.parametrize(
    ("place", "kept"),
    [
        (f"{QT}/plugins/platformthemes/libqgtk3.so", False),
        (f"{QT}/plugins/platforms/libqxcb.so", True),
        ("openvino/libs/libopenvino_intel_gpu_plugin.so", False),
        # What a training ends with: the network as OpenVINO's graph.
        ("openvino/libs/libopenvino_pytorch_frontend.so.2641", True),
    ],
)
def test_the_studio_keeps_what_it_teaches_with(place: str, kept: bool) -> None:
    assert is_kept((place, f"/somewhere/{place}"), STUDIO) is kept


def test_the_system_keeps_its_libraries_but_for_what_python_was_built_with() -> None:
    system = "/usr/lib/x86_64-linux-gnu"
    assert not is_kept(("libX11.so.6", f"{system}/libX11.so.6"))
    assert not is_kept(("libstdc++.so.6", f"{system}/libstdc++.so.6"))
    assert is_kept(("libsqlite3.so.0", f"{system}/libsqlite3.so.0"))


def test_a_library_is_there_for_others() -> None:
    module = ("cv2/cv2.abi3.so", "/s/cv2.so", "EXTENSION")
    needed = ("cv2.libs/libA-1.so.1", "/s/libA-1.so.1", "BINARY")
    alone = ("cv2.libs/libB-1.so.1", "/s/libB-1.so.1", "BINARY")
    link = ("libA-1.so.1", "cv2.libs/libA-1.so.1", "SYMLINK")
    lost = ("libB-1.so.1", "cv2.libs/libB-1.so.1", "SYMLINK")
    kept = wanted([module, needed, alone, link], lambda _: [("libA-1.so.1", None)])
    assert kept == [module, needed]
    assert links([link, lost], kept) == [link]


def test_files_find_their_distribution(tmp_path: Path) -> None:
    import numpy

    inside = [
        ["numpy", numpy.__file__, "PYMODULE"],
        ["ml.errors", str(ROOT / "ml" / "errors.py"), "PYMODULE"],
        ["libz.so.1", "numpy.libs/libz.so.1", "SYMLINK"],
    ]
    (tmp_path / "bundled.json").write_text(json.dumps(inside))
    entries = read_entries(tmp_path / "bundled.json")
    (part,) = find_parts(entries)
    assert (part.name, part.version, part.kind) == ("numpy", numpy.__version__, "pypi")
    assert part.texts
    assert strangers(entries) == []
    assert strangers([("ml.errors", "/elsewhere/ml/errors.py")]) == ["/elsewhere/ml/errors.py"]


def test_a_part_without_the_text_of_its_licence_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LicenceError, match="bare"):
        write_licences([Part("bare", "1", "pypi", "MIT")], tmp_path / "licences")


def test_each_part_has_its_licence_under_its_name(tmp_path: Path) -> None:
    text = tmp_path / "LICENSE"
    text.write_text("Do as you like.")
    write_licences([Part("lib", "1:2.0", "deb", "MIT", (text,))], tmp_path / "licences")
    (written,) = (tmp_path / "licences").iterdir()
    assert written.stem == "lib-1-2.0"
    assert written.read_text() == "Licence: MIT\n\nDo as you like.\n"


def test_the_list_of_parts_has_the_form_of_cyclonedx(tmp_path: Path) -> None:
    inside = tmp_path / "_internal"
    model = inside / "resources" / "models" / "detector"
    model.mkdir(parents=True)
    card = {"name": "marks", "version": "1.0", "licence": "AGPL-3.0-or-later"}
    (model / "card.json").write_text(json.dumps(card))
    (inside / "a.so").write_bytes(b"a")
    parts = [
        Part("Some_Lib", "1.0", "pypi", "MIT License", (), ("a.so", "gone.so")),
        Part("libz1", "1:2-3", "deb", ""),
        Part("two", "1", "pypi", "MIT AND 0BSD"),
    ]
    told = parts_list(parts, tmp_path, "0.1.0", "2026-01-01T00:00:00+00:00")
    check_form(json.loads(json.dumps(told)))
    library, system, two, marks = told["components"]  # type: ignore[misc]
    assert library["purl"] == "pkg:pypi/some-lib@1.0"
    assert library["licenses"] == [{"license": {"id": "MIT"}}]
    assert [each["name"] for each in library["components"]] == ["a.so"]
    assert system["purl"] == "pkg:deb/debian/libz1@1%3A2-3"
    assert two["licenses"] == [{"expression": "MIT AND 0BSD"}]
    assert marks["type"] == "machine-learning-model"
    assert [each["name"] for each in marks["components"]] == ["card.json"]


def check_form(told: dict) -> None:
    """What https://cyclonedx.org/docs/1.6/json/ asks of what we write."""
    assert told["bomFormat"] == "CycloneDX"
    assert told["specVersion"] == "1.6"
    assert re.fullmatch(
        r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", told["serialNumber"]
    )
    known = {"type", "bom-ref", "name", "version", "purl", "licenses", "hashes", "components"}
    all_of_them = [told["metadata"]["component"], *told["components"]]
    all_of_them += [each for one in told["components"] for each in one.get("components", [])]
    for each in all_of_them:
        assert set(each) <= known
        assert each["type"] in {"application", "library", "file", "machine-learning-model"}
        for found in each.get("hashes", []):
            assert found["alg"] == "SHA-256"
            assert re.fullmatch("[0-9a-f]{64}", found["content"])
    names = [each["bom-ref"] for each in all_of_them]
    assert len(names) == len(set(names))
    assert set(told["dependencies"][0]["dependsOn"]) <= set(names)


def test_only_a_library_that_can_be_mapped_is_kept_stripped() -> None:
    good = "  LOAD  0x000000 0x0000000000001000 0x1000 0x0c 0x0c R   0x1000\n"
    bad = "  LOAD  0x000010 0x0000000000001000 0x1000 0x0c 0x0c R   0x1000\n"
    assert is_aligned("Program Headers:\n" + good)
    assert not is_aligned(good + bad)
    assert not is_aligned("")


@pytest.mark.skipif(shutil.which("chrpath") is None, reason="chrpath is not installed")
def test_no_library_looks_where_the_building_machine_has_others(tmp_path: Path) -> None:
    plugin = Path(PySide6.__file__).parent / "Qt" / "plugins" / "platforms" / "libqxcb.so"
    clean, dirty, mixed = (tmp_path / name for name in ("clean.so", "dirty.so", "mixed.so"))
    for path, run_path in ((clean, ""), (dirty, "/h/lib"), (mixed, "/h:$ORIGIN/..")):
        shutil.copy(plugin, path)
        if run_path:
            subprocess.run(["chrpath", "--replace", run_path, path], check=True)
    assert forget_places(tmp_path) == [dirty, mixed]
    assert run_paths(clean) == run_paths(plugin) != ""
    assert run_paths(dirty) == ""
    assert run_paths(mixed) == "$ORIGIN/.."
    assert forget_places(tmp_path) == []


def run_paths(library: Path) -> str:
    """As the library's own table tells them."""
    told = subprocess.run(["chrpath", "--list", library], capture_output=True, text=True)
    return told.stdout.strip().rpartition("RUNPATH=")[2] if "RUNPATH=" in told.stdout else ""


def test_a_line_that_is_not_expected_is_told() -> None:
    output = "wrote /out/a.png\nThis plugin does not support propagateSizeHints()\nboom\n"
    assert unexpected_lines(output, Path("/out")) == ["boom"]


def test_a_library_of_no_known_package_ends_the_packaging() -> None:
    assert packages_of(["libEGL.so.1", "libgthread-2.0.so.0", "libglib-2.0.so.0"]) == [
        "libegl1",
        "libglib2.0-0",
    ]
    with pytest.raises(NeedsError, match=r"libnobody\.so\.1"):
        packages_of(["libnobody.so.1"])


@pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="dpkg-deb is Debian's")
def test_a_package_has_what_a_desktop_asks_for_and_no_scripts(tmp_path: Path) -> None:
    folder = tmp_path / "frozen"
    (folder / "_internal").mkdir(parents=True)
    shutil.copy("/bin/true", folder / "mammoscope")
    when = datetime(2026, 1, 1, tzinfo=UTC)
    parts = [Part("lib", "2.0", "pypi", "MIT")]
    package = make_deb(folder, tmp_path, "1.0", when, parts, "zstd")
    told = run("dpkg-deb", "--contents", str(package))
    names = {line.split()[5].removeprefix("./") for line in told.splitlines()}
    assert {
        "opt/mammoscope/mammoscope",
        "usr/bin/mammoscope",
        "usr/share/applications/mammoscope.desktop",
        "usr/share/icons/hicolor/scalable/apps/mammoscope.svg",
        "usr/share/icons/hicolor/48x48/apps/mammoscope.png",
        "usr/share/man/man1/mammoscope.1.gz",
        "usr/share/doc/mammoscope/copyright",
    } <= names
    assert all("root/root" in line for line in told.splitlines())
    control = run("dpkg-deb", "--ctrl-tarfile", str(package), text=False)
    assert b"postinst" not in control
    assert "libc6 (>= 2." in run("dpkg-deb", "--field", str(package), "Depends")
    assert not (tmp_path / "staged").exists()
    again = package.read_bytes()
    assert make_deb(folder, tmp_path, "1.0", when, parts, "zstd").read_bytes() == again
    sums = write_sums([package], tmp_path)
    assert run("sha256sum", "--check", sums.name, cwd=tmp_path).endswith(": OK\n")


def run(*command: str, cwd: Path | None = None, text: bool = True):
    done = subprocess.run(command, check=True, capture_output=True, text=text, cwd=cwd)
    return done.stdout


def test_the_copyright_file_names_every_part() -> None:
    text = copyright_text([Part("lib", "2.0", "pypi", "MIT")], "2026-01-01")
    assert "License: AGPL-3.0-or-later" in text
    assert "  lib 2.0: MIT" in text


def test_a_study_is_seen_when_every_viewport_shows_tissue() -> None:
    screen = np.zeros((950, 1600, 3), np.uint8)
    assert not shows_study(screen)
    screen[150:350, 500:800] = 120
    screen[150:350, 800:1000] = 120
    screen[550:800, 500:800] = 120
    assert not shows_study(screen)
    screen[550:800, 800:1000] = (0, 90, 200)
    assert not shows_study(screen)
    screen[550:800, 800:1000] = 120
    assert shows_study(screen)


@pytest.mark.parametrize(
    ("version", "numbers"),
    [("0.1.0", "0.1.0.0"), ("1.2.3rc4", "1.2.3.0"), ("2.0+local5", "2.0.0.0")],
)
def test_windows_gets_four_numbers(version: str, numbers: str) -> None:
    assert numbers_of(version) == numbers
