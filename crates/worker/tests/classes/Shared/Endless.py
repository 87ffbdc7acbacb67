"""Has no end."""

from collections.abc import Iterator


class Endless:
    def __iter__(self) -> Iterator[int]:
        number = 0
        while True:
            yield number
            number += 1
