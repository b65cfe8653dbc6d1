"""The settings: one frozen table. The dialog and the manual's page are made from it.

A setting is a field: its type, its default, its unit and one sentence. The file is flat TOML.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, TypeVar, cast

from ml.files import replacing
from ml.prevalence import SCREENING_PER_THOUSAND
from ml.texts import mark, translate
from viewer.core.errors import SettingsError
from viewer.core.language import AUTO, LANGUAGES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SettingValue = bool | int | float | str
Value = TypeVar("Value", bool, int, float, str)


def _setting(
    default: Value,
    title: str,
    sentence: str,
    *,
    unit: str = "",
    choices: tuple[str, ...] = (),
    low: float | None = None,
    high: float | None = None,
    kept: bool = False,
) -> Value:
    """Describe one setting; typed as its value, as `dataclasses.field` is."""
    description = Description("", default, title, sentence, unit, choices, low, high, kept)
    return field(default=default, metadata={"description": description})


@dataclass(frozen=True, slots=True)
class Description:
    """What the dialog and the manual say of one setting.

    Attributes
    ----------
    name
        As in the file.
    choices
        The only values; empty where any is good.
    low, high
        Bounds of a number, both included; None where there is none.
    kept
        The program writes it itself: the dialog has no row for it.
    """

    name: str
    default: SettingValue
    title: str
    sentence: str
    unit: str = ""
    choices: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    kept: bool = False

    @property
    def kind(self) -> type[SettingValue]:
        """The type of the value."""
        return type(self.default)


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that a user may set."""

    language: str = _setting(
        AUTO,
        mark("Language"),
        mark("What the program speaks from its next start on; auto: what the system speaks."),
        choices=(AUTO, *LANGUAGES),
    )
    blind_first_read: bool = _setting(
        False,
        mark("Blind first read"),
        mark(
            "Hide all that the machine says until the reader has recorded her impression "
            "of each breast or pressed the reveal key."
        ),
    )
    reader: str = _setting(
        "",
        mark("Reader"),
        mark(
            "Your name, kept with everything that you decide on a finding or a breast. You "
            "are asked for it at your first decision."
        ),
    )
    analysis_on_open: bool = _setting(
        True,
        mark("Analyze on opening"),
        mark("Start the analysis as soon as the pictures of a study are on the screen."),
    )
    prevalence_per_thousand: float = _setting(
        SCREENING_PER_THOUSAND,
        mark("Prevalence"),
        mark(
            "How many of 1,000 images show what a probability speaks of: probabilities are "
            "corrected to it and name it. Screening finds cancer in about 6 of 1,000 women."
        ),
        unit=mark("of 1,000"),
        low=0.1,
        high=500.0,
    )
    device: str = _setting(
        "auto",
        mark("Device"),
        mark("Where the models run: auto takes a CUDA device where there is one."),
        choices=("auto", "cpu"),
    )
    interrupted_jobs: str = _setting(
        "ask",
        mark("Interrupted jobs"),
        mark(
            "What becomes of long jobs that the end of the program interrupted, when it "
            "starts again: ask offers them in a line above the images, resume has them go on."
        ),
        choices=("ask", "resume"),
    )
    patient_pattern: str = _setting(
        "",
        mark("Grouping rule"),
        mark(
            "A regular expression whose first group (or whole match) in the Patient ID "
            "names the patient, such as P_[0-9]+; images of one patient are then hung "
            "together, with a standing alarm. Empty: files are grouped by their study."
        ),
    )
    disk_threads: int = _setting(
        4,
        mark("Threads for reading"),
        mark("How many files are read and decoded at the same time."),
        unit=mark("threads"),
        low=1,
        high=32,
    )
    pixel_cache_mb: int = _setting(
        400,
        mark("Memory for pixels"),
        mark("Decoded images are kept up to this size, the oldest are let go first."),
        unit="MB",
        low=100,
        high=65536,
    )
    generator: str = _setting(
        "",
        mark("Generator"),
        mark(
            "The folder of what makes synthetic mammograms, as chosen in the studio. Empty: "
            "the program's own."
        ),
    )
    generator_lora: str = _setting(
        "",
        mark("LoRA"),
        mark("A safetensors file that is put upon the generator's weights. Empty: none."),
    )
    generator_vendors: str = _setting(
        "",
        mark("Makers' words"),
        mark(
            "What the sentences of a Stable Diffusion folder call the makers, with commas "
            "between; a pack of this program says so itself."
        ),
    )
    generator_pixel_mm: float = _setting(
        0.0,
        mark("Pixel size"),
        mark(
            "How large a pixel of a Stable Diffusion folder's images is; 0: not known. A pack "
            "of this program says so itself."
        ),
        unit="mm",
        low=0.0,
        high=5.0,
    )
    margin_sensitivity: float = _setting(
        0.05,
        mark("Margin of sensitivity"),
        mark(
            "A retrained model may find at most this share of lesions less than the one in "
            "use and be put into use: even by the confidence limit, which is 97 % at the "
            "first comparison and higher at each later one."
        ),
        low=0.0,
        high=0.5,
    )
    margin_specificity: float = _setting(
        0.05,
        mark("Margin of specificity"),
        mark("The same, for images without a lesion that are called so."),
        low=0.0,
        high=0.5,
    )
    margin_false_marks: float = _setting(
        0.1,
        mark("Margin of false marks"),
        mark("The same, for false marks more on an image without a lesion."),
        low=0.0,
        high=5.0,
    )
    trusted_keys: str = _setting(
        "",
        mark("Trusted keys"),
        mark(
            "Public keys of minisign, with blanks between, of publishers whose updates are "
            "taken beside those of the program's own."
        ),
    )
    accepted: str = _setting(
        "",
        mark("Statement accepted"),
        mark(
            "Which version of the statement on research use was accepted, and on which day; "
            "the program asks where this is empty or older."
        ),
        kept=True,
    )
    display_check: str = _setting(
        "",
        mark("Display check"),
        mark(
            "On which day you were shown the test pattern, and whether you could see its "
            "faint squares."
        ),
        kept=True,
    )


