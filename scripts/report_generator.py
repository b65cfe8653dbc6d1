"""Measure the generator that ships beside simulated women and real films.

    python scripts/report_generator.py --work FOLDER --mini-mias FOLDER [--pack FOLDER]

What it is compared with was not taught: simulated women of other seeds, and the films of the
women whose hash does not say train. Lesions are painted into simulated healthy breasts, and the
detectors that ship are asked for marks before and after. The report goes to
`resources/docs/reports`, the contact sheet beside the results page, which `write_results.py`
makes; the pack's card gets the figures. `--work` keeps the simulated women, so that another
generator is measured on the same.
"""

from __future__ import annotations

import argparse
import csv
import logging
import os
from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
from write_results import DOCS, write_report

from ml.control import NOBODY
from ml.data.canvases import read_canvases, write_canvases
from ml.data.sources.mini_mias import mini_mias_canvases
from ml.data.sources.phantoms import PhantomSet, as_mammogram, phantom_canvases
from ml.hashed import name_sha256
from ml.infer.reader import load_reader
from ml.mammo.codes import BreastDensity, ViewPosition
from ml.mammo.prepare import FINE, prepare
from ml.manifest import ManifestRow, Split
from ml.phantom.phantom import STANDARD_VIEWS, make_phantom
from ml.phantom.vendors import FILMS, VENDORS
from ml.phantom.woman import draw_woman
from ml.places import GENERATOR, MODELS
from ml.splits import split_by_patient
from ml.synth.balance import any_prompt
from ml.synth.comparing import FLOOR, GENERATED, QualityReport
from ml.synth.estimators import chest_left
from ml.synth.features import spaces
from ml.synth.hosts import PhantomHosts
from ml.synth.lesions import NoRoomError, paint_lesion
from ml.synth.metrics import kid, mean_of, told_apart
from ml.synth.pack import read_generator, write_generator_card
from ml.synth.pipeline import Sampling, load_generator
from ml.synth.prompts import LesionKind, Prompt, prompt_text
from ml.synth.quality import Pictures, measure
from ml.synth.quality_pieces import Pieces, measure_pieces, piece_about
from ml.synth.teaching import (
    ANATOMY,
    FILM_DENSITIES,
    LEAST_SEEN,
    area_cm2,
    area_word,
    healthy_prompt,
    lesion_kind,
    vendor_word,
)
from ml.train.generator_data import as_unit

mpl.use("Agg")
from matplotlib import pyplot as plt

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from ml.data.canvases import CanvasItem, CanvasSet
    from ml.infer.reader import MammogramReader
    from ml.mammo.geometry import Box
    from ml.mammo.mammogram import Mammogram
    from ml.registry import Figure
    from ml.synth.metrics import Estimate
    from ml.synth.pipeline import Generator

