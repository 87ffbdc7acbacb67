"""What reflection is asked about: the line numbers of this file stand in ReflectionTest."""

from collections.abc import Callable


class Drawn_Shape:
    """A shape.

    With */ in its text, ?> too, 'single' and "double" quotes, and a $dollar.
    """

    SIDES = 4
    NAME = 'it\'s "a" $shape\n'
    RATIO = 1.5
    NONE = None
    YES = True
    TABLE = [1, [2, "x"], None]  # noqa: RUF012
    PAIR = ("a", 2)
    RAW = b"\x00\xff"
    BIG = 2**63
    MIXED = {"a": 1}  # noqa: RUF012
    _HIDDEN = 1
    lower = 2

    def __init__(self, width, height=2, /, *, colour="red"):
        """Makes a shape."""
        self.width = width
        self.height = height
        self.colour = colour

    def plain(self, a, b, c=1, d="text", e=1.5, f=None, g=True, h=-(2**63), i=float("inf"), j="\\'\"$\n\0ä"):
        """Takes it all.

        Indented.
        """
        return [a, b, c, d, e, f, g, h, i, j]

    def opaque(self, a=(), b=[], c={}, d=object(), e=b"x", f=2**64, g=Callable):
        return [a, b, c, d is not None, e == b"x", f == 2**64, g is Callable]

    def variadic(self, first, *rest, option, other=3, **named):
        return [first, list(rest), option, other, named]

    def only_named(self, **named):
        return named

    def positional(self, a, b=2, /):
        return [a, b]

    def annotated(self, a: int, b: "Unknown" = 1) -> "Nowhere":  # noqa: F821
        return [a, b]

    def odd_names(self, this, GLOBALS=1, _GET=2):
        return [this, GLOBALS, _GET]

    @staticmethod
    def helped(x, y=1):
        """Helps."""
        return [x, y]

    @classmethod
    def made(cls, n=1):
        return [cls.__name__, n]

    @property
    def area(self):
        """No method."""
        return self.width * self.height

    def _private(self):
        return 1

    def __call__(self, factor=1):
        return self.width * factor
