from dataclasses import fields
from pathlib import Path

import pytest

from viewer.core.errors import SettingsError
from viewer.core.settings import (
    Settings,
    descriptions,
    read_settings,
    settings_from_toml,
    settings_page,
    settings_to_toml,
    write_settings,
)

ROOT = Path(__file__).resolve().parents[3]
ODD = Settings(blind_first_read=True, patient_pattern='P_\\d+"\t\x7f\n#', disk_threads=7)


def test_settings_survive_the_way_through_toml():
    assert settings_from_toml(settings_to_toml(ODD)) == ODD
    assert settings_from_toml("") == Settings()


def test_every_setting_has_a_title_a_sentence_and_a_default_of_its_kind():
    for description in descriptions():
        assert description.title
        assert description.sentence.endswith(".")
        assert getattr(Settings(), description.name) == description.default


def test_an_unknown_setting_names_the_nearest_known_one():
    with pytest.raises(SettingsError, match="nearest is blind_first_read"):
        settings_from_toml("blind_frist_read = true")


@pytest.mark.parametrize(
    "text",
    [
        "disk_threads = 0",
        "disk_threads = 33",
        "disk_threads = true",
        'disk_threads = "four"',
        "blind_first_read = 1",
        'device = "toaster"',
        'patient_pattern = "("',
        "[display]",
        "not toml",
    ],
)
def test_a_wrong_value_is_refused_with_a_sentence(text: str):
    with pytest.raises(SettingsError) as caught:
        settings_from_toml(text)
    assert "{" not in str(caught.value)


def test_a_missing_file_gives_the_defaults_and_says_nothing(tmp_path: Path):
    assert read_settings(tmp_path / "settings.toml") == (Settings(), "")


def test_written_settings_are_read_again(tmp_path: Path):
    path = tmp_path / "deep" / "settings.toml"
    write_settings(ODD, path)
    assert read_settings(path) == (ODD, "")
    assert [child.name for child in path.parent.iterdir()] == ["settings.toml"]


@pytest.mark.parametrize("content", [b"disk_treads = 4", b"\xff\xfe\x00", b"= ="])
def test_a_broken_file_is_set_aside_and_said(tmp_path: Path, content: bytes):
    path = tmp_path / "settings.toml"
    path.write_bytes(content)
    settings, sentence = read_settings(path)
    assert settings == Settings()
    assert "settings.toml.broken" in sentence
    assert not path.exists()
    assert (tmp_path / "settings.toml.broken").read_bytes() == content


def test_settings_that_cannot_be_written_are_said(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match="cannot be written"):
        write_settings(Settings(), tmp_path / "file" / "settings.toml")


def test_the_manual_has_every_setting_as_it_is_now():
    page = ROOT / "resources" / "docs" / "settings.md"
    assert page.read_text(encoding="utf-8") == settings_page(), (
        "run scripts/write_manual_pages.py"
    )


def test_every_setting_is_used_by_the_program():
    sources = [
        path.read_text(encoding="utf-8")
        for path in (ROOT / "viewer").rglob("*.py")
        if path.name != "settings.py" or path.parent.name != "core"
    ]
    unused = [
        each.name
        for each in fields(Settings)
        if not any(f"settings.{each.name}" in source for source in sources)
    ]
    assert unused == []
