"""Make `.venv` and keep it right: what run.py, test.py and check.py share.

Standard library only: this runs on the Python that the user has, before anything is installed.
A stamp, written last, says what a finished environment was made from; without it the
environment is half-made and is made again. A start with a current stamp costs milliseconds.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = ROOT / ".venv"
LOCK = ROOT / "scripts" / "requirements.lock"
TRANSLATIONS = ROOT / "resources" / "translations"
STAMP = ENVIRONMENT / "mammoscope-setup.stamp"
DISK_GB = 12
# Ray and a database's driver, for `test.py --cluster` alone: an environment over the first.
CLUSTER = ROOT / ".venv-cluster"
CLUSTER_LOCK = ROOT / "scripts" / "cluster.lock"
CLUSTER_GB = 2

# Nothing here may reach for the network at run time.
OFFLINE = {
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "YOLO_OFFLINE": "1",
    "YOLO_AUTOINSTALL": "False",
    "DO_NOT_TRACK": "1",
}


class SetupError(Exception):
    """Set-up cannot go on; the message says what to do."""


def environment_python(environment: Path | None = None) -> Path:
    """Name the interpreter inside `.venv`, or inside another environment."""
    environment = environment or ENVIRONMENT
    if os.name == "nt":
        return environment / "Scripts" / "python.exe"
    return environment / "bin" / "python"


def lock_hash() -> str:
    """Hash of the lock: another hash means another set of packages."""
    return _hash(LOCK)


def _hash(lock: Path) -> str:
    return hashlib.sha256(lock.read_bytes()).hexdigest()


def project_hash() -> str:
    """Hash of what installing the project depends on: its table and where it lies."""
    table = (ROOT / "pyproject.toml").read_bytes()
    return hashlib.sha256(table + str(ROOT).encode()).hexdigest()


def texts_hash() -> str:
    """Hash of the translations, which are compiled."""
    found = hashlib.sha256()
    for path in sorted(TRANSLATIONS.rglob("*.po")):
        found.update(path.read_bytes())
    return found.hexdigest()


def wanted_stamp() -> dict[str, str]:
    """What the stamp of an environment says that is right."""
    return {"lock": lock_hash(), "project": project_hash(), "texts": texts_hash()}


def stamp_text() -> str:
    """Write what a finished environment's stamp says."""
    return "".join(f"{name} {value}\n" for name, value in wanted_stamp().items())


def read_stamp() -> dict[str, str]:
    """Read the stamp's words; empty when the environment is missing or half-made."""
    if not environment_python().exists():
        return {}
    try:
        text = STAMP.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return {}
    lines = [line.split(" ", 1) for line in text.splitlines() if " " in line]
    return {line[0]: line[1] for line in lines}


def is_ready() -> bool:
    """Whether `.venv` is finished and made from this lock, this project and these texts."""
    return read_stamp() == wanted_stamp()


def prepare_environment() -> Path:
    """Make `.venv` if it must be made, and return its interpreter.

    Raises
    ------
    SetupError
        With a sentence that says what to do.
    """
    if not is_ready():
        with _only_one_at_a_time():
            _make_what_is_missing()
    return environment_python()


def prepare_cluster() -> Path:
    """Make `.venv-cluster` if it must be made, and return its interpreter.

    It sees all that is in `.venv`, which stays as it is, and has what a cluster needs besides.

    Raises
    ------
    SetupError
        With a sentence that says what to do.
    """
    prepare_environment()
    python, stamp = environment_python(CLUSTER), CLUSTER / STAMP.name
    told = f"{_hash(LOCK)} {_hash(CLUSTER_LOCK)} {ROOT}\n"
    with _only_one_at_a_time():
        if stamp.exists() and stamp.read_text(encoding="utf-8") == told:
            return python
        _check_disk(CLUSTER_GB)
        say("Making .venv-cluster, with Ray.")
        start = [str(environment_python()), "-m", "venv", "--clear", "--without-pip"]
        _run_quietly([*start, str(CLUSTER)])
        # Before it sees `.venv`, where pip might want to change what is there.
        _install(CLUSTER_LOCK, python)
        line = f"import site; site.addsitedir({_packages_of(environment_python())!r})\n"
        below = Path(_packages_of(python)) / "mammoscope-below.pth"
        below.write_text(line, encoding="utf-8")
        stamp.write_text(told, encoding="utf-8")
    return python


def _packages_of(python: Path) -> str:
    """Ask an environment where its packages lie."""
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    command = [str(python), "-c", code]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def replace_program(command: Sequence[str]) -> int:
    """Run `command` offline in this program's place; return its exit code where that fails.

    POSIX replaces the process, so that signals and the exit code are the program's own.
    """
    environment = {**os.environ, **OFFLINE}
    if os.name == "posix":
        sys.stdout.flush()
        os.execve(command[0], list(command), environment)
    return subprocess.call(list(command), env=environment)


