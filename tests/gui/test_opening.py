"""Opening: what hangs where, what is refused, and that nothing waits for the models."""

from __future__ import annotations

import logging
import os
import signal
from typing import TYPE_CHECKING

from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent

from tests.factories.breasts import make_four_views, make_view
from viewer.core.state import AnalysisPhase
from viewer.qt.log_file import start_log

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.gui.conftest import Reader

STANDARD = ["RCC", "LCC", "RMLO", "LMLO"]


def hung(reader: Reader) -> list[str]:
    """What hangs in each viewport, by the images' own headers."""
    titles = []
    for viewport in reader.state.viewports:
        image = viewport.image
        side = image.laterality.value.value if image and image.laterality else ""
        view = image.view.value.value if image and image.view else ""
        titles.append(side + view)
    return titles


def test_four_views_hang_back_to_back_at_one_scale(reader: Reader, study: list[Path]) -> None:
    reader.open(study[::-1])
    reader.wait_for_pictures()
    assert hung(reader) == STANDARD
    shown = reader.window.canvas.scene().shown
    middle = reader.window.canvas.width() / 2
    for each, side in zip(shown, "RLRL", strict=True):
        assert each.placement is not None
        columns = reader.window.canvas.position_of
        wall = columns(each.index, (300, 400.0 if side == "R" else 0.0))
        nipple = columns(each.index, (300, 100.0 if side == "R" else 300.0))
        assert wall is not None
        assert nipple is not None
        assert abs(wall.x() - middle) < 4, "chest walls meet in the middle"
        assert (nipple.x() < middle) is (side == "R")
    assert len({each.placement.ratio for each in shown if each.placement}) == 1


def test_images_of_other_spacing_hang_at_the_same_physical_scale(
    reader: Reader, tmp_path: Path
) -> None:
    paths = make_four_views(tmp_path / "a")
    paths[0] = make_view(tmp_path / "b", "RCC", 1, ImagerPixelSpacing=["0.05", "0.05"])
    reader.open(paths)
    reader.wait_for_pictures()
    ratios = [e.placement.ratio for e in reader.window.canvas.scene().shown if e.placement]
    assert abs(ratios[1] / ratios[0] - 2) < 1e-6


def test_a_missing_view_leaves_its_slot_empty_and_an_extra_one_goes_aside(
    reader: Reader, tmp_path: Path
) -> None:
    paths = make_four_views(tmp_path / "a")[:3]
    extra = make_view(tmp_path / "a", "RML", 9, PatientOrientation=["P", "F"])
    reader.open([*paths, extra])
    assert hung(reader) == ["RCC", "LCC", "RMLO", ""]
    assert reader.state.viewports[3].title == "LMLO"
    labels = [reader.window.thumbnails.list.item(row).text() for row in range(4)]
    assert labels[3] == "RML +"


def test_a_folder_with_bad_files_opens_the_others_and_lists_them(
    reader: Reader, tmp_path: Path
) -> None:
    folder = tmp_path / "mixed"
    make_four_views(folder)
    (folder / "broken.dcm").write_bytes(b"no image")
    short = make_view(folder, "LML", 7)
    short.write_bytes(short.read_bytes()[:-2000])
    reader.open([folder])
    reader.wait_for_pictures()
    assert hung(reader) == STANDARD
    reader.wait(lambda: len(reader.state.refusals) == 2)
    said = {refusal.path.name: refusal.sentence for refusal in reader.state.refusals}
    assert "not a DICOM file" in said["broken.dcm"]
    assert "ends in the middle" in said["LML-7.dcm"]


def test_nothing_is_lost_where_nothing_can_be_opened(
    reader: Reader, study: list[Path], tmp_path: Path
) -> None:
    reader.open(study)
    before = reader.state.study
    (tmp_path / "text.dcm").write_text("hello")
    reader.window.open_paths([tmp_path / "text.dcm", tmp_path / "gone.dcm"])
    reader.wait(lambda: len(reader.state.refusals) == 2)
    assert reader.state.study is before
    assert all(refusal.sentence.endswith(".") for refusal in reader.state.refusals)


