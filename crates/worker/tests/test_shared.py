"""Shared objects: a real process of them, and sessions that use it at once."""

import copy
import os
import pickle
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from holders import Holders, Session
from tortoise_worker import (
    SharedError,
    SharedObject,
    _native,
    shared,
    shared_objects,
    shared_registry,
    shared_wire,
)
from tortoise_worker.errors import AccessRefusedError
from tortoise_worker.search_path import SearchPath
from tortoise_worker.shared_errors import ConversionError
from tortoise_worker.shared_objects import Connections

CLASSES = Path(__file__).parent / "classes"


@pytest.fixture
def holders(tmp_path: Path) -> Iterator[Holders]:
    yield from _holders(tmp_path, 30)


@pytest.fixture
def hasty(tmp_path: Path) -> Iterator[Holders]:
    """A call gets no time to end when its caller has left."""
    yield from _holders(tmp_path, 0.05)


def _holders(tmp_path: Path, grace: float) -> Iterator[Holders]:
    path = list(sys.path)
    started = Holders(tmp_path / "log", grace)
    yield started
    started.leave()
    sys.path[:] = path
    assert not {"Traceback", "panicked"} & set(started.log().split()), started.log()


@pytest.fixture
def session(holders: Holders) -> Iterator[Connections]:
    connections = holders.session(CLASSES)
    yield connections
    connections.close()


@pytest.fixture
def counter(session: Connections) -> Any:
    return session.function("counter", "Shared_Counter")(3, label="x")


def test_sessions_share_one_object_of_the_first_arguments(holders: Holders, counter: Any) -> None:
    other = holders.session(CLASSES)
    same: Any = other.function("counter", "Shared_Counter")(100)
    assert [counter.add(), same.add(), counter.add(step=5)] == [4, 5, 10]
    assert (same.label, same.made_so_far()) == ("x", 1)
    assert counter.process() == same.process() != os.getpid()
    assert len(holders.started) == 1
    other.close()


def test_another_name_is_another_object(session: Connections, counter: Any) -> None:
    other: Any = session.function("other", "Shared_Counter")()
    assert (counter.add(), other.add()) == (4, 1)


def test_the_class_is_not_imported_here(counter: Any) -> None:
    assert "Shared.Counter" not in sys.modules
    assert isinstance(counter, SharedObject)
    assert type(counter).__module__ == "tortoise_worker.shared.Shared.Counter"
    assert type(counter).__doc__ == "Counts.\n\nAnd more."
    assert type(counter).add.__doc__ == "Adds."
    assert repr(counter) == "<the shared object 'counter' of Counter>"


def test_attributes_are_read_written_and_deleted_there(counter: Any) -> None:
    assert (counter.LIMIT, counter.label, counter.seen) == (10, "x", [])
    counter.label = "y"
    counter.added = (1, {2})
    assert (counter.label, counter.added) == ("y", (1, {2}))
    del counter.added
    assert not hasattr(counter, "added")
    assert counter.function([1, 2]) == 2
    with pytest.raises(AttributeError, match="'Counter' object has no attribute 'nothing'"):
        counter.nothing  # noqa: B018


def test_private_names_are_not_shared(counter: Any) -> None:
    for action in (
        lambda: counter._hidden,
        lambda: setattr(counter, "_hidden", 2),
        lambda: delattr(counter, "_hidden"),
    ):
        with pytest.raises(
            AttributeError, match="'_hidden' of <the shared object 'counter' of Counter> is not shared"
        ):
            action()


def test_protocols_of_the_class_are_passed_on(session: Connections, counter: Any) -> None:
    table: Any = session.function("table", "Shared_Table")()
    assert (table["b"], "a" in table, list(table), table(21), str(table)) == (
        (2, 3),
        True,
        ["a", "b"],
        42,
        "a table",
    )
    table[("k", 1)] = 2.5
    assert table[("k", 1)] == 2.5
    del table["a"]
    assert "a" not in table
    with pytest.raises(KeyError, match="'a'"):
        table["a"]
    assert len(counter) == 3
    for action in (lambda: len(table), lambda: counter[0], lambda: iter(counter), lambda: counter()):
        with pytest.raises(TypeError):
            action()


def test_an_iteration_without_end_is_refused(session: Connections) -> None:
    with pytest.raises(SharedError, match="at most 1048576 items"):
        iter(session.function("endless", "Shared_Endless")())  # type: ignore[call-overload]


