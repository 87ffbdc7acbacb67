"""What numpy calls its numbers. numpy itself is only looked at if the user's code has imported it."""

import sys

# The kinds of numpy's scalars that are numbers of PHP: truth values, integers, floats of up to 64 bits.
NUMBERS = frozenset("biuf")
MAX_BYTES = 8


def scalar_types() -> dict[type, str]:
    """numpy's own scalar types that are numbers of PHP, with the letter of their kind; none without numpy."""
    numpy = sys.modules.get("numpy")
    if numpy is None:
        return {}
    found = {}
    for scalar in set(numpy.sctypeDict.values()):
        form = numpy.dtype(scalar)
        if form.kind in NUMBERS and form.itemsize <= MAX_BYTES:
            found[scalar] = form.kind
    return found
