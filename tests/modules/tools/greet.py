"""A script in a folder."""


def hello() -> str:
    return "hello from tools"
