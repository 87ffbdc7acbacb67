"""The worker as processes: start, forks, ends, and where output goes."""

import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import wire
from conftest import CLASSES
from peers import LIBRARY, PATIENCE, PYTHON, Client, FailedError, Supervisor, lines, wait_for_end


@pytest.fixture
def supervisor() -> Iterator[Supervisor]:
    """A worker of the test's own: here they are ended in all ways."""
    started = Supervisor()
    yield started
    if started.process.returncode is None:
        started.leave()


@pytest.fixture
def client(supervisor: Supervisor) -> Client:
    """A client of it."""
    return supervisor.client(CLASSES)


def execute(client: Client, *source: str) -> None:
    """Runs statements in the session."""
    client.call(client.new("Probe"), "execute", lines(*source))


def evaluate(client: Client, expression: str) -> object:
    """The value of an expression in the session."""
    return client.call(client.new("Probe"), "evaluate", expression)


def test_the_worker_says_who_it_is(supervisor: Supervisor, client: Client) -> None:
    version = subprocess.check_output(
        [PYTHON, "-c", "import platform; print(platform.python_version())"], text=True
    ).strip()
    ready = {"pid": supervisor.process.pid, "python": version, "product": "0.1.0", "warnings": []}
    assert supervisor.ready == ready
    assert client.welcome == {"product": "0.1.0", "process": client.session, "python": version}


def test_a_session_is_an_ordinary_python(client: Client, supervisor: Supervisor) -> None:
    facts = {
        "os.getppid()": supervisor.process.pid,
        "os.getpgid(0)": client.session,
        "os.getcwd()": "/",
        "sys.path[0] != '' and '' not in sys.path": True,
        "sys.path[-1]": str(CLASSES),
        "sys.path[-2]": str(LIBRARY),
        "sys.dont_write_bytecode": True,
        "sys.stdin.read()": "",
        "__import__('threading').current_thread() is __import__('threading').main_thread()": True,
        "__import__('signal').getsignal(2) is __import__('signal').default_int_handler": True,
        "__import__('signal').getsignal(17) == 0": True,
        "__import__('gc').isenabled()": True,
        "__name__": "Probe",
        "sys.modules['__main__'].__name__": "__main__",
    }
    execute(client, "global os", "import os")
    assert {expression: evaluate(client, expression) for expression in facts} == facts


def test_the_directory_of_the_sessions_is_the_one_asked_for(tmp_path: Path) -> None:
    supervisor = Supervisor(directory=tmp_path)
    assert evaluate(supervisor.client(CLASSES), "__import__('os').getcwd()") == str(tmp_path)
    supervisor.leave()


def test_output_goes_to_the_log_line_by_line_and_never_into_the_stream(
    supervisor: Supervisor, client: Client
) -> None:
    execute(
        client,
        "import os, subprocess",
        "print('printed ä \\udc80')",
        "os.write(1, b'written\\n')",
        "subprocess.run(['echo', 'echoed'], check=True)",
        "print('to the errors', file=sys.stderr)",
    )
    assert [supervisor.read_line() for _ in range(3)] == ["printed ä \\udc80\n", "written\n", "echoed\n"]
    client.leave()
    assert supervisor.status_of(client.session) == 0
    assert supervisor.leave() == ("", "to the errors\n")


def test_sessions_share_nothing(supervisor: Supervisor) -> None:
    one, other = supervisor.client(CLASSES), supervisor.client(CLASSES)
    execute(one, "global here", "here = 1")
    assert evaluate(one, "'here' in globals()") is True
    assert evaluate(other, "'here' in globals()") is False


def test_the_end_of_a_client_is_the_end_of_its_session_only(supervisor: Supervisor) -> None:
    one, other = supervisor.client(CLASSES), supervisor.client(CLASSES)
    one.leave()
    assert supervisor.status_of(one.session) == 0
    assert evaluate(other, "1") == 1


