import pickle

import pytest

from ml.errors import BudgetError, MammoError, PixelDecodeError, ReadError


def test_an_error_reads_as_its_sentence_with_the_values_in_place():
    error = PixelDecodeError("{name} holds {count} pixels too few.", name="a.dcm", count=3)
    assert str(error) == "a.dcm holds 3 pixels too few."


def test_an_error_survives_the_way_between_processes():
    error = BudgetError("{name} is too large.", name="b.dcm", detail="Rows 65535")
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is BudgetError
    assert (str(again), again.detail) == ("b.dcm is too large.", "Rows 65535")


def test_a_sentence_without_its_value_is_a_bug_that_shows():
    with pytest.raises(KeyError):
        str(MammoError("{name} is missing."))


def test_every_kind_of_bad_file_is_a_read_error():
    assert issubclass(BudgetError, ReadError)
    assert issubclass(ReadError, MammoError)