@pytest.mark.parametrize(
    ("arguments", "named", "message"),
    [
        ((1, {"k": object()}), {}, 'args[1]["k"]: an object of type object'),
        (([print],), {}, "args[0][0]: an object of type builtin_function_or_method"),
        ((), {"rows": {1: [object()]}}, 'kwargs["rows"][1][0]: an object of type object'),
        (({1, frozenset((object(),))},), {}, "an object of type object"),
    ],
)
def test_an_object_in_an_argument_is_refused_with_its_place(
    counter: Any, arguments: tuple[Any, ...], named: dict[str, Any], message: str
) -> None:
    with pytest.raises(TypeError) as raised:
        counter.echo(*arguments, **named)
    assert message in str(raised.value)


def test_an_object_in_a_result_or_an_attribute_is_refused_with_its_place(counter: Any) -> None:
    with pytest.raises(ConversionError) as raised:
        counter.an_object()
    assert str(raised.value).startswith('return value["rows"][1]: an object of type object, and shared')
    with pytest.raises(ConversionError, match=r"^new value of label\[0\]: an object of type object"):
        counter.label = [object()]
    with pytest.raises(ConversionError, match=r"^args\[0\]: an object of type Counter|^args\[0\]"):
        counter.echo(counter)


def test_what_is_no_value_in_the_constructor_is_refused_before_anything_is_asked(holders: Holders) -> None:
    session = holders.session(CLASSES)
    with pytest.raises(ConversionError, match=r"^args\[0\]: an object"):
        session.function("x", "Shared_Counter")(object())
    assert holders.started == []


def test_values_come_back_as_they_were(counter: Any) -> None:
    values = (1, 2.5, "x", b"y", (1, [2]), {3}, {"a": (None,)}, {1: 2}, 2**70)
    assert counter.echo(*values) == values
    assert counter.echo(1, k=(2,)) == (1, {"k": (2,)})


def test_a_member_of_an_enumeration_is_one_here_too(counter: Any) -> None:
    member = counter.colour()
    assert (str(member), member.value) == ("Colour.RED", "red")
    assert type(member).__module__ == "Shared.Counter"
    for name in ("Shared", "Shared.Counter"):
        sys.modules.pop(name)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("KeyError", ("k",)),
        ("ValueError", ("a", 1)),
        ("FileNotFoundError", (2, "No such file", "/x")),
        ("UnicodeDecodeError", ("utf-8", b"\xff", 0, 1, "why")),
        ("StopIteration", (3,)),
    ],
)
def test_a_built_in_exception_comes_back_as_itself(
    counter: Any, name: str, arguments: tuple[Any, ...]
) -> None:
    with pytest.raises(Exception) as raised:  # noqa: PT011
        counter.fail(name, *arguments)
    expected = __builtins__[name](*arguments)  # type: ignore[index]
    assert type(raised.value) is type(expected)
    assert (str(raised.value), raised.value.args) == (str(expected), expected.args)
    (note,) = raised.value.__notes__
    assert "In the process of the shared objects:\nTraceback" in note
    assert 'Counter.py", line ' in note
    assert "in fail\n" in note


def test_another_exception_names_its_class(counter: Any) -> None:
    with pytest.raises(SharedError, match=r"^Shared\.Counter\.OddError: this way") as raised:
        counter.fail_oddly()
    assert raised.value.class_name == "Shared.Counter.OddError"
    with pytest.raises(SharedError, match=r"^SystemExit: 3"):
        counter.leave()
    assert counter.add() == 4


def test_a_constructor_that_fails_is_tried_again(session: Connections) -> None:
    make = session.function("broken", "Shared_Broken")
    for attempt in (1, 2):
        with pytest.raises(ConnectionError, match=f"^attempt {attempt}\n"):
            make(3)
    assert isinstance(make(3), SharedObject)


def test_a_class_that_is_not_there_is_refused(session: Connections) -> None:
    with pytest.raises(AccessRefusedError, match="there is no class file for No_Such"):
        session.function("none", "No_Such")()


def test_a_name_stands_for_one_class(session: Connections, counter: Any) -> None:
    with pytest.raises(
        SharedError, match=r"^the shared object 'counter' is of class Shared\.Counter\.Counter already, not "
    ):
        session.function("counter", "Shared_Table")()
    again: Any = session.function("counter", "Shared\\Counter")()
    assert again.add() == 4


def test_names_and_objects_are_bounded(session: Connections) -> None:
    for name in ("", "x" * 1025):
        with pytest.raises(ValueError, match="has 1 to 1024 bytes"):
            session.function(name, "Shared_Counter")()
    for number in range(1024):
        session.function(f"n{number}", "Shared_Counter")()
    with pytest.raises(SharedError, match="1024 shared objects already, which is the limit"):
        session.function("more", "Shared_Counter")()
    session.function("n7", "Shared_Counter")()


