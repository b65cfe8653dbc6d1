"""Both models on one image: the only door through which anything is analyzed."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ml.errors import ModelError
from ml.exchange import PreparedImage, prepare_image
from ml.findings import Analysis, HeatMap, ImageAnalysis
from ml.in_use import packs_in_use
from ml.infer.choice import choose_engine
from ml.infer.classified import classified
from ml.infer.detections import to_findings
from ml.infer.detectors import Detectors
from ml.infer.engine import as_canvas
from ml.infer.marks import best_mark, with_mark
from ml.mammo.codes import BreastDensity, ImageKind
from ml.mammo.geometry import Affine
from ml.mammo.prepare import fine_canvas
from ml.registry import probability_of, read_pack, wants_of
from ml.texts import mark, translate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from ml.exchange import ImageFacts
    from ml.infer.engine import Engine, Graph
    from ml.mammo.mammogram import Mammogram
    from ml.mammo.prepare import Prepared, Wants
    from ml.registry import ModelCard, ModelPack

KINDS = {
    ImageKind.DIGITAL: mark("digital mammogram"),
    ImageKind.TOMOSYNTHESIS: mark("breast tomosynthesis"),
    ImageKind.FILM: mark("scanned film"),
    ImageKind.PICTURE: mark("not DICOM"),
}


@dataclass(frozen=True, slots=True, eq=False)
class MammogramReader:
    """Loaded models; make one with `load_reader`."""

    packs: Mapping[str, ModelPack]
    graphs: Mapping[str, Graph]
    engine: str

    @property
    def detector(self) -> ModelCard:
        """The detector's card."""
        return self.packs["detector"].card

    @property
    def wants(self) -> Wants:
        """What an image has to be made into for these models."""
        return wants_of({role: pack.card for role, pack in self.packs.items()})

    @property
    def detectors(self) -> Detectors:
        """The detector, with the one for calcifications where it is installed."""
        return Detectors.of(self.packs, self.graphs)

    @property
    def classifier(self) -> ModelCard:
        """The classifier's card."""
        return self.packs["classifier"].card

    def analyze_prepared(self, image: PreparedImage) -> ImageAnalysis:
        """Look at one prepared image.

        Raises
        ------
        ModelError
            Where the image was prepared for another model.
        """
        if image.prepared is None:
            return _refused(image.facts, image.refused)
        if not _fits(image, self.wants):
            raise ModelError(mark("The image was prepared for other models; analyze it again."))
        start = time.perf_counter()
        fine = fine_canvas(image.prepared, image.fine)
        found = self.detectors.detect(image.prepared.pixels, fine)
        alone = classified(self.graphs["classifier"](as_canvas(image.prepared.pixels)))
        seen = with_mark(alone, best_mark(found), self.classifier.mark_weights)
        milliseconds = (time.perf_counter() - start) * 1000
        facts, to_stored = image.facts, image.prepared.to_stored
        findings = to_findings(
            found,
            self.detector.classes,
            to_stored,
            (facts.rows, facts.columns),
            lambda score: _probability(self.detector, facts, "detector", score),
        )
        return ImageAnalysis(
            path=facts.path,
            sop_instance_uid=facts.sop_instance_uid,
            study_instance_uid=facts.study_instance_uid,
            laterality=facts.laterality,
            view=facts.view,
            rows=facts.rows,
            columns=facts.columns,
            findings=findings,
            lesion_score=seen.lesion,
            lesion_probability=_probability(self.classifier, facts, "lesion", seen.lesion),
            malignancy_score=seen.malignancy,
            malignancy_probability=_probability(
                self.classifier, facts, "malignancy", seen.malignancy
            ),
            density=tuple(zip(BreastDensity, map(float, seen.density), strict=True)),
            not_validated=_not_validated(self.classifier, facts),
            heat_map=_heat_map(seen.score_map, image.prepared),
            milliseconds=milliseconds,
        )

    def analysis(self, images: Sequence[ImageAnalysis]) -> Analysis:
        """Bind the images' parts together with the names of the models."""
        uses = {role: pack.card.use for role, pack in self.packs.items()}
        return Analysis(uses, tuple(images), self.engine)

    def analyze(
        self,
        mammograms: Sequence[Mammogram],
        read: Callable[[Mammogram], NDArray[np.generic]],
        progress: Callable[[int, int], None] = lambda done, of: None,
    ) -> Analysis:
        """Read, prepare and look at each image in turn.

        Parameters
        ----------
        read
            Gives an image's stored pixels at full size.
        progress
            Called with how many are done, of how many.

        Raises
        ------
        ReadError
            Whatever `read` raises.
        """
        done: list[ImageAnalysis] = []
        for mammogram in mammograms:
            image = prepare_image(mammogram, self.wants, read)
            done.append(self.analyze_prepared(image))
            progress(len(done), len(mammograms))
        return self.analysis(done)


