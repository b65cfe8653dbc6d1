"""Everything that a user may be told.

A `MammoError` is a sentence that its reader can act on. Anything else that is raised is a bug.
"""

from ml.texts import translate


class MammoError(Exception):
    """Something that the user can do something about.

    Parameters
    ----------
    template
        One marked sentence that says what is wrong and what to do, with ``{names}`` for values.
    detail
        More for the log, without patient identity.
    values
        What the names in the template stand for.
    """

    def __init__(self, template: str, *, detail: str = "", **values: object) -> None:
        super().__init__(template, detail, values)
        self.template = template
        self.detail = detail
        self.values = values

    def __str__(self) -> str:
        return translate(self.template).format(**self.values)

    def __reduce__(self) -> tuple[object, ...]:
        # Keyword arguments do not survive Exception's own pickling, and an error may be
        # raised in a decoding process.
        return (_again, (type(self), self.template, self.detail, self.values))


def _again(
    kind: type[MammoError], template: str, detail: str, values: dict[str, object]
) -> MammoError:
    return kind(template, detail=detail, **values)


class ReadError(MammoError):
    """A file that cannot be read as a mammogram."""


class NotDicomError(ReadError):
    """The file is no DICOM file, and no image that is known otherwise."""


class NotMammographyError(ReadError):
    """A DICOM file that holds no mammogram."""


class MissingAttributeError(ReadError):
    """An attribute without which the pixels mean nothing is missing."""


class PixelDecodeError(ReadError):
    """The pixel data are damaged, or in a form that cannot be decoded."""


class BudgetError(ReadError):
    """Reading the file would take more memory or time than any mammogram needs."""


class ModelError(MammoError):
    """A model that cannot be used, or an image that it cannot be used on."""


class WeightsMissingError(ModelError):
    """A model pack lacks one of its files."""


class WeightsCorruptError(ModelError):
    """A file of a model pack is not the one that its card names (sha256)."""


class UnsuitableImageError(ModelError):
    """An image that the models are not made for; the message says why."""


class ModelMemoryError(ModelError):
    """The model process ran out of memory, or was ended."""


class DataError(MammoError):
    """A row of a manifest that does not say what it must."""
