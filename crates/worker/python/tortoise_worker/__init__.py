"""The Python side of Tortoise, and what user code imports of it: `from tortoise_worker import shared`.

Old Pythons must be able to read this file: `__main__` tells them that they are too old.
"""

_EXPORTS = {
    "Interrupted": "interrupted",
    "SharedError": "shared_errors",
    "SharedObject": "shared_forwarding",
    "shareable": "shared_marks",
    "shared": "shared_objects",
}

__all__ = list(_EXPORTS)


def __getattr__(name):
    # type: (str) -> object
    """What is exported is imported when it is asked for."""
    if name not in _EXPORTS:
        raise AttributeError("module 'tortoise_worker' has no attribute %r" % name)
    import importlib

    return getattr(importlib.import_module("tortoise_worker." + _EXPORTS[name]), name)
