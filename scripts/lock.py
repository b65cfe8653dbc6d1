"""Make the locks again: `python scripts/lock.py [--keep | --cluster]` (needs `uv` on the path).

One lock for Linux, Windows and macOS, with hashes. Two packages stay out of it, which is why
set-up installs with `--no-deps`: opencv-python (its import points Qt at its own plugins; the
headless build stands in) and openvino-telemetry (nothing here reports anything to anyone).

What the extra `cluster` needs besides is in a second lock, made against the first: none of its
packages is another there. With `--cluster` only the second is made; with `--keep` what is
locked stays, and only what `pyproject.toml` asks for besides comes to it.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "scripts" / "requirements.lock"
CLUSTER_LOCK = ROOT / "scripts" / "cluster.lock"
LEFT_OUT = ("opencv-python", "openvino-telemetry")
HEADER = (
    "# Made by scripts/lock.py; do not edit. Three systems, hashes, installed with --no-deps."
)
COMMAND = (
    "uv pip compile --universal --generate-hashes --python-version 3.11 --no-emit-index-url "
    "--no-emit-find-links --no-header pyproject.toml"
)
OF_ALL = "--extra dev --extra samples"
OF_CLUSTER = "--extra cluster --constraint scripts/requirements.lock"


def blocks_of(text: str) -> list[str]:
    """Cut a compiled lock into one block of lines for each package."""
    blocks: list[str] = []
    for line in text.splitlines(keepends=True):
        if line[:1].isalnum() or not blocks:
            blocks.append(line)
        else:
            blocks[-1] += line
    return blocks


def name_of(block: str) -> str:
    """The package that a block is of."""
    return block.split("==")[0].strip()


def leave_out(text: str) -> str:
    """Drop the blocks of the packages in `LEFT_OUT`."""
    return "".join(block for block in blocks_of(text) if name_of(block) not in LEFT_OUT)


def besides(text: str, first: str) -> str:
    """Drop the blocks of the packages that another lock has."""
    known = {name_of(block) for block in blocks_of(first)}
    return "".join(block for block in blocks_of(text) if name_of(block) not in known)


def compiled(options: str, kept: str = "") -> str:
    """What the registry has to offer for the project, without what is left out.

    Parameters
    ----------
    kept
        A lock whose versions stay where nothing speaks against them.

    Raises
    ------
    subprocess.CalledProcessError
        Where it cannot be resolved.
    """
    with tempfile.TemporaryDirectory() as place:
        # uv prefers what stands in the file that it writes.
        made = Path(place) / "made.lock"
        made.write_text(kept, encoding="utf-8")
        command = [*COMMAND.split(), *options.split(), "--output-file", str(made)]
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
        return leave_out(made.read_text(encoding="utf-8"))


def main() -> int:
    """Compile and write the locks."""
    try:
        if sys.argv[1:] != ["--cluster"]:
            kept = LOCK.read_text(encoding="utf-8") if sys.argv[1:] == ["--keep"] else ""
            _write(LOCK, compiled(OF_ALL, kept))
        first = LOCK.read_text(encoding="utf-8")
        _write(CLUSTER_LOCK, besides(compiled(OF_CLUSTER), first))
    except subprocess.CalledProcessError as error:
        print(error.stderr, file=sys.stderr)
        return 1
    return 0


def _write(lock: Path, text: str) -> None:
    lock.write_text(f"{HEADER}\n{text}", encoding="utf-8", newline="\n")
    print(f"wrote {lock.relative_to(ROOT).as_posix()}")


if __name__ == "__main__":
    sys.exit(main())
