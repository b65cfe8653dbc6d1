"""How synthetic images may take part in a training, at an equal number of updates.

A mode is an experiment: what teaches changes, what the device does does not. The plan of every
mode is made from the real images, and steps and batch are the plan's; where a mode has two
stages they share the steps. Where both kinds teach, the batch is shared by the numbers of
their images, and lesions and healthy places are drawn of either kind, so that an image's kind
never tells its label.

`Mode.REAL` shows real images as they are. `AUGMENTED` changes each as every training of the
program does, and all that follow are augmented, too. `OVERSAMPLED` draws a lesion's class
first, each alike, then the image. (Lesions and healthy places are balanced in every mode.)
`MIXED` has real and synthetic images in each batch. `SYNTHETIC_FIRST` learns from synthetic
ones alone for half of the steps, then from real ones alone. `SYNTHETIC_ONLY` sees no real one.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, TypeVar, cast

from ml.data.augment import NONE, Augmentation
from ml.errors import DataError
from ml.manifest import ReferenceStandard, Source, Split
from ml.splits import held_out_names, host_of, split_of
from ml.texts import mark
from ml.train.order import MODE_WORDS, Mode
from ml.train.plan import TUNING_RATE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ml.data.canvases import CanvasItem
    from ml.manifest import Manifest, ManifestRow
    from ml.train.batches import CropRecipe
    from ml.train.classifier import ClassifierRecipe
    from ml.train.plan import Plan

    AnyRecipe = TypeVar("AnyRecipe", CropRecipe, ClassifierRecipe)

__all__ = ["DOSED", "Mode", "Stage", "Teaching", "refuse_children", "stages_of"]

SYNTHETIC = (Source.PHANTOM, Source.GENERATED)
# The modes that a dose means something to.
DOSED = (Mode.MIXED, Mode.SYNTHETIC_FIRST, Mode.SYNTHETIC_ONLY)
# The folder, within a training's, of what synthetic images teach beforehand.
FIRST = "synthetic"
# Two seeds' random numbers never meet: those of one training stand close together.
SEED_STRIDE = 1000


@dataclass(frozen=True, slots=True)
class Stage:
    """Images that teach for a share of the steps.

    Attributes
    ----------
    images
        Indices of the set's images.
    real
        Of real ones that share each batch with them; empty where `images` is all there is.
    share
        Of the steps.
    folder
        Within the training's; empty: that one.
    alike
        A lesion's class is drawn first, each as often as the others.
    films
        `images` are real ones, of which a classifier sees as many variants as of any.
    goes_on
        It begins with what another stage learnt.
    """

    images: tuple[int, ...]
    real: tuple[int, ...] = ()
    share: float = 1.0
    folder: str = ""
    augmentation: Augmentation = field(default_factory=Augmentation)
    alike: bool = False
    films: bool = False
    goes_on: bool = False

    @property
    def all(self) -> tuple[int, ...]:
        """Every image that teaches in it."""
        return (*self.images, *self.real)


@dataclass(frozen=True, slots=True)
class Teaching:
    """A mode, and how much of what is synthetic.

    Attributes
    ----------
    dose
        Synthetic images for each real one; of no meaning in the modes without them.
    seed
        0 is the program's own; trainings of two seeds differ in all that chance decides.
    """

    mode: Mode
    dose: float = 1.0
    seed: int = 0

    def sentence(self, real: int, synthetic: int) -> str:
        """What a card says of it.

        Parameters
        ----------
        real, synthetic
            How many images taught.
        """
        return f" Mode: {MODE_WORDS[self.mode]} ({real} real, {synthetic} synthetic)."

    def plan(self, plan: Plan) -> Plan:
        """The same plan, its random numbers those of this seed."""
        more = SEED_STRIDE * self.seed
        return replace(
            plan,
            detector=replace(plan.detector, seed=plan.detector.seed + more),
            patches=replace(plan.patches, seed=plan.patches.seed + more),
            classifier=replace(plan.classifier, seed=plan.classifier.seed + more),
        )

    def to_json(self) -> dict[str, object]:
        """As it stands in a training's plan."""
        return {**asdict(self), "mode": self.mode.value}


def stages_of(
    teaching: Teaching, items: Sequence[CanvasItem], there: Iterable[int] | None = None
) -> tuple[Stage, ...]:
    """Who teaches, in the order of teaching.

    Parameters
    ----------
    items
        What is known of the images for training.
    there
        Indices of those that can teach; all where it is left out.

    Raises
    ------
    DataError
        Where an image does not say whether it is real, the real or the synthetic ones have
        lesions only or none, or there are fewer synthetic ones than the dose asks for.
    """
    usable = tuple(range(len(items)) if there is None else there)
    _refuse_unsaid(items[i] for i in usable)
    real = tuple(i for i in usable if items[i].source == Source.REAL.value)
    _refuse_lopsided([items[i] for i in real], _LOPSIDED_REAL)
    made: tuple[int, ...] = ()
    if teaching.mode in DOSED:
        made_ones = (i for i in usable if items[i].source != Source.REAL.value)
        pool = tuple(i for i in made_ones if not items[i].unknown)
        made = _dosed(items, pool, teaching.dose, len(real))
        _refuse_lopsided([items[i] for i in made], _LOPSIDED_SYNTHETIC)
    return _stages(teaching.mode, real, made)