def test_exit_handlers_and_destructors_run_when_the_client_leaves(
    supervisor: Supervisor, client: Client
) -> None:
    execute(
        client,
        "import atexit, weakref",
        "atexit.register(print, 'at exit')",
        "class Kept: pass",
        "self.kept = Kept()",
        "weakref.finalize(self.kept, print, 'finalized')",
    )
    client.leave()
    assert supervisor.status_of(client.session) == 0
    assert supervisor.leave()[0] == "finalized\nat exit\n"


def test_a_killed_session_is_reported(supervisor: Supervisor, client: Client) -> None:
    os.kill(client.session, signal.SIGKILL)
    assert supervisor.status_of(client.session) == signal.SIGKILL
    assert client.ends()
    assert evaluate(supervisor.client(CLASSES), "1") == 1


def test_a_crash_says_where_it_was(supervisor: Supervisor, client: Client) -> None:
    probe = client.new("Probe")
    client.send(wire.CALL, probe.id, "execute", ["import ctypes; ctypes.string_at(0)"], {})
    assert client.ends()
    assert os.WTERMSIG(supervisor.status_of(client.session)) == signal.SIGSEGV
    errors = supervisor.leave()[1]
    assert "Fatal Python error: Segmentation fault" in errors
    assert "Probe.py" in errors


@pytest.mark.parametrize("busy", ["", "while True: pass", "import time; time.sleep(1000)"])
def test_the_end_of_the_supervisor_is_the_end_of_all(
    supervisor: Supervisor, client: Client, busy: str
) -> None:
    probe = client.new("Probe")
    if busy:
        client.send(wire.CALL, probe.id, "execute", [f"print('busy')\n{busy}"], {})
        assert supervisor.read_line() == "busy\n"
    supervisor.control.close()
    wait_for_end(client.session)
    assert client.ends()
    assert supervisor.process.wait(PATIENCE) == 0


def test_a_thread_that_never_ends_does_not_keep_a_session(supervisor: Supervisor, client: Client) -> None:
    execute(client, "import threading", "threading.Thread(target=threading.Event().wait).start()")
    client.leave()
    assert os.waitstatus_to_exitcode(supervisor.status_of(client.session)) == 1


def test_threads_of_the_users_run_while_the_session_waits(supervisor: Supervisor, client: Client) -> None:
    execute(client, "import threading", "threading.Thread(target=print, args=('from a thread',)).start()")
    assert supervisor.read_line() == "from a thread\n"
    client.leave()
    assert supervisor.status_of(client.session) == 0


def test_an_interrupt_ends_a_call_and_not_the_session(supervisor: Supervisor, client: Client) -> None:
    probe = client.new("Probe")
    client.send(wire.CALL, probe.id, "execute", ["print('busy')\nwhile True: pass"], {})
    assert supervisor.read_line() == "busy\n"
    os.kill(client.session, signal.SIGINT)
    kind, _, payload = client.receive()
    assert kind == wire.FAILURE
    assert FailedError(payload).exceptions[0].class_name == "KeyboardInterrupt"
    assert client.call(probe, "show") == "((), {})"


def test_a_forked_process_holds_no_socket_of_the_session(supervisor: Supervisor, client: Client) -> None:
    """The fork lives on while the client sees the session close: a copy of the socket would keep it open."""
    execute(
        client,
        "global os",
        "import os",
        "read, write = os.pipe()",
        "if os.fork() == 0:",
        "    os.close(write)",
        "    print('forked', os.getpid())",
        "    os.read(read, 1)",
        "    sockets = [os.readlink(f'/proc/self/fd/{fd}') for fd in os.listdir('/proc/self/fd') if "
        "os.path.exists(f'/proc/self/fd/{fd}')]",
        "    print('sockets:', [each for each in sockets if each.startswith('socket:')])",
        "    os._exit(0)",
        "self.__class__.write = write",
    )
    forked = supervisor.read_line().split()
    assert forked[0] == "forked"
    execute(client, "import os", "os.close(self.__class__.write)")
    assert supervisor.read_line() == "sockets: []\n"
    wait_for_end(int(forked[1]))


