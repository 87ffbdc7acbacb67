"""Context managers that a client enters and leaves, or does not leave."""

from pathlib import Path

import pytest
import wire
from peers import Client, FailedError, Supervisor, lines

MANAGERS = lines(
    "import contextlib",
    "seen = []",
    "class Plain:",
    "    def __enter__(self): return 'in'",
    "    answer = None",
    "    def __exit__(self, kind, error, traceback): seen.append(repr(error)); return self.answer",
    "class Bad(Plain):",
    "    def __exit__(self, *_): raise ValueError('bad')",
    "@contextlib.contextmanager",
    "def logged(path, name):",
    "    try: yield name",
    "    except BaseException as error:",
    "        with open(path, 'a') as file: file.write(f'{name} {type(error).__name__}\\n')",
    "        raise",
    "def error(): return KeyError('k')",
    "def depth(error):",
    "    count, traceback = 0, error.__traceback__",
    "    while traceback: count, traceback = count + 1, traceback.tb_next",
    "    return count",
)

PHP_EXCEPTION = ["LogicException", "no", 7, "/srv/a.php", 12]


@pytest.fixture
def client(supervisor: Supervisor, tmp_path: Path) -> Client:
    """A client with a script of managers."""
    (tmp_path / "managers.py").write_text(MANAGERS)
    return supervisor.client(tmp_path)


def module(client: Client) -> wire.Object:
    """The module of managers."""
    found = client.ask(wire.IMPORT, "managers")
    assert isinstance(found, wire.Object)
    return found


def test_numbers_are_never_used_twice(client: Client) -> None:
    manager = client.call(module(client), "Plain")
    assert client.ask(wire.ENTER, manager.id) == [1, "in"]
    assert client.ask(wire.ENTER, manager.id) == [2, "in"]
    assert client.ask(wire.EXIT, 1, None) is False
    assert client.ask(wire.ENTER, manager.id) == [3, "in"]
    for number in (1, 4, 0, 2**63):
        with pytest.raises(FailedError, match=f"context {number} is not entered"):
            client.ask(wire.EXIT, number, None)
    assert client.ask(wire.EXIT, 3, None) is False
    assert client.ask(wire.EXIT, 2, PHP_EXCEPTION) is False
    assert client.get(module(client), "seen") == ["None", "None", "PhpException('no')"]


def test_an_answer_that_is_true_swallows(client: Client) -> None:
    manager = client.call(module(client), "Plain")
    for answer, swallowed in [(True, True), (1, True), ("x", True), (0, False), ([], False), (None, False)]:
        client.set(manager, "answer", answer)
        number, _ = client.ask(wire.ENTER, manager.id)
        assert client.ask(wire.EXIT, number, PHP_EXCEPTION) is swallowed
        number, _ = client.ask(wire.ENTER, manager.id)
        assert client.ask(wire.EXIT, number, None) is False


def test_a_python_exception_comes_as_it_was(client: Client) -> None:
    managers = module(client)
    error = client.call(managers, "error")
    for _ in range(3):
        number, _ = client.ask(wire.ENTER, client.call(managers, "Plain").id)
        assert client.ask(wire.EXIT, number, error) is False
    assert client.get(managers, "seen") == ["KeyError('k')"] * 3
    assert client.call(managers, "depth", error) == 0


def test_what_exit_raises_has_a_context(client: Client) -> None:
    managers = module(client)
    number, _ = client.ask(wire.ENTER, client.call(managers, "Bad").id)
    with pytest.raises(FailedError) as caught:
        client.ask(wire.EXIT, number, PHP_EXCEPTION)
    names = [raised.class_name for raised in caught.value.exceptions]
    assert names == ["ValueError", "tortoise_worker.errors.PhpException"]
    assert "contexts.py" not in "".join(raised.traceback for raised in caught.value.exceptions)


def test_in_no_context_an_exception_is_the_answer(client: Client) -> None:
    managers = module(client)
    error = client.call(managers, "error")
    for _ in range(3):
        with pytest.raises(FailedError) as caught:
            client.ask(wire.EXIT, 0, error)
        [raised] = caught.value.exceptions
        assert (raised.class_name, raised.message, raised.file, raised.frames) == (
            "KeyError",
            "'k'",
            None,
            [],
        )
        assert raised.object.id == error.id
    assert client.call(managers, "depth", error) == 0
    with pytest.raises(FailedError, match="no exception") as refused:
        client.ask(wire.EXIT, 0, managers)
    assert refused.value.category == "access"
    with pytest.raises(FailedError, match="context 0 is not entered"):
        client.ask(wire.EXIT, 0, True)


def test_what_was_thrown_must_be_an_exception(client: Client) -> None:
    manager = client.call(module(client), "Plain")
    number, _ = client.ask(wire.ENTER, manager.id)
    with pytest.raises(FailedError, match="no exception"):
        client.ask(wire.EXIT, number, manager)
    number, _ = client.ask(wire.ENTER, manager.id)
    with pytest.raises(FailedError, match="object 4711 is not one of this session"):
        client.ask(wire.EXIT, number, wire.Handle(4711))


@pytest.mark.parametrize(
    "thrown", [False, 1, "x", [], ["E", "m", 0, "f"], ["E", "m", None, "f", 1], [1, "m", 0, "f", 1]]
)
def test_what_makes_no_sense_closes_the_connection(client: Client, thrown: object) -> None:
    number, _ = client.ask(wire.ENTER, client.call(module(client), "Plain").id)
    with pytest.raises(FailedError) as caught:
        client.ask(wire.EXIT, number, thrown)
    assert caught.value.category == "protocol"
    assert client.ends()


def test_the_end_of_a_request_leaves_the_last_first(client: Client, tmp_path: Path) -> None:
    log = tmp_path / "log"
    managers = module(client)
    for name in ("a", "b", "c"):
        client.ask(wire.ENTER, client.call(managers, "logged", str(log), name).id)
    client.ask(wire.ENTER, client.call(managers, "Bad").id)
    client.ask(wire.EXIT, 2, True)
    assert log.read_text() == "b SystemExit\n"
    client.send(wire.END_REQUEST, call=0)
    assert client.ask(wire.IMPORT, "managers")
    assert log.read_text() == "b SystemExit\nc SystemExit\na SystemExit\n"
    with pytest.raises(FailedError, match="not entered"):
        client.ask(wire.EXIT, 1, None)


def test_a_client_that_leaves_leaves_its_contexts(
    client: Client, supervisor: Supervisor, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    client.ask(wire.ENTER, client.call(module(client), "logged", str(log), "a").id)
    client.leave()
    assert supervisor.status_of(client.session) == 0
    assert log.read_text() == "a SystemExit\n"
