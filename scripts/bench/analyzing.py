"""Analysis of four views beside ultralytics' default CPU predict on the same images."""

from __future__ import annotations

from typing import TYPE_CHECKING

from studies import SAMPLES
from tables import Row, Table, at_least, median_ms

from ml.exchange import prepare_image
from ml.infer.detections import decode
from ml.infer.engine import as_canvas
from ml.infer.reader import MammogramReader, load_reader
from ml.mammo.pixels import read_pixels
from ml.mammo.scan import find_images

if TYPE_CHECKING:
    from ml.exchange import PreparedImage


def measure() -> Table:
    """Measure both on the sample study's four prepared views."""
    reader = load_reader()
    found = find_images([SAMPLES]).images
    images = [prepare_image(image, reader.wants, read_pixels) for image in found]
    ours = median_ms(lambda: [reader.analyze_prepared(image) for image in images])
    detector = reader.graphs["detector"]
    canvases = [as_canvas(image.prepared.pixels) for image in images if image.prepared]
    alone = median_ms(lambda: [decode(detector(canvas)[0]) for canvas in canvases])
    theirs = _ultralytics_ms(reader, images)
    rows = (
        Row(f"detector and classifier, {reader.engine}", ours, "ms"),
        Row("detector alone, ultralytics predict", theirs, "ms"),
        Row("detector alone, ours", alone, "ms"),
        at_least("times faster, detector beside detector", theirs / alone, "x", 3),
        at_least("times faster, both models beside theirs", theirs / ours, "x", 3),
    )
    return Table("Analysis of four prepared views", rows)


def _ultralytics_ms(reader: MammogramReader, images: list[PreparedImage]) -> float:
    """Predict as ultralytics does out of the box: float32 torch, every core but one."""
    from safetensors.torch import load_file
    from ultralytics import YOLO

    from ml.models.detector import build_detector

    network = build_detector()
    network.load_state_dict(load_file(reader.packs["detector"].weights))
    model = YOLO("yolo26n.yaml", task="detect", verbose=False)
    model.model = network.eval()
    canvases = [
        (image.prepared.pixels >> 8).astype("uint8")[..., None]
        for image in images
        if image.prepared is not None
    ]
    size = list(canvases[0].shape[:2])

    def predict() -> list[object]:
        return [
            model.predict(canvas, imgsz=size, device="cpu", verbose=False)
            for canvas in canvases
        ]

    return median_ms(predict)
