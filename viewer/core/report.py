"""What a bug report says: where the program broke, and nothing of any patient.

Messages of exceptions are left out: they may quote a path, a name or a value of a header. A
`MammoError` gives its template and its detail, which hold no identity by agreement; these and
the lines of the log pass `viewer.core.anonymous` all the same.
"""

from __future__ import annotations

import platform
import traceback
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from ml.errors import MammoError
from ml.in_use import cards_in_use
from ml.places import RESOURCES
from viewer.core.anonymous import without_identity

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_ROOT = RESOURCES.parent
_PACKAGES = ("PySide6", "numpy", "pydicom", "imagecodecs", "openvino")


def program_version() -> str:
    """The version of the program that runs."""
    return _version_of("mammoscope")


def versions() -> tuple[tuple[str, str], ...]:
    """Name and version of what the program stands on, itself first."""
    system = f"{platform.system()} {platform.release()} {platform.machine()}"
    return (
        ("Mammoscope", program_version()),
        ("Python", platform.python_version()),
        *((name, _version_of(name)) for name in _PACKAGES),
        ("System", system),
    )


def models() -> tuple[str, ...]:
    """Name and version of the models in use, or that they cannot be told."""
    try:
        cards = cards_in_use()
    except (MammoError, OSError) as error:
        return (f"models: {type(error).__name__}",)
    return tuple(f"{role}: {card.name} {card.version}" for role, card in cards.items())


def error_report(
    error: BaseException, lines: Sequence[str] = (), known: Sequence[str] = ()
) -> str:
    """Describe an unexpected error for the people who mend the program.

    The whole chain of causes is told, each with its type and the places in the code.

    Parameters
    ----------
    lines
        The last lines of the log.
    known
        What names the patients of the open studies (`viewer.core.anonymous.identities_of`).
    """
    parts = [f"{name} {number}" for name, number in versions()]
    parts += (without_identity(line, known) for line in models())
    for each in _chain(error):
        parts.append("")
        parts.append(without_identity(_name(each), known))
        parts.extend(_places(each))
    if lines:
        parts.append("")
        parts += (without_identity(line, known) for line in lines)
    return "\n".join(parts) + "\n"


def _version_of(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"


def _chain(error: BaseException) -> Iterator[BaseException]:
    told: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in told:
        told.add(id(current))
        yield current
        hidden = None if current.__suppress_context__ else current.__context__
        current = current.__cause__ or hidden


def _name(error: BaseException) -> str:
    kind = type(error)
    name = f"{kind.__module__}.{kind.__qualname__}"
    if isinstance(error, MammoError):
        return " ".join(part for part in (name, error.template, error.detail) if part)
    return name


def _places(error: BaseException) -> Iterator[str]:
    for frame in traceback.extract_tb(error.__traceback__):
        yield f"  {_place(frame.filename)}:{frame.lineno} {frame.name}"


def _place(filename: str) -> str:
    path = Path(filename)
    # An absolute path would name the user's home.
    if path.is_relative_to(_ROOT / "viewer") or path.is_relative_to(_ROOT / "ml"):
        return path.relative_to(_ROOT).as_posix()
    return path.name
