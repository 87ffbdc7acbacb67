"""`isolation = "thread"`: sessions that share a process, and what is of each of them all the same."""

import random
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import wire
from conftest import CLASSES
from peers import PATIENCE, Asked, Client, FailedError, Supervisor, closure, lines, wait_for_end

GRACE = 1.0

# The session leaves between two requests.
RETIRED = 0x43


def thread_supervisor(**settings: object) -> Supervisor:
    """A worker whose sessions are threads."""
    return Supervisor(**{"isolation": "thread", "workers": 1, "grace": GRACE, "slots": 16, **settings})


@pytest.fixture
def supervisor() -> Iterator[Supervisor]:
    """A worker of one process."""
    started = thread_supervisor()
    yield started
    if started.process.returncode is None:
        _, errors = started.leave()
        assert "panicked" not in errors, errors
        assert "Fatal Python error" not in errors, errors


@pytest.fixture
def one(supervisor: Supervisor) -> Client:
    """A client."""
    return supervisor.client(CLASSES)


@pytest.fixture
def other(supervisor: Supervisor) -> Client:
    """Another one."""
    return supervisor.client(CLASSES)


def probe_of(client: Client, value: object = None) -> wire.Object:
    """An object that evaluates what it is given."""
    return client.new("Probe", value)


def execute(client: Client, *source: str) -> None:
    """Runs statements in the session."""
    client.call(probe_of(client), "execute", lines(*source))


def evaluate(client: Client, expression: str) -> object:
    """The value of an expression in the session."""
    return client.call(probe_of(client), "evaluate", expression)


def answering(name: str) -> Callable[[Asked], object]:
    """A PHP that gives its own name, whatever it is asked."""
    return lambda asked: name


def run(client: Client, method: str, source: str, name: str, class_name: str = "Probe") -> object:
    """What the session makes of a text, while PHP gives `name` to whatever it is asked."""
    call = client.begin(client.new(class_name), method, source)
    return client.run(call, answering(name))


def test_sessions_are_threads_of_one_process(supervisor: Supervisor, one: Client, other: Client) -> None:
    assert one.welcome["process"] == other.welcome["process"] != one.session != other.session
    assert one.session != evaluate(one, "__import__('os').getpid()") == one.welcome["process"]
    assert evaluate(one, "__import__('threading').get_native_id()") == one.session
    assert evaluate(other, "__import__('threading').get_native_id()") == other.session
    assert evaluate(one, "__import__('os').getppid()") == supervisor.process.pid


def test_modules_are_shared_and_objects_are_not(one: Client, other: Client) -> None:
    execute(one, "global counter", "counter = 1")
    execute(other, "global counter", "counter += 1")
    assert evaluate(one, "counter") == 2
    held = probe_of(one, 7)
    probe_of(other)
    with pytest.raises(FailedError, match="not one of this session"):
        other.call(held.id + 40, "show")
    assert one.get(held, "value") == 7


def test_the_end_of_a_request_frees_what_is_of_that_session(one: Client, other: Client) -> None:
    execute(one, "global Counted", "from Probe import Counted")
    for client, name in ((one, "one"), (other, "other")):
        client.call(probe_of(client), "evaluate", f"Counted('{name}')")
    one.send(wire.END_REQUEST, call=0)
    assert evaluate(one, "Counted.alive") == ["other"]
    other.send(wire.END_REQUEST, call=0)
    assert evaluate(other, "list(Counted.alive)") == []


def test_each_has_its_own_php(one: Client, other: Client) -> None:
    source = "__import__('php').function('who')()"
    assert run(one, "evaluate", source, "one") == "one"
    assert run(other, "evaluate", source, "other") == "other"
    # One function for both: PHP is the one that has called.
    execute(one, "global who", "import php", "who = php.function('who')")
    assert run(other, "evaluate", "who()", "other") == "other"
    assert run(one, "evaluate", "who()", "one") == "one"


