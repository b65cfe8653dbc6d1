"""The engine of several machines: the same stages, in actors of a Ray cluster.

Every actor has the models and a few processes that prepare: pixels never leave it. What goes
through Ray's object store are headings, with paths that every machine sees alike, and answers
of some kilobytes. The driver alone writes the ledger, by the same keys: an image that was done
twice, because a machine died with the answer on its way, has one row.

Failures of Ray that this is set up against: pools of actors that stall past a memory limit,
and mass spilling (ray #32669, #33627): nothing large is passed, and the store is small; workers
that keep memory (#42400): actors live as long as a round; the dashboard's ports: it is off.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ml.control import NOBODY
from ml.errors import DataError
from ml.findings_json import image_from_json, image_to_json
from ml.screen.hindrances import Hindrances, Root
from ml.screen.local import Deed, local_engine
from ml.screen.preparing import Openers
from ml.screen.rows import Answer, Entry, Heading, Standing, State
from ml.texts import mark

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ml.control import Control
    from ml.findings import ImageAnalysis
    from ml.screen.order import ScreenOrder

# Headings that the driver holds at once, and those that an actor is given at once.
ROUND, BATCH = 20_000, 16
# Paths and answers are small: what does not fit in so much would be a mistake.
STORE_BYTES = 256 << 20
CORES_AN_ACTOR = 2


class ClusterEngine:
    """Analyzes images on every machine of a cluster.

    Raises
    ------
    DataError
        Where Ray is not installed, or its cluster does not answer.
    """

    def __init__(self, order: ScreenOrder, control: Control) -> None:
        self._order, self._control = order, control
        self._ray = connected(order.address)

    def answers(self, headings: Iterable[Heading]) -> Iterator[Deed]:
        """Every image's answer, as soon as it is there."""
        waiting = iter(headings)
        while some := list(islice(waiting, ROUND)):
            yield from self._round(some)

    def _round(self, some: list[Heading]) -> Iterator[Deed]:
        data = import_module("ray.data")
        by_place = {heading.entry.place: heading for heading in some}
        cores = self._order.processes or CORES_AN_ACTOR
        asked: dict[str, Any] = {"num_cpus": cores}
        actors = int(self._ray.cluster_resources().get("CPU", 1)) // cores
        if self._order.device != "cpu" and (cards := self._ray.cluster_resources().get("GPU")):
            # Both in one request are experimental (Ray's documentation of map_batches).
            asked, actors = {"num_gpus": 1}, int(cards)
        rows = data.from_items([{"heading": heading_to_text(one)} for one in some])
        answered = rows.repartition(max(len(some) // BATCH, 1)).map_batches(
            Screener,
            fn_constructor_args=(str(self._order.root), cores, self._order.device),
            batch_size=BATCH,
            concurrency=(1, max(actors, 1)),
            **asked,
        )
        for row in answered.iter_rows():
            self._control.breathe()
            yield _deed(row, by_place)


def connected(address: str) -> Any:
    """Ray, connected to a cluster; to one of this machine alone without an address.

    Raises
    ------
    DataError
        Where it is not installed, or the cluster does not answer.
    """
    # It reports how it is used, to its makers, unless told not to.
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    try:
        ray = import_module("ray")
    except ImportError as error:
        raise DataError(
            mark("Ray is not installed; install mammoscope[cluster] on every machine.")
        ) from error
    if ray.is_initialized():
        return ray
    own = {} if address else {"object_store_memory": STORE_BYTES, "include_dashboard": False}
    try:
        ray.init(address=address or "local", log_to_driver=False, **own)
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise DataError(
            mark("The cluster at {address} does not answer; start it, or name another."),
            address=address,
            detail=type(error).__name__,
        ) from error
    return ray


class Screener:
    """In an actor: the engine of one machine, for a few images at a time."""

    def __init__(self, root: str, processes: int, device: str) -> None:
        hindrances = Hindrances(Root(Path(root)), Path(root), NOBODY)
        self._engine = local_engine(Openers(processes), device, NOBODY, hindrances)

    def __call__(self, batch: Mapping[str, Any]) -> dict[str, list[Any]]:
        """Answer a batch of headings."""
        headings = [heading_from_text(str(text)) for text in batch["heading"]]
        deeds = list(self._engine.answers(headings))
        return {
            "place": [deed.heading.entry.place for deed in deeds],
            "state": [deed.answer.state.value for deed in deeds],
            "sentence": [deed.answer.sentence for deed in deeds],
            "content": [_content(deed.answer.analysis) for deed in deeds],
            "thumbnail": [deed.thumbnail for deed in deeds],
        }


def _content(analysis: ImageAnalysis | None) -> str:
    return json.dumps(image_to_json(analysis, {})) if analysis else ""


def _deed(row: Mapping[str, Any], by_place: Mapping[str, Heading]) -> Deed:
    content = str(row["content"])
    analysis = image_from_json(json.loads(content)) if content else None
    answer = Answer(State(row["state"]), analysis, str(row["sentence"]))
    return Deed(by_place[str(row["place"])], answer, bytes(row["thumbnail"]))


def heading_to_text(heading: Heading) -> str:
    """As it goes through the object store."""
    return json.dumps({**asdict(heading), "standing": heading.standing.value})


def heading_from_text(text: str) -> Heading:
    """Back from `heading_to_text`."""
    values = json.loads(text)
    standing, entry = Standing(values["standing"]), Entry(**values["entry"])
    return Heading(**{**values, "entry": entry, "standing": standing})
