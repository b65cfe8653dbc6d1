"""What the viewer may tell its user, beside what `ml.errors` names."""

from ml.errors import MammoError


class SettingsError(MammoError):
    """The settings file says something that the program does not understand."""


class LibraryError(MammoError):
    """The library's database cannot be used."""


class UpdateError(MammoError):
    """A file is no newer version of the program that can be used, or one cannot be left."""


class StartError(MammoError):
    """Another start of the program sent something that is not understood."""