def test_callbacks_of_two_sessions_at_once(one: Client, other: Client) -> None:
    execute(one, "global php", "import php")
    source = "[php.function('who')() for _ in range(3)]"
    begun = [(client, client.begin(probe_of(client), "evaluate", source)) for client in (one, other)]
    asked = [client.asked() for client, _ in begun]
    for turn in range(3):
        for place, (client, _) in enumerate(begun):
            client.returns(asked[place], f"{place}.{turn}")
        if turn < 2:
            asked = [client.asked() for client, _ in begun]
    answers = [client.answer(call) for client, call in begun]
    assert answers == [["0.0", "0.1", "0.2"], ["1.0", "1.1", "1.2"]]


def test_an_object_of_another_php_cannot_be_used(one: Client, other: Client) -> None:
    one.call(probe_of(one), "execute", "global kept\nkept = None")
    holder = probe_of(one, closure(7))
    one.call(holder, "execute", "global kept\nkept = self.value")
    with pytest.raises(FailedError, match="lives in another PHP process"):
        evaluate(other, "kept()")
    with pytest.raises(FailedError, match="another PHP process"):
        evaluate(other, "kept")
    assert one.run(one.begin(holder, "evaluate", "kept()"), answering("mine")) == "mine"


def test_what_php_took_with_it_is_over(supervisor: Supervisor, one: Client, other: Client) -> None:
    holder = probe_of(one, closure(7))
    one.call(holder, "execute", "global kept\nkept = self.value")
    one.leave()
    assert supervisor.status_of(one.session) == 0
    with pytest.raises(FailedError, match="PHP has gone"):
        evaluate(other, "kept()")


def test_the_end_of_an_object_is_told_to_its_own_php(one: Client, other: Client) -> None:
    holder = probe_of(one, closure(7))
    one.call(holder, "execute", "global kept\nkept, self.value = self.value, None")
    execute(other, "global kept", "kept = None")
    evaluate(one, "1")
    assert (other.released, one.released) == ([], [(7, 1)])


@pytest.mark.parametrize("of_whom", ["one", "other"])
def test_threads_are_of_the_session_that_starts_them(one: Client, other: Client, of_whom: str) -> None:
    client = {"one": one, "other": other}[of_whom]
    source = lines(
        "import php, threading",
        "results = []",
        "def ask(): results.append(php.function('who')())",
        "class Own(threading.Thread):",
        "    def run(self): ask()",
        "def nested():",
        "    inner = threading.Timer(0, ask)",
        "    inner.start()",
        "    inner.join()",
        "for name, value in list(locals().items()): globals()[name] = value",
        "for thread in (threading.Thread(target=ask), Own(), threading.Thread(target=nested)):",
        "    thread.start()",
        "    thread.join()",
        "self.value = results",
    )
    target = probe_of(client)
    client.run(client.begin(target, "execute", source), answering(of_whom))
    assert client.get(target, "value") == [of_whom] * 3


def test_an_executor_works_for_whoever_gives_it_something(one: Client, other: Client) -> None:
    execute(
        one,
        "global pool, php, futures",
        "import php, concurrent.futures as futures",
        "pool = futures.ThreadPoolExecutor(1)",
        "pool.submit(int).result()",
    )
    for client, name in ((other, "other"), (one, "one")):
        source = "pool.submit(lambda: php.function('who')()).result()"
        assert run(client, "evaluate", source, name) == name


def test_a_thread_of_nobody_is_told_so(one: Client) -> None:
    source = lines(
        "import _thread, php, threading",
        "done = threading.Event()",
        "def ask():",
        "    try: php.function('who')()",
        "    except RuntimeError as error: self.value = str(error)",
        "    done.set()",
        "globals().update(php=php, done=done, self=self)",
        "_thread.start_new_thread(ask, ())",
        "done.wait()",
    )
    target = probe_of(one)
    one.call(target, "execute", source)
    assert "of no PHP" in one.get(target, "value")


