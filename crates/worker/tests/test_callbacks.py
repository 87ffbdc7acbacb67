"""Python calls PHP, while PHP waits."""

import pytest
import wire
from peers import Client, FailedError, closure


def test_a_closure_is_called_and_its_result_goes_on(client: Client, probe: wire.Object) -> None:
    client.set(probe, "value", closure(7))
    call = client.begin(probe, "evaluate", "self.value(1, 'two', three=[3]) + 1")
    asked = client.asked()
    assert (asked.kind, asked.call, asked.parent, asked.thread) == (wire.PHP_CALL, 1, call, 0)
    assert asked.values == [7, "", [1, "two"], {"three": [3]}]
    client.returns(asked, 41)
    assert client.answer(call) == 42


def test_a_closure_is_a_callable_like_any_other(client: Client, probe: wire.Object) -> None:
    client.set(probe, "value", closure(7))
    assert client.call(probe, "evaluate", "callable(self.value) and bool(self.value)") is True
    call = client.begin(probe, "evaluate", "sorted([3, 1, 2], key=self.value)")
    for number in (3, 1, 2):
        asked = client.asked()
        assert asked.values[2] == [number]
        client.returns(asked, -number)
    assert client.answer(call) == [3, 2, 1]


def test_php_calls_in_a_callback_and_so_on(client: Client, probe: wire.Object) -> None:
    client.set(probe, "value", closure(7))
    depth = 20
    calls, callbacks = [], []
    parent = 0
    for _ in range(depth):
        calls.append(client.begin(probe, "evaluate", "self.value() + 1", parent=parent))
        callbacks.append(client.asked())
        assert callbacks[-1].parent == calls[-1]
        parent = callbacks[-1].call
    result = 0
    for call, asked in zip(reversed(calls), reversed(callbacks), strict=True):
        client.returns(asked, result)
        result = client.answer(call)
    assert result == depth


def test_a_call_in_a_callback_may_fail(client: Client, probe: wire.Object) -> None:
    client.set(probe, "value", closure(7))
    call = client.begin(probe, "evaluate", "self.value()")
    asked = client.asked()
    inner = client.begin(probe, "evaluate", "1 / 0", parent=asked.call)
    with pytest.raises(FailedError, match="division by zero") as caught:
        client.answer(inner)
    client.throws(asked, wire.Handle(caught.value.exceptions[0].object.id))
    with pytest.raises(FailedError, match="division by zero") as again:
        client.answer(call)
    assert again.value.exceptions[0].object == caught.value.exceptions[0].object


def test_requests_that_were_sent_without_waiting_are_done_afterwards(
    client: Client, probe: wire.Object
) -> None:
    client.set(probe, "value", closure(7))
    large = "x" * 100_000
    call = client.begin(probe, "evaluate", "self.value()")
    texts = [
        client.begin(probe, "show", 1),
        client.begin(probe, "evaluate", wire.Segment(wire.TEXT, f"len({large!r})".encode())),
    ]
    asked = client.asked()
    inner = client.begin(probe, "evaluate", "'inner'", parent=asked.call)
    assert client.answer(inner) == "inner"
    client.returns(asked, "outer")
    assert client.answer(call) == "outer"
    assert client.answer(texts[0]) == "((1,), {})"
    assert client.answer(texts[1]) == len(large)
    assert client.call(probe, "show") == "((), {})"


def test_what_waits_still_has_what_is_let_go_of_behind_it(client: Client, probe: wire.Object) -> None:
    client.set(probe, "value", closure(7))
    counted = client.call(probe, "counted", "a")
    call = client.begin(probe, "evaluate", "self.value()")
    waiting = client.begin(probe, "evaluate", "self.value.__class__.__name__")
    use = client.begin(probe, "same", counted, counted)
    asked = client.asked()
    client.release(counted)
    inner = client.begin(probe, "alive", parent=asked.call)
    assert client.answer(inner) == ["a"]
    client.returns(asked, 1)
    assert [client.answer(each) for each in (call, waiting, use)] == [1, "Closure", True]
    assert client.call(probe, "alive") == []


def test_large_values_go_both_ways(client: Client, probe: wire.Object) -> None:
    client.set(probe, "value", closure(7))
    call = client.begin(probe, "evaluate", "len(self.value('x' * 200_000, b'y' * 100_000))")
    asked = client.asked()
    assert asked.values[2] == ["x" * 200_000, b"y" * 100_000]
    client.returns(asked, wire.Segment(wire.BINARY, b"z" * 300_000))
    assert client.answer(call) == 300_000


def test_an_object_of_python_goes_to_php_and_comes_back(client: Client, probe: wire.Object) -> None:
    client.set(probe, "value", closure(7))
    call = client.begin(probe, "evaluate", "self.value(made := self.counted('a')) is made")
    asked = client.asked()
    [counted] = asked.values[2]
    client.returns(asked, counted)
    assert client.answer(call) is True
    assert client.call(probe, "alive") == ["a"]
    client.release(counted)
    assert client.call(probe, "alive") == []


