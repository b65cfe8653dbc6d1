"""Screens a folder on a cluster of several nodes and kills one in the middle: a program.

python tests/factories/cluster.py FOLDER OUT [ANSWERS_BEFORE_A_NODE_IS_KILLED [LEDGER_URL]]
"""

from __future__ import annotations

import sys
import threading
import time
from contextlib import closing
from importlib import import_module
from pathlib import Path

from sqlalchemy import URL, create_engine, text
from sqlalchemy.exc import DBAPIError

ROOT = Path(__file__).resolve().parents[2]
LEDGER = "ledger.sqlite"


def main() -> None:
    """Three nodes of one core; one of them ends without a word."""
    sys.path.insert(0, str(ROOT))
    ray = import_module("ray")
    make_cluster = import_module("ray.cluster_utils").Cluster
    from ml.control import Control
    from ml.screen.run import run

    class Told(Control):
        def log(self, sentence: str) -> None:
            _tell(sentence)

    folder, out = Path(sys.argv[1]), Path(sys.argv[2])
    after = int(sys.argv[3]) if len(sys.argv) > 3 else 0
    url = sys.argv[4] if len(sys.argv) > 4 else ""
    counted = url or _file_url(out / LEDGER)
    store = {"object_store_memory": 100 << 20}
    cluster = make_cluster(initialize_head=True, head_node_args={"num_cpus": 1, **store})
    nodes = [cluster.add_node(num_cpus=1, **store) for _ in range(2)]
    cluster.wait_for_nodes()

    def kill() -> None:
        while _rows(counted) < after:
            time.sleep(0.02)
        _tell(f"kills a node after {_rows(counted)} answers")
        cluster.remove_node(nodes[-1], allow_graceful=False)
        _tell("killed a node")

    if after:
        threading.Thread(target=kill, daemon=True).start()
    spec = {"folder": str(folder), "out": str(out), "processes": 1, "device": "cpu"}
    spec |= {"ledger": url} if url else {}
    run({**spec, "engine": "ray", "address": cluster.address}, Told())
    alive = sum(node["Alive"] for node in ray.nodes())
    _tell(f"{alive} nodes alive, {_rows(counted)} answers")
    ray.shutdown()
    cluster.shutdown()


def _tell(sentence: str) -> None:
    sys.stdout.write(f"{sentence}\n")
    sys.stdout.flush()


def _file_url(ledger: Path) -> URL:
    """Only read: the run itself makes it."""
    return URL.create("sqlite", database=f"file:{ledger}", query={"mode": "ro", "uri": "true"})


def _rows(url: str | URL) -> int:
    engine = create_engine(url)
    try:
        with closing(engine.connect()) as connection:
            return connection.scalar(text("SELECT count(*) FROM answers")) or 0
    except DBAPIError:
        # It is not made yet.
        return 0
    finally:
        engine.dispose()


if __name__ == "__main__":
    main()
