"""Set phantoms beside real films, in figures: write `resources/docs/phantoms.md` and plots.

    python scripts/compare_phantoms.py --mini-mias FOLDER --ddsm FOLDER --out resources/docs

No film is copied: of films only figures and curves are written.
"""

from __future__ import annotations

import argparse
import csv
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import matplotlib as mpl
import numpy as np
from pictures import shrink
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from ml.data.sources.mini_mias import mini_mias_canvases  # noqa: E402 the path comes first
from ml.data.sources.phantoms import PhantomSet, as_mammogram, phantom_canvases  # noqa: E402
from ml.mammo.codes import FindingType, Laterality, ViewPosition  # noqa: E402
from ml.mammo.prepare import PrepareSpec, prepare  # noqa: E402
from ml.phantom.anatomy import build_anatomy  # noqa: E402
from ml.phantom.figures import Measured, conspicuity, measure  # noqa: E402
from ml.phantom.phantom import make_phantom  # noqa: E402
from ml.phantom.vendors import FILMS  # noqa: E402
from ml.phantom.woman import draw_woman  # noqa: E402

mpl.use("Agg")
from matplotlib import pyplot as plt  # noqa: E402 the back-end comes first

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from ml.data.canvases import CanvasItem

    # Of DDSM masks; of phantoms by volume; of phantoms by area.
    Shares = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]

SPEC = PrepareSpec()
# No set that is trained or tested on draws women from here.
FIRST_SEED = 9_000_000
COUNT = 80
LESION_RATE = 0.3
# Images of which the masses are set beside those of the films.
WITH_MASSES = PhantomSet(9_100_000, 160, lesion_rate=1.0)
# The values of the DDSM tissue masks.
ADIPOSE, FIBROGLANDULAR = 128, 192
# A beam that crosses more gland than this shows as dense.
DENSE_SHARE = 0.25
# Of the pages' pictures.
COLOURS = 256
FORM = ("area (cm2)", "height (mm)", "width (mm)", "share of its box")
REAL_COLOUR, PHANTOM_COLOUR = "#444444", "#c05020"


@dataclass(frozen=True, slots=True, eq=False)
class Breast:
    """One image in figures, with the density that its set gives it."""

    density: str
    measured: Measured
    canvas: NDArray[np.uint16] | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """One figure in both sets."""

    name: str
    real: NDArray[np.float64]
    phantom: NDArray[np.float64]

    @property
    def standardized(self) -> float:
        """Phantoms' mean less films', over the pooled deviation."""
        pooled = np.sqrt((self.real.var(ddof=1) + self.phantom.var(ddof=1)) / 2)
        return float((self.phantom.mean() - self.real.mean()) / pooled)

    @property
    def apart(self) -> float:
        """Kolmogorov and Smirnov's distance, 0 to 1."""
        return _ks(self.real, self.phantom)


