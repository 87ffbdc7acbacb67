"""Calls that nobody waits for any more: PHP has gone, or its time is over and it has hung up."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import wire
from conftest import CLASSES
from peers import Client, Supervisor, closure, lines

GRACE = 0.5


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Supervisor]]:
    """Starts workers whose slow log is `tmp_path / "slow.log"`."""
    started: list[Supervisor] = []

    def start(grace: float = 30, **settings: Any) -> Supervisor:
        started.append(Supervisor(grace=grace, slow_log=str(tmp_path / "slow.log"), **settings))
        return started[-1]

    yield start
    for each in started:
        if each.process.returncode is None:
            each.leave()


@pytest.fixture
def supervisor(start: Callable[..., Supervisor]) -> Supervisor:
    """A worker that gives calls more time than any test takes: what ends there was interrupted."""
    return start()


def leave_in(supervisor: Supervisor, client: Client, *source: str) -> None:
    """Leaves in the middle of a call, which prints `busy` when it is there."""
    probe = client.new("Probe")
    client.send(wire.CALL, probe.id, "execute", [lines(*source)], {})
    assert supervisor.read_line() == "busy\n"
    client.leave()


INTERRUPTIBLE = {
    "a loop": ["while True: pass"],
    "sleep": ["import time", "time.sleep(3600)"],
    "a wait for a thread": [
        "import threading",
        "thread = threading.Thread(target=threading.Event().wait, daemon=True)",
        "thread.start()",
        "thread.join()",
    ],
    "a regular expression": ["import re", "re.match('(a+)+$', 'a' * 64 + 'b')"],
    "a process": ["import subprocess", "subprocess.run(['sleep', '3600'])"],
    "input": ["import os", "os.read(os.pipe()[0], 1)"],
    "a select": ["import select", "select.select([], [], [])"],
}


@pytest.mark.parametrize("what", INTERRUPTIBLE)
def test_a_call_is_interrupted_and_cleans_up(supervisor: Supervisor, tmp_path: Path, what: str) -> None:
    client, other = supervisor.client(CLASSES), supervisor.client(CLASSES)
    leave_in(
        supervisor,
        client,
        "import atexit, contextlib, tortoise_worker",
        "atexit.register(print, 'exit handler')",
        "@contextlib.contextmanager",
        "def managed():",
        "    try: yield",
        "    finally: print('left')",
        "def slow():",
        "    print('busy')",
        *(f"    {line}" for line in INTERRUPTIBLE[what]),
        "try:",
        "    with managed():",
        "        slow()",
        "except tortoise_worker.Interrupted as error:",
        "    print(error)",
        "    raise",
        "finally:",
        "    print('cleaned up')",
    )
    assert [supervisor.read_line() for _ in range(4)] == [
        "left\n",
        "PHP does not wait for this call any more: its time is over, or PHP has ended\n",
        "cleaned up\n",
        "exit handler\n",
    ]
    assert supervisor.hear("overdue") == {
        "overdue": client.session,
        "process": client.session,
        "client": os.getpid(),
    }
    assert supervisor.status_of(client.session) == 0
    log = (tmp_path / "slow.log").read_text()
    assert f"session {client.session} of PHP process {os.getpid()}: its client left in the middle" in log
    assert "in slow" in log
    assert other.call(other.new("Probe"), "show") == "((), {})"


UNINTERRUPTIBLE = {
    "swallowed": lines(
        "def stubborn():",
        "    while True:",
        "        try:",
        "            print('busy')",
        "            while True: pass",
        "        except: pass",
        "stubborn()",
    ),
    "a lock held": lines(
        "def stubborn():",
        "    while True:",
        "        try:",
        "            print('busy')",
        "            sum(range(10**12))",
        "        except: pass",
        "stubborn()",
    ),
}


@pytest.mark.parametrize("what", UNINTERRUPTIBLE)
def test_what_cannot_be_interrupted_is_ended(
    start: Callable[..., Supervisor], tmp_path: Path, what: str
) -> None:
    supervisor = start(grace=GRACE)
    client, other = supervisor.client(CLASSES), supervisor.client(CLASSES)
    began = time.monotonic()
    leave_in(supervisor, client, UNINTERRUPTIBLE[what])
    assert os.WTERMSIG(supervisor.status_of(client.session)) == signal.SIGKILL
    assert time.monotonic() - began >= GRACE
    assert supervisor.has_heard("overdue")
    log = (tmp_path / "slow.log").read_text()
    first, second = log.split(f"session {client.session} of PHP")[1:]
    assert "which is interrupted" in first
    assert "in stubborn" in first
    assert f"goes on although it was interrupted {GRACE} s after its client left, and is ended" in second
    assert "in stubborn" in second
    assert other.call(other.new("Probe"), "show") == "((), {})"


def test_what_a_call_started_ends_with_it(start: Callable[..., Supervisor]) -> None:
    supervisor = start(grace=0)
    client = supervisor.client(CLASSES)
    leave_in(
        supervisor,
        client,
        "import subprocess",
        "sleeping = subprocess.Popen(['sleep', '3600'])",
        "while True:",
        "    try:",
        "        print('busy')",
        "        sleeping.wait()",
        "    except: pass",
    )
    assert os.WTERMSIG(supervisor.status_of(client.session)) == signal.SIGKILL
    # The pipe of its output is closed by all who had it.
    supervisor.leave()


def test_without_a_slow_log_it_goes_to_the_log() -> None:
    supervisor = Supervisor(grace=30)
    client = supervisor.client(CLASSES)
    leave_in(supervisor, client, "def slow():", "    print('busy')", "    while True: pass", "slow()")
    assert supervisor.status_of(client.session) == 0
    errors = supervisor.leave()[1]
    assert "its client left in the middle of a call, which is interrupted. Where it is:\n" in errors
    assert "in slow" in errors


def test_a_slow_log_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    supervisor = Supervisor(grace=30, slow_log=str(tmp_path / "missing" / "slow.log"))
    client = supervisor.client(CLASSES)
    leave_in(supervisor, client, "def slow():", "    print('busy')", "    while True: pass", "slow()")
    assert supervisor.status_of(client.session) == 0
    errors = supervisor.leave()[1]
    assert "slow.log cannot be opened: No such file or directory" in errors
    assert "in slow" in errors


def test_what_runs_behind_a_call_is_not_interrupted(supervisor: Supervisor) -> None:
    """The client leaves in the moment in which the call ends; the interrupt must not hit what comes then."""
    for number in range(60):
        client = supervisor.client(CLASSES)
        probe = client.new("Probe")
        source = lines(
            "import atexit",
            "def cleanup():",
            "    import time",
            "    end = time.monotonic() + 0.02",
            "    while time.monotonic() < end: pass",
            "    print('clean')",
            "atexit.register(cleanup)",
        )
        client.call(probe, "execute", source)
        # The later, the longer it takes.
        client.send(wire.CALL, probe.id, "execute", [f"for _ in range({number * 300}): pass"], {})
        client.leave()
        assert supervisor.read_line() == "clean\n"
        assert supervisor.status_of(client.session) == 0
    errors = supervisor.leave()[1]
    assert errors == ""


def test_a_callback_learns_of_it_by_itself(supervisor: Supervisor) -> None:
    """What is raised there is `RequestOver`; the cleanup behind it is not interrupted."""
    client = supervisor.client(CLASSES)
    probe = client.new("Probe", closure(7))
    source = lines(
        "import php, time",
        "try:",
        "    self.value()",
        "except php.RequestOver:",
        "    end = time.monotonic() + 0.2",
        "    while time.monotonic() < end: pass",
        "    print('cleaned up')",
    )
    client.begin(probe, "execute", source)
    client.asked()
    client.leave()
    assert supervisor.read_line() == "cleaned up\n"
    assert supervisor.status_of(client.session) == 0
    assert not supervisor.has_heard("overdue")


def test_a_call_in_a_callback_is_interrupted(supervisor: Supervisor) -> None:
    client = supervisor.client(CLASSES)
    probe = client.new("Probe", closure(7))
    client.begin(probe, "execute", "self.value()")
    asked = client.asked()
    source = "try:\n    print('busy')\n    while True: pass\nfinally:\n    print('cleaned up')"
    client.begin(probe, "execute", source, parent=asked.call)
    assert supervisor.read_line() == "busy\n"
    client.leave()
    assert supervisor.read_line() == "cleaned up\n"
    assert supervisor.status_of(client.session) == 0


@pytest.mark.parametrize("waits", [True, False])
def test_a_coroutine_is_cancelled_and_cleans_up(supervisor: Supervisor, tmp_path: Path, waits: bool) -> None:
    (tmp_path / "Slow.py").write_text(
        lines(
            "import asyncio",
            "class Slow:",
            "    async def sleep(self):",
            "        try:",
            "            print('busy')",
            "            await asyncio.sleep(3600)",
            "        finally:",
            "            await asyncio.sleep(0.05)",
            "            print('cleaned up')",
        )
    )
    client = supervisor.client(tmp_path)
    slow = client.new("Slow")
    if waits:
        client.begin(slow, "sleep")
    else:
        client.begin_async(slow, "sleep")
    assert supervisor.read_line() == "busy\n"
    client.leave()
    assert supervisor.read_line() == "cleaned up\n"
    assert supervisor.status_of(client.session) == 0


def test_a_destructor_that_never_ends_is_interrupted(supervisor: Supervisor) -> None:
    client = supervisor.client(CLASSES)
    probe = client.new("Probe")
    source = lines(
        "class Stubborn:",
        "    def __del__(self):",
        "        print('busy')",
        "        while True: pass",
        "self.kept = Stubborn()",
    )
    client.call(probe, "execute", source)
    client.send(wire.END_REQUEST, call=0)
    assert supervisor.read_line() == "busy\n"
    client.leave()
    assert supervisor.status_of(client.session) == 0
    assert supervisor.has_heard("overdue")


def test_exit_handlers_have_the_grace(start: Callable[..., Supervisor], tmp_path: Path) -> None:
    supervisor = start(grace=GRACE)
    client = supervisor.client(CLASSES)
    probe = client.new("Probe")
    client.call(probe, "execute", "import atexit, time; atexit.register(time.sleep, 3600)")
    client.leave()
    assert os.waitstatus_to_exitcode(supervisor.status_of(client.session)) == 1
    assert f"the session has not ended {GRACE} s after its client left" in (tmp_path / "slow.log").read_text()
    assert not supervisor.has_heard("overdue")


def test_the_end_of_the_supervisor_ends_a_call_that_is_interrupted(supervisor: Supervisor) -> None:
    client = supervisor.client(CLASSES)
    leave_in(
        supervisor,
        client,
        "import tortoise_worker",
        "try:",
        "    print('busy')",
        "    while True: pass",
        "except tortoise_worker.Interrupted:",
        "    print('swallowed')",
        "    while True: pass",
    )
    assert supervisor.read_line() == "swallowed\n"
    supervisor.leave()