def test_a_thread_that_outlives_its_session_is_told_so(
    supervisor: Supervisor, one: Client, other: Client
) -> None:
    execute(
        one,
        "import threading, php",
        "global go, done, said",
        "go, done, said = threading.Event(), threading.Event(), []",
        "def ask():",
        "    go.wait()",
        "    try: php.function('who')()",
        "    except BaseException as error: said.append(f'{type(error).__name__}: {error}')",
        "    done.set()",
        "globals().update(go=go, done=done, said=said, php=php)",
        "threading.Thread(target=ask, daemon=True).start()",
    )
    one.leave()
    assert supervisor.status_of(one.session) == 0
    assert evaluate(other, "(go.set(), done.wait(), said)[2]") == ["RequestOver: PHP has gone"]


def test_coroutines_run_on_a_loop_of_each_session(one: Client, other: Client) -> None:
    source = "return await __import__('asyncio').to_thread(__import__('php').function('who'))"
    for client, name in ((one, "one"), (other, "other")):
        assert run(client, "execute", source, name, "Coroutine") == name
    ids = [
        client.call(client.new("Coroutine"), "evaluate", "id(asyncio.get_running_loop())")
        for client in (one, other)
    ]
    assert ids[0] != ids[1]
    waiting = one.begin_async(target := one.new("Coroutine"), "wait", "gate", "late")
    assert other.call(other.new("Coroutine"), "echo", 1) == 1
    opened = one.begin(target, "open", "gate")
    answers = {call: payload for _, call, payload in (one.receive(), one.receive())}
    assert set(answers) == {waiting, opened}


def test_exit_ends_nothing_but_the_call(one: Client, other: Client) -> None:
    with pytest.raises(FailedError) as caught:
        execute(one, "sys.exit(3)")
    assert caught.value.exceptions[0].class_name == "SystemExit"
    assert evaluate(one, "1") == 1
    assert evaluate(other, "1") == 1


def test_the_end_of_a_client_is_the_end_of_its_session_only(
    supervisor: Supervisor, one: Client, other: Client
) -> None:
    one.leave()
    assert supervisor.status_of(one.session) == 0
    assert evaluate(other, "1") == 1


def test_nothing_is_left_of_a_session(supervisor: Supervisor, other: Client) -> None:
    count = "(len(os.listdir('/proc/self/fd')), len(os.listdir('/proc/self/task')))"
    execute(other, "global os", "import os")

    def visit() -> None:
        client = supervisor.client(CLASSES)
        assert client.call(client.new("Coroutine"), "echo", 1) == 1
        run(client, "evaluate", "__import__('php').function('who')()", "visitor")
        client.leave()
        assert supervisor.status_of(client.session) == 0

    def settled() -> object:
        # A thread has said that its session has ended a moment before it has ended itself.
        seen = None
        for _ in range(200):
            seen, before = evaluate(other, count), seen
            evaluate(other, "__import__('time').sleep(0.01)")
            if seen == expected or (expected is None and seen == before):
                break
        return seen

    expected = None
    visit()
    expected = settled()
    for _ in range(20):
        visit()
    assert settled() == expected


def test_a_call_that_nobody_waits_for_is_interrupted(
    supervisor: Supervisor, one: Client, other: Client
) -> None:
    execute(other, "global seen", "seen = []")
    one.begin(
        probe_of(one),
        "execute",
        lines(
            "try:",
            "    print('begun')",
            "    while True: pass",
            "except BaseException as error:",
            "    seen.append(type(error).__name__)",
            "    raise",
        ),
    )
    assert supervisor.read_line() == "begun\n"
    one.leave()
    assert supervisor.status_of(one.session) == 0
    assert evaluate(other, "seen") == ["Interrupted"]
    assert other.welcome["process"] == supervisor.client(CLASSES).welcome["process"]