def test_a_forked_process_that_comes_back_ends_and_disturbs_nobody(
    supervisor: Supervisor, client: Client
) -> None:
    execute(
        client,
        "import os",
        "pid = os.fork()",
        "if pid: print('ended with', os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))",
    )
    assert supervisor.read_line() == "ended with 1\n"
    assert evaluate(client, "1") == 1
    client.leave()
    assert "end it with os._exit()" in supervisor.leave()[1]


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_multiprocessing_works(supervisor: Supervisor, tmp_path: Path, method: str) -> None:
    (tmp_path / "Pool.py").write_text(
        lines(
            "import multiprocessing",
            "def square(n): return n * n",
            "class Pool:",
            "    def squares(self, method, numbers):",
            "        with multiprocessing.get_context(method).Pool(2) as pool:",
            "            return pool.map(square, numbers)",
        )
    )
    client = supervisor.client(tmp_path)
    assert client.call(client.new("Pool"), "squares", method, [1, 2, 3]) == [1, 4, 9]


def test_a_subprocess_inherits_no_socket(client: Client) -> None:
    listing = evaluate(
        client,
        "__import__('subprocess').run(['ls', '-l', '/proc/self/fd'], close_fds=False, "
        "capture_output=True, text=True).stdout",
    )
    assert "socket:" not in str(listing)


def test_a_client_that_is_gone_already_is_no_trouble(supervisor: Supervisor) -> None:
    ours, theirs = socket.socketpair()
    ours.close()
    socket.send_fds(
        supervisor.control, [b'{"session": {"roots": [], "modules": [], "client": 1}}'], [theirs.fileno()]
    )
    theirs.close()
    assert supervisor.status_of(supervisor.hear("started")["started"]) == 0
    assert evaluate(supervisor.client(CLASSES), "1") == 1


def test_many_sessions_start_and_end(supervisor: Supervisor) -> None:
    clients = [supervisor.client(CLASSES) for _ in range(50)]
    assert len({evaluate(client, "__import__('os').getpid()") for client in clients}) == 50
    for client in clients:
        client.leave()
    assert {supervisor.status_of(client.session) for client in clients} == {0}
    descriptors = os.listdir(f"/proc/{supervisor.process.pid}/fd")
    # Standard ones, the control socket, the pipe that wakes, the slots of those who may spin, and what
    # overdue calls are written down in.
    assert len(descriptors) == 8


def test_an_order_that_makes_no_sense_ends_the_worker_with_a_word(supervisor: Supervisor) -> None:
    supervisor.control.send(b'{"session": {}}')
    assert supervisor.process.wait(PATIENCE) == 1
    assert "with 0 descriptors from the supervisor" in supervisor.leave()[1]


def other_pythons() -> list[str]:
    """Interpreters that cannot run sessions, where there are any."""
    candidates = [f"/usr/bin/python3.{minor}" for minor in range(6, 11)]
    candidates += [str(path) for path in Path.home().glob(".pyenv/versions/[23].*/bin/python")]
    old = "import sys; sys.exit(sys.version_info >= (3, 11))"
    return [path for path in candidates if os.path.exists(path) and not subprocess.call([path, "-c", old])]


@pytest.mark.parametrize("python", other_pythons() or [None])
def test_an_old_python_is_refused_in_one_line(python: str | None) -> None:
    if python is None:
        pytest.skip("there is no Python before 3.11 here")
    run = subprocess.run(
        [python, "-m", "tortoise_worker", "--control", "3"], cwd=LIBRARY, capture_output=True, text=True
    )
    assert run.returncode == 3
    assert run.stderr.startswith("tortoise: Python 3.11 or newer is needed, this is ")
    assert run.stderr.count("\n") == 1


def test_a_directory_that_is_not_there_is_named(tmp_path: Path) -> None:
    run = subprocess.run(
        [PYTHON, "-m", "tortoise_worker", "--control", "0", "--directory", str(tmp_path / "missing")],
        cwd=LIBRARY,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 1
    assert run.stderr.startswith("tortoise: cannot change to the directory of the sessions: ")
    assert str(tmp_path / "missing") in run.stderr
