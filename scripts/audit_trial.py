"""Try the audit on data that are known to be flawed and on data that are known to be sound.

    python scripts/audit_trial.py --seeds 20 --json trial.json [--mini-mias FOLDER]

The design that this project began from is rebuilt: all healthy images generated, all lesions
real; and the two ways of mixing that leave a part of it. Beside it stand sets that are sound.
Real images are phantoms of one maker, or mini-MIAS films, and are never copied; generated ones
come from the generator pack where one is installed, else another maker's phantoms, or films
shrunk to half and enlarged again, as if drawn with 512 rows, stand for them. Each seed draws
other women, or other films; nothing but the report is written, after every set: the same
command goes on where it was stopped.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from ml.audit.auditing import audit, photographs
from ml.audit.looking import look, read_listed
from ml.audit.probes import BLIND, CODEC, SOURCE, WITHIN
from ml.audit.report import Verdict, worst
from ml.audit.ridge import Probe
from ml.control import NOBODY
from ml.data.sources.phantoms import as_mammogram
from ml.files import write_json
from ml.mammo.geometry import Box
from ml.mammo.pixels import read_pixels
from ml.mammo.read import read_mammogram
from ml.manifest import BoxRow, Label, Manifest, ManifestRow, Source, Split, read_manifest
from ml.phantom.phantom import STANDARD_VIEWS, make_phantom
from ml.phantom.vendors import VENDORS
from ml.phantom.woman import draw_woman
from ml.places import MODELS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ml.audit.looking import See, Stored
    from ml.audit.report import AuditReport
    from ml.mammo.mammogram import Mammogram
    from ml.phantom.vendors import Vendor

PIXEL_MM = 0.2
GENERATOR = "generator"
BY_PIXELS = {BLIND, WITHIN, SOURCE, CODEC}
JPEG_QUALITY = 75
FLAWED = ("original", "original, source unsaid", "lesions mixed", "healthy mixed", "two codecs")
SOUND = ("clean", "balanced", "one codec")
TITLE = "The audit on known data"


@dataclass(frozen=True, slots=True, eq=False)
class Item:
    """One image that a set may hold: its row, its boxes, and how to get its pixels."""

    row: ManifestRow
    boxes: tuple[BoxRow, ...]
    image: Callable[[], tuple[Stored, Mammogram]]


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """What the sets of one seed are put together from.

    Attributes
    ----------
    made_alike
        Healthy ones that were made as those with lesions were: a generator draws healthy
        breasts whole and paints lesions into others, and only of shams it is known that
        nothing but the lesion differs.
    """

    real_healthy: Sequence[Item]
    real_lesions: Sequence[Item]
    made_healthy: Sequence[Item]
    made_lesions: Sequence[Item]
    made_alike: Sequence[Item]


def main() -> int:
    """Audit every set of every seed and write what was caught and what passed."""
    given = _arguments()
    see = photographs()
    kinds: dict[str, Callable[[int], Pool]] = {}
    if not given.films_only:
        kinds["phantoms"] = lambda seed: phantom_pool(seed, given.count)
    if given.mini_mias:
        kinds["mini-MIAS"] = lambda seed: film_pool(given.mini_mias, seed, given.count)
    runs = earlier(given.json)
    for seed in range(given.first_seed, given.first_seed + given.seeds):
        for kind, draw in kinds.items():
            done = {run["set"] for run in runs if (run["data"], run["seed"]) == (kind, seed)}
            wanted = [name for name in given.sets or (*FLAWED, *SOUND) if name not in done]
            if not wanted:
                continue
            known = designs(draw(seed))
            for name in wanted:
                runs.append({"data": kind, "seed": seed, **tried(name, known[name], see)})
                print(json.dumps(runs[-1]), flush=True)
                write_json(given.json, {"title": TITLE, "sets": summary(runs), "runs": runs})
    return 0


def earlier(path: Path) -> list[dict[str, object]]:
    """What a report has already."""
    return json.loads(path.read_text("utf-8"))["runs"] if path.exists() else []


def designs(pool: Pool) -> dict[str, list[Item]]:
    """The sets by name."""
    healthy, lesions = pool.real_healthy, pool.real_lesions
    half = len(lesions) // 2
    original = [*pool.made_healthy, *lesions]
    return {
        "original": original,
        "original, source unsaid": [_unsaid(item) for item in original],
        "lesions mixed": [*pool.made_healthy, *lesions[:half], *pool.made_lesions[half:]],
        "healthy mixed": [*healthy[:half], *pool.made_healthy[half:], *lesions],
        "two codecs": [*map(_coded, healthy), *lesions],
        "clean": [*healthy, *lesions],
        "balanced": [
            *healthy[:half],
            *pool.made_alike[half:],
            *lesions[:half],
            *pool.made_lesions[half:],
        ],
        "one codec": [_coded(item) for item in (*healthy, *lesions)],
    }


def tried(name: str, items: Sequence[Item], see: See) -> dict[str, object]:
    """One set's audit, and the accuracy that a look at it without one would have shown."""
    began = time.monotonic()
    images = {item.row.path: item.image for item in items}
    assert len(images) == len(items), "two images of one name"
    manifest = Manifest(
        Path(name), tuple(i.row for i in items), tuple(b for i in items for b in i.boxes)
    )
    report = audit(manifest, read=lambda row: images[row.path](), see=see)
    seconds = time.monotonic() - began
    return {
        "set": name,
        "flawed": name in FLAWED,
        "images": len(items),
        "verdict": report.verdict.value,
        "by_pixels": _verdict(report, by_pixels=True).value,
        "by_table": _verdict(report, by_pixels=False).value,
        "red": [str(check.name) for check in report.of(Verdict.RED)],
        "naive_accuracy": round(naive_accuracy(manifest, images, see), 4)
        if name in FLAWED
        else None,
        "blind_area": _blind_area(report),
        "seconds": round(seconds, 1),
    }