def test_a_coroutine_that_nobody_waits_for_is_cancelled(
    supervisor: Supervisor, one: Client, other: Client
) -> None:
    execute(other, "global seen", "seen = []")
    source = lines(
        "try:",
        "    print('begun')",
        "    await asyncio.sleep(3600)",
        "finally: __import__('Probe').seen.append('cancelled')",
    )
    one.begin(one.new("Coroutine"), "execute", source)
    assert supervisor.read_line() == "begun\n"
    one.leave()
    assert supervisor.status_of(one.session) == 0
    assert evaluate(other, "seen") == ["cancelled"]


def test_a_farewell_that_takes_long_is_waited_for(supervisor: Supervisor, one: Client, other: Client) -> None:
    execute(other, "global seen, time", "import time", "seen = []")
    stubborn = lines(
        "try: await asyncio.sleep(3600)",
        "finally:",
        "    await asyncio.to_thread(__import__('time').sleep, 1.5)",
        "    __import__('Probe').seen.append('done')",
    )
    one.begin_async(one.new("Coroutine"), "execute", stubborn)
    one.begin(probe_of(one), "execute", "print('begun')\nwhile True: pass")
    assert supervisor.read_line() == "begun\n"
    one.leave()
    assert supervisor.status_of(one.session) == 0
    assert evaluate(other, "seen") == ["done"]


def test_what_cannot_be_interrupted_ends_the_process_and_a_new_one_serves(
    supervisor: Supervisor, one: Client, other: Client
) -> None:
    source = lines(
        "while True:",
        "    try:",
        "        print('begun')",
        "        while True: pass",
        "    except BaseException: pass",
    )
    one.begin(probe_of(one), "execute", source)
    assert supervisor.read_line() == "begun\n"
    one.leave()
    assert supervisor.status_of(one.session) == signal.SIGKILL
    assert supervisor.status_of(other.session) == signal.SIGKILL
    assert other.ends()
    third = supervisor.client(CLASSES)
    assert third.welcome["process"] != other.welcome["process"]
    assert evaluate(third, "1") == 1
    third.leave()
    _, errors = supervisor.leave()
    assert "still goes on" in errors
    assert f"process {other.welcome['process']}" in errors


def test_a_crash_ends_all_sessions_of_the_process_and_a_new_one_serves(
    supervisor: Supervisor, one: Client, other: Client
) -> None:
    one.begin(probe_of(one), "execute", "import os\nos._exit(3)")
    assert [supervisor.status_of(client.session) for client in (one, other)] == [3 << 8] * 2
    assert other.ends()
    assert evaluate(supervisor.client(CLASSES), "1") == 1


def test_the_supervisor_can_kill_and_recall_by_the_thread(
    supervisor: Supervisor, one: Client, other: Client
) -> None:
    supervisor.order(recall=one.session)
    assert one.receive()[0] == RETIRED
    assert supervisor.status_of(one.session) == 0
    assert evaluate(other, "1") == 1
    supervisor.order(kill=other.session)
    assert supervisor.status_of(other.session) == signal.SIGKILL


def test_a_process_that_retires_goes_when_its_last_session_has_gone(
    supervisor: Supervisor, one: Client, other: Client
) -> None:
    held = probe_of(other)
    one.send(wire.END_REQUEST, call=0)
    supervisor.order(retire={})
    assert one.receive()[0] == RETIRED
    assert supervisor.status_of(one.session) == 0
    # In the middle of a request nothing changes.
    assert other.call(held, "show", 1) == "((1,), {})"
    other.send(wire.END_REQUEST, call=0)
    assert other.receive()[0] == RETIRED
    assert supervisor.status_of(other.session) == 0
    wait_for_end(other.welcome["process"])
    assert supervisor.process.wait(PATIENCE) == 0


def test_a_bound_of_one_session_is_that_of_the_process() -> None:
    supervisor = thread_supervisor(max_requests=2)
    one, other = supervisor.client(CLASSES), supervisor.client(CLASSES)
    for _ in range(2):
        evaluate(one, "1")
        one.send(wire.END_REQUEST, call=0)
    assert one.receive()[0] == RETIRED
    assert other.receive()[0] == RETIRED
    wait_for_end(one.welcome["process"])
    third = supervisor.client(CLASSES)
    assert third.welcome["process"] != one.welcome["process"]
    supervisor.leave()