def test_files_that_vanish_after_they_were_listed(reader: Reader, study: list[Path]) -> None:
    reader.window.images.request = lambda wanted: None  # type: ignore[method-assign]
    reader.open(study)
    study[1].unlink()
    del reader.window.images.request
    reader.window.images.request([(v.image, 0) for v in reader.state.viewports if v.image])
    reader.wait(lambda: bool(reader.state.refusals))
    assert reader.state.refusals[0].path == study[1]
    reader.wait_for_pictures()


def test_different_women_are_never_merged_in_silence(reader: Reader, tmp_path: Path) -> None:
    paths = [
        make_view(tmp_path, title, n, PatientID=f"W{n}", StudyInstanceUID=f"1.9.{n}")
        for n, title in enumerate(STANDARD, 1)
    ]
    reader.open(paths)
    assert len(reader.state.studies) == 4
    reader.open(paths, together=True)
    assert len(reader.state.studies) == 1
    assert hung(reader) == STANDARD
    assert reader.state.study is not None
    assert len(reader.state.study.alarms) == 2


def test_files_are_dropped_on_the_window(reader: Reader, study: list[Path]) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(study[0].parent))])
    event = QDropEvent(
        QPointF(10, 10),
        Qt.DropAction.CopyAction,
        data,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    reader.window.dropEvent(event)
    reader.wait(lambda: reader.state.study is not None)
    assert hung(reader) == STANDARD


def test_a_study_that_was_open_is_offered_again(reader: Reader, study: list[Path]) -> None:
    reader.open(study)
    assert reader.window.library is not None
    library = reader.window.library
    reader.wait(lambda: bool(library.recent_studies()))
    (recent,) = library.recent_studies()
    assert "WOMAN-1" in recent.label


def test_pictures_do_not_wait_for_the_models(reader: Reader, study: list[Path]) -> None:
    reader.open(study)
    reader.wait_for_pictures()
    assert reader.state.analysis is None
    reader.wait_for_analysis()
    assert reader.state.analysis_phase is AnalysisPhase.DONE


def test_closing_a_study_cancels_its_analysis(reader: Reader, study: list[Path]) -> None:
    reader.open(study)
    reader.wait(lambda: reader.state.analysis_phase is AnalysisPhase.WAITING)
    reader.press("Ctrl+W")
    assert reader.state.study is None
    assert reader.state.analysis_phase is AnalysisPhase.NONE
    reader.open(study)
    reader.wait_for_analysis()
    assert reader.state.analysis_phase is AnalysisPhase.DONE


def test_a_killed_model_process_is_replaced(reader: Reader, study: list[Path]) -> None:
    reader.open(study)
    reader.wait_for_analysis()
    first = reader.models.pid
    assert first is not None
    os.kill(first, signal.SIGTERM)
    reader.window.analyzer.analyze()
    reader.wait_for_analysis()
    assert reader.state.analysis_phase is AnalysisPhase.DONE
    assert reader.models.pid != first


def test_a_closed_window_leaves_no_process(reader: Reader, study: list[Path]) -> None:
    reader.open(study)
    reader.wait_for_analysis()
    reader.window.close()
    assert reader.models.pid is None


def test_no_identity_reaches_the_log(
    reader: Reader, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    handler = start_log(tmp_path / "logs")
    assert handler is not None
    folder = tmp_path / "SECRET-FOLDER"
    make_four_views(folder)
    broken = make_view(folder, "LML", 7)
    broken.write_bytes(broken.read_bytes()[:-2000])
    (folder / "SECRET-FILE.dcm").write_bytes(b"no image")
    with caplog.at_level(logging.INFO):
        reader.open([folder])
        reader.wait_for_analysis()
        reader.wait(lambda: len(reader.state.refusals) == 2)
    handler.flush()
    written = (tmp_path / "logs" / "mammoscope.log").read_text()
    assert "opened 1 studies" in written
    for secret in ("WOMAN", "Secret", "SECRET", "1.2.3.4"):
        assert secret not in written