def _make_what_is_missing() -> None:
    stamp = read_stamp()
    if is_ready():
        return  # the set-up that we waited for did it
    wanted = wanted_stamp()
    if stamp.get("lock") != wanted["lock"]:
        _check_disk(DISK_GB)
        _make_environment(half_made=ENVIRONMENT.exists() and not stamp, again=bool(stamp))
        STAMP.unlink(missing_ok=True)
        _install_lock()
        stamp = {}
    STAMP.unlink(missing_ok=True)
    if stamp.get("project") != wanted["project"]:
        _install_project()
    if stamp.get("texts") != wanted["texts"]:
        _run_quietly([str(environment_python()), str(ROOT / "scripts" / "compile_texts.py")])
    STAMP.write_text(stamp_text(), encoding="utf-8")
    say("Set-up is done.")


def _check_disk(needed_gb: int) -> None:
    free_gb = shutil.disk_usage(ROOT).free / 1e9
    if free_gb < needed_gb:
        raise SetupError(
            f"Set-up needs {needed_gb} GB of free disk and {free_gb:.1f} GB are free at "
            f"{ROOT}. Make room and start again."
        )


def _make_environment(*, half_made: bool, again: bool) -> None:
    if again:
        say("The lock has changed: bringing .venv up to date.")
        return
    if half_made:
        say("An earlier set-up was interrupted: making .venv again.")
    else:
        say("Making .venv.")
    if not _has("ensurepip"):
        _explain_or_install_venv()
    options = [] if _has("ensurepip") else ["--without-pip"]
    _run_quietly([sys.executable, "-m", "venv", "--clear", *options, str(ENVIRONMENT)])


def _has(module: str) -> bool:
    """Whether a fresh start of this Python finds `module` (apt may just have brought it)."""
    command = [sys.executable, "-c", f"import {module}"]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


def _explain_or_install_venv() -> None:
    """Debian's Python comes without ensurepip: the outer pip serves, or apt brings it."""
    if _has("pip"):
        return
    line = f"apt-get install -y python3.{sys.version_info.minor}-venv"
    if can_use_apt():
        say("This Python has no pip: installing it with apt.")
        _run_quietly(["apt-get", "update"])
        _run_quietly(line.split(" "))
        return
    raise SetupError(f"This Python has neither ensurepip nor pip. Run: sudo {line}")


def can_use_apt() -> bool:
    """Whether packages can be installed with apt: Linux, root, and apt-get there."""
    if sys.platform != "linux" or shutil.which("apt-get") is None:
        return False
    return os.geteuid() == 0


def _pip(*arguments: str, into: Path | None = None) -> list[str]:
    """Pip's command for `.venv`, or for the environment of another interpreter."""
    inside = environment_python()
    known = subprocess.run(
        [str(inside), "-c", "import pip"], check=False, capture_output=True
    ).returncode
    start = [str(inside) if known == 0 else sys.executable, "-m", "pip"]
    if known != 0 or into is not None:
        start += ["--python", str(into or inside)]
    return [*start, *arguments]


def _install_lock() -> None:
    total = sum(line[:1].isalnum() for line in LOCK.read_text(encoding="utf-8").splitlines())
    say(f"Installing up to {total} locked packages (about 7 GB, some minutes).")
    _install(LOCK)


def _install(lock: Path, into: Path | None = None) -> None:
    _run_with_progress(
        _pip(
            "install",
            "--no-deps",
            "--require-hashes",
            "--disable-pip-version-check",
            "--no-input",
            "-r",
            str(lock),
            into=into,
        )
    )


def _install_project() -> None:
    say("Installing Mammoscope itself.")
    options = ["--no-deps", "--no-build-isolation", "--no-input", "--disable-pip-version-check"]
    _run_quietly(_pip("install", *options, "-e", str(ROOT)))


def _run_quietly(command: Sequence[str]) -> None:
    done = subprocess.run(list(command), check=False, capture_output=True, text=True)
    if done.returncode != 0:
        tail = "\n".join((done.stdout + done.stderr).splitlines()[-20:])
        raise SetupError(f"This failed: {' '.join(command)}\n{tail}")


def _run_with_progress(command: Sequence[str]) -> None:
    """Run pip and say in a line per package how far it is."""
    recent: list[str] = []
    collected = 0
    with subprocess.Popen(
        list(command), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        for line in process.stdout or ():
            recent = [*recent[-30:], line.rstrip()]
            collected += line.startswith("Collecting ")
            _say_progress(line.strip(), collected)
    if process.returncode != 0:
        raise SetupError("Installing the locked packages failed:\n" + "\n".join(recent))


def _say_progress(line: str, collected: int) -> None:
    if line.startswith("Collecting "):
        say(f"  [{collected}] {line.split(' ')[1]}")
    elif line.startswith("Installing collected packages"):
        say("  unpacking them")


@contextmanager
def _only_one_at_a_time() -> Iterator[None]:
    """Hold the set-up's lock file; the system frees it when this process ends, however."""
    with (ROOT / ".venv.lock").open("a+b") as file:
        if not _try_lock(file):
            say("Another set-up is at work here: waiting for it.")
            _wait_for_lock(file)
        yield


def _try_lock(file: IO[bytes]) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _wait_for_lock(file: IO[bytes]) -> None:
    import time

    while not _try_lock(file):
        time.sleep(1.0)


def say(text: str) -> None:
    """Tell the user how far set-up is, at once."""
    print(text, flush=True)
