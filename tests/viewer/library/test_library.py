import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import pytest

from ml.findings import Analysis
from ml.mammo.codes import Laterality
from tests.factories.analyses import FOUR_VIEWS, MODELS, make_analysis, make_finding
from viewer.core.shadow import Pair
from viewer.core.state import Impression, Reading
from viewer.library.database import MIGRATIONS, is_whole
from viewer.library.library import Library, RecentStudy

UIDS = tuple(f"1.2.3.{title}" for title in FOUR_VIEWS)
READING = Reading(
    MappingProxyType({Laterality.RIGHT: Impression.RECALL}),
    MappingProxyType({Laterality.RIGHT: Impression.NORMAL}),
    "2026-01-01T10:00:00Z",
    seen_before=True,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "library.sqlite"


def test_a_reading_comes_back_when_the_library_is_opened_again(path: Path):
    first = Library(path)
    first.keep_reading("1.2", READING, reader="A")
    first.close()
    again = Library(path)
    assert again.sentence == ""
    assert again.reading_of("1.2") == READING
    assert again.reading_of("9.9") is None


def test_the_last_reading_of_a_study_holds(path: Path):
    library = Library(path)
    library.keep_reading("1.2", Reading())
    library.keep_reading("1.2", READING)
    assert library.reading_of("1.2") == READING


def test_recent_studies_stand_in_the_order_of_opening_once_each(path: Path):
    library = Library(path)
    for uid, time in (("1", "2026-01-01"), ("2", "2026-01-02"), ("1", "2026-01-03")):
        library.remember_study(RecentStudy(uid, f"/{uid}", uid, time))
    assert [study.uid for study in library.recent_studies()] == ["1", "2"]
    assert [study.uid for study in library.recent_studies(1)] == ["1"]
    library.forget_study("1")
    assert [study.uid for study in library.recent_studies()] == ["2"]


def test_a_kept_analysis_comes_back_for_the_same_models_only(path: Path):
    library = Library(path)
    library.keep_analysis(make_analysis())
    kept = library.analysis_of(UIDS, MODELS)
    assert kept is not None
    assert (kept.kept, kept.engine) == (True, "OpenVINO bf16")
    assert [image.milliseconds for image in kept.images] == [0.0] * 4
    assert [image.lesion_score for image in kept.images] == [0.63, 0.12, 0.31, 0.42]
    assert kept.images[0].findings == make_analysis().images[0].findings
    assert library.analysis_of(UIDS, {"detector": MODELS["detector"]}) is None
    assert library.analysis_of((*UIDS, "9.9"), MODELS) is None
    assert library.analysis_of((), MODELS) is None


@pytest.mark.parametrize("change", ["version", "weights_sha256", "card_sha256"])
def test_what_another_model_said_is_not_what_this_one_says(path: Path, change: str):
    library = Library(path)
    library.keep_analysis(make_analysis())
    other = replace(MODELS["detector"], **{change: "other"})
    assert library.analysis_of(UIDS, {**MODELS, "detector": other}) is None


def test_what_another_version_of_the_program_said_is_made_again(
    path: Path, monkeypatch: pytest.MonkeyPatch
):
    library = Library(path)
    library.keep_analysis(make_analysis())
    monkeypatch.setattr("viewer.core.report.program_version", lambda: "99")
    assert library.analysis_of(UIDS, MODELS) is None


def test_a_kept_analysis_of_another_form_is_made_again(path: Path):
    library = Library(path)
    library.keep_analysis(make_analysis())
    library.close()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE analyses SET content = '{}'")
    connection.close()
    assert Library(path).analysis_of(UIDS, MODELS) is None


def test_a_damaged_file_is_set_aside_and_a_new_one_begun(path: Path):
    path.parent.mkdir()
    path.write_bytes(b"no database at all, " * 500)
    library = Library(path)
    assert "set aside" in library.sentence
    library.keep_reading("1.2", READING)
    library.close()
    assert path.with_name("library.sqlite.broken").exists()
    assert Library(path).reading_of("1.2") == READING


def damage(path: Path) -> None:
    """Make a library whose analyses are damaged, and nothing that is read on opening."""
    library = Library(path)
    library.keep_analysis(make_analysis())
    library.close()
    with closing(sqlite3.connect(path)) as connection:
        (size,) = connection.execute("PRAGMA page_size").fetchone()
        (page,) = connection.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'analyses'"
        ).fetchone()
    content = bytearray(path.read_bytes())
    content[(page - 1) * size : page * size] = b"\xaa" * size
    path.write_bytes(content)


def test_a_file_damaged_in_the_middle_is_noticed_when_it_is_looked_through(path: Path):
    damage(path)
    damaged = Library(path)
    assert damaged.sentence == ""
    assert "set aside" in damaged.check()
    assert damaged.recent_studies() == ()
    assert path.with_name("library.sqlite.broken").exists()
    assert damaged.place == path


