"""The Python side of Tortoise: the sessions in which PHP's calls run. This module is for the code they run.

Any Python must understand these lines, so that an old one gets an answer and not a syntax error.
"""


class Interrupted(BaseException):
    """Raised in a call that PHP does not wait for any more.

    Its time is over (tortoise.timeout, Tortoise\\timeout()), or the process of PHP has ended. It is raised
    once, where the call is, so that `finally` and `with` clean up; code that waits or sleeps is woken. It is
    no `Exception`, so that it is not caught by mistake. Whoever catches it and goes on is ended by force,
    with the whole session, when the sidecar's `grace` is over (5 s).
    """


# What else this module has, and where from: it is imported when it is asked for.
_EXPORTS = {
    "SharedError": "shared_errors",
    "SharedObject": "shared_forwarding",
    "shareable": "shared_marks",
    "shared": "shared_objects",
}

__all__ = ["Interrupted", "SharedError", "SharedObject", "shareable", "shared"]


def __getattr__(name):
    # type: (str) -> object
    if name not in _EXPORTS:
        raise AttributeError("module 'tortoise_worker' has no attribute " + repr(name))
    import importlib

    return getattr(importlib.import_module("tortoise_worker." + _EXPORTS[name]), name)
