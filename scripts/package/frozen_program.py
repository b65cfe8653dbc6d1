"""Run a program that was frozen in bare surroundings, and look at what it did.

Any line of output that is not expected fails it: a warning of a library that lacks a file is
one. What is done here goes through the frozen program's own child processes.
"""

from __future__ import annotations

import csv
import json
import os
import re
import sqlite3
import subprocess
import time
from contextlib import closing
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

LIBRARY = "library.sqlite"
IMAGES = 4
# What Qt's offscreen platform says of every window.
EXPECTED = ("This plugin does not support propagateSizeHints()",)
# What a training says of its model.
OF_TRAINING = re.compile(r"Measuring on |sensitivity at ")
NOTHING = re.compile(r"(?!)")
# What a program needs of its surroundings; everything else of the developer's stays outside.
KEPT_VARIABLES = ("SYSTEMROOT", "TEMP", "TMP", "USERPROFILE", "LOCALAPPDATA")
# A library of before Alembic, as version 0.1.0 made it.
OLD_LIBRARY = """
    CREATE TABLE studies (uid TEXT PRIMARY KEY, path TEXT NOT NULL, label TEXT NOT NULL,
        opened_at TEXT NOT NULL) STRICT;
    CREATE TABLE readings (uid TEXT PRIMARY KEY, before TEXT NOT NULL, after TEXT NOT NULL,
        revealed_at TEXT NOT NULL, seen_before INTEGER NOT NULL, reader TEXT NOT NULL) STRICT;
    CREATE TABLE analyses (sop_instance_uid TEXT NOT NULL, model_hashes TEXT NOT NULL,
        content TEXT NOT NULL, PRIMARY KEY (sop_instance_uid, model_hashes)) STRICT;
    INSERT INTO studies VALUES ('1.2', '/a', 'A', '2026-01-01');
    PRAGMA user_version = 1;
"""


class FrozenError(Exception):
    """The frozen program is not as it should be."""


class Program:
    """A frozen program, with a home of its own and nothing of the developer's.

    Parameters
    ----------
    command
        The program, with what comes before it (as ``chroot`` does).
    work
        An empty folder, for its home and its results.
    seen
        The same as the program sees it, where that is elsewhere.
    """

    def __init__(self, command: Sequence[str], work: Path, seen: Path | None = None) -> None:
        self.command = list(command)
        self.work, self.seen = work, seen or work
        self.home = work / "home"
        self.home.mkdir(parents=True)
        self.environment = {
            **{key: os.environ[key] for key in KEPT_VARIABLES if key in os.environ},
            "HOME": str(work),
            "LANG": "C.UTF-8",
            "MAMMOSCOPE_HOME": str(self.home),
            "QT_QPA_PLATFORM": "offscreen",
        }

    def run(
        self,
        *arguments: str,
        longest_s: float = 300.0,
        expected: re.Pattern[str] = NOTHING,
    ) -> float:
        """Run it once, and return its seconds.

        Parameters
        ----------
        expected
            How lines begin that this command may say.

        Raises
        ------
        FrozenError
            Where it fails, takes too long or says what was not expected.
        """
        start = time.perf_counter()
        try:
            done = subprocess.run(
                [*self.command, *arguments],
                check=False,
                capture_output=True,
                text=True,
                timeout=longest_s,
                env=self.environment,
                cwd=self.work,
            )
        except subprocess.TimeoutExpired as error:
            raise FrozenError(f"`{arguments[0]}` took over {longest_s:.0f} s") from error
        lines = unexpected_lines(done.stdout + done.stderr, self.seen)
        unexpected = [line for line in lines if not expected.match(line)]
        if done.returncode != 0 or unexpected:
            said = "\n".join(unexpected or (done.stdout + done.stderr).splitlines())
            raise FrozenError(
                f"`{arguments[0]}` ended with {done.returncode} and said:\n{said}"
            )
        return time.perf_counter() - start


def unexpected_lines(output: str, work: Path) -> list[str]:
    """Pick the lines that are neither expected nor name a result."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return [line for line in lines if line not in EXPECTED and str(work) not in line]


def test_itself(program: Program) -> float:
    """Have it test itself over a library of version 0.1.0; return its seconds."""
    with closing(sqlite3.connect(program.home / LIBRARY)) as connection:
        connection.executescript(OLD_LIBRARY)
    out = program.work / "self-test"
    seconds = program.run("self-test", "--out", str(out))
    picture = out / "screenshot.png"
    if not picture.exists() or picture.read_bytes()[:4] != b"\x89PNG":
        raise FrozenError("the self-test wrote no screenshot.png")
    check_findings(out / "findings.json", IMAGES)
    check_library(program.home)
    return seconds


def check_findings(path: Path, count: int) -> None:
    """Look whether a file of findings has so many images, each looked at.

    Raises
    ------
    FrozenError
        Where it has not.
    """
    images = json.loads(path.read_text(encoding="utf-8"))["images"]
    looked_at = [image for image in images if image["refused"] is None]
    if len(looked_at) != count:
        raise FrozenError(f"{path.name} has {len(looked_at)} images that were looked at")


def check_library(home: Path) -> None:
    """Look whether the library was brought up to date and then used.

    Raises
    ------
    FrozenError
        Where it was not.
    """
    with closing(sqlite3.connect(home / LIBRARY)) as connection:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        (studies,) = connection.execute("SELECT count(*) FROM studies").fetchone()
    if version < 2 or studies != 2:
        raise FrozenError(f"the library is of revision {version} and has {studies} studies")


def screen(program: Program, folder: Path, count: int = IMAGES) -> float:
    """Have it screen a folder of so many images; return its seconds."""
    out = program.work / "screened"
    seconds = program.run("screen", str(folder), "--out", str(out))
    with (out / "results.csv").open(encoding="utf-8-sig", newline="") as file:
        states = [row["state"] for row in csv.DictReader(file)]
    if states != ["done"] * count:
        raise FrozenError(
            f"screening {count} images ended as: {', '.join(states) or 'nothing'}"
        )
    return seconds


def generate(program: Program) -> float:
    """Have it generate two images in very few steps; return its seconds."""
    out, seen = program.work / "generated", program.seen / "generated"
    prompt = "a alpha mammogram in MLO view with medium area and high density, left breast"
    wanted = ["--prompt", prompt, "--count", "2", "--seed", "1", "--steps", "2", "--keep-all"]
    seconds = program.run("generate", *wanted, "--device", "cpu", "--out", str(seen))
    made = list(out.rglob("*.dcm"))
    if len(made) != 2:
        raise FrozenError(f"two images were asked of the generator, and {len(made)} made")
    return seconds


def train(program: Program) -> float:
    """Have it simulate a few women and train a detector on them by one step."""
    data, out = program.seen / "phantoms", program.seen / "training"
    seconds = program.run("phantom", "--count", "6", "--seed", "1", "--out", str(data))
    manifest = data / "manifest.csv"
    few = ["--from-scratch", "--part", "0.000001", "--device", "cpu"]
    # So few women are never shared out alike, and nobody uses what they teach.
    few += ["--override", "a trial of the program itself"]
    seconds += program.run(
        *("train", "detector", "--manifest", str(manifest), *few, "--out", str(out)),
        longest_s=900.0,
        expected=OF_TRAINING,
    )
    if not list((program.work / out.name).rglob("card.json")):
        raise FrozenError("the training left no model")
    return seconds