def test_a_function_of_php_is_called_by_its_name(client: Client, probe: wire.Object) -> None:
    call = client.begin(probe, "evaluate", "__import__('php').function('App\\\\A::b')(1, c=2)")
    asked = client.asked()
    assert (asked.kind, asked.values) == (wire.PHP_FUNCTION, ["App\\A::b", [1], {"c": 2}])
    client.returns(asked, None)
    assert client.answer(call) is None


def test_what_cannot_cross_is_named_and_nothing_is_asked(client: Client, probe: wire.Object) -> None:
    client.set(probe, "value", closure(7))
    with pytest.raises(FailedError, match=r"args\[1\]\[\"a\"\]: a str with a lone surrogate"):
        client.call(probe, "evaluate", "self.value(self.counted('a'), {'a': '\\udc80'})")
    # What was to be handed out was not.
    assert client.call(probe, "alive") == []
    client.set(probe, "value", None)
    assert client.call(probe, "show") == "((), {})"


@pytest.mark.parametrize("limit", [1000, 100_000])
def test_callbacks_without_end_are_an_error_and_no_crash(client: Client, limit: int) -> None:
    probe = client.new("Probe", closure(7))
    client.call(probe, "execute", f"sys.setrecursionlimit({limit})")
    calls, callbacks = [client.begin(probe, "evaluate", "self.value()")], []
    kind, _, payload = client.receive()
    while kind == wire.PHP_CALL:
        callbacks.append(len(callbacks) + 1)
        calls.append(client.begin(probe, "evaluate", "self.value()", parent=callbacks[-1]))
        kind, _, payload = client.receive()
    assert FailedError(payload).exceptions[0].class_name == "RecursionError"
    # Python's own limit, that of the stack, or that of callbacks: whichever comes first.
    assert 100 < len(callbacks) <= 1024
    for call, callback in zip(reversed(calls[:-1]), reversed(callbacks), strict=True):
        client.send(wire.RETURNED, callback, call=callback)
        assert client.answer(call) == callback


def test_a_destructor_calls_php_when_an_object_is_released(client: Client, probe: wire.Object) -> None:
    client.set(probe, "value", closure(7))
    client.call(
        probe, "execute", "self.weak = weakref.finalize(c := self.counted('a'), self.value); self.held = c"
    )
    held = client.get(probe, "held")
    client.delete(probe, "held")
    client.release(held)
    call = client.begin(probe, "show")
    asked = client.asked()
    assert asked.values == [7, "", [], {}]
    client.returns(asked, None)
    assert client.answer(call) == "((), {})"


def test_php_cannot_be_called_while_its_own_value_is_read(client: Client, probe: wire.Object) -> None:
    source = [
        "import enum",
        "class Color(enum.Enum):",
        "    RED = 1",
        "    @classmethod",
        "    def _missing_(cls, value): return cls.ask()",
        "Color.ask = self.value",
        "def paint(color: Color): return color",
        "self.paint = paint",
    ]
    client.set(probe, "value", closure(7))
    client.call(probe, "execute", "\n".join(source))
    with pytest.raises(FailedError, match="while a value of its own is being read"):
        client.call(probe, "paint", "blue")
    assert client.call(probe, "show") == "((), {})"


def test_a_fork_cannot_call_php(client: Client, probe: wire.Object) -> None:
    client.set(probe, "value", closure(7))
    source = [
        "import os",
        "pid = os.fork()",
        "if pid == 0:",
        "    try: self.value()",
        "    except RuntimeError as error: os._exit(7 if 'forked off' in str(error) else 8)",
        "    finally: os._exit(9)",
        "self.status = os.waitpid(pid, 0)[1]",
    ]
    client.call(probe, "execute", "\n".join(source))
    assert client.get(probe, "status") == 7 << 8


def test_releases_stand_in_front_of_any_frame(client: Client, probe: wire.Object) -> None:
    client.set(probe, "value", closure(7))
    held = [client.call(probe, "counted", name) for name in "abc"]
    call = client.begin(probe, "evaluate", "(self.value(), self.alive())")
    client.release(held[0])
    client.returns(client.asked(), 1)
    assert client.answer(call) == [1, ["b", "c"]]
    call = client.begin(probe, "evaluate", "self.value()")
    asked = client.asked()
    client.release(held[1])
    client.send(wire.RELEASE)
    inner = client.begin(probe, "alive", parent=asked.call)
    assert client.answer(inner) == ["c"]
    client.release(held[2])
    client.throws(asked, [2, "no"])
    with pytest.raises(FailedError, match="no"):
        client.answer(call)
    assert client.call(probe, "alive") == []
