"""Who is to measure a model may not have taught the one that it begins with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ml.errors import DataError
from ml.hashed import names_sha256
from ml.manifest import Split
from ml.splits import split_of
from ml.texts import mark

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ml.manifest import Manifest


def refuse_known_patients(patients: Iterable[str], manifest: Manifest) -> None:
    """Check a training's beginning.

    Parameters
    ----------
    patients
        Whom the installed model was taught, as its card names them.

    Raises
    ------
    DataError
        Where one of them is held out in the manifest.
    """
    known = frozenset(patients)
    for row in manifest.rows:
        if split_of(row) is not Split.TRAIN and known & names_sha256(row.patient_id):
            raise DataError(
                mark(
                    "The installed model was trained on the patient of {path}, who is to "
                    "measure the new one; give her rows the split train, or use --from-scratch."
                ),
                path=row.path,
            )