def descriptions() -> tuple[Description, ...]:
    """What there is to say of every setting, in the order of the table."""
    return tuple(
        replace(cast("Description", each.metadata["description"]), name=each.name)
        for each in fields(Settings)
    )


def settings_from_toml(text: str) -> Settings:
    """Read settings; what is not named keeps its default.

    Raises
    ------
    SettingsError
        Where the text is no TOML, or names an unknown setting, or gives one a wrong value.
    """
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(mark("The settings are no TOML: {why}."), why=str(error)) from error
    return settings_from_values(values)


def settings_from_values(values: Mapping[str, object]) -> Settings:
    """Make settings of plain values.

    Raises
    ------
    SettingsError
        For an unknown name (with the nearest known one) or a wrong value.
    """
    known = {description.name: description for description in descriptions()}
    checked: dict[str, SettingValue] = {}
    for name, value in values.items():
        if name not in known:
            raise _unknown(name, tuple(known))
        checked[name] = _checked(known[name], value)
    return replace(Settings(), **checked)


def settings_to_toml(settings: Settings) -> str:
    """Write settings as TOML, each under its sentence."""
    parts: list[str] = []
    for description in descriptions():
        value = cast("SettingValue", getattr(settings, description.name))
        parts.append(f"# {translate(description.sentence)}\n")
        parts.append(f"{description.name} = {_toml(value)}\n\n")
    return "".join(parts).rstrip("\n") + "\n"


def read_settings(path: Path) -> tuple[Settings, str]:
    """Read the settings file; a broken one is set aside.

    Returns
    -------
    settings
        The file's, or the defaults where there is no file or a broken one.
    sentence
        What to tell the user; empty where all is well.
    """
    try:
        return settings_from_toml(path.read_text(encoding="utf-8")), ""
    except FileNotFoundError:
        return Settings(), ""
    except UnicodeDecodeError:
        return Settings(), _set_aside(path, translate("The settings are no UTF-8 text."))
    except SettingsError as error:
        return Settings(), _set_aside(path, str(error))
    except OSError as error:
        text = translate("The settings at {path} cannot be read ({why}); defaults are used.")
        return Settings(), text.format(path=path, why=error.strerror)


