"""The reader's edition: the viewer, and every command's parser, without what is left out."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WITHOUT = """
import importlib, pkgutil, sys
sys.path[:0] = [".", "scripts/package"]
from left_out import is_left_out
class LeftOut:
    def find_spec(self, name, path=None, target=None):
        if is_left_out(name):
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, LeftOut())
import viewer
for module in pkgutil.walk_packages(viewer.__path__, "viewer."):
    if "migrations" not in module.name:
        importlib.import_module(module.name)
import ml.cli, ml.job_process, ml.worker
"""


def test_the_viewer_needs_nothing_that_is_left_out() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr


def test_only_what_exists_is_kept() -> None:
    sys.path.insert(0, str(ROOT / "scripts" / "package"))
    from left_out import KEPT, left_out

    assert not KEPT & set(left_out())
    for name in KEPT:
        assert (ROOT / f"{name.replace('.', '/')}.py").exists()
