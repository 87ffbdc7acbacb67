"""A script that is a package."""


def hello() -> str:
    return "hello from pack"