def load_reader(
    folders: Mapping[str, Path] | None = None, engine: Engine | None = None
) -> MammogramReader:
    """Check and load both models.

    Parameters
    ----------
    folders
        The packs' folders by role; None: those that come with the program.

    Raises
    ------
    WeightsMissingError, WeightsCorruptError, ModelError
        Where a model cannot be used.
    """
    folders = packs_in_use() if folders is None else folders
    packs = {role: read_pack(folder) for role, folder in folders.items()}
    wants_of({role: pack.card for role, pack in packs.items()})  # raises where they do not fit
    engine = engine or choose_engine()
    graphs = {role: engine.load(pack) for role, pack in packs.items()}
    return MammogramReader(packs, graphs, engine.name)


def load_beside(
    live: MammogramReader, folder: Path, engine: Engine | None = None
) -> MammogramReader:
    """The same models with another one in place of that of its role; the rest is shared.

    Raises
    ------
    WeightsMissingError, WeightsCorruptError, ModelError
        Where the other one cannot be used, or not with the rest.
    """
    pack = read_pack(folder)
    packs = {**live.packs, pack.card.role: pack}
    wants_of({role: one.card for role, one in packs.items()})  # raises where they do not fit
    engine = engine or choose_engine()
    graphs = {**live.graphs, pack.card.role: engine.load(pack)}
    return MammogramReader(packs, graphs, engine.name)


def _fits(image: PreparedImage, wants: Wants) -> bool:
    fine = image.fine.spec if image.fine else None
    whole = image.prepared.spec if image.prepared else None
    return whole == wants.whole and fine in (None, wants.fine)


def _heat_map(score_map: NDArray[np.float32], prepared: Prepared) -> HeatMap:
    rows, columns = prepared.pixels.shape
    to_canvas = Affine.scale(rows / score_map.shape[0], columns / score_map.shape[1])
    return HeatMap(score_map, to_canvas.then(prepared.to_stored))


def _refused(facts: ImageFacts, refused: str | None) -> ImageAnalysis:
    return ImageAnalysis(
        path=facts.path,
        sop_instance_uid=facts.sop_instance_uid,
        study_instance_uid=facts.study_instance_uid,
        laterality=facts.laterality,
        view=facts.view,
        rows=facts.rows,
        columns=facts.columns,
        refused=refused or translate(mark("The image was not prepared.")),
    )


def _probability(card: ModelCard, facts: ImageFacts, name: str, score: float) -> float | None:
    fit = card.calibration.get(name)
    if fit is None or _not_validated(card, facts):
        return None
    return probability_of(fit, score)


def _not_validated(card: ModelCard, facts: ImageFacts) -> str:
    if facts.kind not in card.validated_kinds:
        sentence = mark("The models are not validated for this kind of image ({kind}).")
        return translate(sentence).format(kind=translate(KINDS[facts.kind]))
    if facts.laterality is None or facts.view is None:
        return translate(mark("The side or the view of the image is not known."))
    return "" if card.calibration else translate(mark("The scores are not calibrated."))