def _stages(mode: Mode, real: tuple[int, ...], made: tuple[int, ...]) -> tuple[Stage, ...]:
    alone = Stage(real, films=True)
    return {
        Mode.REAL: (replace(alone, augmentation=NONE),),
        Mode.AUGMENTED: (alone,),
        Mode.OVERSAMPLED: (replace(alone, alike=True),),
        Mode.MIXED: (Stage(made, real=real),),
        Mode.SYNTHETIC_FIRST: (
            Stage(made, share=0.5, folder=FIRST),
            replace(alone, share=0.5, goes_on=True),
        ),
        Mode.SYNTHETIC_ONLY: (Stage(made),),
    }[mode]


def recipes_of(
    recipe: AnyRecipe, stages: Sequence[Stage], *, tuned: bool = False
) -> tuple[AnyRecipe, ...]:
    """The recipe of each stage: together they take the steps of the one that is shared.

    Parameters
    ----------
    tuned
        The recipe's rate is that of a training that begins with trained weights already.
    """
    ends = [0]
    for stage in stages:
        ends.append(round(ends[-1] + stage.share * recipe.steps))
    # Half a step to either side is lost or won by rounding: the last stage makes up for it.
    ends[-1] = recipe.steps
    return tuple(
        _of_stage(recipe, stage, end - begin, tuned)
        for stage, begin, end in zip(stages, ends[:-1], ends[1:], strict=True)
    )


def _of_stage(recipe: AnyRecipe, stage: Stage, steps: int, tuned: bool) -> AnyRecipe:
    changes: dict[str, float] = {"steps": steps}
    if stage.goes_on and not tuned:
        changes["rate"] = recipe.rate * TUNING_RATE
    if stage.real:
        share = len(stage.real) / len(stage.all)
        # Whatever the dose, a mixed batch holds one of each.
        least = 1 / recipe.batch
        changes["real_share"] = min(max(share, least), 1 - least)
    if hasattr(recipe, "real_variants"):
        changes |= _variants(cast("ClassifierRecipe", recipe), stage)
    return replace(recipe, **changes)


def _variants(recipe: ClassifierRecipe, stage: Stage) -> dict[str, float]:
    """Without augmentation one variant is as good as many."""
    if stage.augmentation == NONE:
        return {"phantom_variants": 1}
    return {"phantom_variants": recipe.real_variants} if stage.films else {}


def refuse_children(manifest: Manifest) -> None:
    """No image that teaches was painted into the breast of a woman who is held out.

    Checked in every mode, so that one manifest is taken or refused by all of them.

    Raises
    ------
    DataError
        Names the first such image.
    """
    hidden = held_out_names(manifest.rows)
    for row in taught_rows(manifest):
        if host_of(row) in hidden:
            raise DataError(
                mark(
                    "{path} was painted into the breast of a patient who is held out; leave "
                    "it out, or paint into breasts of training patients only."
                ),
                path=row.path,
            )


def as_told(manifest: Manifest, row: ManifestRow) -> ManifestRow:
    """A generated image with a lesion, as `ml.data.sources.listed` reads a reader's boxes.

    Whether the lesion would be malignant is nothing that anybody knows, so that its row has
    no label; what was asked for is where it lies.
    """
    unlabelled = row.source is Source.GENERATED and row.label is None
    if unlabelled and manifest.boxes_of(row.path):
        return replace(row, reference_standard=ReferenceStandard.READER)
    return row


def taught_rows(manifest: Manifest) -> tuple[ManifestRow, ...]:
    """The rows for training."""
    return tuple(row for row in manifest.rows if split_of(row) is Split.TRAIN)


def _dosed(
    items: Sequence[CanvasItem], pool: Sequence[int], dose: float, real: int
) -> tuple[int, ...]:
    """So many of the synthetic images; a smaller dose is a part of any larger one."""
    wanted = max(round(dose * real), 1)
    if wanted > len(pool):
        raise DataError(
            mark(
                "A dose of {dose} asks for {wanted} synthetic images for training, and there "
                "are {there}; lower the dose or generate more."
            ),
            dose=f"{dose:g}",
            wanted=wanted,
            there=len(pool),
        )
    return tuple(sorted(_in_proportion(items, pool)[:wanted]))


def _in_proportion(items: Sequence[CanvasItem], pool: Sequence[int]) -> list[int]:
    """An order by hash, of which every beginning has lesions in the share that all have."""
    places: dict[int, float] = {}
    for lesion in (True, False):
        alike = [i for i in pool if items[i].lesion is lesion]
        alike.sort(key=lambda i: hashlib.sha256(items[i].image_id.encode()).hexdigest())
        places |= {i: (rank + 0.5) / len(alike) for rank, i in enumerate(alike)}
    return sorted(places, key=lambda i: (places[i], i))


def _refuse_unsaid(items: Iterable[CanvasItem]) -> None:
    known = {source.value for source in (Source.REAL, *SYNTHETIC)}
    for item in items:
        if item.source not in known:
            raise DataError(
                mark(
                    "{path} does not say whether it is real; give its row the source real, "
                    "phantom or generated."
                ),
                path=item.image_id,
            )


_LOPSIDED_REAL = mark(
    "The real images for training must be some with a boxed lesion and some without any "
    "lesion; name more patients."
)
_LOPSIDED_SYNTHETIC = mark(
    "The synthetic images for training must be some with a boxed lesion and some without any, "
    "or their kind would tell the answer; generate both, or raise the dose."
)


def _refuse_lopsided(items: Sequence[CanvasItem], sentence: str) -> None:
    if not any(item.boxes for item in items) or not any(item.free for item in items):
        raise DataError(sentence)