def _ks(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Kolmogorov and Smirnov's distance: the largest between the two cumulated shares."""
    places = np.sort(np.concatenate([one, other]))
    below = (np.searchsorted(np.sort(x), places, "right") / len(x) for x in (one, other))
    return float(np.max(np.abs(np.subtract(*below))))


def real_films(folder: Path) -> Iterator[Breast]:
    """One film a woman: two of one are not independent."""
    with (folder / "labels.csv").open(newline="", encoding="utf-8") as table:
        tissue = {Path(row["file"]).stem: row["density"] for row in csv.DictReader(table)}
    seen: set[str] = set()
    for pixels, item in mini_mias_canvases(folder, SPEC):
        if item.patient_id in seen:
            continue
        seen.add(item.patient_id)
        yield Breast(tissue[item.image_id], measure(pixels, SPEC.pixel_mm))


def phantom_films(count: int) -> Iterator[Breast]:
    """Scanned phantom films in the same view, the muscle cut away as in the collection."""
    for number in range(count):
        vendor = FILMS[number % len(FILMS)]
        assert vendor.film is not None
        phantom = make_phantom(
            draw_woman(FIRST_SEED + number, lesion_rate=LESION_RATE),
            (Laterality.LEFT, Laterality.RIGHT)[number // len(FILMS) % 2],
            ViewPosition.MLO,
            pixel_mm=SPEC.pixel_mm,
            vendor=replace(vendor, film=replace(vendor.film, cut=1.0)),
        )
        canvas = prepare(phantom.pixels, as_mammogram(phantom), SPEC).pixels
        yield Breast(phantom.density.value, measure(canvas, SPEC.pixel_mm), canvas)


def dense_areas(count: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Of phantoms: share of gland by volume, and share of the area that shows as dense."""
    volumes, areas = [], []
    for number in range(count):
        woman = draw_woman(FIRST_SEED + number, lesion_rate=0)
        rng = np.random.default_rng((woman.seed, 3, 2))
        anatomy = build_anatomy(woman, ViewPosition.MLO, 0.4, rng)
        breast = (anatomy.depth_mm > 0) & (anatomy.muscle < DENSE_SHARE)
        volumes.append(woman.glandular_fraction)
        areas.append(float(np.mean(anatomy.glandular[breast] > DENSE_SHARE)))
    return np.array(volumes), np.array(areas)


def ddsm_areas(folder: Path) -> NDArray[np.float64]:
    """Fibroglandular over fibroglandular and adipose area of each mask."""
    found = []
    for path in sorted((folder / "masks").iterdir()):
        mask = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        if mask is None:
            continue
        dense, fat = np.sum(mask == FIBROGLANDULAR), np.sum(mask == ADIPOSE)
        found.append(float(dense / (dense + fat)))
    return np.array(found)


def mass_contrasts(
    images: Iterator[tuple[NDArray[np.uint16], CanvasItem]],
) -> NDArray[np.float64]:
    """How far each mass stands out from its breast."""
    found = [
        conspicuity(pixels, box)
        for pixels, item in images
        for box, kind in zip(item.box_values(), item.finding_types, strict=True)
        if kind is FindingType.MASS
    ]
    return np.array([value for value in found if np.isfinite(value)])


def differences(real: Sequence[Breast], phantoms: Sequence[Breast]) -> list[Difference]:
    """Every figure, those that differ most first."""
    found = [
        Difference(
            name,
            np.array([one.measured.figures[name] for one in real]),
            np.array([one.measured.figures[name] for one in phantoms]),
        )
        for name in real[0].measured.figures
    ]
    return sorted(found, key=lambda one: -abs(one.standardized))


def told_apart(found: Sequence[Difference]) -> float:
    """AUC of a logistic model that tells phantoms from films, on held-out fifths."""
    values = np.stack([np.concatenate([one.real, one.phantom]) for one in found], -1)
    labels = np.repeat([0, 1], [len(found[0].real), len(found[0].phantom)])
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=2000))
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    scores = cross_val_predict(model, values, labels, cv=folds, method="decision_function")
    return float(roc_auc_score(labels, scores))


def alone(one: Difference) -> float:
    """AUC of one figure by itself, 0.5 to 1."""
    labels = np.repeat([0, 1], [len(one.real), len(one.phantom)])
    area = float(roc_auc_score(labels, np.concatenate([one.real, one.phantom])))
    return max(area, 1 - area)


def plot_spectra(path: Path, real: Sequence[Breast], phantoms: Sequence[Breast]) -> None:
    """Median spectra with the middle 80 % of breasts."""
    figure, axes = plt.subplots(figsize=(6, 4), layout="constrained")
    for name, breasts, colour in (
        (f"{len(real)} films of mini-MIAS", real, REAL_COLOUR),
        (f"{len(phantoms)} phantom films", phantoms, PHANTOM_COLOUR),
    ):
        frequency = breasts[0].measured.frequency
        power = np.stack([one.measured.power for one in breasts])
        low, middle, high = np.percentile(power, (10, 50, 90), axis=0)
        axes.fill_between(frequency, low, high, color=colour, alpha=0.2, linewidth=0)
        axes.loglog(frequency, middle, color=colour, label=name)
    axes.axvspan(0.15, 0.7, color="#88aadd", alpha=0.15, linewidth=0, label="exponent fitted")
    axes.set(xlabel="cycles a mm", ylabel="power of the prepared image (mm²)")
    axes.legend(frameon=False)
    _save(figure, path)


def plot_density(path: Path, shares: Shares) -> None:
    """Cumulated shares of dense tissue."""
    ddsm, volume, area = shares
    figure, axes = plt.subplots(figsize=(6, 3.5), layout="constrained")
    for values, name, colour, line in (
        (ddsm, f"{len(ddsm)} DDSM masks, area", REAL_COLOUR, "-"),
        (area, "phantoms, area that shows as dense", PHANTOM_COLOUR, "-"),
        (volume, "phantoms, volume", PHANTOM_COLOUR, ":"),
    ):
        heights = np.linspace(0, 1, len(values))
        axes.step(np.sort(values), heights, label=name, color=colour, linestyle=line)
    axes.set(xlabel="share of glandular tissue", ylabel="share of breasts", xlim=(0, 1))
    axes.legend(frameon=False, loc="lower right")
    _save(figure, path)


def plot_differences(path: Path, found: Sequence[Difference]) -> None:
    """Standardized differences, as bars."""
    figure, axes = plt.subplots(figsize=(7, 8), layout="constrained")
    names = [one.name for one in found][::-1]
    axes.barh(names, [one.standardized for one in found][::-1], color=PHANTOM_COLOUR)
    axes.axvline(0, color="black", linewidth=0.8)
    axes.tick_params(axis="y", labelsize=7)
    axes.set(xlabel="phantoms less films, in standard deviations")
    _save(figure, path)


def picture(path: Path, phantoms: Sequence[Breast]) -> None:
    """Four prepared phantoms side by side: A to D where there are such."""
    chosen = {one.density: one.canvas for one in phantoms if one.canvas is not None}
    small = [
        cv2.resize(canvas, None, fx=0.35, fy=0.35, interpolation=cv2.INTER_AREA) // 257
        for _, canvas in sorted(chosen.items())
    ]
    cv2.imwrite(str(path), np.hstack(small).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 85])


def _save(figure: Figure, path: Path) -> None:
    figure.savefig(path, dpi=90, metadata={"Software": None})
    plt.close(figure)
    shrink(path, COLOURS)


def _spread(values: NDArray[np.float64]) -> str:
    low, middle, high = np.percentile(values, (10, 50, 90))
    return f"{middle:.3g} ({low:.3g} to {high:.3g})"


def _place_of(density: str) -> tuple[int, str]:
    """From fat to dense in either set's words."""
    words = ("fatty", "fatty-glandular", "dense-glandular")
    return (words.index(density) if density in words else len(words), density)


def _by_density(breasts: Sequence[Breast]) -> str:
    lines = []
    for letter in sorted({one.density for one in breasts}, key=_place_of):
        values = [one.measured.figures["beta"] for one in breasts if one.density == letter]
        lines.append(f"| {letter} | {len(values)} | {_spread(np.array(values))} |")
    return "\n".join(lines)


def page(
    real: Sequence[Breast],
    phantoms: Sequence[Breast],
    shares: Shares,
    masses: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> str:
    """The page, from the figures alone."""
    found = differences(real, phantoms)
    ddsm, volume, area = shares
    rows = "\n".join(
        f"| {one.name} | {_spread(one.real)} | {_spread(one.phantom)} "
        f"| {one.standardized:+.2f} | {one.apart:.2f} | {alone(one):.2f} |"
        for one in found
    )
    texture = [one for one in found if one.name not in FORM]
    worst = "\n".join(
        f"- {one.name}: {'more' if one.standardized > 0 else 'less'} in phantoms, "
        f"by {abs(one.standardized):.1f} standard deviations"
        for one in found[:6]
    )
    near = sum(abs(one.standardized) < 0.5 for one in found)
    return PAGE.format(
        films=len(real),
        count=len(phantoms),
        seed=FIRST_SEED,
        rate=LESION_RATE,
        auc=told_apart(found),
        texture_auc=told_apart(texture),
        near=near,
        all=len(found),
        worst=worst,
        rows=rows,
        real_beta=_by_density(real),
        phantom_beta=_by_density(phantoms),
        masks=len(ddsm),
        ddsm=_spread(ddsm),
        volume=_spread(volume),
        area=_spread(area),
        dense=DENSE_SHARE,
        ks=_ks(ddsm, area),
        real_masses=_quartiles(masses[0]),
        phantom_masses=_quartiles(masses[1]),
    )


def _quartiles(values: NDArray[np.float64]) -> str:
    ends = np.percentile(values, (10, 25, 50, 75, 90))
    return " | ".join([str(len(values)), *(f"{value:.2f}" for value in ends)])


PAGE = """# Phantoms beside real films

Written by `scripts/compare_phantoms.py`: no figure here was typed. {films} films of mini-MIAS,
one a woman, and {count} phantom films (women from seed {seed} on, MLO, {rate:.0%} of the
breasts with a lesion), prepared alike at 0.2 mm. The muscle is cut away in both. Spectrum and
texture are measured 5 mm inside the tissue: neither skin nor cut nor edge of the film counts.

![Four prepared phantoms](phantoms-examples.jpg)

## Can they be told apart?

A logistic model of all {all} figures tells phantoms from films with an AUC of **{auc:.3f}** on
held-out fifths, and of {texture_auc:.3f} without the figures of form. 0.5 would be no
difference; a network that sees the pixels would do better still. Images of both kinds must
therefore never stand for different labels in one training set. {near} of the {all} figures lie
within half a standard deviation of the films. These differ most:

{worst}

![Standardized differences](phantoms-differences.png)

## Power spectrum

![Power spectra](phantoms-spectrum.png)

The exponent of the power law between 0.15 and 0.7 cycles a mm (Burgess 1999), median and the
middle 80 %. The films have three classes in the collection's own words, which are not A to D.

| films | n | exponent |
|---|---|---|
{real_beta}

| phantoms | n | exponent |
|---|---|---|
{phantom_beta}

## Dense tissue

![Dense tissue](phantoms-density.png)

| | median and middle 80 % |
|---|---|
| {masks} DDSM masks: fibroglandular area over fibroglandular and adipose | {ddsm} |
| phantoms: area where more than {dense:.0%} of the beam's way is gland | {area} |
| phantoms: gland by volume | {volume} |

Who drew the masks drew what looks dense; where the line lies in a phantom ({dense:.0%}) is our
choice, and Kolmogorov and Smirnov's distance between the first two rows, {ks:.2f}, follows it.

## Masses

How far a mass stands out from its breast: the difference of two Gaussians of its own scale at
its place, in deviations from the whole breast's. The attenuation of phantom masses is drawn so
that these agree. A collection boxes what its readers found, so its faintest masses are missing.

| | n | 10 % | 25 % | median | 75 % | 90 % |
|---|---|---|---|---|---|---|
| masses of mini-MIAS | {real_masses} |
| phantom masses | {phantom_masses} |

## Every figure

Median and middle 80 %; the difference of the means in standard deviations; Kolmogorov and
Smirnov's distance; the AUC of the figure alone. Grey levels and powers are of the prepared
image in 0 to 1; "detail" is the band below a scale, its kurtosis as ln(1 + excess).

| figure | films | phantoms | difference | KS | AUC |
|---|---|---|---|---|---|
{rows}
"""


def main() -> None:
    """Measure both sets, write the page and its plots."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mini-mias", type=Path, required=True)
    parser.add_argument("--ddsm", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=ROOT / "resources" / "docs")
    parser.add_argument("--count", type=int, default=COUNT, help="phantoms")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    out: Path = arguments.out
    real = list(real_films(arguments.mini_mias))
    print(f"measured {len(real)} films", flush=True)
    phantoms = list(phantom_films(arguments.count))
    print(f"measured {len(phantoms)} phantoms", flush=True)
    shares = (ddsm_areas(arguments.ddsm), *dense_areas(arguments.count))
    plot_spectra(out / "phantoms-spectrum.png", real, phantoms)
    plot_density(out / "phantoms-density.png", shares)
    plot_differences(out / "phantoms-differences.png", differences(real, phantoms))
    picture(out / "phantoms-examples.jpg", phantoms)
    masses = (
        mass_contrasts(mini_mias_canvases(arguments.mini_mias, SPEC)),
        mass_contrasts(phantom_canvases(WITH_MASSES, SPEC)),
    )
    (out / "phantoms.md").write_text(page(real, phantoms, shares, masses), encoding="utf-8")
    print(f"wrote {out / 'phantoms.md'}")


if __name__ == "__main__":
    main()
