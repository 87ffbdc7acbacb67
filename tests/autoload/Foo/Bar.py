"""A class under the whole of its PHP name."""


class Foo_Bar:
    """A number."""

    SIDES = 2

    def __init__(self, n=1):
        self.n = n

    def twice(self, plus=0):
        return self.n * 2 + plus
