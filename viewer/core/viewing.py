"""What the viewports show, and how: pure functions from one `SessionState` to the next."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ml.mammo.codes import Laterality
from viewer.core.hanging import title_of
from viewer.core.state import Camera, Presentation, Viewport

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ml.mammo.mammogram import Mammogram, Window
    from viewer.core.state import SessionState

LOWEST_ZOOM = 0.1
HIGHEST_ZOOM = 64.0


def set_active(state: SessionState, index: int) -> SessionState:
    """Choose the viewport that keys act on."""
    if index == state.active or not 0 <= index < len(state.viewports):
        return state
    return replace(state, active=index)


def step_active(state: SessionState, by: int) -> SessionState:
    """Choose the next viewport, around the hang."""
    if not state.viewports:
        return state
    return set_active(state, (state.active + by) % len(state.viewports))


def toggle_one_up(state: SessionState) -> SessionState:
    """Let the active viewport fill the canvas, or bring the hang back."""
    if not state.one_up and active_image(state) is None:
        return state
    return replace(state, one_up=not state.one_up)


def toggle_linked(state: SessionState) -> SessionState:
    """Let window, zoom and pan act on all viewports, or on the active one alone."""
    return replace(state, linked=not state.linked)


def place_image(state: SessionState, image: Mammogram) -> SessionState:
    """Show an image in the active viewport, or go to the viewport that shows it."""
    for index, viewport in enumerate(state.viewports):
        if viewport.image is image:
            return set_active(state, index)
    return _put(state, state.active, Viewport(title_of(image), image))


def step_frame(state: SessionState, by: int) -> SessionState:
    """Show the next frames of the active image."""

    def step(viewport: Viewport) -> Viewport:
        frames = viewport.image.frames if viewport.image else 1
        frame = min(max(viewport.frame + by, 0), frames - 1)
        return viewport if frame == viewport.frame else replace(viewport, frame=frame)

    return _change_active(state, step)


# Camera


def zoom_by(
    state: SessionState, factor: float, anchor: tuple[float, float] = (0.0, 0.0)
) -> SessionState:
    """Enlarge about a point of the active viewport.

    Parameters
    ----------
    anchor
        (rows, columns) in screen pixels from the viewport's pivot (the middle of its chest-wall
        edge): what lies there stays there. Columns are mirrored in breasts of the other side.
    """

    def zoom(viewport: Viewport, mirror: float) -> Viewport:
        camera = viewport.camera
        new = min(max(camera.zoom * factor, LOWEST_ZOOM), HIGHEST_ZOOM)
        change = 1 / new - 1 / camera.zoom
        moved = Camera(
            new,
            camera.offset_rows + anchor[0] * change,
            camera.offset_columns + mirror * anchor[1] * change,
        )
        return replace(viewport, camera=moved)

    return _change_linked(state, zoom)


def pan_by(state: SessionState, rows: float, columns: float) -> SessionState:
    """Move the image by screen pixels; breasts of the other side move mirrored."""

    def pan(viewport: Viewport, mirror: float) -> Viewport:
        camera = viewport.camera
        moved = replace(
            camera,
            offset_rows=camera.offset_rows + rows / camera.zoom,
            offset_columns=camera.offset_columns + mirror * columns / camera.zoom,
        )
        return replace(viewport, camera=moved)

    return _change_linked(state, pan)


def look_at(state: SessionState, zoom: float, offset: tuple[float, float]) -> SessionState:
    """Point the active viewport alone at a place: zoom, and offset at zoom 1."""
    camera = Camera(min(max(zoom, LOWEST_ZOOM), HIGHEST_ZOOM), *offset)
    return _change_active(state, lambda viewport: replace(viewport, camera=camera))


def set_zoom(state: SessionState, zoom: float) -> SessionState:
    """Enlarge to a zoom over fit, about the middle of the chest wall."""
    viewport = active_viewport(state)
    return zoom_by(state, zoom / viewport.camera.zoom) if viewport else state


def fit(state: SessionState) -> SessionState:
    """Show the whole breasts again."""
    return _change_linked(state, lambda viewport, _: replace(viewport, camera=Camera()))


# Gray


def set_window(state: SessionState, window: Window) -> SessionState:
    """Show the active image through this window."""
    return _present(state, lambda shown: replace(shown, window=window), linked=False)


def set_windows(state: SessionState, windows: Mapping[str, Window]) -> SessionState:
    """Show images through these windows, by SOP Instance UID."""

    def choose(viewport: Viewport, _: float) -> Viewport:
        window = windows.get(viewport.image.sop_instance_uid) if viewport.image else None
        if window is None:
            return viewport
        shown = replace(viewport.presentation, window=window)
        return replace(viewport, presentation=shown)

    return _change_linked(state, choose)


def drag_window(
    state: SessionState, current: Mapping[str, Window], brighter: float, wider: float
) -> SessionState:
    """Change window center and width.

    Parameters
    ----------
    current
        The window through which each image is seen now, by SOP Instance UID: it may come from
        the image's pixels. Linked images keep what sets their windows apart.
    brighter
        How far the center falls, in widths.
    wider
        Natural logarithm of how much the width grows.
    """
    from math import exp

    def drag(viewport: Viewport, _: float) -> Viewport:
        window = current.get(viewport.image.sop_instance_uid) if viewport.image else None
        if window is None:
            return viewport
        center = window.center - brighter * window.width
        # Below 2 the picture is black and white only.
        width = min(max(window.width * exp(wider), 2.0), 1e6)
        shown = replace(
            viewport.presentation,
            window=replace(window, center=center, width=width, explanation=""),
        )
        return replace(viewport, presentation=shown)

    return _change_linked(state, drag)


def choose_voi(state: SessionState, index: int) -> SessionState:
    """Show images through one of their own windows and LUTs."""

    def choose(viewport: Viewport, _: float) -> Viewport:
        count = len(viewport.image.voi) if viewport.image else 0
        shown = replace(
            viewport.presentation, window=None, voi_index=min(index, max(count, 1) - 1)
        )
        return replace(viewport, presentation=shown)

    return _change_linked(state, choose)


def cycle_voi(state: SessionState) -> SessionState:
    """Show images through the next of the active one's own windows and LUTs."""
    viewport, image = active_viewport(state), active_image(state)
    if viewport is None or image is None:
        return state
    shown = viewport.presentation
    following = 0 if shown.window else (shown.voi_index + 1) % max(len(image.voi), 1)
    return choose_voi(state, following)


