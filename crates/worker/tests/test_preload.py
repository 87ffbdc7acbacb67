"""Modules that are imported before the first session."""

import json
import os
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from peers import LIBRARY, PYTHON, Supervisor

WITNESS = "import os\nPROCESS = os.getpid()\n"


def preloaded(folder: Path, *names: str) -> Supervisor:
    return Supervisor(path=[str(folder)], preload=list(names))


def test_sessions_begin_with_what_the_zygote_has_imported(tmp_path: Path) -> None:
    (tmp_path / "first.py").write_text(WITNESS)
    (tmp_path / "second.py").write_text("import sys\nBEFORE = 'first' in sys.modules\n")
    (tmp_path / "Seer.py").write_text(
        "import first, second\nclass Seer:\n    def saw(self): return [first.PROCESS, second.BEFORE]\n"
    )
    supervisor = preloaded(tmp_path, "first", "second")
    for _ in range(2):
        client = supervisor.client(tmp_path)
        assert client.call(client.new("Seer"), "saw") == [supervisor.process.pid, True]
        client.leave()
    supervisor.leave()


def test_a_library_that_ends_its_threads_at_a_fork_is_preloaded(tmp_path: Path) -> None:
    pytest.importorskip("numpy")
    (tmp_path / "Sum.py").write_text(
        "import sys\n"
        "was_there = 'numpy' in sys.modules\n"
        "import numpy\n"
        "class Sum:\n"
        "    def of(self, size):\n"
        "        ones = numpy.ones((size, size))\n"
        "        return [was_there, float((ones @ ones).sum())]\n"
    )
    supervisor = preloaded(tmp_path, "numpy")
    assert len(os.listdir(f"/proc/{supervisor.process.pid}/task")) == 1
    client = supervisor.client(tmp_path)
    # Large enough for several threads.
    assert client.call(client.new("Sum"), "of", 400) == [True, 400.0**3]
    client.leave()
    supervisor.leave()


def refused(folder: Path, *names: str) -> Sequence[str]:
    """The last lines that a worker prints that cannot start."""
    supervisor, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with supervisor, theirs:
        settings = json.dumps({"path": [str(folder)], "preload": names})
        run = subprocess.run(
            [PYTHON, "-m", "tortoise_worker", "--control", str(theirs.fileno()), "--settings", settings],
            cwd=LIBRARY,
            pass_fds=[theirs.fileno()],
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert run.returncode == 4, run
    return run.stderr.splitlines()


TICKER = """
import threading
threading.Thread(target=threading.Event().wait, name="ticker", daemon=True).start()
"""


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (TICKER, "ticker"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("def (", "SyntaxError: invalid syntax"),
        ("raise SystemExit(0)", "SystemExit: 0"),
        ("import nowhere", "No module named 'nowhere'"),
    ],
)
def test_a_module_that_cannot_be_preloaded_is_named(tmp_path: Path, source: str, expected: str) -> None:
    (tmp_path / "sound.py").write_text(WITNESS)
    (tmp_path / "broken.py").write_text(source)
    *_, last = refused(tmp_path, "sound", "broken")
    assert last.startswith("tortoise: the module broken cannot be preloaded: ")
    assert expected in last


def test_the_traceback_of_a_module_is_shown(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("\n\nraise ValueError('of line 3')\n")
    assert f'  File "{tmp_path}/broken.py", line 3, in <module>' in refused(tmp_path, "broken")
