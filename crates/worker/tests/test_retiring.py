"""Sessions that leave of their own accord: never in the middle of a request."""

import json
import os
import select
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
import wire
from conftest import CLASSES
from peers import LIBRARY, PATIENCE, PYTHON, Client, Supervisor, wait_for_end


@pytest.fixture
def start() -> Iterator[Callable[..., Supervisor]]:
    """Starts workers."""
    started: list[Supervisor] = []

    def start(**settings: Any) -> Supervisor:
        started.append(Supervisor(**settings))
        return started[-1]

    yield start
    for each in started:
        if each.process.returncode is None:
            each.leave()


@pytest.fixture
def supervisor(start: Callable[..., Supervisor]) -> Supervisor:
    """A worker of the test's own."""
    return start()


def ends_retired(client: Client) -> bool:
    """Waits until the session leaves; whether it said so, and nothing else."""
    return client.receive() == (wire.RETIRED, 0, b"") and client.ends()


def test_a_session_that_has_done_nothing_retires_at_once(supervisor: Supervisor) -> None:
    client = supervisor.client(CLASSES)
    supervisor.order(recall=client.session)
    assert ends_retired(client)
    assert supervisor.status_of(client.session) == 0


def test_a_session_retires_when_the_request_ends(supervisor: Supervisor) -> None:
    client = supervisor.client(CLASSES)
    probe = client.new("Probe")
    supervisor.order(recall=client.session)
    # Whatever it hears meanwhile: it is in the middle of a request.
    for _ in range(100):
        assert client.call(probe, "show") == "((), {})"
    client.send(wire.END_REQUEST, call=0)
    assert ends_retired(client)
    assert supervisor.status_of(client.session) == 0


def test_an_idle_session_retires_between_two_requests(supervisor: Supervisor) -> None:
    client = supervisor.client(CLASSES)
    client.new("Probe")
    client.send(wire.END_REQUEST, call=0)
    client.new("Probe")
    client.send(wire.END_REQUEST, call=0)
    supervisor.order(recall=client.session)
    assert ends_retired(client)


def test_exit_handlers_run_when_a_session_retires(supervisor: Supervisor) -> None:
    client = supervisor.client(CLASSES)
    client.call(client.new("Probe"), "execute", "import atexit; atexit.register(print, 'at exit')")
    client.send(wire.END_REQUEST, call=0)
    supervisor.order(recall=client.session)
    assert ends_retired(client)
    assert supervisor.read_line() == "at exit\n"
    assert supervisor.status_of(client.session) == 0


def test_what_is_sent_to_a_session_that_retires_is_not_done(supervisor: Supervisor) -> None:
    """Whether the client got to the end of it or not: it sees why there is no answer."""
    client = supervisor.client(CLASSES)
    supervisor.order(recall=client.session)
    assert select.select([client.stream], [], [], PATIENCE)[0]
    with suppress(BrokenPipeError, ConnectionResetError):
        client.send(wire.ROOTS, ["/" + "x" * 1000] * 4000)
    assert client.receive() == (wire.RETIRED, 0, b"")
    assert supervisor.status_of(client.session) == 0


def test_a_recall_of_nobody_is_no_trouble(supervisor: Supervisor) -> None:
    supervisor.order(recall=1)
    supervisor.order(kill=1)
    client = supervisor.client(CLASSES)
    assert client.call(client.new("Probe"), "show") == "((), {})"


def test_a_session_can_be_killed(supervisor: Supervisor) -> None:
    client = supervisor.client(CLASSES)
    supervisor.order(kill=client.session)
    assert client.ends()
    assert os.WTERMSIG(supervisor.status_of(client.session)) == 9


def test_a_worker_that_retires_stays_for_its_sessions(start: Callable[..., Supervisor]) -> None:
    supervisor = start(slots=8, spare_sessions=2)
    idle, busy = supervisor.client(CLASSES), supervisor.client(CLASSES)
    probe = busy.new("Probe")
    supervisor.order(retire={})
    assert ends_retired(idle)
    assert supervisor.status_of(idle.session) == 0
    assert busy.call(probe, "show") == "((), {})"
    assert supervisor.process.poll() is None
    busy.send(wire.END_REQUEST, call=0)
    assert ends_retired(busy)
    assert supervisor.process.wait(PATIENCE) == 0
    assert supervisor.board is not None
    assert supervisor.board.seen() == []


def test_a_worker_without_sessions_retires_at_once(start: Callable[..., Supervisor]) -> None:
    supervisor = start()
    supervisor.order(retire={})
    assert supervisor.process.wait(PATIENCE) == 0