def naive_accuracy(
    manifest: Manifest, images: dict[str, Callable[[], tuple[Stored, Mammogram]]], see: See
) -> float:
    """Lesions in sight, images dealt to folds one by one: what the original design reported."""
    boxed = {box.path for box in manifest.boxes}
    lesions = [row for row in manifest.rows if row.path in boxed]
    others = [row for row in manifest.rows if row.path not in boxed]
    open_eyed = replace(manifest, boxes=())
    seen = look(open_eyed, lesions, others, lambda row: images[row.path](), see, NOBODY)
    answers = np.array([row.path in boxed for row in seen.rows])
    told = Probe(seen.blocks, [row.path for row in seen.rows]).ask(answers, permutations=1)
    return float(np.mean((told.scores > 0) == answers))


def summary(runs: Sequence[dict[str, object]]) -> dict[str, dict[str, object]]:
    """For each kind of data and set, how often it was RED: caught, or not passed."""
    found: dict[str, dict[str, object]] = {}
    for data, name in dict.fromkeys((str(run["data"]), str(run["set"])) for run in runs):
        these = [run for run in runs if (run["data"], run["set"]) == (data, name)]
        reds = sum(run["verdict"] == "red" for run in these)
        found[f"{data}: {name}"] = {
            "flawed": name in FLAWED,
            "of": len(these),
            "red": reds,
            "green": sum(run["verdict"] == "green" for run in these),
            "red_by_pixels_alone": sum(run["by_pixels"] == "red" for run in these),
            "naive_accuracy": _mean([run["naive_accuracy"] for run in these]),
        }
    return found


def _mean(values: Sequence[object]) -> float | None:
    known = [value for value in values if isinstance(value, float)]
    return round(sum(known) / len(known), 4) if known else None


