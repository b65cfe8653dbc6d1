from pathlib import Path

from viewer.core.home import VARIABLE, find_home


def test_one_variable_moves_everything(tmp_path: Path):
    home = find_home({VARIABLE: str(tmp_path)})
    for place in (home.settings, home.library, home.models, home.logs):
        assert place.parent == tmp_path


def test_without_it_the_platform_decides():
    home = find_home({})
    assert home.settings.parent.name == "mammoscope"
    assert home.library.parent == home.models.parent


def test_finding_the_places_makes_none_of_them(tmp_path: Path):
    find_home({VARIABLE: str(tmp_path / "new")})
    assert not (tmp_path / "new").exists()
