"""Screening a folder: images a second beside its parts alone, memory, restarts and headers.

The studies are 25 simulated women with UIDs of their own, in four transfer syntaxes. Called as
a program, this file screens a folder and prints how long it took and what memory it had.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from pydicom import dcmread
from pydicom.encaps import encapsulate
from pydicom.uid import UID
from tables import Row, Table, at_least, at_most

from ml.control import Control
from ml.exchange import prepare_image
from ml.infer.choice import choose_engine
from ml.infer.reader import load_reader
from ml.mammo.encode import TransferSyntax, encode_frame
from ml.mammo.pixels import read_pixels
from ml.mammo.read import read_mammogram
from ml.phantom.dataset import write_phantoms
from ml.places import MODELS
from ml.registry import ROLES, read_pack

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from ml.exchange import PreparedImage

ROOT = Path(__file__).resolve().parents[2]
WOMEN, SEED, PIXEL_MM = 25, 71, 0.1
# Prepared in memory, for the models alone.
PREPARED = 24
SYNTAXES = {
    "uncompressed": TransferSyntax.LITTLE_ENDIAN,
    "JPEG Lossless": TransferSyntax.JPEG_LOSSLESS,
    "JPEG 2000": TransferSyntax.JPEG_2000,
    "HTJ2K": TransferSyntax.HTJ2K,
}
# Of a plain loop: it is slow, and every image of it takes as long.
LOOPED = 12
FEW, MANY, HEADERS = 100, 10_000, 100_000
SMALL_PX = 512
# As long as all that follow it, so that a file is stamped without being written anew.
FIRST = 10_000_000
CORES = os.cpu_count() or 1


def measure() -> Table:
    """All figures, one syntax after the other."""
    with tempfile.TemporaryDirectory() as name:
        where = Path(name)
        drawn = where / "drawn"
        write_phantoms(
            drawn, WOMEN, SEED, pixel_mm=PIXEL_MM, syntax=TransferSyntax.LITTLE_ENDIAN
        )
        sources = sorted(drawn.rglob("*.dcm"))
        models = _models_alone(sources)
        rows = [Row("models alone, prepared images", models, "a s")]
        for syntax, chosen in SYNTAXES.items():
            folder = where / syntax
            _encoded(sources, folder, chosen)
            rows += _of_syntax(syntax, folder, models, where / f"out {syntax}")
        rows += _beside_a_loop(where / "uncompressed", rows)
        rows += _of_many(where)
        rows += _of_headers(where)
    return Table(f"Screening a folder on {CORES} cores", tuple(rows))


def _of_syntax(syntax: str, folder: Path, models: float, out: Path) -> list[Row]:
    files = sorted(folder.rglob("*.dcm"))
    decoder = _decoder_alone(files)
    told = _screened(folder, out)
    slower = min(models, decoder)
    return [
        Row(f"{syntax}: decoder alone", decoder, "a s"),
        Row(f"{syntax}: screened", told["rate"], "a s"),
        at_least(f"{syntax}: beside the slower of both", told["rate"] / slower, "x", 0.9),
    ]


def _encoded(sources: Sequence[Path], folder: Path, chosen: TransferSyntax) -> None:
    """The same women in another syntax, as other women."""
    for number, source in enumerate(sources):
        dataset = dcmread(source)
        data = dataset.PixelData
        if chosen.compressed:
            pixels = np.asarray(read_pixels(read_mammogram(source)), np.uint16)
            data = encapsulate([encode_frame(pixels, dataset.BitsStored, chosen)])
        dataset.file_meta.TransferSyntaxUID = UID(chosen.value)
        dataset.PixelData = data
        dataset["PixelData"].is_undefined_length = chosen.compressed
        dataset["PixelData"].VR = "OB" if chosen.compressed else "OW"
        tail = f".{list(TransferSyntax).index(chosen)}.{number}"
        dataset.SOPInstanceUID = dataset.SOPInstanceUID[: 63 - len(tail)] + tail
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
        path = folder / source.parent.name / source.name
        path.parent.mkdir(parents=True, exist_ok=True)
        dataset.save_as(path, enforce_file_format=True)


def _models_alone(sources: Sequence[Path]) -> float:
    """Images a second, on every core, of images that lie prepared in memory."""
    engine = choose_engine("cpu", together=CORES)
    reader = load_reader(engine=engine)
    images = [
        prepare_image(read_mammogram(path), reader.wants, read_pixels)
        for path in sources[:PREPARED]
    ]

    def look(image: PreparedImage) -> None:
        reader.analyze_prepared(image)

    with ThreadPoolExecutor(engine.together) as pool:
        list(pool.map(look, images[:CORES]))
        began = time.perf_counter()
        list(pool.map(look, images * 2))
        return 2 * len(images) / (time.perf_counter() - began)


def _decoder_alone(files: Sequence[Path]) -> float:
    """Images a second that processes read and decode, and do nothing with."""
    with get_context("spawn").Pool(CORES) as pool:
        pool.map(_decode, files[:CORES], chunksize=1)
        began = time.perf_counter()
        pool.map(_decode, files, chunksize=1)
        return len(files) / (time.perf_counter() - began)


def _decode(path: Path) -> int:
    return read_pixels(read_mammogram(path)).size


def _beside_a_loop(folder: Path, rows: Sequence[Row]) -> list[Row]:
    """How many times as fast as loops that users write: one network, and all of them."""
    rate = next(row.value for row in rows if row.what == "uncompressed: screened")
    files = sorted(folder.rglob("*.dcm"))[: LOOPED + 1]
    detector, everything = _predicts(("detector",)), _predicts(tuple(read_packs()))
    return [
        at_least(
            "times as fast as pydicom and ultralytics' predict in a loop, detector alone",
            rate / _looped(files, detector),
            "x",
            4,
        ),
        Row(
            "times as fast as such a loop with all networks, as they are screened with",
            rate / _looped(files, everything),
            "x",
        ),
    ]


def read_packs() -> dict[str, Path]:
    """Those that come with the program, by role."""
    return {role: MODELS / role for role in ROLES}


def _predicts(roles: Sequence[str]) -> Callable[[NDArray[np.uint8]], None]:
    """Out of the box: torch in float32, every image letterboxed to the size of its network."""
    import torch
    from safetensors.torch import load_file
    from ultralytics import YOLO

    from ml.infer.on_cuda import network_of
    from ml.models.detector import build_detector

    packs = {role: read_pack(folder) for role, folder in read_packs().items() if role in roles}
    detectors: list[tuple[YOLO, int]] = []
    for role, pack in packs.items():
        if role != "classifier":
            model = YOLO("yolo26n.yaml", task="detect", verbose=False)
            network = build_detector()
            network.load_state_dict(load_file(pack.weights))
            model.model = network.eval()
            detectors.append((model, pack.card.prepare.rows))
    classifier = network_of(packs["classifier"]) if "classifier" in packs else None

    def predict(gray: NDArray[np.uint8]) -> None:
        for model, rows in detectors:
            model.predict(gray[..., None], imgsz=rows, device="cpu", verbose=False)
        if classifier is not None:
            size = packs["classifier"].card.prepare
            small = cv2.resize(gray, (size.columns, size.rows)).astype(np.float32) / 255
            with torch.inference_mode():
                classifier(torch.from_numpy(small)[None, None])

    return predict


def _looped(files: Sequence[Path], predict: Callable[[NDArray[np.uint8]], None]) -> float:
    """Images a second."""
    times: list[float] = []
    for path in files:
        began = time.perf_counter()
        pixels = dcmread(path).pixel_array
        predict((pixels / pixels.max() * 255).astype(np.uint8))
        times.append(time.perf_counter() - began)
    return 1 / statistics.median(times[1:])


def _of_many(where: Path) -> list[Row]:
    """Memory at few and at many images, and a restart with all of them done.

    The models are tiny: what is measured is everything else.
    """
    sys.path.insert(0, str(ROOT))
    from tests.factories.packs import make_packs

    make_packs(where / "packs")
    environment = {"MAMMOSCOPE_MODELS": str(where / "packs")}
    peaks: list[float] = []
    for count in (FEW, MANY):
        folder, out = where / f"small {count}", where / f"small out {count}"
        _stamped(folder, count)
        peaks.append(_screened(folder, out, environment)["peak_mb"])
    again = _screened(where / f"small {MANY}", where / f"small out {MANY}", environment)
    return [
        Row(f"peak memory, {FEW} images", peaks[0], "MB"),
        Row(f"peak memory, {MANY} images", peaks[1], "MB"),
        at_most("more memory for a hundred times as many", peaks[1] / peaks[0], "x", 1.05),
        at_most("restart with everything done", again["seconds"] * 1e3 / MANY, "ms", 2),
    ]


def _of_headers(where: Path) -> list[Row]:
    """How fast files are found, beside opening each and reading its first block."""
    folder, out = where / "headers", where / "headers out"
    _stamped(folder, HEADERS, pixels=False)
    floor = _opened(folder)
    told = _screened(folder, out, {"MAMMOSCOPE_MODELS": str(where / "packs")}, index=True)
    return [
        Row("files opened and their first block read", floor, "a s"),
        Row(f"{HEADERS} headers indexed", HEADERS / told["seconds"], "a s"),
    ]


def _opened(folder: Path) -> float:
    began, count = time.perf_counter(), 0
    for path in folder.rglob("*.dcm"):
        with path.open("rb") as file:
            file.read(4096)
        count += 1
    return count / (time.perf_counter() - began)


def _stamped(folder: Path, count: int, *, pixels: bool = True) -> None:
    """One small image again and again, with UIDs of their own: four a study."""
    sys.path.insert(0, str(ROOT))
    from tests.factories.breasts import make_breast, make_view

    image, study = f"1.2.3.4.{FIRST}", f"1.2.3.5.{FIRST}"
    small = make_breast("right", rows=SMALL_PX, columns=SMALL_PX) if pixels else None
    blank = np.zeros((8, 8), np.uint16) if small is None else small
    made = make_view(folder, "RCC", pixels=blank, SOPInstanceUID=image, StudyInstanceUID=study)
    template = made.read_bytes()
    made.unlink()
    for number in range(count):
        own = template.replace(image.encode(), b"1.2.3.4.%d" % (FIRST + number))
        own = own.replace(study.encode(), b"1.2.3.5.%d" % (FIRST + number // 4))
        path = folder / f"{number // 1000:03d}" / f"{number:06d}.dcm"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(own)


class _Clock(Control):
    """When the first and the last image were done."""

    def __init__(self) -> None:
        self.at: list[float] = []

    def say(self, done: int, of: int, news: Mapping[str, object] | None = None) -> None:
        """Note the time of an answer."""
        if (news or {}).get("phase") == "analyzing":
            self.at.append(time.perf_counter())


def _screened(
    folder: Path,
    out: Path,
    environment: Mapping[str, str] | None = None,
    *,
    index: bool = False,
) -> dict[str, float]:
    """Screen in a process of its own.

    Returns
    -------
    dict
        ``seconds`` in all; ``rate``: images a second from the first answer on; ``peak_mb``.
    """
    command = [sys.executable, str(Path(__file__).resolve()), str(folder), str(out)]
    done = subprocess.run(
        [*command, *(["--index"] if index else [])],
        check=True,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, **(environment or {}), "PYTHONPATH": str(ROOT)},
    )
    return json.loads(done.stdout.splitlines()[-1])


def _child(folder: str, out: str, *, index: bool) -> None:
    from ml.screen.run import index as index_only
    from ml.screen.run import run

    clock, began = _Clock(), time.perf_counter()
    (index_only if index else run)({"folder": folder, "out": out}, clock)
    seconds = time.perf_counter() - began
    taken = clock.at[-1] - clock.at[0] if len(clock.at) > 1 else 0.0
    told = {
        "seconds": seconds,
        "rate": (len(clock.at) - 1) / taken if taken else 0.0,
        "peak_mb": _peak_mb(),
    }
    sys.stdout.write(json.dumps(told) + "\n")


def _peak_mb() -> float:
    """Of this process; `ru_maxrss` would be its parent's where that had more."""
    status = Path("/proc/self/status").read_text("ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


if __name__ == "__main__":
    _child(sys.argv[1], sys.argv[2], index="--index" in sys.argv)