def phantom_pool(seed: int, count: int) -> Pool:
    """Phantoms of two makers, or of one and the generator's; each of another woman."""
    real, other = VENDORS[0], VENDORS[1]
    first = 10_000_000 + seed * 100_000
    if (MODELS / GENERATOR).is_dir():
        made = _generated(seed, count)
    else:
        healthy = _phantoms(first + 40_000, count, other, Source.GENERATED, lesion=False)
        lesions = _phantoms(first + 60_000, count, other, Source.GENERATED, lesion=True)
        made = healthy, lesions, healthy
    return Pool(
        _phantoms(first, count, real, Source.REAL, lesion=False),
        _phantoms(first + 20_000, count, real, Source.REAL, lesion=True),
        *made,
    )


def _phantoms(
    first: int, count: int, vendor: Vendor, source: Source, *, lesion: bool
) -> list[Item]:
    found: list[Item] = []
    seed = first
    while len(found) < count:
        seed += 1
        item = _phantom(seed, vendor, source, lesion=lesion)
        if bool(item.boxes) == lesion:
            found.append(item)
    return found


def _phantom(seed: int, vendor: Vendor, source: Source, *, lesion: bool) -> Item:
    woman = draw_woman(seed, lesion_rate=1.0 if lesion else 0.0)
    side, view = STANDARD_VIEWS[int(np.random.default_rng((seed, 17)).integers(4))]
    phantom = make_phantom(woman, side, view, pixel_mm=PIXEL_MM, vendor=vendor)
    path = f"{vendor.name}-{seed}.dcm"
    malignant = any(each.malignant for each in phantom.lesions)
    label = Label.MALIGNANT if malignant else Label.BENIGN
    row = ManifestRow(
        path,
        f"woman-{seed}",
        side,
        view,
        label if phantom.lesions else Label.NORMAL,
        source,
        # A generated image is for training, and so is all here: the splits are not on trial.
        Split.TRAIN,
        phantom.density,
    )
    # That one maker stands for a scanner is the trial's secret: no header says simulated.
    mammogram = replace(as_mammogram(phantom), path=Path(path), synthetic=False)
    boxes = tuple(BoxRow(path, truth.box) for truth in phantom.lesions)
    return Item(row, boxes, lambda: (phantom.pixels, mammogram))


def _generated(seed: int, count: int) -> tuple[list[Item], list[Item], list[Item]]:
    """Healthy breasts that the generator draws, lesions that it paints, and shams."""
    from ml.synth.making import run
    from ml.synth.pack import read_any
    from ml.synth.prompts import prompt_text, read_prompt

    pack = read_any(MODELS / GENERATOR, (), None)
    maker = pack.card.vendors[0]
    plain = f"a {maker} mammogram in MLO view with small area and high density, left breast"
    healthy = prompt_text(read_prompt(plain, pack.card.vendors))
    found: list[list[Item]] = []
    mass = ", with a mass in the upper outer quadrant"
    kinds = (("", 0.0), (mass, 0.0), ("", 1.0))
    for number, (lesion, shams) in enumerate(kinds):
        with tempfile.TemporaryDirectory(prefix="audit-trial-") as folder:
            spec = {"prompts": [healthy + lesion], "count": count, "out": folder}
            # No breast is the host of a lesion and of a sham: that would be one woman twice.
            run({**spec, "seed": seed * len(kinds) + number, "sham_share": shams}, NOBODY)
            found.append(_held(read_manifest(Path(folder)), f"kind-{number}"))
    return found[0], found[1], found[2]


def _held(manifest: Manifest, folder: str) -> list[Item]:
    """Read at once, as the folder goes; named apart from the images of other folders."""
    read = read_listed(manifest)
    found: list[Item] = []
    for row in manifest.rows:
        path = f"{folder}/{row.path}"
        boxes = tuple(replace(box, path=path) for box in manifest.boxes_of(row.path))
        found.append(Item(replace(row, path=path), boxes, _given(read(row))))
    return found


def _given(image: tuple[Stored, Mammogram]) -> Callable[[], tuple[Stored, Mammogram]]:
    return lambda: image