def test_other_class_roots_have_objects_of_their_own(holders: Holders, counter: Any, tmp_path: Path) -> None:
    other: Any = holders.session(CLASSES, tmp_path).function("counter", "Shared_Counter")()
    assert other.add() == 1


def test_calls_of_many_sessions_wait_for_each_other(holders: Holders, counter: Any) -> None:
    def work(_: int) -> None:
        session = holders.session(CLASSES)
        same: Any = session.function("counter", "Shared_Counter")()
        for _ in range(50):
            same.add()
        session.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert counter.count == 3 + 8 * 50


def test_threads_of_one_session_call_at_once(session: Connections) -> None:
    meeting: Any = session.function("meeting", "Shared_Meeting")()
    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(lambda _: meeting.meet(), range(2))) == [0, 1]


def test_an_object_uses_another_one(counter: Any) -> None:
    assert [counter.other("second"), counter.other("second")] == [101, 102]
    assert counter.again("counter") == 4


def test_it_is_made_anew_when_its_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    # The clock of the other process cannot be turned; what counts of it is tested on the registry itself.
    sys_path = list(sys.path)
    now = 1000.0
    monkeypatch.setattr(shared_registry.time, "monotonic", lambda: now)
    registry = shared_registry.Registry([str(CLASSES)], SearchPath(), lambda: 0)

    def ask(*request: Any) -> list[Any]:
        answer = registry.answer(request, None)
        assert answer is not None
        return shared_wire.content(answer)

    ask("open", "fleeting", "Shared_Fleeting", [5], {})
    assert ask("method", "fleeting", "add", [], {}) == ["value", 6]
    now += 3599
    assert ask("method", "fleeting", "add", [], {}) == ["value", 7]
    now += 1
    assert ask("method", "fleeting", "add", [], {}) == ["value", 6]
    now += 3599
    assert ask("method", "fleeting", "add", [], {}) == ["value", 7]
    sys.path[:] = sys_path


def _begin(shared_object: Any, method: str, fifo: Path) -> tuple[threading.Thread, list[BaseException]]:
    """Begins a call that does not end by itself, and returns when it runs."""
    os.mkfifo(fifo)
    errors: list[BaseException] = []

    def call() -> None:
        try:
            getattr(shared_object, method)(str(fifo))
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=call)
    thread.start()
    assert fifo.read_text() == "in\n"
    return thread, errors


def _hang_up(session: Session, thread: threading.Thread) -> None:
    """The session ends in the middle of its call."""
    session.hang_up()
    thread.join()


def test_a_caller_that_leaves_interrupts_its_call(holders: Holders, counter: Any, tmp_path: Path) -> None:
    leaving = holders.session(CLASSES)
    thread, errors = _begin(leaving.function("counter", "Shared_Counter")(), "wait", tmp_path / "fifo")
    _hang_up(leaving, thread)
    assert "may have been done" in str(errors[0])
    # It waits for its turn, so the other call has ended.
    assert counter.seen == ["interrupted"]
    assert counter.add() == 4
    assert len(holders.started) == 1


def test_a_session_interrupts_what_its_threads_wait_for(
    holders: Holders, counter: Any, tmp_path: Path
) -> None:
    session = holders.session(CLASSES)
    made: Any = session.function("counter", "Shared_Counter")()
    thread, errors = _begin(made, "wait", tmp_path / "fifo")
    session.interrupt()
    thread.join()
    assert isinstance(errors[0], SharedError)
    assert (counter.seen, made.add()) == (["interrupted"], 4)


def test_a_caller_that_leaves_while_it_waits_is_forgotten(
    holders: Holders, counter: Any, tmp_path: Path
) -> None:
    leaving, waiting = holders.session(CLASSES), holders.session(CLASSES)
    thread, _ = _begin(leaving.function("counter", "Shared_Counter")(), "wait", tmp_path / "fifo")
    waiting.function("counter", "Shared_Counter")()
    # The request is sent; nobody reads the answer.
    shared_wire.send(waiting.sockets[0], shared_wire.request("method", "counter", "add", [1000]))
    waiting.hang_up()
    _hang_up(leaving, thread)
    assert counter.add() == 4


