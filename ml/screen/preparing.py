"""Processes that open files: one that ends, or never ends, costs the file that it had.

What is looked at or decoded is only ever in memory for a few files at once: as many as fit the
budget, by what their headers say of their size.
"""

from __future__ import annotations

import multiprocessing
import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
import psutil
from pebble import ProcessExpired, ProcessPool

from ml.errors import ReadError
from ml.exchange import prepare_image
from ml.mammo.pixels import read_pixels
from ml.mammo.read import read_mammogram
from ml.screen.glancing import glance
from ml.screen.places import of_disk, place_of
from ml.screen.rows import Heading, Standing
from ml.texts import mark, translate

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Future

    from numpy.typing import NDArray

    from ml.exchange import PreparedImage
    from ml.mammo.prepare import Wants
    from ml.screen.rows import Entry

# No mammogram takes so long to decode; a page of headers takes a moment.
LONGEST_S = 180.0
# Of a stored pixel: in the file, decoded, and twice as a float on its way to a canvas.
BYTES_A_PIXEL = 14
# Canvases, and what a process has besides.
BYTES_AN_IMAGE = 24 << 20
# Of the memory that is free when a run begins.
SHARE = 0.4
THUMBNAIL_ROWS, QUALITY = 160, 80

ENDED = mark("{name} ended the process that opened it. Ask for a new copy.")
TOO_LONG = mark("{name} took more than {seconds} s to open. Ask for a new copy.")


@dataclass(frozen=True, slots=True, eq=False)
class Ready:
    """An image on its way to the models.

    Attributes
    ----------
    thumbnail
        JPEG; empty where there is no canvas.
    sentence
        Why it cannot be read; empty where it can.
    disk_failed
        Whether it was the disk that failed and not the file, as far as the file tells.
    """

    image: PreparedImage | None
    thumbnail: bytes = b""
    sentence: str = ""
    disk_failed: bool = False


@dataclass(frozen=True, slots=True)
class Glanced:
    """What a page of files is, and how many of them could not be opened at all."""

    headings: tuple[Heading, ...]
    unopened: int = 0


class Openers:
    """A pool of processes that open files.

    Parameters
    ----------
    processes
        0: one for each core.
    longest_s
        After so long a process that still has a file is ended.
    open_image
        What a process does with the place of an image; a function of a module.
    """

    def __init__(
        self,
        processes: int = 0,
        longest_s: float = LONGEST_S,
        open_image: Callable[[str, Wants], Ready] | None = None,
    ) -> None:
        self._longest_s = longest_s
        self._open_image = open_image or prepared
        self.processes = processes or os.cpu_count() or 1
        # Forked from a process with threads, one of them may wait for a lock for ever.
        context = multiprocessing.get_context("spawn")
        self._pool = ProcessPool(self.processes, initializer=alone, context=context)

    def close(self) -> None:
        """End the processes, whatever they do."""
        self._pool.stop()
        self._pool.join()

    def glances(self, entries: Sequence[Entry], pattern: str) -> Future[Glanced]:
        """Have a page of files looked at."""
        return self._pool.schedule(glances, (tuple(entries), pattern), timeout=self._longest_s)

    def glanced(self, page: Sequence[Entry], done: Future[Glanced], pattern: str) -> Glanced:
        """What came of a page; where it ended its process, of its files one by one."""
        try:
            return done.result()
        except (ProcessExpired, TimeoutError) as error:
            if len(page) == 1:
                sentence = ended(page[0].place, error, self._longest_s)
                return Glanced((Heading(page[0], Standing.DAMAGED, sentence),))
        parts = [self.glanced([e], self.glances([e], pattern), pattern) for e in page]
        headings = tuple(heading for part in parts for heading in part.headings)
        return Glanced(headings, sum(part.unopened for part in parts))

    def prepare(self, heading: Heading, wants: Wants) -> Future[Ready]:
        """Have an image read and prepared."""
        given = (heading.entry.place, wants)
        return self._pool.schedule(self._open_image, given, timeout=self._longest_s)

    def ready(self, heading: Heading, done: Future[Ready]) -> Ready:
        """What came of an image."""
        try:
            return done.result()
        except (ProcessExpired, TimeoutError) as error:
            return Ready(None, sentence=ended(heading.entry.place, error, self._longest_s))


def ended(place: str, error: Exception, longest_s: float) -> str:
    """The sentence for a file whose process ended, or was ended."""
    template = TOO_LONG if isinstance(error, TimeoutError) else ENDED
    values = {"name": place_of(place).name, "seconds": round(longest_s)}
    return translate(template).format(**values)


def alone() -> None:
    """A process has one core: several of them share the machine. It minds no Ctrl-C itself."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    cv2.setNumThreads(1)


def glances(entries: Sequence[Entry], pattern: str) -> Glanced:
    """Look at some files, in a process."""
    headings: list[Heading] = []
    unopened = 0
    for entry in entries:
        try:
            headings.append(glance(entry, pattern))
        except OSError as error:
            unopened += 1
            headings.append(Heading(entry, Standing.DAMAGED, _cannot_be_opened(error)))
    return Glanced(tuple(headings), unopened)


def _cannot_be_opened(error: OSError) -> str:
    sentence = translate(mark("The file cannot be opened: {why}."))
    return sentence.format(why=error.strerror or type(error).__name__)


def prepared(place: str, wants: Wants) -> Ready:
    """Read and prepare one image, in a process."""
    try:
        with place_of(place).opened() as file:
            mammogram = read_mammogram(file)
            image = prepare_image(mammogram, wants, read_pixels)
    except OSError as error:
        return Ready(None, sentence=_cannot_be_opened(error), disk_failed=True)
    except ReadError as error:
        failed = of_disk(error.__cause__)
        return Ready(None, sentence=str(error), disk_failed=failed)
    # A member's copy is gone now: the image lies where it was found.
    image = replace(image, facts=replace(image.facts, path=place))
    return Ready(image, thumbnail_of(image))


def thumbnail_of(image: PreparedImage) -> bytes:
    """A small picture of the canvas, as JPEG; empty where there is none."""
    if image.prepared is None:
        return b""
    pixels: NDArray[np.uint16] = image.prepared.pixels
    columns = max(round(pixels.shape[1] * THUMBNAIL_ROWS / pixels.shape[0]), 1)
    small = cv2.resize(pixels, (columns, THUMBNAIL_ROWS), interpolation=cv2.INTER_AREA)
    grey = (small // 257).astype(np.uint8)
    return cv2.imencode(".jpg", grey, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1].tobytes()


def bytes_of(heading: Heading) -> int:
    """What opening an image takes at most, as its header has it."""
    pixels = heading.rows * heading.columns
    return pixels * BYTES_A_PIXEL + BYTES_AN_IMAGE


def budget_bytes() -> int:
    """What all open images together may take."""
    return int(psutil.virtual_memory().available * SHARE)