def write_settings(settings: Settings, path: Path) -> None:
    """Write the settings file, whole or not at all.

    Raises
    ------
    SettingsError
        Where the file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as fresh:
            fresh.write_text(settings_to_toml(settings), encoding="utf-8")
    except OSError as error:
        raise SettingsError(
            mark("The settings cannot be written to {path}: {why}."),
            path=path,
            why=error.strerror,
        ) from error


def settings_page() -> str:
    """The manual's page of settings, as Markdown."""
    parts = [f"# {translate('Settings')}\n", translate(_INTRODUCTION) + "\n"]
    for description in descriptions():
        facts = [f"`{description.name}`", _kind_name(description)]
        facts.append(
            translate("default {value}").format(value=f"`{_toml(description.default)}`")
        )
        parts.append(f"## {translate(description.title)}\n")
        parts.append(f"{translate(description.sentence)}\n")
        parts.append(f"{' · '.join(facts)}\n")
    return "\n".join(parts)


_INTRODUCTION = mark(
    "Settings are kept in `settings.toml` in the platform's configuration folder, or in the "
    "folder that the variable `MAMMOSCOPE_HOME` names. The dialog Tools, Settings writes the "
    "same file. A file that cannot be understood is set aside as `settings.toml.broken`."
)


def _unknown(name: str, known: tuple[str, ...]) -> SettingsError:
    nearest = difflib.get_close_matches(name, known, n=1, cutoff=0.0)[0]
    return SettingsError(
        mark("There is no setting {name}; the nearest is {nearest}."),
        name=name,
        nearest=nearest,
    )


def _checked(description: Description, value: object) -> SettingValue:
    # An int is a good float; a bool is a good int to Python, and not to a user.
    if description.kind is float and type(value) is int:
        value = float(value)
    if type(value) is not description.kind:
        raise _wrong(description, value)
    checked = value
    if description.choices and checked not in description.choices:
        raise _wrong(description, value)
    if not isinstance(checked, str) and not _within(description, checked):
        raise _wrong(description, value)
    if description.name == "patient_pattern":
        _check_pattern(str(checked))
    return checked


def _within(description: Description, value: float) -> bool:
    low = description.low is None or value >= description.low
    return low and (description.high is None or value <= description.high)


def _check_pattern(pattern: str) -> None:
    try:
        re.compile(pattern)
    except re.error as error:
        raise SettingsError(
            mark("The grouping rule {pattern} is no regular expression: {why}."),
            pattern=pattern,
            why=str(error),
        ) from error


def _wrong(description: Description, value: object) -> SettingsError:
    return SettingsError(
        mark("The setting {name} cannot be {value}; it is {kind}."),
        name=description.name,
        value=repr(value),
        kind=_kind_name(description),
    )


def _kind_name(description: Description) -> str:
    if description.choices:
        return translate("one of {choices}").format(choices=", ".join(description.choices))
    name = {
        bool: translate("true or false"),
        int: translate("a whole number"),
        float: translate("a number"),
        str: translate("a text"),
    }[description.kind]
    if description.low is None or description.high is None:
        return name
    template = translate("{kind} from {low} to {high} {unit}")
    return template.format(
        kind=name, low=description.low, high=description.high, unit=translate(description.unit)
    ).strip()


_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def _toml(value: SettingValue) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return '"' + "".join(_escaped(letter) for letter in value) + '"'
    return repr(value)


def _escaped(letter: str) -> str:
    # TOML 1.0, basic strings: control characters must be written as escapes.
    if letter in _ESCAPES:
        return _ESCAPES[letter]
    control = ord(letter) < 0x20 or ord(letter) == 0x7F
    return f"\\u{ord(letter):04x}" if control else letter


def _set_aside(path: Path, why: str) -> str:
    aside = path.with_name(path.name + ".broken")
    try:
        path.replace(aside)
    except OSError as error:
        text = translate("{why} It could not be set aside ({reason}); defaults are used.")
        return text.format(why=why, reason=error.strerror)
    text = translate("{why} The file was set aside as {aside}; defaults are used.")
    return text.format(why=why, aside=aside)