def test_a_worker_that_retires_takes_no_client(supervisor: Supervisor) -> None:
    staying = supervisor.client(CLASSES)
    probe = staying.new("Probe")
    supervisor.order(retire={})
    ours, theirs = socket.socketpair()
    order = b'{"session": {"roots": [], "modules": [], "client": 7}}'
    socket.send_fds(supervisor.control, [order], [theirs.fileno()])
    theirs.close()
    assert supervisor.hear("failed") == {"failed": "the worker retires", "client": 7}
    assert wire.HEADER.unpack(ours.recv(wire.HEADER.size))[1] == wire.REFUSAL
    assert staying.call(probe, "show") == "((), {})"


@pytest.mark.parametrize("ending", ["client", "session"])
def test_a_session_leaves_after_so_many_requests(start: Callable[..., Supervisor], ending: str) -> None:
    supervisor = start(max_requests=2)
    client = supervisor.client(CLASSES)
    client.new("Probe")
    client.send(wire.END_REQUEST, call=0)
    client.new("Probe")
    if ending == "client":
        client.leave()
    else:
        client.send(wire.END_REQUEST, call=0)
        assert ends_retired(client)
    assert supervisor.hear("ended")["recycled"] is (ending == "session")


def test_a_session_leaves_when_it_is_old(start: Callable[..., Supervisor]) -> None:
    supervisor = start(max_age=1e-9)
    client = supervisor.client(CLASSES)
    client.new("Probe")
    client.send(wire.END_REQUEST, call=0)
    assert ends_retired(client)
    assert supervisor.hear("ended")["recycled"] is True


def test_a_session_leaves_when_it_has_too_much_memory(start: Callable[..., Supervisor]) -> None:
    supervisor = start(max_memory=200 << 20)
    client = supervisor.client(CLASSES)
    client.new("Probe")
    client.send(wire.END_REQUEST, call=0)
    client.call(client.new("Probe"), "execute", "global kept; kept = b'x' * (200 << 20)")
    # Not in the middle of the request.
    client.new("Probe")
    client.send(wire.END_REQUEST, call=0)
    assert ends_retired(client)
    assert supervisor.hear("ended")["recycled"] is True


def test_memory_over_the_limit_is_an_error_of_the_call(start: Callable[..., Supervisor]) -> None:
    supervisor = start(memory_limit=400 << 20)
    client = supervisor.client(CLASSES)
    probe = client.new("Probe")
    error = client.call(probe, "evaluate", "[e for e in [None]] and bytes(300 << 20) and 'fits'")
    assert error == "fits"
    client.call(
        probe,
        "execute",
        "try:\n    bytes(500 << 20)\nexcept MemoryError:\n    print('too much')",
    )
    assert supervisor.read_line() == "too much\n"


def test_a_memory_limit_that_no_session_can_keep_is_refused() -> None:
    control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with control, theirs:
        run = subprocess.run(
            [
                *(PYTHON, "-m", "tortoise_worker", "--control", str(theirs.fileno())),
                *("--settings", json.dumps({"memory_limit": 1 << 20})),
            ],
            cwd=LIBRARY,
            pass_fds=[theirs.fileno()],
            capture_output=True,
            text=True,
        )
    assert run.returncode == 4
    assert run.stderr.startswith(
        "tortoise: memory_limit is too small: with what is preloaded a session needs "
    )


LEAVING = r"""
import os, time
for leaves in (0, 1, 2):
    if os.fork() == 0:
        if leaves:
            os.setsid()
        if leaves == 2 and os.fork():
            os._exit(0)
        os.write(1, f'started {os.getpid()}\n'.encode())  # in one piece, beside the others
        time.sleep(1000)
"""


def started_by(supervisor: Supervisor, client: Client) -> list[int]:
    """Processes of a session: one in its group, one that has left it, and one whose parent has ended."""
    client.call(client.new("Probe"), "execute", LEAVING)
    return [int(supervisor.read_line().split()[1]) for _ in range(3)]


def test_a_session_that_is_killed_takes_its_processes_with_it(supervisor: Supervisor) -> None:
    client, other = supervisor.client(CLASSES), supervisor.client(CLASSES)
    started = started_by(supervisor, client)
    supervisor.order(kill=client.session)
    for process in started:
        wait_for_end(process)
    assert other.call(other.new("Probe"), "show") == "((), {})"


@pytest.mark.parametrize("whose", ["supervisor", "zygote"])
def test_the_end_of_all_leaves_no_process_behind(supervisor: Supervisor, whose: str) -> None:
    started = started_by(supervisor, supervisor.client(CLASSES))
    if whose == "supervisor":
        supervisor.control.close()
    else:
        os.kill(supervisor.process.pid, signal.SIGKILL)
    for process in started:
        wait_for_end(process)
    supervisor.process.wait(PATIENCE)
