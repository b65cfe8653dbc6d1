"""The model process answers who waits before it has a model in shadow look."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import TYPE_CHECKING, cast

import pytest

from ml.errors import ModelError, WeightsMissingError
from ml.exchange import image_to_message, read_message, write_message
from ml.infer.on_cpu import CpuEngine
from ml.infer.reader import load_beside, load_reader
from ml.mammo.prepare import PrepareSpec
from ml.worker import Worker
from tests.factories.packs import make_packs, make_prepared, rewrite_card

if TYPE_CHECKING:
    from pathlib import Path

    from ml.exchange import Message
    from ml.infer.reader import MammogramReader

# Refused: there are no pixels to send.
IMAGE = image_to_message(replace(make_prepared(), prepared=None, refused="test"), [])


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> MammogramReader:
    return load_reader(make_packs(tmp_path_factory.mktemp("models")), CpuEngine("f32"))


@pytest.fixture
def own(tmp_path: Path) -> Path:
    folder = make_packs(tmp_path / "own")["detector"]
    rewrite_card(folder, name="own-detector")
    return folder


def asked(*messages: Message) -> io.BytesIO:
    stream = io.BytesIO()
    for number, message in enumerate(messages):
        write_message(stream, {"id": number, "images": [IMAGE], **message})
    stream.seek(0)
    return stream


def answered(worker: Worker, replies: io.BytesIO, turns: int) -> list[Message]:
    """Take so many turns, and give what was said in the end of each request."""
    for _ in range(turns):
        worker.answer(worker._requests.get(timeout=60)[-1])
    replies.seek(0)
    said: list[Message] = []
    while (message := read_message(replies)) is not None:
        said.append(message)
    return [message for message in said if message["type"] != "progress"]


def test_what_is_in_shadow_comes_last_though_it_came_first(
    live: MammogramReader, own: Path
) -> None:
    loaded: list[str] = []

    def load_shadow(live: MammogramReader, folder: str) -> MammogramReader:
        loaded.append(folder)
        return load_beside(live, own, CpuEngine("f32"))

    replies = io.BytesIO()
    worker = Worker(replies, lambda: live, load_shadow)
    worker._load_models()
    shadow: Message = {"type": "analyze", "shadow": str(own)}
    worker.receive(asked(shadow, {"type": "analyze"}, {"type": "analyze"}))
    # Four: the one in shadow has its pack loaded, and comes back for its turn.
    answered(worker, replies, 4)
    worker.receive(asked(shadow | {"id": 3}, {"type": "analyze", "id": 4}))
    said = answered(worker, replies, 2)
    assert [message["id"] for message in said] == [1, 2, 0, 4, 3]
    assert loaded == [str(own)]
    names = [
        next(one["name"] for one in cast("dict", message["analysis"])["models"])
        for message in said
    ]
    shown, hidden = "tiny-detector", "own-detector"
    assert names == [shown, shown, hidden, shown, hidden]


def test_a_pack_in_shadow_that_is_gone_hurts_no_analysis(
    live: MammogramReader, tmp_path: Path
) -> None:
    replies = io.BytesIO()
    worker = Worker(replies, lambda: live)
    worker._load_models()
    shadow: Message = {"type": "analyze", "shadow": str(tmp_path / "gone")}
    worker.receive(asked(shadow, {"type": "analyze"}))
    said = answered(worker, replies, 3)
    assert [(message["id"], message["type"]) for message in said] == [
        (1, "done"),
        (0, "failed"),
    ]
    assert cast("dict", said[1]["error"])["kind"] == WeightsMissingError.__name__


def test_a_model_beside_others_shares_them(live: MammogramReader, own: Path) -> None:
    both = load_beside(live, own, CpuEngine("f32"))
    assert both.detector.name == "own-detector"
    assert both.graphs["classifier"] is live.graphs["classifier"]
    assert both.graphs["detector"] is not live.graphs["detector"]


def test_a_model_that_wants_other_images_than_the_rest_is_refused(
    live: MammogramReader, tmp_path: Path
) -> None:
    other = make_packs(tmp_path / "other", PrepareSpec(rows=32, columns=32))["detector"]
    with pytest.raises(ModelError, match="want different images"):
        load_beside(live, other, CpuEngine("f32"))