log = logging.getLogger("report_generator")
SHEET = "generator-examples.jpg"
# Seeds that nothing else draws from.
WOMEN = PhantomSet(7_000_000, 400, lesion_rate=0.0, pixel_mm=ANATOMY.pixel_mm / 2)
FIRST_HOST, FIRST_DISEASED = 8_000_000, 8_500_000
SEED = 20261127
AT_ONCE = 4
SAMPLING = Sampling()
KINDS: tuple[LesionKind | None, ...] = (None, *LesionKind)
SHAM = "nothing (sham)"
# Of each kind, painted and simulated.
OF_A_KIND = 20
# On the sheet, of each density and of each lesion.
SHOWN_OF_A_KIND = 2
DENSITIES = tuple(BreastDensity)
NOTE = (
    "{name} {version}, {steps} steps of noise, guidance {guidance:g}, on {women} simulated "
    "breasts and {films} films without lesion that it was not taught. Every generated breast "
    "answers the sentence of one of them. In the column '{floor}' two halves of those images "
    "are held against each other: as near as so few can be."
)
CANNOT = (
    "What it cannot do: a plain regression on what an ImageNet network sees tells its breasts "
    "from simulated women in {women:.0%} of cases, and from films in {films:.0%} (half is "
    "guessing); painted lesions from simulated ones in {lesions:.0%}, and a place that was "
    "painted over with healthy tissue from the same place untouched in {sham:.0%}. So a "
    "network can learn what is generated instead of what is ill wherever the two go together, "
    "and nothing here shows that such images help a model. Its tissue is blurred: simulated "
    "women who only went through its autoencoder are {carried:.2f} (KID) from others, its "
    "breasts {kid:.2f}. Single calcifications are lost with the rest: the detector marks "
    "{painted:.0%} of the clusters that it painted, and {simulated:.0%} of simulated ones. Its "
    "breasts have pixels of 0.8 mm; it knows no other lesions than those of our simulation."
)


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """Healthy images of known truth with the sentence of each.

    Attributes
    ----------
    taught
        Images that the generator was taught on, for copies.
    """

    held_out: Pictures
    prompts: tuple[Prompt, ...]
    taught: Pictures


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """One place in one image, and what the detectors say of it.

    Attributes
    ----------
    kind
        What is there; None: healthy tissue.
    piece : (256, 256) float32
        About it.
    marked
        Whether a mark's middle lies in its box.
    """

    patient: str
    kind: LesionKind | None
    piece: NDArray[np.float32]
    marked: bool


def main() -> None:
    """Measure, write the report, draw the sheet."""
    given = _parser().parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    pack = read_generator(given.pack)
    generator, taught = load_generator(pack), set(pack.card.training_patients)
    sources = {
        "simulated women": simulated_women(given.work, taught),
        "films of mini-MIAS": films(given.mini_mias, taught),
    }
    quality: dict[str, QualityReport] = {}
    drawn: dict[str, Pictures] = {}
    for name, known in sources.items():
        log.info("breasts beside %s: %d", name, len(known.prompts))
        drawn[name] = answers(generator, known)
        quality[name] = measure(drawn[name], known.taught, known.held_out, NOBODY)
    reader = load_reader()
    log.info("simulated lesions")
    simulated = simulated_lesions(reader)
    log.info("painted lesions")
    before, after = painted_lesions(generator, pack.card.vendors, reader)
    quality["simulated lesions"] = measure_pieces(
        _pieces([p for p in after if p.kind]), _pieces(simulated), NOBODY
    )
    shams = _sham_told_apart(before, after)
    counts = [len(known.prompts) for known in sources.values()]
    document = {
        "title": "The generator of synthetic mammograms",
        "note": NOTE.format(
            name=pack.card.name,
            version=pack.card.version,
            steps=SAMPLING.steps,
            guidance=SAMPLING.guidance,
            women=counts[0],
            films=counts[1],
            floor=FLOOR,
        ),
        "cannot": CANNOT.format(
            women=_told(quality["simulated women"]),
            films=_told(quality["films of mini-MIAS"]),
            lesions=_told(quality["simulated lesions"]),
            sham=shams.value,
            carried=carried_distance(generator, sources["simulated women"]),
            kid=_figure(quality["simulated women"], "KID"),
            painted=_marked(after, LesionKind.CALCIFICATION_CLUSTER),
            simulated=_marked(simulated, LesionKind.CALCIFICATION_CLUSTER),
        ),
        "sheet": SHEET,
        "quality": {name: report.to_json() for name, report in quality.items()},
        "marks": marks_of(before, after, simulated),
        "threshold": reader.detectors.card.operating_points[0].name,
        "data": pack.card.data,
    }
    write_report("generator", document)
    write_generator_card(given.pack, replace(pack.card, figures=figures_of(quality)))
    draw_sheet(DOCS / SHEET, sources, drawn, before, after)


