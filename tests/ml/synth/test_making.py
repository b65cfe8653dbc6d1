"""From an order to a folder: what is told, what stays, and how it goes on."""

from __future__ import annotations

import gc
import json
import tracemalloc
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pydicom
import pytest
import torch

import ml.synth.making as making
import ml.synth.output as output
from ml.control import Control, Stopped
from ml.errors import DataError, ModelError, ModelMemoryError
from ml.hashed import NAME_DIGITS
from ml.mammo.codes import Laterality, ViewPosition
from ml.mammo.read import read_mammogram
from ml.manifest import Label, Manifest, ManifestRow, Split, read_manifest, write_manifest
from ml.phantom.dataset import write_phantoms
from ml.synth.filters import Judge
from ml.synth.making import TRIES, Order, run
from tests.factories.generators import VENDORS, make_generator

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy as np

    from ml.synth.pipeline import Generator

HEALTHY = "a alpha mammogram in CC view with small area and high density, left breast"
MASS = (
    "a alpha mammogram in MLO view with medium area and low density, right breast, "
    "with a mass in the upper outer quadrant"
)


@dataclass
class Watch(Control):
    """Notes what it is told; ends the work after so many images."""

    stop_after: int = 10**9
    news: list[Mapping[str, object]] = field(default_factory=list)
    told: list[tuple[int, int]] = field(default_factory=list)
    sentences: list[str] = field(default_factory=list)

    def breathe(self) -> None:
        if len(self.news) >= self.stop_after:
            raise Stopped

    def say(self, done: int, of: int, news: Mapping[str, object] | None = None) -> None:
        self.told.append((done, of))
        if news is not None:
            self.news.append(news)

    def log(self, sentence: str) -> None:
        self.sentences.append(sentence)


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_generator(tmp_path_factory.mktemp("packs") / "generator").folder


