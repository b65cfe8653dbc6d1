"""Make `scripts/requirements.lock` again: `python scripts/lock.py` (needs `uv` on the path).

One lock for Linux, Windows and macOS, with hashes. Two packages stay out of it, which is why
set-up installs with `--no-deps`: opencv-python (its import points Qt at its own plugins; the
headless build stands in) and openvino-telemetry (nothing here reports anything to anyone).
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "scripts" / "requirements.lock"
LEFT_OUT = ("opencv-python", "openvino-telemetry")
HEADER = (
    "# Made by scripts/lock.py; do not edit. Three systems, hashes, installed with --no-deps."
)
COMMAND = (
    "uv pip compile --universal --generate-hashes --python-version 3.11 --extra dev "
    "--extra samples --no-emit-index-url --no-emit-find-links --no-header pyproject.toml"
)


def blocks_of(text: str) -> list[str]:
    """Cut a compiled lock into one block of lines for each package."""
    blocks: list[str] = []
    for line in text.splitlines(keepends=True):
        if line[:1].isalnum() or not blocks:
            blocks.append(line)
        else:
            blocks[-1] += line
    return blocks


def leave_out(text: str) -> str:
    """Drop the blocks of the packages in `LEFT_OUT`."""
    kept = [b for b in blocks_of(text) if b.split("==")[0].strip() not in LEFT_OUT]
    return "".join(kept)


def main() -> int:
    """Compile and write the lock."""
    done = subprocess.run(
        COMMAND.split(), cwd=ROOT, check=False, capture_output=True, text=True
    )
    if done.returncode != 0:
        print(done.stderr, file=sys.stderr)
        return 1
    LOCK.write_text(f"{HEADER}\n{leave_out(done.stdout)}", encoding="utf-8", newline="\n")
    print(f"wrote {LOCK.relative_to(ROOT).as_posix()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
