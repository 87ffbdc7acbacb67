"""Processes that wait for a client, and the board on which it can be seen what each process does."""

import os
import signal
import time
from collections.abc import Iterator

import pytest
import wire
from conftest import CLASSES
from peers import PATIENCE, Client, Supervisor, closure, eventually, wait_for_end


@pytest.fixture
def supervisor() -> Iterator[Supervisor]:
    """A worker of the test's own, with two spares and four slots."""
    started = Supervisor(slots=4, spare_sessions=2)
    yield started
    if started.process.returncode is None:
        started.leave()


def activities(supervisor: Supervisor) -> list[str]:
    """What the processes do."""
    assert supervisor.board is not None
    return sorted(seen.activity for seen in supervisor.board.seen())


def evaluate(client: Client, expression: str) -> object:
    """The value of an expression in the session."""
    return client.call(client.new("Probe"), "evaluate", expression)


def test_a_client_gets_a_process_that_waits(supervisor: Supervisor) -> None:
    eventually(lambda: activities(supervisor) == ["spare", "spare"])
    assert supervisor.board is not None
    waiting = {seen.process for seen in supervisor.board.seen()}
    client = supervisor.client(CLASSES)
    assert client.session in waiting
    assert evaluate(client, "__import__('os').getpid()") == client.session
    # Another one waits in its place.
    eventually(lambda: activities(supervisor) == ["busy", "spare", "spare"])


def test_there_are_never_more_processes_than_slots(supervisor: Supervisor) -> None:
    clients = [supervisor.client(CLASSES) for _ in range(6)]
    assert len({evaluate(client, "__import__('os').getpid()") for client in clients}) == 6
    assert activities(supervisor) == ["busy"] * 4
    for client in clients:
        client.leave()
        assert supervisor.status_of(client.session) == 0
    eventually(lambda: activities(supervisor) == ["spare", "spare"])


def test_the_board_shows_what_a_session_does(supervisor: Supervisor) -> None:
    client = supervisor.client(CLASSES)
    assert supervisor.board is not None
    seen = supervisor.board.of(client.session)
    assert (seen.activity, seen.client, seen.thread) == ("idle", os.getpid(), client.session)
    assert (seen.requests, seen.steps, seen.resident) == (0, 0, 0)
    probe = client.new("Probe", closure(7))
    call = client.begin(probe, "evaluate", "self.value()")
    asked = client.asked()
    seen = supervisor.board.of(client.session)
    assert (seen.activity, seen.requests, seen.steps) == ("busy", 1, 5)
    assert seen.since <= time.monotonic_ns() // 1_000_000
    client.returns(asked, None)
    assert client.answer(call) is None
    client.send(wire.END_REQUEST, call=0)
    eventually(lambda: supervisor.board.of(client.session).activity == "idle")
    seen = supervisor.board.of(client.session)
    assert (seen.requests, seen.steps) == (1, 6)
    with open(f"/proc/{client.session}/statm") as statm:
        resident = int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    assert seen.resident == pytest.approx(resident, rel=0.2)
    client.leave()
    ended = supervisor.hear("ended")
    assert (ended["requests"], ended["calls"], ended["recycled"]) == (1, 3, False)


def test_a_spare_that_dies_is_missed_by_nobody(supervisor: Supervisor) -> None:
    eventually(lambda: activities(supervisor) == ["spare", "spare"])
    assert supervisor.board is not None
    for seen in supervisor.board.seen():
        os.kill(seen.process, signal.SIGKILL)
        wait_for_end(seen.process)
    client = supervisor.client(CLASSES)
    assert evaluate(client, "1") == 1
    assert not supervisor.has_heard("ended")
    eventually(lambda: activities(supervisor) == ["busy", "spare", "spare"])


def test_a_spare_knows_nothing_of_the_user(supervisor: Supervisor) -> None:
    client = supervisor.client(CLASSES)
    facts = {
        "os.getppid()": supervisor.process.pid,
        "os.getpgid(0)": client.session,
        "sys.path[-1]": str(CLASSES),
        "__import__('signal').getsignal(2) is __import__('signal').default_int_handler": True,
        "__import__('signal').getsignal(17) == 0": True,
        "__import__('gc').isenabled()": True,
    }
    client.call(client.new("Probe"), "execute", "global os\nimport os")
    assert {expression: evaluate(client, expression) for expression in facts} == facts


def test_the_end_of_the_supervisor_is_the_end_of_spares(supervisor: Supervisor) -> None:
    eventually(lambda: activities(supervisor) == ["spare", "spare"])
    assert supervisor.board is not None
    waiting = [seen.process for seen in supervisor.board.seen()]
    supervisor.control.close()
    for process in waiting:
        wait_for_end(process)
    assert supervisor.process.wait(PATIENCE) == 0


def test_the_end_of_the_zygote_is_the_end_of_all(supervisor: Supervisor) -> None:
    client = supervisor.client(CLASSES)
    eventually(lambda: activities(supervisor) == ["idle", "spare", "spare"])
    assert supervisor.board is not None
    processes = [seen.process for seen in supervisor.board.seen()]
    os.kill(supervisor.process.pid, signal.SIGKILL)
    for process in processes:
        wait_for_end(process)
    assert client.ends()
