"""Windows and lookup tables of a header; what is damaged is left out, with an alarm."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ml.mammo.codes import VoiFunction
from ml.mammo.header import first_item, items, number, numbers, text, texts
from ml.mammo.mammogram import Alarm, LookupTable, Rescale, Voi, Window
from ml.texts import mark

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydicom.dataset import Dataset

DAMAGED_LUT = mark("A lookup table of this image is damaged and is not used.")
NO_RESCALE = mark("The rescale of this image makes no sense and is not used.")
# Beyond these, values overflow or all become one gray; devices use slopes about 1.
LEAST_SLOPE, FAR = 1e-6, 1e9
NO_WINDOW = mark("A window of this image has no usable width and is not used.")


def read_voi(dataset: Dataset) -> tuple[tuple[Voi, ...], tuple[Alarm, ...]]:
    """Every VOI LUT item and every window of a dataset (or of a functional group item)."""
    alarms: list[Alarm] = []
    found: list[Voi] = []
    for item in items(dataset, "VOILUTSequence"):
        table = read_lut(item)
        if table is None:
            alarms.append(Alarm(DAMAGED_LUT))
        else:
            found.append(table)
    windows, bad = _windows(dataset)
    if bad:
        alarms.append(Alarm(NO_WINDOW))
    return (*found, *windows), tuple(alarms)


def read_modality(dataset: Dataset) -> tuple[Rescale | LookupTable, tuple[Alarm, ...]]:
    """Modality LUT Sequence, else Rescale Slope and Intercept, else nothing to do."""
    item = first_item(dataset, "ModalityLUTSequence")
    if item is not None:
        table = read_lut(item)
        if table is not None:
            return table, ()
        return Rescale(), (Alarm(DAMAGED_LUT),)
    slope, intercept = number(dataset, "RescaleSlope"), number(dataset, "RescaleIntercept")
    line = Rescale(1.0 if slope is None else slope, intercept or 0.0)
    if LEAST_SLOPE <= abs(line.slope) <= 1 / LEAST_SLOPE and abs(line.intercept) < FAR:
        return line, ()
    return Rescale(), (Alarm(NO_RESCALE),)


def read_presentation(
    dataset: Dataset,
) -> tuple[bool, LookupTable | None, tuple[Alarm, ...]]:
    """Presentation LUT: whether its shape is INVERSE, its table, and alarms."""
    item = first_item(dataset, "PresentationLUTSequence")
    table = read_lut(item) if item is not None else None
    alarms = (Alarm(DAMAGED_LUT),) if item is not None and table is None else ()
    return text(dataset, "PresentationLUTShape").upper() == "INVERSE", table, alarms


def read_lut(item: Dataset) -> LookupTable | None:
    """A LUT item (PS3.3 C.11.1.1.1), or None where it is shorter than it says."""
    descriptor = numbers(item, "LUTDescriptor")
    if len(descriptor) != 3:
        return None
    entries, first, bits = (int(value) for value in descriptor)
    entries = entries or 65536  # 0 stands for 2**16
    data = _lut_values(item, entries, bits)
    if data is None or not 1 <= bits <= 16:
        return None
    return LookupTable(data[:entries], first, bits, text(item, "LUTExplanation"))


def _lut_values(
    item: Dataset, entries: int, bits: int
) -> np.ndarray[tuple[int], np.dtype[np.uint16]] | None:
    """LUT Data as OW bytes or US values; 8-bit entries may be packed two to a word."""
    value = item.get("LUTData")
    if isinstance(value, (bytes, bytearray)):
        raw = bytes(value)
        if len(raw) // 2 >= entries:
            # (implicit VR, little endian) as read; None in a data set that was never in a file.
            kind = ">u2" if item.original_encoding[1] is False else "<u2"
            return np.frombuffer(raw[: len(raw) // 2 * 2], kind).astype(np.uint16)
        packed = bits <= 8 and len(raw) >= entries
        return np.frombuffer(raw, np.uint8).astype(np.uint16) if packed else None
    if value is None or isinstance(value, (int, str)):
        return None
    data = np.asarray([int(part) & 0xFFFF for part in value], np.uint16)
    return data if len(data) >= entries else None


def _windows(dataset: Dataset) -> tuple[list[Window], bool]:
    centers, widths = numbers(dataset, "WindowCenter"), numbers(dataset, "WindowWidth")
    explanations = texts(dataset, "WindowCenterWidthExplanation")
    function = _function(text(dataset, "VOILUTFunction"))
    windows: list[Window] = []
    for place, (center, width) in enumerate(zip(centers, widths, strict=False)):
        explanation = explanations[place] if place < len(explanations) else ""
        try:
            windows.append(Window(center, width, function, explanation))
        except ValueError:
            continue
    return windows, len(windows) < max(len(centers), len(widths))


def _function(name: str) -> VoiFunction:
    """Absent or unknown means LINEAR, PS3.3 C.11.2.1.3."""
    try:
        return VoiFunction(name.upper())
    except ValueError:
        return VoiFunction.LINEAR


def voi_of_frames(groups: Sequence[Dataset]) -> tuple[tuple[Voi, ...], ...]:
    """Frame VOI LUT Sequence of each frame; empty where no frame has one."""
    found: list[tuple[Voi, ...]] = []
    for group in groups:
        item = first_item(group, "FrameVOILUTSequence")
        found.append(read_voi(item)[0] if item is not None else ())
    return tuple(found) if any(found) else ()
