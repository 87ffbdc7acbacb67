"""numpy's arrays and scalars between two Pythons."""

from typing import Any

import pytest
from tortoise_worker import shared_values
from tortoise_worker.shared_errors import ConversionError

numpy = pytest.importorskip("numpy")


def _back(value: object) -> Any:
    (found,) = shared_values.decode(shared_values.encode(value, "value"))
    return found


@pytest.mark.parametrize(
    "value",
    [
        numpy.arange(6).reshape(2, 3),
        numpy.zeros((0, 3)),
        numpy.array(2.5),
        numpy.asfortranarray(numpy.arange(6.0).reshape(2, 3)),
        numpy.arange(12)[::2],
        numpy.array(["a", "bcd"]),
        numpy.array([b"x", b"yz"]),
        numpy.array(["2024-01-01"], "datetime64[ns]"),
        numpy.array([1 + 2j], ">c16"),
        numpy.array([True, False]),
        numpy.float32(0.1),
        numpy.int8(-3),
        numpy.bool_(True),
        numpy.str_(""),
        numpy.datetime64("2024-01-01"),
    ],
    ids=repr,
)
def test_arrays_and_scalars_of_numpy_come_back(value: Any) -> None:
    found = _back([value])[0]
    assert type(found) is type(value)
    assert found.dtype == value.dtype
    assert found.shape == value.shape
    assert found.tobytes() == value.tobytes()


def test_an_array_can_be_written_to() -> None:
    found = _back(numpy.arange(3))
    found[0] = 7
    assert found[0] == 7


@pytest.mark.parametrize(
    "value", [numpy.array([object()]), numpy.zeros(2, "i4,f8"), numpy.zeros(2, "i4,f8")[0]], ids=repr
)
def test_arrays_of_objects_and_records_are_no_values(value: object) -> None:
    with pytest.raises(ConversionError, match=r"^value: an object of type numpy\."):
        shared_values.encode(value, "value")