@pytest.fixture(autouse=True)
def lenient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A network of random weights draws no breasts."""
    monkeypatch.setattr(Judge, "of", lambda _: Judge())
    monkeypatch.setattr(Judge, "drawn", lambda *_: "")


def order(pack: Path, out: Path, *prompts: str, **changes: object) -> dict[str, object]:
    given = Order(
        str(out), prompts or (HEALTHY,), model=str(pack), steps=1, device="cpu", sham_share=0.0
    )
    return replace(given, **changes).to_json()  # type: ignore[arg-type]


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.dcm"))


def test_every_image_is_told_as_it_is_finished(pack: Path, tmp_path: Path) -> None:
    watch = Watch()
    run(order(pack, tmp_path, HEALTHY, HEALTHY.replace("left", "right"), count=3), watch)
    assert watch.told == [(0, 3), (1, 3), (2, 3), (3, 3)]
    assert json.loads(json.dumps(watch.news)) == watch.news
    first = watch.news[0]
    assert first["path"] == str(tmp_path / "00001.dcm")
    assert first["thumbnail"] == str(tmp_path / "00001.png")
    assert (first["prompt"], first["kept"], first["reason"]) == (HEALTHY, True, "")
    rows = read_manifest(tmp_path).rows
    assert [row.laterality for row in rows] == [
        Laterality.LEFT,
        Laterality.RIGHT,
        Laterality.LEFT,
    ]
    assert len({row.extra["seed"] for row in rows}) == 3


def test_too_few_to_measure_are_finished_all_the_same(pack: Path, tmp_path: Path) -> None:
    reference = tmp_path / "reference"
    write_phantoms(reference, 1, 5, pixel_mm=0.8)
    watch = Watch()
    run(order(pack, tmp_path / "out", reference=str(reference)), watch)
    assert len(files(tmp_path / "out")) == 1
    assert not (tmp_path / "out" / "quality.json").exists()
    assert any("at least" in sentence for sentence in watch.sentences)


def test_whole_breasts_have_their_true_spacing(pack: Path, tmp_path: Path) -> None:
    run(order(pack, tmp_path))
    image = read_mammogram(tmp_path / "00001.dcm")
    assert image.spacing is not None
    assert (image.rows, image.columns, image.spacing.row_mm) == (256, 256, 0.8)


def test_the_same_order_goes_on_where_it_was_stopped(pack: Path, tmp_path: Path) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    run(order(pack, whole, count=5))
    with pytest.raises(Stopped):
        run(order(pack, parts, count=5), Watch(stop_after=2))
    before = files(parts)
    assert 2 <= len(before) < 5
    assert [row.path for row in read_manifest(parts).rows] == before
    watch = Watch()
    run(order(pack, parts, count=5), watch)
    assert watch.told[0] == (len(before), 5)
    assert len(watch.news) == 5 - len(before)
    for name in files(whole):
        one, other = (pydicom.dcmread(folder / name) for folder in (whole, parts))
        assert one.SOPInstanceUID == other.SOPInstanceUID
    # A third time there is nothing to do.
    run(order(pack, parts, count=5), watch := Watch())
    assert watch.told == [(5, 5)]


def test_a_line_that_was_cut_off_costs_one_image(pack: Path, tmp_path: Path) -> None:
    run(order(pack, tmp_path, count=2))
    journal = tmp_path / output.JOURNAL
    journal.write_bytes(journal.read_bytes()[:-20])
    run(order(pack, tmp_path, count=2), watch := Watch())
    assert [str(one["path"])[-9:] for one in watch.news] == ["00002.dcm"]
    assert len(read_manifest(tmp_path).rows) == 2


def test_another_order_is_not_mixed_in(pack: Path, tmp_path: Path) -> None:
    run(order(pack, tmp_path))
    with pytest.raises(DataError, match="empty folder"):
        run(order(pack, tmp_path, seed=2))


def test_the_refused_are_listed_and_tried_again(
    pack: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = iter(["The image is blank.", "", *["There is no breast in the image."] * TRIES])
    monkeypatch.setattr(Judge, "drawn", lambda *_: next(said))
    watch = Watch()
    run(order(pack, tmp_path, count=1), watch)
    assert [one["kept"] for one in watch.news] == [False, True]
    assert files(tmp_path) == ["00001.dcm", "rejected/00001-1.dcm"]
    (refused,) = read_manifest(tmp_path / output.REJECTED).rows
    assert refused.extra["reason"] == "The image is blank."
    (kept,) = read_manifest(tmp_path).rows
    assert kept.extra["seed"] != refused.extra["seed"]
    lost = tmp_path / "lost"
    run(order(pack, lost, count=1), watch := Watch())
    assert watch.told[-1] == (1, 1)
    assert len(read_manifest(lost / output.REJECTED).rows) == TRIES
    assert not (lost / "manifest.csv").exists()


def test_all_may_be_kept_with_their_reasons(
    pack: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Judge, "drawn", lambda *_: "The image is blank.")
    run(order(pack, tmp_path, keep_all=True))
    (row,) = read_manifest(tmp_path).rows
    assert row.extra["reason"] == "The image is blank."


def test_lesions_and_shams_are_painted_into_full_size(pack: Path, tmp_path: Path) -> None:
    run(order(pack, tmp_path, MASS, HEALTHY, sham_share=1.0, keep_all=True))
    manifest = read_manifest(tmp_path)
    mass, sham = manifest.rows
    assert (mass.label, sham.label) == (None, Label.NORMAL)
    assert {row.extra["edited"] for row in manifest.rows} == {"yes"}
    assert {row.extra["host"] for row in manifest.rows} == {"phantom"}
    (box,) = manifest.boxes
    assert box.path == mass.path
    image = read_mammogram(tmp_path / mass.path)
    assert image.spacing is not None
    assert image.spacing.row_mm == 0.1
    assert image.rows > 1000
    assert box.box.row1 <= image.rows


def test_real_breasts_are_hosts_too(pack: Path, tmp_path: Path) -> None:
    write_phantoms(tmp_path / "real", 1, 3)
    manifest = read_manifest(tmp_path / "real")
    rows = tuple(
        replace(row, label=Label.NORMAL, density=None, split=Split.TRAIN)
        for row in manifest.rows
    )
    write_manifest(replace(manifest, rows=rows, boxes=()))
    out = tmp_path / "out"
    run(order(pack, out, MASS, host=str(tmp_path / "real"), keep_all=True))
    (made,) = read_manifest(out).rows
    assert len(made.extra["host"]) == 64
    assert len(made.extra["host_patient"]) == NAME_DIGITS
    held = tuple(replace(row, split=Split.TEST) for row in rows)
    write_manifest(replace(manifest, rows=held, boxes=()))
    with pytest.raises(DataError, match="no healthy mammogram"):
        run(order(pack, tmp_path / "none", MASS, host=str(tmp_path / "real")))


def test_a_data_set_is_completed(pack: Path, tmp_path: Path) -> None:
    write_manifest(Manifest(tmp_path, (ManifestRow("a.dcm", "woman"),)))
    given = order(pack, tmp_path / "out", plan=str(tmp_path / "manifest.csv"), wanted=1)
    asked = making.prompts_of_order(Order.from_json({**given, "prompts": []}), VENDORS)
    assert len(asked) == 48
    assert {prompt.view for prompt in asked} == {ViewPosition.CC, ViewPosition.MLO}


def test_many_images_need_no_more_memory_than_few(pack: Path, tmp_path: Path) -> None:
    """What is held after 12 images is what is held after 4, within less than one image."""
    held: list[int] = []

    class Weighing(Watch):
        def say(self, done: int, of: int, news: Mapping[str, object] | None = None) -> None:
            if done in (4, 12):
                gc.collect()
                held.append(tracemalloc.get_traced_memory()[0])

    tracemalloc.start()
    try:
        run(order(pack, tmp_path, count=12), Weighing())
    finally:
        tracemalloc.stop()
    image = 256 * 256 * 2
    assert held[1] - held[0] < image / 2


class Small:
    """A generator in too little memory for more than so many images at once."""

    def __init__(self, inner: Generator, most: int) -> None:
        self._inner, self._most = inner, most
        self.pixels = inner.pixels

    def draw(self, prompts: list[object], *others: object) -> np.ndarray:
        if len(prompts) > self._most:
            raise torch.OutOfMemoryError
        return self._inner.draw(prompts, *others)  # type: ignore[arg-type]


def test_out_of_memory_halves_the_batch_and_says_so(
    pack: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = making.load_generator
    monkeypatch.setattr(making, "load_generator", lambda *given: Small(load(*given), 1))
    run(order(pack, tmp_path / "one", count=3), watch := Watch())
    assert len(watch.news) == 3
    assert len(watch.sentences) == 1
    monkeypatch.setattr(making, "load_generator", lambda *given: Small(load(*given), 0))
    with pytest.raises(ModelMemoryError, match="close other programs"):
        run(order(pack, tmp_path / "none", count=1))


def test_the_cpu_goes_on_only_where_that_is_allowed(
    pack: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = making.load_generator

    def loaded(given: object, device: str, lora: object) -> Small:
        return Small(load(given, "cpu"), 0 if device == "cuda" else 9)  # type: ignore[arg-type]

    monkeypatch.setattr(making, "load_generator", loaded)
    monkeypatch.setattr(making, "device_of_order", lambda _: "cuda")
    monkeypatch.setattr(making, "batch_for", lambda *_: 2)
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: None)
    with pytest.raises(ModelMemoryError, match="allow the CPU"):
        run(order(pack, tmp_path / "refused", count=2))
    run(order(pack, tmp_path / "allowed", count=2, cpu_allowed=True), watch := Watch())
    assert "the CPU goes on" in watch.sentences[-1]
    assert len(watch.news) == 2


def test_a_full_disk_is_one_sentence_and_costs_nothing(
    pack: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, written = output.write_mammogram, []

    def full(*given: object) -> None:
        if len(written) == 2:
            raise OSError(28, "No space left on device")
        written.append(given)
        write(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(output, "write_mammogram", full)
    with pytest.raises(DataError, match="No space left on device"):
        run(order(pack, tmp_path, count=4))
    assert files(tmp_path) == ["00001.dcm", "00002.dcm"]
    assert not list(tmp_path.glob("*.part"))
    assert not (tmp_path / "00003.png").exists()
    monkeypatch.setattr(output, "write_mammogram", write)
    run(order(pack, tmp_path, count=4))
    assert len(read_manifest(tmp_path).rows) == 4


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"device": "quantum"}, "device"),
        ({"steps": 0}, "steps"),
        ({"sham_share": 2}, "sham_share"),
        ({"prompts": "one"}, "prompts"),
        ({"prompts": []}, "Say what to generate"),
        ({"sede": 1}, "sede"),
        ({"count": True}, "count"),
        ({"prompts": ["a cat"]}, "cannot be read"),
        ({"model": "nothing"}, "no generator"),
    ],
)
def test_an_order_that_cannot_be_is_refused(
    pack: Path, tmp_path: Path, changes: dict[str, object], said: str
) -> None:
    with pytest.raises((DataError, ModelError), match=said):
        run({**order(pack, tmp_path / "out"), **changes})
    assert not (tmp_path / "out").exists()


def test_a_pack_that_paints_nothing_is_not_asked_to(
    tmp_path: Path,
) -> None:
    bare = make_generator(tmp_path / "bare", lesions=False).folder
    with pytest.raises(ModelError, match="paints no lesions"):
        run(order(bare, tmp_path / "out", MASS))


def test_an_order_is_plain_and_comes_back(tmp_path: Path) -> None:
    given = Order(str(tmp_path), (HEALTHY,), count=3, lora=("a.safetensors",), pixel_mm=0.4)
    assert Order.from_json(json.loads(json.dumps(given.to_json()))) == given
