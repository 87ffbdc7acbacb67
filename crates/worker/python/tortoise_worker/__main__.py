"""Starts the zygote: `python -m tortoise_worker --control FD [--directory DIR]`, run by the supervisor.

The first lines must be understood by any Python, so that an old one gets an answer and not a syntax error.
"""

import os
import sys


def complaint():
    # type: () -> str
    """Why this interpreter cannot run sessions, or an empty string."""
    if sys.version_info < (3, 11):
        found = ".".join(str(number) for number in sys.version_info[:3])
        return "Python 3.11 or newer is needed, this is " + found
    if sys.implementation.name != "cpython":
        return "CPython is needed, this is " + sys.implementation.name
    import sysconfig

    if sysconfig.get_config_var("Py_GIL_DISABLED"):
        return "a Python with the GIL is needed, this is a free-threaded build"
    return ""


def main():
    # type: () -> None
    """Runs the zygote, and in its children a session each."""
    problem = complaint()
    if problem:
        message = "tortoise: %s (%s); set `python` to another interpreter\n" % (problem, sys.executable)
        sys.stderr.write(message)
        sys.exit(3)

    # `-m` put the working directory, our own folder, in front. Behind everything else it shadows nothing.
    folder = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    sys.path[:] = [entry for entry in sys.path if entry not in ("", folder)] + [folder]
    # Class roots are the user's folders: nothing is written there unasked.
    if sys.pycache_prefix is None:
        sys.dont_write_bytecode = True

    if sys.argv[1:2] == ["--check"]:
        from tortoise_worker import check

        check.run(sys.argv[2])
        return

    from tortoise_worker import start

    start.run(sys.argv[1:])


# `multiprocessing` may import this file again in its own processes.
if __name__ == "__main__":
    main()
