"""What the tests of observers make."""


class Seen_Plain:
    """Has the constructor that all inherit."""
