"""A class whose constructor is its parent's."""

from Taken import Taken


class Taken_Child(Taken):
    """Inherits its constructor."""
