"""A fresh Debian in a folder, to install a package in and run it as an ordinary user.

Made once by debootstrap and kept; each trial takes a copy, so that nothing but what the package
asks for is in it. Programs run in it without a network. Linux, as root, with debootstrap.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

USER = "reader"
HOME = f"/home/{USER}"
READY = ".debootstrap-is-done"
# What apt and dpkg say that a package is to be changed for.
COMPLAINTS = ("W:", "E:", "dpkg: warning", "dpkg: error", "update-desktop-database:")


class RootError(Exception):
    """A step in the fresh Debian failed."""


class DebianRoot:
    """A copy of a fresh Debian, its users' home and its mounts.

    Parameters
    ----------
    folder
        Where it lies.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def as_root(self, *command: str) -> str:
        """Run a command in it as root, with the network; return what it said.

        Raises
        ------
        RootError
            Where it fails, or complains.
        """
        environment = {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "DEBIAN_FRONTEND": "noninteractive",
        }
        done = subprocess.run(
            ["chroot", str(self.folder), *command],
            check=False,
            capture_output=True,
            text=True,
            env={**environment, "LANG": "C.UTF-8"},
        )
        said = done.stdout + done.stderr
        bad = [line for line in said.splitlines() if line.startswith(COMPLAINTS)]
        if done.returncode != 0 or bad:
            tail = "\n".join(bad or said.splitlines()[-15:])
            raise RootError(f"`{' '.join(command)}` ended with {done.returncode}:\n{tail}")
        return said

    def command(self, *command: str, display: str = "") -> list[str]:
        """A command line that runs in it as the ordinary user, without a network."""
        # By its whole path: who runs this may have no PATH for it to be found on.
        chroot = shutil.which("chroot") or "/usr/sbin/chroot"
        start = ["unshare", "--net", chroot, f"--userspec={USER}:{USER}", str(self.folder)]
        shown = ["DISPLAY=" + display] if display else ["QT_QPA_PLATFORM=offscreen"]
        bare = ["PATH=/usr/bin:/bin", f"HOME={HOME}", "LANG=C.UTF-8", *shown]
        return [*start, "/usr/bin/env", "-i", "-C", HOME, *bare, *command]

    def home(self, *parts: str) -> Path:
        """A place in the user's home, seen from outside."""
        return self.folder.joinpath("home", USER, *parts)

    def give(self, source: Path, name: str) -> str:
        """Copy files into the user's home; return their path as she sees it."""
        shutil.copytree(source, self.home(name), dirs_exist_ok=True)
        self.as_root("chown", "-R", f"{USER}:{USER}", f"{HOME}/{name}")
        return f"{HOME}/{name}"

    def install(self, package: Path) -> None:
        """Install a package file, and what it depends on."""
        shutil.copy(package, self.folder / "tmp" / package.name)
        options = ["-y", "-q", "--no-install-recommends"]
        self.as_root("apt-get", "install", *options, f"/tmp/{package.name}")
        (self.folder / "tmp" / package.name).unlink()

    def files_of_package(self) -> set[str]:
        """Every file below the places that packages own, but for apt's own notes."""
        found: set[str] = set()
        for top in ("etc", "opt", "usr"):
            for folder, _, names in os.walk(self.folder / top):
                place = Path(folder).relative_to(self.folder)
                found |= {str(place / name) for name in names}
        return {name for name in found if not name.startswith("etc/ld.so")}


def make_pristine(folder: Path, suite: str, mirror: str) -> None:
    """Have debootstrap make a Debian, where there is none yet.

    Raises
    ------
    RootError
        With what is missing, or the last lines of a failure.
    """
    if (folder / READY).exists():
        return
    if shutil.which("debootstrap") is None or os.geteuid() != 0:
        raise RootError(
            "Trying the package needs root and debootstrap: apt-get install debootstrap"
        )
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    command = ["debootstrap", "--variant=minbase", suite, str(folder), mirror]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        tail = "\n".join((done.stdout + done.stderr).splitlines()[-15:])
        raise RootError(f"debootstrap failed:\n{tail}")
    (folder / READY).touch()


@contextmanager
def fresh_copy(pristine: Path, archives: Path) -> Iterator[DebianRoot]:
    """A copy of a fresh Debian with a user, which is taken away afterwards.

    Parameters
    ----------
    archives
        Where apt keeps what it has fetched, from one trial to the next.
    """
    folder = pristine.with_name(f"{pristine.name}-trial")
    _take_away(folder)
    subprocess.run(["cp", "-a", "--reflink=auto", str(pristine), str(folder)], check=True)
    archives.mkdir(parents=True, exist_ok=True)
    mounts = [
        ["-t", "proc", "proc", str(folder / "proc")],
        ["-t", "sysfs", "-o", "ro", "sysfs", str(folder / "sys")],
        ["-t", "tmpfs", "-o", "mode=1777", "tmpfs", str(folder / "dev" / "shm")],
        ["--bind", str(archives), str(folder / "var" / "cache" / "apt" / "archives")],
        ["--bind", "/tmp/.X11-unix", str(folder / "tmp" / ".X11-unix")],
    ]
    Path("/tmp/.X11-unix").mkdir(mode=0o1777, exist_ok=True)
    (folder / "tmp" / ".X11-unix").mkdir(mode=0o1777)
    # debootstrap has made the devices; its own /dev, since the machine's may be shared.
    (folder / "dev" / "shm").mkdir(exist_ok=True)
    try:
        for mount in mounts:
            subprocess.run(["mount", *mount], check=True)
        root = DebianRoot(folder)
        # There is no terminal in it.
        options = folder / "etc" / "apt" / "apt.conf.d" / "90trial"
        options.write_text('Dpkg::Use-Pty "0";\n', encoding="utf-8")
        if Path("/etc/resolv.conf").exists():
            shutil.copy("/etc/resolv.conf", folder / "etc" / "resolv.conf")
        root.as_root("useradd", "--create-home", "--shell", "/bin/sh", USER)
        root.as_root("apt-get", "update", "-q")
        yield root
    finally:
        _take_away(folder)


def _take_away(folder: Path) -> None:
    """Unmount what is mounted below a folder, then delete it; never the other way round."""
    for place in reversed(_mounted_below(folder)):
        subprocess.run(["umount", "--lazy", place], check=False)
    if _mounted_below(folder):
        raise RootError(f"something is still mounted below {folder}: unmount it and try again")
    shutil.rmtree(folder, ignore_errors=True)


def _mounted_below(folder: Path) -> Sequence[str]:
    lines = Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()
    places = [line.split(" ")[1] for line in lines]
    return [place for place in places if place.startswith(f"{folder}/")]