@pytest.mark.parametrize("method", ["swallow", "hold_lock"])
def test_a_call_that_does_not_end_ends_the_process(hasty: Holders, tmp_path: Path, method: str) -> None:
    session, leaving = hasty.session(CLASSES), hasty.session(CLASSES)
    counter: Any = session.function("counter", "Shared_Counter")(3)
    assert counter.add() == 4
    thread, _ = _begin(leaving.function("counter", "Shared_Counter")(), method, tmp_path / "fifo")
    # This one has not begun when the process ends, and is made by the next.
    _hang_up(leaving, thread)
    assert counter.add() == 4
    assert len(hasty.started) == 2
    assert hasty.started[0].wait() == -9
    assert (
        f"tortoise: the shared object 'counter': {method}() went on for 0.05 s after its caller had left"
        in hasty.log()
    )
    session.close()


def test_a_process_that_dies_in_a_call_is_told_and_replaced(
    holders: Holders, counter: Any, tmp_path: Path
) -> None:
    thread, errors = _begin(counter, "wait", tmp_path / "fifo")
    holders.started[0].kill()
    thread.join()
    assert isinstance(errors[0], SharedError)
    assert "ended in the middle of a call, which may have been done" in str(errors[0])
    assert counter.add() == 4
    assert len(holders.started) == 2


def test_a_process_that_died_between_calls_is_not_noticed(holders: Holders, counter: Any) -> None:
    assert counter.add() == 4
    holders.started[0].kill()
    holders.started[0].wait()
    assert counter.add() == 4


def test_a_supervisor_that_cannot_pass_on_is_told_of(tmp_path: Path) -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)

    def drop() -> None:
        while True:
            packet, descriptors, _, _ = socket.recv_fds(ours, 1 << 16, 1)
            for descriptor in descriptors:
                os.close(descriptor)
            if not packet:
                return

    thread = threading.Thread(target=drop)
    thread.start()
    with pytest.raises(SharedError, match="cannot be reached; the sidecar's log says why"):
        Session(theirs.fileno(), []).function("x", "Shared_Counter")()
    theirs.close()
    thread.join()
    ours.close()


def test_a_shared_object_is_copied_as_itself_and_not_pickled(counter: Any) -> None:
    assert copy.copy(counter) is counter
    assert copy.deepcopy([counter])[0] is counter
    with pytest.raises(
        TypeError, match="cannot be pickled; call shared\\(\\) with its name where it is needed"
    ):
        pickle.dumps(counter)


@pytest.fixture
def in_session(session: Connections) -> Iterator[Callable[[], None]]:
    shared_objects.set_exchange_of_thread(lambda: session)
    yield
    shared_objects.set_exchange_of_thread(_native.shared_objects)


@pytest.mark.usefixtures("in_session")
def test_python_asks_by_name_or_by_class(session: Connections) -> None:
    from email.message import Message

    by_name = shared("counter", "Shared_Counter", 8, label="z")
    assert (by_name.add(), by_name.label) == (9, "z")
    message = shared("message", Message)
    message.set_payload("hello")
    assert message.get_payload() == "hello"
    with pytest.raises(TypeError, match="takes a class or its PHP name, not '3'"):
        shared("x", 3)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="is local to a function"):
        shared("x", type("<locals>.X", (), {}))


@pytest.mark.usefixtures("in_session")
def test_a_class_of_a_class_root_is_found_by_its_file(session: Connections) -> None:
    import importlib

    table = importlib.import_module("Shared.Table")
    assert shared("table", table.Table)(4) == 8
    for name in ("Shared", "Shared.Table"):
        sys.modules.pop(name)


def test_outside_of_a_session_there_is_none() -> None:
    with pytest.raises(RuntimeError, match="this thread is of no PHP"):
        shared("x", "Shared_Counter")


def test_a_forked_process_has_none(counter: Any) -> None:
    pid = os.fork()
    if pid == 0:
        try:
            counter.add()
        except RuntimeError as error:
            os._exit(7 if "out of reach in a process that was forked" in str(error) else 1)
        os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
    assert counter.add() == 4


def test_where_a_file_has_changed_objects_are_made_anew(tmp_path: Path) -> None:
    roots = tmp_path / "roots"
    roots.mkdir()
    (roots / "Edited.py").write_text("class Edited:\n    def answer(self):\n        return 1\n")
    holders = Holders(tmp_path / "log", looks_at_files=True)
    session = holders.session(roots)
    edited: Any = session.function("edited", "Edited")()
    assert (edited.answer(), session.function("edited", "Edited")().answer()) == (1, 1)
    assert len(holders.started) == 1
    (roots / "Edited.py").write_text("class Edited:\n    def answer(self):\n        return 22\n")
    assert edited.answer() == 1
    other: Any = holders.session(roots).function("edited", "Edited")()
    assert (other.answer(), edited.answer()) == (22, 22)
    assert len(holders.started) == 2
    assert f"{roots}/Edited.py has changed: the shared objects are made anew" in holders.log()
    session.close()
    holders.leave()
