"""Arrays of numpy."""

from typing import Any

import numpy


class Grid:
    @staticmethod
    def arange(count: int) -> Any:
        return numpy.arange(count)

    @staticmethod
    def zeros(rows: int, columns: int) -> Any:
        return numpy.zeros((rows, columns))

    @staticmethod
    def array_equal(one: Any, other: Any) -> bool:
        return bool(numpy.array_equal(one, other))