def test_what_was_said_before_the_damage_was_seen_is_not_lost(
    path: Path, caplog: pytest.LogCaptureFixture
):
    damage(path)
    damaged = Library(path)
    damaged.keep_reading("1.2", READING)
    damaged.remember_study(RecentStudy("1.2", "/a", "A", "2026-01-01", {"1.2.3": "/a/1"}))
    damaged.check()
    caplog.clear()  # SQLite may have seen it before
    damaged.close()
    again = Library(path)
    assert again.check() == ""
    assert again.reading_of("1.2") == READING
    assert again.files_of("1.2") == (("1.2.3", "/a/1"),)


def test_a_library_that_was_closed_meanwhile_is_left_to_the_next_start(path: Path):
    damage(path)
    library = Library(path)
    library.close()
    assert library.check() == ""
    assert not path.with_name("library.sqlite.broken").exists()
    assert "set aside" in Library(path).check()


def test_a_lock_of_another_program_is_no_damage(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr("viewer.library.database._BUSY_S", 0.0)
    library = Library(path)
    library.keep_reading("1.2", READING)
    library.close()
    with closing(sqlite3.connect(path)) as other:
        # Readers wait for an exclusive lock only without a write-ahead log.
        other.execute("PRAGMA journal_mode = DELETE")
        other.execute("BEGIN EXCLUSIVE")
        assert is_whole(path)
    assert "SQLITE_BUSY" in caplog.text
    caplog.clear()
    assert Library(path).reading_of("1.2") == READING


def test_no_damaged_file_is_migrated(path: Path):
    damage(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 1")
    assert "set aside" in Library(path).sentence
    assert not path.with_name("library.sqlite.version-1").exists()


def test_a_place_that_cannot_be_written_leaves_a_library_that_forgets(tmp_path: Path):
    (tmp_path / "file").write_text("")
    library = Library(tmp_path / "file" / "library.sqlite")
    assert "nothing is kept" in library.sentence
    library.keep_reading("1.2", READING)
    assert library.reading_of("1.2") == READING


def test_a_folder_in_place_of_the_file_is_survived(path: Path):
    path.mkdir(parents=True)
    assert "nothing is kept" in Library(path).sentence


def test_a_library_of_a_newer_version_is_left_alone(path: Path):
    Library(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    connection.close()
    before = path.read_bytes()
    library = Library(path)
    assert "newer version" in library.sentence
    library.keep_reading("1.2", READING)
    library.close()
    assert path.read_bytes() == before


def test_the_library_counts_its_schema(path: Path):
    Library(path).close()
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()


def test_a_library_that_fails_while_it_is_used_ends_nothing(
    path: Path, caplog: pytest.LogCaptureFixture
):
    library = Library(path)
    other = sqlite3.connect(path)
    other.execute("DROP TABLE readings")
    other.close()
    library.keep_reading("1.2", READING)
    assert library.reading_of("1.2") is None
    assert "SQLITE_ERROR" in caplog.text
    caplog.clear()


def keep_under(library: Library, weights: str, lesion: float, uid: str = "1.2.3.RCC") -> None:
    """What a classifier of these weights says of one image."""
    image = replace(make_analysis().images[0], sop_instance_uid=uid, lesion_score=lesion)
    use = replace(MODELS["classifier"], weights_sha256=weights)
    models = MODELS | {"classifier": use}
    library.keep_analysis(replace(make_analysis(), models=models, images=(image,)))


def test_of_a_study_the_last_word_of_one_classifier_is_given(path: Path):
    library = Library(path)
    places = {uid: f"/a/{uid}" for uid in UIDS}
    library.remember_study(RecentStudy("1.2.3", "/a", "A", "2026-01-01", places))
    library.keep_analysis(make_analysis())
    keep_under(library, "c" * 64, 0.77)
    keep_under(library, "e" * 64, 0.99)
    # An image that is in no study that was opened.
    keep_under(library, "c" * 64, 0.55, "9.9")
    said = library.latest_analyses("1.2.3", "c" * 64)
    assert {image.sop_instance_uid: image.lesion_score for image in said} == {
        "1.2.3.RCC": 0.77,
        "1.2.3.LCC": 0.12,
        "1.2.3.RMLO": 0.31,
        "1.2.3.LMLO": 0.42,
    }
    assert all(image.heat_map is None for image in said)
    other = library.latest_analyses("1.2.3", "e" * 64)
    assert [image.lesion_score for image in other] == [0.99]
    assert library.latest_analyses("1.2.3", "f" * 64) == ()
    assert library.latest_analyses("9.9", "c" * 64) == ()


def test_the_latest_scores_are_of_one_model_and_of_each_image_once(path: Path):
    library = Library(path)
    library.keep_analysis(make_analysis(), {"1.2.3.RCC": "HOLOGIC", "1.2.3.LCC": "GE"})
    keep_under(library, "c" * 64, 0.5, "synthetic:1.2.3.RCC")
    keep_under(library, "e" * 64, 0.9)
    scored = library.latest_scores("classifier", "c" * 64)
    # The newest first.
    assert [(one.image, one.score, one.maker) for one in scored] == [
        ("1.2.3.LMLO", 0.42, ""),
        ("1.2.3.RMLO", 0.31, ""),
        ("1.2.3.LCC", 0.12, "GE"),
        ("1.2.3.RCC", 0.63, "HOLOGIC"),
    ]
    assert {one.study for one in scored} == {"1.2.3"}
    # Seen again, by the same model under another card: it counts once, and as it was last.
    use = replace(MODELS["classifier"], card_sha256="new")
    anew = replace(make_analysis().images[0], lesion_score=0.7)
    models = MODELS | {"classifier": use}
    library.keep_analysis(replace(make_analysis(), models=models, images=(anew,)))
    again = library.latest_scores("classifier", "c" * 64)
    assert [one.score for one in again] == [0.7, 0.42, 0.31, 0.12]
    assert [one.score for one in library.latest_scores("classifier", "c" * 64, 2)] == [
        0.7,
        0.42,
    ]


def test_a_detector_is_known_by_its_best_mark_and_not_where_it_did_not_look(path: Path):
    library = Library(path)
    library.keep_analysis(make_analysis(refused="not a breast"))
    scored = library.latest_scores("detector", "d" * 64)
    assert [(one.image, one.score) for one in scored] == [
        ("1.2.3.LMLO", 0.48),
        ("1.2.3.LCC", 0.0),
        ("1.2.3.RCC", 0.71),
    ]


def test_the_latest_of_many_are_read_some_at_a_time(path: Path):
    library = Library(path)
    for number in range(50):
        keep_under(library, "c" * 64, number / 100, f"1.{number}")
    scored = library.latest_scores("classifier", "c" * 64, 40)
    assert [one.image for one in scored] == [f"1.{number}" for number in range(49, 9, -1)]


def in_shadow(lesion: float, mark: float) -> Analysis:
    """What another detector says of RCC, with the same classifier beside it."""
    models = MODELS | {"detector": replace(MODELS["detector"], weights_sha256="e" * 64)}
    first = make_analysis().images[0]
    image = replace(first, lesion_score=lesion, findings=(make_finding(mark),))
    return replace(make_analysis(), models=models, images=(image,))


def test_what_a_model_in_shadow_said_is_never_taken_for_an_analysis(path: Path):
    library = Library(path)
    places = {uid: f"/a/{uid}" for uid in UIDS}
    library.remember_study(RecentStudy("1.2.3", "/a", "A", "2026-01-01", places))
    live, shadow = make_analysis(), in_shadow(0.99, 0.98)
    library.keep_analysis(live)
    library.keep_shadow("detector", shadow, live)
    # By the whole of its models' names; by the classifier, which is the same; by the detector.
    assert library.analysis_of(UIDS[:1], shadow.models) is None
    kept = library.analysis_of(UIDS[:1], MODELS)
    assert kept is not None
    assert [image.lesion_score for image in kept.images] == [0.63]
    last = library.latest_analyses("1.2.3", MODELS["classifier"].weights_sha256)
    assert max(image.lesion_score or 0 for image in last) == 0.63
    for role, weights in (("classifier", "c" * 64), ("detector", "d" * 64)):
        scored = library.latest_scores(role, weights)
        assert len(scored) == 4
        assert max(one.score for one in scored) < 0.9
    assert library.latest_scores("detector", "e" * 64) == ()


def test_both_scores_of_an_image_are_read_together(path: Path):
    library = Library(path)
    live, shadow = make_analysis(), in_shadow(0.99, 0.2)
    assert library.unseen_by_shadow(UIDS, shadow.models) == UIDS
    library.keep_shadow("detector", shadow, live)
    assert library.unseen_by_shadow(UIDS, shadow.models) == UIDS[1:]
    assert library.unseen_by_shadow(UIDS, MODELS) == UIDS
    weights = ("e" * 64, "d" * 64)
    assert library.shadow_pairs("detector", weights) == (Pair(0.2, 0.71),)
    assert library.shadow_pairs("classifier", weights) == ()
    assert library.shadow_pairs("detector", ("e" * 64, "f" * 64)) == ()
    assert library.shadow_pairs("detector", ("d" * 64, "d" * 64)) == ()
    # Looked at once more: the last word counts, once.
    library.keep_shadow("detector", in_shadow(0.99, 0.3), live)
    assert library.shadow_pairs("detector", weights) == (Pair(0.3, 0.71),)


def test_an_image_that_both_refused_is_seen_and_not_counted(path: Path):
    library = Library(path)
    refused = replace(in_shadow(0.0, 0.5).images[0], refused="spot", lesion_score=None)
    shadow = replace(in_shadow(0.0, 0.5), images=(refused,))
    library.keep_shadow("detector", shadow, replace(make_analysis(), images=(refused,)))
    assert library.unseen_by_shadow(UIDS, shadow.models) == UIDS[1:]
    assert library.shadow_pairs("detector", ("e" * 64, "d" * 64)) == ()