def simulated_women(work: Path, taught: set[str]) -> Known:
    """Women of other seeds, and of those that were taught as many."""
    folder = work / "held_out"
    if not (folder / "canvases.json").exists():
        images = phantom_canvases(WOMEN, ANATOMY, processes=os.cpu_count() or 1)
        write_canvases(folder, images, WOMEN.count, ANATOMY)
    held_out = read_canvases(folder)
    own = read_canvases(work / "breasts")
    if any(name_sha256(item.patient_id) in taught for item in held_out.items):
        raise SystemExit("The generator was taught on the women that shall measure it.")
    return Known(*_pictures(held_out), _pictures(own, WOMEN.count)[0])


def films(folder: Path, taught: set[str]) -> Known:
    """Films without lesion: those held out, and those that were taught."""
    with (folder / "labels.csv").open(newline="", encoding="utf-8") as table:
        densities = {
            Path(row["file"]).stem: FILM_DENSITIES[row["density"]]
            for row in csv.DictReader(table)
        }
    healthy = [one for one in mini_mias_canvases(folder, ANATOMY) if not one[1].lesion]
    parts = {
        known: [one for one in healthy if _is_of_training(one[1]) is known]
        for known in (True, False)
    }
    if any(name_sha256(item.patient_id) in taught for _, item in parts[False]):
        raise SystemExit("The generator was taught on the films that shall measure it.")
    return Known(*_told_of(parts[False], densities), _told_of(parts[True], densities)[0])


def _is_of_training(item: CanvasItem) -> bool:
    return split_by_patient(item.patient_id) is Split.TRAIN


def _pictures(known: CanvasSet, most: int | None = None) -> tuple[Pictures, tuple[Prompt, ...]]:
    return _told_of(list(known.images())[:most], {})


def _told_of(
    images: Iterable[tuple[NDArray[np.uint16], CanvasItem]],
    densities: Mapping[str, BreastDensity],
) -> tuple[Pictures, tuple[Prompt, ...]]:
    prompts, pixels, rows = [], [], []
    for canvas, item in images:
        area = area_word(area_cm2(canvas, ANATOMY.pixel_mm))
        prompt = healthy_prompt(item, area, densities)
        prompts.append(prompt)
        pixels.append(as_unit(canvas))
        rows.append(_row(item.image_id, item.patient_id, prompt))
    return Pictures(pixels, tuple(rows)), tuple(prompts)


def _row(path: str, patient: str, prompt: Prompt) -> ManifestRow:
    return ManifestRow(path, patient, prompt.laterality, prompt.view, density=prompt.density)


def answers(generator: Generator, known: Known) -> Pictures:
    """One generated breast for each sentence, chest wall at the left."""
    images: list[NDArray[np.float32]] = []
    for begin in range(0, len(known.prompts), AT_ONCE):
        prompts = known.prompts[begin : begin + AT_ONCE]
        seeds = range(SEED + begin, SEED + begin + len(prompts))
        drawn = generator.draw(prompts, seeds, SAMPLING)
        images += [
            chest_left(one, prompt.laterality)
            for one, prompt in zip(drawn, prompts, strict=True)
        ]
    rows = tuple(_row(str(n), f"drawn-{n}", prompt) for n, prompt in enumerate(known.prompts))
    return Pictures(images, rows)


def carried_distance(generator: Generator, known: Known) -> float:
    """KID between half of the images, through the autoencoder and back, and the other half."""
    images = known.held_out.images
    middle = len(images) // 2
    back = [
        np.clip(generator.carried(np.stack(images[begin : begin + AT_ONCE])), 0, 1)
        for begin in range(0, middle, AT_ONCE)
    ]
    space = spaces()[0]
    return kid(space(list(np.concatenate(back))), space(images[middle:])).value


