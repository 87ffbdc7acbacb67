"""Has a syntax error."""

value = 1
def broken(:
    pass
