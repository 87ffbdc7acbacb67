"""A class in a file whose path is in lower case."""


class Voice:
    pass
