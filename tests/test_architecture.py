"""What must hold of the whole tree: budgets, docstrings, size, words in the README."""

from __future__ import annotations

import ast
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCES = sorted(
    path for room in ("ml", "viewer", "scripts") for path in (ROOT / room).rglob("*.py")
)
TRACKED_MIB = 45
FILE_LINES = 500
FUNCTION_LINES = 60
PUBLIC_DOCSTRINGS = 0.90

Documented = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def public_parts(tree: ast.Module) -> list[Documented]:
    """The public functions and classes of a module, and the public methods of those classes."""
    bodies = [tree.body, *(n.body for n in tree.body if isinstance(n, ast.ClassDef))]
    parts = [node for body in bodies for node in body if isinstance(node, Documented)]
    # An override of Qt's is documented by Qt.
    return [node for node in parts if not re.match(r"_|.*Event$|[a-z]+[A-Z]", node.name)]


def test_files_are_short() -> None:
    lines = {name_of(p): len(p.read_text(encoding="utf-8").splitlines()) for p in SOURCES}
    assert {name: count for name, count in lines.items() if count > FILE_LINES} == {}


def test_functions_are_short() -> None:
    long = [
        f"{name_of(path)}:{node.lineno} {node.name}"
        for path in SOURCES
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or node.lineno) - node.lineno >= FUNCTION_LINES
    ]
    assert long == []


def test_every_module_says_what_it_is() -> None:
    assert [name_of(path) for path in SOURCES if not ast.get_docstring(tree_of(path))] == []


def test_public_names_are_documented() -> None:
    parts = [(path, node) for path in SOURCES for node in public_parts(tree_of(path))]
    bare = [f"{name_of(p)} {n.name}" for p, n in parts if not ast.get_docstring(n)]
    assert 1 - len(bare) / len(parts) >= PUBLIC_DOCSTRINGS, bare


def test_nothing_is_left_to_do() -> None:
    word = re.compile(r"\b(TODO|FIXME|XXX)\b")
    found = [name_of(p) for p in SOURCES if word.search(p.read_text(encoding="utf-8"))]
    assert found == []


def test_what_is_tracked_stays_small() -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("not a checkout: an unpacked source archive tracks nothing")
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True
    )
    paths = [ROOT / name for name in listed.stdout.decode().split("\0") if name]
    size_mib = sum(path.stat().st_size for path in paths if path.is_file()) / 2**20
    assert size_mib < TRACKED_MIB


@pytest.mark.parametrize("name", ["README.md", "tests/README.md"])
def test_the_scripts_that_a_readme_names_exist(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    named = set(re.findall(r"scripts/[\w/]+\.\w+", text))
    assert named
    assert {script for script in named if not (ROOT / script).exists()} == set()


@pytest.mark.parametrize("room", ["viewer", "ml", "tests", "resources"])
def test_the_rooms_that_a_readme_names_exist(room: str) -> None:
    text = (ROOT / room / "README.md").read_text(encoding="utf-8")
    cells = re.findall(r"^\| (`.*?`) \|", text, flags=re.MULTILINE)
    named = [name for cell in cells for name in re.findall(r"`(.*?)`", cell)]
    assert [name for name in named if not (ROOT / room / name).exists()] == []


@pytest.mark.filterwarnings("ignore:A test tried to use socket")
def test_no_test_reaches_the_network() -> None:
    with pytest.raises(RuntimeError, match="socket"):
        socket.create_connection(("127.0.0.1", 9), timeout=1)


def test_no_child_of_a_test_reaches_the_network() -> None:
    code = "import socket; socket.socket().connect(('127.0.0.1', 9))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert b"reached for the network" in done.stderr


def test_a_module_can_be_kept_out_of_a_child() -> None:
    variables = {**os.environ, "MAMMOSCOPE_BLOCK_IMPORTS": "torch"}
    done = subprocess.run(
        [sys.executable, "-c", "import torch"], capture_output=True, check=False, env=variables
    )
    assert b"the test blocks torch" in done.stderr