def test_the_host_with_the_fewest_sessions_gets_the_next() -> None:
    supervisor = thread_supervisor(workers=2)
    clients = [supervisor.client(CLASSES) for _ in range(4)]
    processes = [client.welcome["process"] for client in clients]
    assert len(set(processes)) == 2
    assert {processes.count(process) for process in processes} == {2}
    leaver = clients.pop(1)
    leaver.leave()
    supervisor.status_of(leaver.session)
    assert supervisor.client(CLASSES).welcome["process"] == leaver.welcome["process"]
    supervisor.leave()


def test_class_roots_that_differ_are_not_mixed(supervisor: Supervisor, tmp_path: Path) -> None:
    clients = []
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "Helper.py").write_text(f"NAME = {name!r}\n")
        (tmp_path / name / "Named.py").write_text(
            "class Named:\n    def who(self):\n        import Helper\n        return Helper.NAME\n"
        )
        clients.append(supervisor.client(tmp_path / name))
    assert [client.call(client.new("Named"), "who") for client in clients] == ["first", "second"]
    assert clients[0].welcome["process"] != clients[1].welcome["process"]


def test_served_roots_are_searched_by_each_session_as_its_client_asks(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "Named.py").write_text(
            f"class Named:\n    def who(self):\n        return {name!r}\n"
        )
    served = [[str(tmp_path / name)] * 2 for name in ("first", "second")]
    clients = [supervisor.client(tmp_path / name, served=served) for name in ("first", "second")]
    assert [client.call(client.new("Named"), "who") for client in clients] == ["first", "second"]
    assert clients[0].welcome["process"] == clients[1].welcome["process"]


def test_a_fork_of_one_session_has_none_of_the_sockets(one: Client, other: Client) -> None:
    execute(
        one,
        "import os",
        "read, write = os.pipe()",
        "pid = os.fork()",
        "if pid == 0:",
        "    sockets = 0",
        "    for fd in os.listdir('/proc/self/fd'):",
        "        try: sockets += os.readlink(f'/proc/self/fd/{fd}').startswith('socket:')",
        "        except OSError: pass",
        "    os.write(write, str(sockets).encode())",
        "    os._exit(0)",
        "os.close(write)",
        "held = os.read(read, 100)",
        "os.waitpid(pid, 0)",
        "assert held == b'0', held",
    )
    assert evaluate(other, "1") == 1


def test_many_sessions_at_once_get_their_own_values(supervisor: Supervisor) -> None:
    def random_value(source: random.Random, depth: int = 0) -> object:
        match source.randrange(6 if depth < 3 else 4):
            case 0:
                return source.randrange(-(2**63), 2**63)
            case 1:
                return source.random()
            case 2:
                return "".join(source.choices("aä☃", k=source.randrange(50)))
            case 3:
                return [source.random() for _ in range(source.randrange(300))]
            case 4:
                return [random_value(source, depth + 1) for _ in range(source.randrange(5))]
            case _:
                return {str(key): random_value(source, depth + 1) for key in range(1, source.randrange(2, 6))}

    clients = [supervisor.client(CLASSES) for _ in range(8)]
    wrong: list[object] = []

    def talk(client: Client, seed: int) -> None:
        source = random.Random(seed)
        try:
            target = probe_of(client)
            for _ in range(150):
                value = random_value(source)
                client.set(target, "value", value)
                found = client.get(target, "value")
                call = client.begin(target, "evaluate", "__import__('php').function('echo')(self.value)")
                echoed = client.run(call, lambda asked: asked.values[1][0])
                if not found == echoed == value:
                    wrong.append((seed, value, found, echoed))
        except BaseException as error:
            wrong.append(error)

    threads = [threading.Thread(target=talk, args=(client, seed)) for seed, client in enumerate(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