def film_pool(folder: Path, seed: int, count: int) -> Pool:
    """Films in another order for each seed; those that stand for generated are others."""
    with (folder / "labels.csv").open(newline="", encoding="utf-8") as table:
        rows = list(csv.DictReader(table))
    lesions: dict[str, list[dict[str, str]]] = {}
    for row in rows:
        if row["x0"]:
            lesions.setdefault(row["file"], []).append(row)
    healthy = [row for row in rows if row["label"] == "normal"]
    rng = np.random.default_rng(seed)
    fit = min(count, len(lesions), len(healthy) // 2)
    with_lesion = [list(lesions.values())[at] for at in rng.permutation(len(lesions))[:fit]]
    without = [[healthy[at]] for at in rng.permutation(len(healthy))[: 2 * fit]]
    real = [_film(folder, each) for each in (*without[:fit], *with_lesion)]
    made = [_decoded(_film(folder, each)) for each in (*without[fit:], *with_lesion)]
    return Pool(real[:fit], real[fit:], made[:fit], made[fit:], made[:fit])


def _film(folder: Path, rows: Sequence[dict[str, str]]) -> Item:
    path = rows[0]["file"]
    row = ManifestRow(
        path,
        rows[0]["patient_id"],
        label=Label(rows[0]["label"]),
        source=Source.REAL,
        split=Split.TRAIN,
        extra={"tissue": rows[0]["density"]},
    )
    boxes = tuple(
        BoxRow(path, Box(float(r["y0"]), float(r["x0"]), float(r["y1"]), float(r["x1"])))
        for r in rows
        if r["x0"]
    )

    # Every set of a seed looks at the same films.
    @cache
    def image() -> tuple[Stored, Mammogram]:
        mammogram = read_mammogram(folder / path)
        return np.asarray(read_pixels(mammogram)), mammogram

    return Item(row, boxes, image)


def _decoded(item: Item) -> Item:
    """As if drawn with half the rows and enlarged: Stable Diffusion draws 512."""

    def image() -> tuple[Stored, Mammogram]:
        pixels, mammogram = item.image()
        rows, columns = pixels.shape
        half = cv2.resize(
            np.asarray(pixels, np.float32),
            (columns // 2, rows // 2),
            interpolation=cv2.INTER_AREA,
        )
        whole = cv2.resize(half, (columns, rows), interpolation=cv2.INTER_LINEAR)
        return np.round(whole).astype(pixels.dtype), mammogram

    return replace(item, row=replace(item.row, source=Source.GENERATED), image=image)


def _coded(item: Item) -> Item:
    """Through one codec: 8 bits, JPEG; the header stays, so that pixels must tell."""

    def image() -> tuple[Stored, Mammogram]:
        pixels, mammogram = item.image()
        values = pixels.astype(np.float32)
        scale = 255 / max(float(values.max()), 1.0)
        gray = np.round(values * scale).astype(np.uint8)
        packed = cv2.imencode(".jpg", gray, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1]
        decoded = np.asarray(cv2.imdecode(packed, cv2.IMREAD_GRAYSCALE), np.float32)
        return np.round(decoded / scale).astype(pixels.dtype), mammogram

    return replace(item, image=image)


def _unsaid(item: Item) -> Item:
    return replace(item, row=replace(item.row, source=None))


def _verdict(report: AuditReport, *, by_pixels: bool) -> Verdict:
    return worst(
        check.verdict
        for check in report.checks
        if (check.name.template in BY_PIXELS) == by_pixels
    )


def _blind_area(report: AuditReport) -> float | None:
    found = [
        c.figures[0].value for c in report.checks if c.name.template == BLIND and c.figures
    ]
    return round(found[0], 4) if found else None


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=20, metavar="N")
    parser.add_argument("--first-seed", type=int, default=0, metavar="S")
    parser.add_argument("--count", type=int, default=60, metavar="N", help="of each answer")
    parser.add_argument("--mini-mias", type=Path, metavar="FOLDER")
    parser.add_argument("--films-only", action="store_true", help="no phantoms")
    parser.add_argument("--sets", nargs="+", metavar="NAME", choices=(*FLAWED, *SOUND))
    parser.add_argument("--json", type=Path, required=True, metavar="FILE")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