def simulated_lesions(reader: MammogramReader) -> list[Place]:
    """Lesions of the simulation itself that can be seen, as many of each kind."""
    found: dict[LesionKind, list[Place]] = defaultdict(list)
    makers = VENDORS + FILMS
    for seed in range(FIRST_DISEASED, FIRST_DISEASED + 20 * OF_A_KIND):
        if sum(map(len, found.values())) == len(LesionKind) * OF_A_KIND:
            break
        woman = draw_woman(seed, lesion_rate=1.0)
        side, view = STANDARD_VIEWS[seed % len(STANDARD_VIEWS)]
        made = make_phantom(
            woman, side, view, pixel_mm=FINE.pixel_mm, vendor=makers[seed % len(makers)]
        )
        for truth in made.lesions:
            kind = lesion_kind(truth.finding_type, truth.descriptor)
            wanted = kind is not None and len(found[kind]) < OF_A_KIND
            if kind and wanted and truth.detectability >= LEAST_SEEN:
                image = as_mammogram(made)
                found[kind].append(
                    _place(reader, image, made.pixels, truth.box, made.patient_id, kind)
                )
    return [place for places in found.values() for place in places]


def painted_lesions(
    generator: Generator, vendors: Sequence[str], reader: MammogramReader
) -> tuple[list[Place], list[Place]]:
    """The same places before and after painting."""
    makers = [word for word in vendors if word in map(vendor_word, _maker_names())]
    before, after = [], []
    for number in range(OF_A_KIND * len(KINDS)):
        kind = KINDS[number % len(KINDS)]
        rng = np.random.default_rng((SEED, number))
        prompt = any_prompt(makers, kind, rng)
        seed = FIRST_HOST + number
        host = PhantomHosts().host(prompt, seed)
        try:
            done = paint_lesion(generator, host.pixels, host.mammogram, prompt, seed, SAMPLING)
        except NoRoomError:
            log.info("no room: %s", prompt_text(prompt))
            continue
        whose = f"host-{number}"
        for pixels, places, here in ((host.pixels, before, None), (done.pixels, after, kind)):
            places.append(_place(reader, host.mammogram, pixels, done.box, whose, here))
    return before, after


def _maker_names() -> list[str]:
    return [maker.name for maker in VENDORS + FILMS]


def _place(
    reader: MammogramReader,
    image: Mammogram,
    pixels: NDArray[np.generic],
    box: Box,
    patient: str,
    kind: LesionKind | None,
) -> Place:
    threshold = reader.detectors.card.operating_points[0].threshold
    (said,) = reader.analyze([image], lambda _: pixels).images
    middles = [mark.box.center for mark in said.findings if mark.score >= threshold]
    marked = any(
        box.row0 <= row < box.row1 and box.col0 <= column < box.col1 for row, column in middles
    )
    whole = prepare(pixels, image, FINE)
    piece = piece_about(whole.pixels, whole.to_stored.inverse().box(box))
    return Place(patient, kind, piece, marked)


def _pieces(places: Sequence[Place]) -> Pieces:
    return Pieces([one.piece for one in places], tuple(one.patient for one in places))


def _sham_told_apart(before: Sequence[Place], after: Sequence[Place]) -> Estimate:
    """How well a place painted with healthy tissue is told from the same one untouched."""
    space = spaces()[0]
    shams = [i for i, place in enumerate(after) if place.kind is None]
    whose = [after[i].patient for i in shams]
    seen = (space([part[i].piece for i in shams]) for part in (before, after))
    one, other = seen
    return told_apart(one, other, (whose, whose))


def _told(report: QualityReport) -> float:
    return _figure(report, "told from real")


def _figure(report: QualityReport, name: str) -> float:
    """Of generated images, as an ImageNet network sees them."""
    return next(
        figure.value
        for figure in report.figures
        if figure.name.startswith(name)
        and "ImageNet" in figure.name
        and figure.data == GENERATED
    )


