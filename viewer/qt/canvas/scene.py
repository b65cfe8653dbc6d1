"""What the canvas shows: every visible viewport with its picture and where that lies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from viewer.core.diagnosis import shown_threshold
from viewer.core.layout import Placement, Pose, grid, has_common_scale, place, pose_of
from viewer.core.marks import marks_of

if TYPE_CHECKING:
    from ml.findings import HeatMap, ImageAnalysis
    from ml.mammo.geometry import Box
    from ml.mammo.mammogram import Mammogram
    from viewer.core.marks import Mark
    from viewer.core.state import SessionState, Viewport
    from viewer.display.picture import Picture
    from viewer.qt.images import Images


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """One visible viewport.

    Attributes
    ----------
    index
        Its place in the hang.
    slot
        In device pixels of the canvas.
    picture, placement
        None where there is nothing (yet).
    error
        Why the pixels cannot be shown.
    """

    index: int
    viewport: Viewport
    slot: Box
    pose: Pose | None
    placement: Placement | None
    picture: Picture | None
    error: str = ""

    @property
    def loading(self) -> bool:
        """Whether the full pixels are still to come."""
        waits = self.picture is None or self.picture.preview
        return self.viewport.image is not None and waits and not self.error


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """All that is on the canvas.

    Attributes
    ----------
    common_mm
        Sizes can be compared in millimetres.
    """

    shown: tuple[Shown, ...]
    common_mm: bool

    def at(self, row: float, column: float) -> Shown | None:
        """The viewport at a place of the canvas, in device pixels."""
        for each in self.shown:
            slot = each.slot
            if slot.row0 <= row < slot.row1 and slot.col0 <= column < slot.col1:
                return each
        return None

    def of_index(self, index: int) -> Shown | None:
        """The viewport of this place in the hang, where it is visible."""
        return next((each for each in self.shown if each.index == index), None)


class Stage:
    """Make scenes, and remember how images are posed."""

    def __init__(self, images: Images) -> None:
        self._images = images
        self._poses: dict[int, tuple[Mammogram, Picture | None, Pose]] = {}

    def scene(self, state: SessionState, rows_px: int, columns_px: int) -> Scene:
        """What a state looks like on a canvas of this size."""
        indices = [state.active] if state.one_up else list(range(len(state.viewports)))
        viewports = [state.viewports[index] for index in indices]
        slots = grid(rows_px, columns_px, 1, 1) if state.one_up else grid(rows_px, columns_px)
        pictures = [self._picture(viewport) for viewport in viewports]
        poses = [self._pose(v, p) for v, p in zip(viewports, pictures, strict=True)]
        slots = slots[: len(viewports)]
        placements = place(poses, slots, [viewport.camera for viewport in viewports])
        rows = zip(indices, viewports, slots, poses, placements, pictures, strict=True)
        return Scene(
            tuple(Shown(*row, error=self._error(row[1])) for row in rows),
            has_common_scale(poses),
        )

    def forget(self) -> None:
        """Let go of the poses of a study that is closed."""
        self._poses.clear()

    def _picture(self, viewport: Viewport) -> Picture | None:
        image = viewport.image
        return self._images.picture(image, viewport.frame) if image else None

    def _error(self, viewport: Viewport) -> str:
        return self._images.error(viewport.image, viewport.frame) if viewport.image else ""

    def _pose(self, viewport: Viewport, picture: Picture | None) -> Pose | None:
        image = viewport.image
        if image is None:
            return None
        kept = self._poses.get(id(image))
        if kept is not None and (kept[1] is picture or picture is None):
            return kept[2]
        pose = pose_of(image, picture.skin if picture else None)
        # The image is kept beside its pose: an id is only good as long as its object lives.
        self._poses[id(image)] = (image, picture, pose)
        return pose


def analysis_of(state: SessionState, image: Mammogram | None) -> ImageAnalysis | None:
    """What the machine says of an image, where that may be seen."""
    if image is None or state.analysis is None or not state.machine_shown:
        return None
    same = (
        each
        for each in state.analysis.images
        if each.sop_instance_uid == image.sop_instance_uid
    )
    return next(same, None)


def visible_marks(state: SessionState, viewport: Viewport) -> list[Mark]:
    """The marks to draw in a viewport: the weakest first, what the reader drew on top."""
    image = viewport.image
    if image is None:
        return []
    threshold = shown_threshold(state)
    marks = (
        mark
        for mark in marks_of(state, image.sop_instance_uid)
        if mark.is_shown(threshold) and mark.frame in (None, viewport.frame + 1)
    )
    return sorted(marks, key=lambda mark: mark.score)


def heat_map_of(state: SessionState, viewport: Viewport) -> HeatMap | None:
    """The score map to draw in a viewport."""
    analysis = analysis_of(state, viewport.image) if state.heat_map_shown else None
    return analysis.heat_map if analysis else None
