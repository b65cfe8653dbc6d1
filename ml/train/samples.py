"""Live samples: what a model in training says of a few images that never teach it.

Always the same images for validation, evenly chosen, half of them with a lesion. Each time the
folder `SAMPLES` gets a picture of each, and beside them a table for windows

    {"stage": "detector", "done": 500, "images": [
        {"picture": "detector-00500-1.png", "lesions": 2, "lesion": true,
         "found": 1, "wrong": 0, "score": null}]}

with `score` instead of `found` and `wrong` where a classifier speaks; news name the table:
{"stage": "detector", "sample": ".../detector-00500.json"}. Looking draws no random number and
changes no weight: a training with samples ends as one without.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
import torch

from ml.control import PassedOn
from ml.evaluate.outcomes import marked
from ml.files import replacing, write_json
from ml.infer.detections import decode
from ml.infer.engine import as_canvas
from ml.models.classifier import DeployedClassifier
from ml.models.detector import deployed
from ml.train.loop import device_of
from ml.train.order import SAMPLES
from ml.train.precision import half_where_native

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import nn

    from ml.control import Control
    from ml.data.canvases import CanvasItem, CanvasSet
    from ml.evaluate.outcomes import Marked

    Corners = Sequence[float]

# So few, and so seldom, that it takes a fiftieth of a training at most: a look at an image
# costs about a quarter of a step.
MOST_IMAGES, LEAST_STEPS = 4, 50
# Marks are shown from here on; a model's own threshold is only chosen in the end.
LEAST_SCORE, MOST_MARKS = 0.25, 5
HEIGHT_PX = 480
# In BGR. A lesion's line is whole, a mark's is broken, and each is named.
KNOWN_COLOUR, MARK_COLOUR = (234, 234, 230), (84, 180, 255)
DASH_PX = 6


@dataclass(frozen=True, slots=True)
class Said:
    """What a model says of one image.

    Attributes
    ----------
    marks
        (row0, col0, row1, col1) on the canvas and the score of each mark of a detector.
    found, wrong
        Lesions that a mark hits, and marks that hit none; None for a classifier.
    score
        That there is a lesion, in 0..1; None for a detector.
    """

    marks: tuple[tuple[tuple[float, ...], float], ...] = ()
    found: int | None = None
    wrong: int | None = None
    score: float | None = None


class Sampled(PassedOn):
    """Passes everything on; looks at the model between the steps.

    Parameters
    ----------
    control
        To whom it is passed on.
    role
        What is trained. Of a classifier only the stage with whole images is looked at: before
        it the model knows pieces alone.
    canvases, there
        The images for validation as the role sees them, and which of them it can look at.
    out
        The training's folder.
    every
        Steps between two samples; the last step has one, too.
    """

    def __init__(
        self,
        control: Control,
        role: str,
        canvases: CanvasSet,
        there: Sequence[int],
        out: Path,
        every: int,
    ) -> None:
        super().__init__(control)
        self._stage = "classifier" if role == "classifier" else "detector"
        self._canvases, self._indices = canvases, chosen(canvases.items, there)
        self._folder = out / SAMPLES
        self._every = max(every, LEAST_STEPS)
        self._model: nn.Module | None = None

    def watch(self, model: nn.Module) -> None:
        """Look at this model from now on."""
        self._model = model

    def say(self, done: int, of: int, news: Mapping[str, object] | None = None) -> None:
        """Look where it is time, and pass it on."""
        due = done % self._every == 0 or done == of
        if news and "loss" in news and news.get("stage") == self._stage and due:
            self._sample(done, of)
        super().say(done, of, news)

    def _sample(self, done: int, of: int) -> None:
        if self._model is None:
            return
        self._folder.mkdir(exist_ok=True)
        name = f"{self._stage}-{done:05d}"
        rows: list[dict[str, object]] = []
        for number, (pixels, item) in enumerate(self._canvases.images(self._indices), 1):
            said = look(self._model, pixels, item)
            path = self._folder / f"{name}-{number}.png"
            with replacing(path) as fresh:
                fresh.write_bytes(
                    cv2.imencode(".png", picture(pixels, item, said))[1].tobytes()
                )
            rows.append(
                {
                    "picture": path.name,
                    "lesions": len(item.boxes),
                    "lesion": item.lesion,
                    "found": said.found,
                    "wrong": said.wrong,
                    "score": said.score,
                }
            )
        table = self._folder / f"{name}.json"
        write_json(table, {"stage": self._stage, "done": done, "images": rows})
        self._control.say(done, of, {"stage": self._stage, "sample": str(table)})


def chosen(items: Sequence[CanvasItem], there: Sequence[int]) -> tuple[int, ...]:
    """A few images, half of them with a lesion where there are so many, evenly spread.

    Parameters
    ----------
    there
        Which of the images may be chosen.
    """
    known = [i for i in there if not items[i].unknown]
    # A lesion that has a box can be shown; one without is the second choice.
    boxed = [i for i in known if items[i].boxes]
    lesions = boxed or [i for i in known if items[i].lesion]
    free = [i for i in known if items[i].free]
    half = MOST_IMAGES // 2
    first = _spread(lesions, max(half, MOST_IMAGES - len(free)))
    return (*first, *_spread(free, MOST_IMAGES - len(first)))


def _spread(indices: list[int], count: int) -> list[int]:
    count = min(count, len(indices))
    return [indices[len(indices) * place // count] for place in range(count)]


def look(model: nn.Module, pixels: NDArray[np.uint16], item: CanvasItem) -> Said:
    """Ask a model about one image, as it is asked in use.

    Parameters
    ----------
    model
        The averaged weights of a detector or a classifier; on its device.
    """
    device = device_of(model)
    canvas = torch.from_numpy(as_canvas(pixels)).to(device)
    classifies = hasattr(model, "trunk")
    network = DeployedClassifier(model) if classifies else deployed(model)  # type: ignore[arg-type]
    # inference_mode would spoil the anchors that YOLO keeps.
    with torch.no_grad(), half_where_native(device):
        output = network.eval()(canvas)
    if classifies:
        return Said(score=float(output[0].float()[0, 0]))
    return _of_marks(marked(item, decode(output.float().cpu().numpy(), floor=LEAST_SCORE)))


def _of_marks(seen: Marked) -> Said:
    shown = zip(seen.mark_boxes[:MOST_MARKS], seen.scores[:MOST_MARKS], strict=True)
    return Said(
        tuple((tuple(map(float, corners)), float(score)) for corners, score in shown),
        found=int((seen.lesion_scores > 0).sum()),
        wrong=int((~seen.hits).sum()),
    )


def picture(pixels: NDArray[np.uint16], item: CanvasItem, said: Said) -> NDArray[np.uint8]:
    """An image with what is known of it and what is said of it, in BGR.

    A lesion's box is whole and says "lesion"; a mark's is broken and says its score.
    """
    rows, columns = pixels.shape
    scale = HEIGHT_PX / rows
    grey = (pixels // 257).astype(np.uint8)
    size = (max(round(columns * scale), 1), HEIGHT_PX)
    small = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    drawn = np.asarray(cv2.cvtColor(small, cv2.COLOR_GRAY2BGR), np.uint8)
    for corners in item.boxes:
        _box(drawn, corners, scale, KNOWN_COLOUR, "lesion", broken=False)
    for corners, score in said.marks:
        _box(drawn, corners, scale, MARK_COLOUR, f"mark {score:.2f}", broken=True)
    return drawn


def _box(
    drawn: NDArray[np.uint8],
    corners: Corners,
    scale: float,
    colour: tuple[int, int, int],
    word: str,
    *,
    broken: bool,
) -> None:
    row0, col0, row1, col1 = (round(value * scale) for value in corners)
    if broken:
        _broken(drawn, (row0, col0, row1, col1), colour)
    else:
        cv2.rectangle(drawn, (col0, row0), (col1, row1), colour, 1)
    # Lesions are named above their box and marks below it: one does not hide the other.
    line = min(row1 + 15, drawn.shape[0] - 2) if broken else max(row0 - 4, 12)
    font, large = cv2.FONT_HERSHEY_SIMPLEX, 0.5
    (width, _), _ = cv2.getTextSize(word, font, large, 1)
    place = (max(min(col0, drawn.shape[1] - width - 2), 0), line)
    cv2.putText(drawn, word, place, font, large, colour, 1, cv2.LINE_AA)


def _broken(
    drawn: NDArray[np.uint8], box: tuple[int, int, int, int], colour: tuple[int, int, int]
) -> None:
    row0, col0, row1, col1 = box
    for begin in range(col0, col1, 2 * DASH_PX):
        for row in (row0, row1):
            cv2.line(drawn, (begin, row), (min(begin + DASH_PX, col1), row), colour, 1)
    for begin in range(row0, row1, 2 * DASH_PX):
        for column in (col0, col1):
            cv2.line(drawn, (column, begin), (column, min(begin + DASH_PX, row1)), colour, 1)