def marks_of(
    before: Sequence[Place], after: Sequence[Place], simulated: Sequence[Place]
) -> list[dict[str, object]]:
    """How often the detectors mark the place: painted, the same untouched, and simulated."""
    lines = []
    for kind in KINDS:
        chosen = [i for i, place in enumerate(after) if place.kind is kind]
        beside = [place for place in simulated if kind and place.kind is kind]
        lines.append(
            {
                "kind": _what(kind),
                "n": len(chosen),
                "painted": _share([after[i] for i in chosen]),
                "untouched": _share([before[i] for i in chosen]),
                "simulated": _share(beside),
            }
        )
    return lines


def _marked(places: Sequence[Place], kind: LesionKind) -> float:
    return float(np.mean([place.marked for place in places if place.kind is kind]))


def _share(places: Sequence[Place]) -> dict[str, float | None]:
    if not places:
        return {"value": None, "low": None, "high": None}
    found = mean_of(np.asarray([place.marked for place in places], float))
    return {"value": found.value, "low": found.low, "high": found.high}


def figures_of(quality: Mapping[str, QualityReport]) -> tuple[Figure, ...]:
    """What the pack's card says of it: of generated images, beside each source."""
    return tuple(
        replace(figure, data=f"{GENERATED}, beside {name}")
        for name, report in quality.items()
        for figure in report.figures
        if figure.data == GENERATED and "deviation" not in figure.name
    )


def draw_sheet(
    path: Path,
    sources: Mapping[str, Known],
    drawn: Mapping[str, Pictures],
    before: Sequence[Place],
    after: Sequence[Place],
) -> None:
    """Generated breasts of every density; below them places before and after painting.

    No film is shown: of films only what was generated in their manner.
    """
    rows: list[list[tuple[NDArray[np.float32], str]]] = []
    for name, known in sources.items():
        for view in (ViewPosition.CC, ViewPosition.MLO):
            shown = _by_density(known.prompts, view)
            if shown:
                rows.append([(drawn[name].images[i], _words(known.prompts[i])) for i in shown])
    firsts = [
        index
        for kind in KINDS
        for index in [i for i, one in enumerate(after) if one.kind is kind][:SHOWN_OF_A_KIND]
    ]
    for title, places in (("before", before), ("after", after)):
        rows.append([(places[i].piece, f"{title}: {_what(after[i].kind)}") for i in firsts])
    columns = max(map(len, rows))
    figure, axes = plt.subplots(
        len(rows), columns, figsize=(1.6 * columns, 1.85 * len(rows)), squeeze=False
    )
    for axis in axes.flat:
        axis.axis("off")
    for line, row in zip(axes, rows, strict=True):
        for axis, (picture, words) in zip(line, row, strict=False):
            axis.imshow(picture, cmap="gray", vmin=0, vmax=1)
            axis.set_title(words, fontsize=6)
    figure.suptitle("SYNTHETIC: nobody's breasts", fontsize=9)
    figure.tight_layout(pad=0.3, rect=(0, 0, 1, 0.97))
    figure.savefig(path, dpi=110, pil_kwargs={"quality": 85})
    plt.close(figure)


def _what(kind: LesionKind | None) -> str:
    return kind.value if kind else SHAM


def _by_density(prompts: Sequence[Prompt], view: ViewPosition) -> list[int]:
    """Two of each density, in that view."""
    return [
        index
        for density in DENSITIES
        for index in [
            i for i, p in enumerate(prompts) if (p.view, p.density) == (view, density)
        ][:SHOWN_OF_A_KIND]
    ]


def _words(prompt: Prompt) -> str:
    return f"{prompt.vendor} {prompt.view.value} {prompt.density.value}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Measure the generator that ships.")
    parser.add_argument("--work", required=True, type=Path, metavar="FOLDER")
    parser.add_argument("--mini-mias", required=True, type=Path, metavar="FOLDER")
    parser.add_argument("--pack", type=Path, default=MODELS / GENERATOR, metavar="FOLDER")
    return parser


if __name__ == "__main__":
    main()