def toggle_inverted(state: SessionState) -> SessionState:
    """Black on white, or white on black."""
    return _present(state, lambda shown: replace(shown, inverted=not shown.inverted))


def toggle_raw_air(state: SessionState) -> SessionState:
    """Show what the skin-line mask hides, or hide it again."""
    return _present(state, lambda shown: replace(shown, raw_air=not shown.raw_air))


def reset(state: SessionState) -> SessionState:
    """Show images as when they were opened."""
    return _change_linked(
        state,
        lambda viewport, _: replace(viewport, camera=Camera(), presentation=Presentation()),
    )


# What the functions above share


def active_viewport(state: SessionState) -> Viewport | None:
    """The viewport that keys act on."""
    return state.viewports[state.active] if state.viewports else None


def active_image(state: SessionState) -> Mammogram | None:
    """The image that keys act on."""
    viewport = active_viewport(state)
    return viewport.image if viewport else None


def is_left(viewport: Viewport) -> bool:
    """Whether the viewport shows a left breast (whose chest wall is at its left edge)."""
    laterality = viewport.image.laterality if viewport.image else None
    return laterality is not None and laterality.value is Laterality.LEFT


def _change_active(state: SessionState, change: Callable[[Viewport], Viewport]) -> SessionState:
    viewport = active_viewport(state)
    if viewport is None:
        return state
    changed = change(viewport)
    return state if changed is viewport else _put(state, state.active, changed)


def _change_linked(
    state: SessionState, change: Callable[[Viewport, float], Viewport]
) -> SessionState:
    """Change the active viewport, and all where linked; -1 mirrors for the other side."""
    active = active_viewport(state)
    if active is None:
        return state
    if not state.linked:
        return _put(state, state.active, change(active, 1.0))
    left = is_left(active)
    viewports = tuple(
        change(viewport, 1.0 if is_left(viewport) == left else -1.0)
        if viewport.image
        else viewport
        for viewport in state.viewports
    )
    return replace(state, viewports=viewports)


def _present(
    state: SessionState,
    change: Callable[[Presentation], Presentation],
    *,
    linked: bool = True,
) -> SessionState:
    def present(viewport: Viewport, _: float = 1.0) -> Viewport:
        return replace(viewport, presentation=change(viewport.presentation))

    return _change_linked(state, present) if linked else _change_active(state, present)


def _put(state: SessionState, index: int, viewport: Viewport) -> SessionState:
    viewports = (*state.viewports[:index], viewport, *state.viewports[index + 1 :])
    return replace(state, viewports=viewports)
