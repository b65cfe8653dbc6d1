"""What a start of the program asks for, and the line that brings it to a program that runs."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

from ml.texts import mark
from viewer.core.errors import StartError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# As `viewer.__main__` writes them in its usage.
TOGETHER, NEW_WINDOW = "--together", "--new-window"
OPTIONS = frozenset((TOGETHER, NEW_WINDOW))
# By this a window that runs already may come to the front on Wayland (xdg-activation).
TOKEN_VARIABLE = "XDG_ACTIVATION_TOKEN"
_URL = "file:"


@dataclass(frozen=True, slots=True)
class Start:
    """What is to be opened.

    Attributes
    ----------
    paths
        Absolute; none: a start without files.
    together
        Hang all as one study.
    alone
        In a window of its own, whatever runs already.
    token
        Of the desktop, that lets a window come to the front; empty where there is none.
    """

    paths: tuple[Path, ...] = ()
    together: bool = False
    alone: bool = False
    token: str = ""


def start_of(arguments: Sequence[str], environment: Mapping[str, str] = os.environ) -> Start:
    """What a command line asks for; paths are told from where it was given."""
    return Start(
        tuple(_path(each) for each in arguments if each not in OPTIONS),
        TOGETHER in arguments,
        NEW_WINDOW in arguments,
        environment.get(TOKEN_VARIABLE, ""),
    )


def start_to_line(start: Start) -> bytes:
    """One line of JSON, with its end."""
    document = {
        "open": [str(path) for path in start.paths],
        "together": start.together,
        "token": start.token,
    }
    return json.dumps(document).encode("ascii") + b"\n"


def start_from_line(line: bytes) -> Start:
    """What another start sent.

    Raises
    ------
    StartError
        Where it is no such line.
    """
    try:
        document = cast("dict[str, object]", json.loads(line))
        paths, together, token = (document[name] for name in ("open", "together", "token"))
    except (ValueError, LookupError, TypeError) as error:
        raise StartError(_STRANGE) from error
    if not isinstance(together, bool) or not isinstance(token, str):
        raise StartError(_STRANGE)
    return Start(_absolute(paths), together, token=token)


def _absolute(given: object) -> tuple[Path, ...]:
    if not isinstance(given, list):
        raise StartError(_STRANGE)
    texts = cast("list[object]", given)
    paths = tuple(Path(each) for each in texts if isinstance(each, str))
    if len(paths) != len(texts) or not all(path.is_absolute() for path in paths):
        raise StartError(_STRANGE)
    return paths


_STRANGE = mark("What another start of the program sent is not understood: start it again.")


def _path(argument: str) -> Path:
    if argument.startswith(_URL):
        # Some desktops give addresses where they were asked for paths.
        from urllib.parse import urlsplit
        from urllib.request import url2pathname

        argument = url2pathname(urlsplit(argument).path)
    return Path(argument).absolute()
