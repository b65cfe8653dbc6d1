"""Screens a folder on a cluster of several nodes and kills one in the middle: a program.

python tests/factories/cluster.py FOLDER OUT [ANSWERS_BEFORE_A_NODE_IS_KILLED]
"""

from __future__ import annotations

import sqlite3
import sys
import threading
import time
from contextlib import closing
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LEDGER = "ledger.sqlite"


def main() -> None:
    """Three nodes of one core; one of them ends without a word."""
    sys.path.insert(0, str(ROOT))
    ray = import_module("ray")
    make_cluster = import_module("ray.cluster_utils").Cluster
    from ml.control import Control
    from ml.screen.run import run

    folder, out = Path(sys.argv[1]), Path(sys.argv[2])
    after = int(sys.argv[3]) if len(sys.argv) > 3 else 0
    store = {"object_store_memory": 100 << 20}
    cluster = make_cluster(initialize_head=True, head_node_args={"num_cpus": 1, **store})
    nodes = [cluster.add_node(num_cpus=1, **store) for _ in range(2)]
    cluster.wait_for_nodes()

    def kill() -> None:
        while _rows(out / LEDGER) < after:
            time.sleep(0.02)
        cluster.remove_node(nodes[-1], allow_graceful=False)
        _tell(f"killed a node after {_rows(out / LEDGER)} answers")

    if after:
        threading.Thread(target=kill, daemon=True).start()
    spec = {"folder": str(folder), "out": str(out), "processes": 1, "device": "cpu"}
    run({**spec, "engine": "ray", "address": cluster.address}, Control())
    alive = sum(node["Alive"] for node in ray.nodes())
    _tell(f"{alive} nodes alive, {_rows(out / LEDGER)} answers")
    ray.shutdown()
    cluster.shutdown()


def _tell(sentence: str) -> None:
    sys.stdout.write(f"{sentence}\n")
    sys.stdout.flush()


def _rows(ledger: Path) -> int:
    try:
        with closing(sqlite3.connect(f"file:{ledger}?mode=ro", uri=True)) as connection:
            return connection.execute("SELECT count(*) FROM answers").fetchone()[0]
    except sqlite3.Error:
        return 0


if __name__ == "__main__":
    main()
