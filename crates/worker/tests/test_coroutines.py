"""Coroutines that PHP calls, waited for or not, and their answers out of order."""

import os
from pathlib import Path
from typing import Any

import pytest
import wire
from conftest import CLASSES
from peers import Client, FailedError, Supervisor, closure


@pytest.fixture
def target(client: Client) -> wire.Object:
    """An object that has coroutines."""
    return client.new("Coroutine")


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    """A pipe that blocks whoever reads it until the test writes."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    return path


def answers(client: Client, *calls: int) -> list[Any]:
    """The values of calls, in whatever order they come; of failures the exceptions."""
    found: dict[int, Any] = {}
    while len(found) < len(calls):
        kind, call, payload = client.receive()
        assert call in calls
        assert call not in found
        if kind == wire.FAILURE:
            found[call] = FailedError(payload)
        else:
            [found[call]] = wire.unpack(payload, client.bulk)
    return [found[call] for call in calls]


def test_a_coroutine_is_waited_for(client: Client, target: wire.Object) -> None:
    assert client.call(target, "echo", [1, "two"]) == [1, "two"]
    assert isinstance(client.call(target, "evaluate", "object()"), wire.Object)
    with pytest.raises(FailedError, match="division by zero") as caught:
        client.call(target, "evaluate", "1 / 0")
    raised = caught.value.exceptions[0]
    assert raised.class_name == "ZeroDivisionError"
    assert "coroutines.py" not in raised.traceback
    assert client.call(target, "plain", 3) == 3


def test_what_a_coroutine_gives_is_not_awaited_again(client: Client, target: wire.Object) -> None:
    inner = client.call(target, "evaluate", "self.echo(1)")
    assert isinstance(inner, wire.Object)
    assert client.call(inner, "close") is None


def test_answers_come_when_coroutines_are_done(client: Client, target: wire.Object) -> None:
    first = client.begin_async(target, "wait", "a", "first")
    second = client.begin_async(target, "wait", "b", "second")
    plain = client.begin_async(target, "plain", "plain")
    assert client.answer(plain) == "plain"
    opened = client.begin_async(target, "open", "b")
    assert answers(client, opened, second) == [None, "second"]
    assert client.call(target, "plain", "between") == "between"
    opened = client.begin_async(target, "open", "a")
    assert answers(client, opened, first) == [None, "first"]


def test_an_answer_is_sent_while_a_method_runs(client: Client, target: wire.Object, pipe: Path) -> None:
    first = client.begin_async(target, "wait", "a", "first")
    opened = client.begin_async(target, "open", "a")
    blocking = client.begin_async(target, "read", str(pipe))
    assert answers(client, first, opened) == ["first", None]
    last = client.begin_async(target, "plain", "last")
    pipe.write_text("read")
    assert [client.answer(call) for call in (blocking, last)] == ["read", "last"]


def test_plain_methods_run_in_the_order_sent(client: Client, target: wire.Object) -> None:
    calls = [client.begin_async(target, "plain", number) for number in range(20)]
    assert [client.answer(call) for call in calls] == list(range(20))
    assert client.get(target, "log") == list(range(20))


def test_large_answers_come_out_of_order(client: Client, target: wire.Object) -> None:
    first = client.begin_async(target, "wait", "a", wire.Segment(wire.TEXT, b"a" * 200_000))
    second = client.begin_async(target, "wait", "b", wire.Segment(wire.TEXT, b"b" * 300_000))
    opened = [client.begin_async(target, "open", name) for name in "ba"]
    found = answers(client, *opened, second, first)
    assert found == [None, None, "b" * 300_000, "a" * 200_000]


def test_an_error_is_the_answer(client: Client, target: wire.Object) -> None:
    call = client.begin_async(target, "evaluate", "{}['missing']")
    with pytest.raises(FailedError, match="missing"):
        client.answer(call)
    for name in ("SystemExit", "KeyboardInterrupt", "GeneratorExit"):
        call = client.begin_async(target, "execute", f"raise {name}('{name}')")
        with pytest.raises(FailedError, match=name):
            client.answer(call)
        with pytest.raises(FailedError, match=name):
            client.call(target, "execute", f"raise {name}('{name}')")
    assert client.call(target, "echo", 1) == 1


def test_objects_in_answers(client: Client, target: wire.Object) -> None:
    call = client.begin_async(target, "evaluate", "[self, [self]]")
    found = client.answer(call)
    assert found[0].id == target.id
    assert client.call(found[0], "plain", 1) == 1
    call = client.begin_async(target, "evaluate", "'\\ud800'")
    with pytest.raises(FailedError, match="return value: a str with a lone surrogate"):
        client.answer(call)


def test_a_running_coroutine_is_cancelled(client: Client, target: wire.Object) -> None:
    call = client.begin_async(target, "wait", "a")
    other = client.begin_async(target, "wait", "b", "b")
    # Behind this both have begun.
    assert client.call(target, "echo", 1) == 1
    client.cancel(call)
    with pytest.raises(FailedError) as caught:
        client.answer(call)
    assert caught.value.exceptions[0].class_name == "asyncio.exceptions.CancelledError"
    client.cancel(call)
    client.cancel(12345)
    opened = client.begin_async(target, "open", "b")
    assert answers(client, opened, other) == [None, "b"]
    assert client.get(target, "log") == ["a cancelled", "a", "b"]


def test_a_method_that_has_not_begun_is_not_run(client: Client, target: wire.Object) -> None:
    client.set(target, "value", closure(7))
    probe = client.new("Probe", closure(7))
    outer = client.begin(probe, "evaluate", "self.value()")
    asked = client.asked()
    # Both wait behind the callback.
    first, second = (client.begin_async(target, "plain", number) for number in (1, 2))
    client.cancel(first)
    client.returns(asked, "done")
    assert client.answer(outer) == "done"
    with pytest.raises(FailedError, match="before it began") as caught:
        client.answer(first)
    assert caught.value.exceptions[0].class_name == "asyncio.exceptions.CancelledError"
    assert client.answer(second) == 2
    assert client.get(target, "log") == [2]


def test_a_method_is_cancelled_while_one_before_it_runs(
    client: Client, target: wire.Object, pipe: Path
) -> None:
    blocking = client.begin_async(target, "read", str(pipe))
    cancelled = client.begin_async(target, "plain", "cancelled")
    large = client.begin_async(target, "plain", wire.Segment(wire.TEXT, b"x" * 5000))
    last = client.begin_async(target, "plain", "last")
    client.cancel(cancelled)
    client.cancel(large)
    pipe.write_text("read")
    assert client.answer(blocking) == "read"
    for call in (cancelled, large):
        with pytest.raises(FailedError, match="before it began"):
            client.answer(call)
    assert client.answer(last) == "last"
    assert client.get(target, "log") == ["last"]


def test_the_end_of_the_request_cancels(client: Client, target: wire.Object) -> None:
    source = "\n".join(
        [
            "try:",
            "    await asyncio.Event().wait()",
            "finally:",
            "    await asyncio.sleep(0)",
            "    EVENTS['ended'] = True",
        ]
    )
    call = client.begin_async(target, "execute", source)
    # Behind this it has begun.
    assert client.call(target, "echo", 1) == 1
    client.send(wire.END_REQUEST, call=0)
    assert client.answer(call) is None
    again = client.new("Coroutine")
    assert client.call(again, "evaluate", "'ended' in EVENTS") is True


def test_a_coroutine_calls_php(client: Client, target: wire.Object) -> None:
    client.set(target, "value", closure(7))
    waited = client.begin(target, "call", 1)
    asked = client.asked()
    assert (asked.parent, asked.values) == (waited, [7, "", [1], {}])
    assert asked.thread > 0
    assert client.answer(client.begin(target, "plain", "in it", parent=asked.call)) == "in it"
    client.returns(asked, "one")
    assert client.answer(waited) == "one"

    call = client.begin_async(target, "call", 2)
    asked = client.asked()
    assert (asked.parent, asked.values[2]) == (call, [2])
    client.returns(asked, "two")
    assert client.answer(call) == "two"


def test_two_coroutines_call_php(client: Client, target: wire.Object) -> None:
    client.set(target, "value", closure(7))
    calls = [client.begin_async(target, "call", number) for number in range(5)]
    found: dict[int, Any] = {}
    while len(found) < len(calls):
        kind, number, payload = client.receive()
        if kind == wire.PHP_CALL:
            client.send(wire.RETURNED, wire.unpack(payload)[2][0] * 10, call=number)
        else:
            [found[number]] = wire.unpack(payload)
    assert [found[call] for call in calls] == [0, 10, 20, 30, 40]


def test_a_request_that_crosses_a_callback_is_done_behind_it(
    client: Client, target: wire.Object, pipe: Path
) -> None:
    client.set(target, "value", closure(7))
    call = client.begin_async(target, "call", 1)
    blocking = client.begin_async(target, "read", str(pipe))
    asked = client.asked()
    plain = client.begin(target, "plain", "x" * 10)
    large = client.begin(target, "plain", wire.Segment(wire.TEXT, b"y" * 100_000))
    assert client.answer(client.begin(target, "plain", "nested", parent=asked.call)) == "nested"
    client.returns(asked, "one")
    assert client.answer(call) == "one"
    pipe.write_text("read")
    assert [client.answer(each) for each in (blocking, plain, large)] == ["read", "x" * 10, "y" * 100_000]


def test_no_coroutine_below_a_callback_of_the_loop(client: Client, target: wire.Object) -> None:
    client.set(target, "value", closure(7))
    call = client.begin(target, "call", 1)
    asked = client.asked()
    for begin in (client.begin, client.begin_async):
        inner = begin(target, "echo", 1, parent=asked.call)
        with pytest.raises(FailedError, match="the event loop waits until PHP has answered"):
            client.answer(inner)
    client.returns(asked, "one")
    assert client.answer(call) == "one"
    assert client.call(target, "echo", 2) == 2


def test_a_callback_from_a_thread_leaves_the_loop_free(client: Client, target: wire.Object) -> None:
    client.set(target, "value", closure(7))
    call = client.begin_async(target, "call_in_thread", 1)
    asked = client.asked()
    inner = client.begin(target, "echo", "inner", parent=asked.call)
    assert client.answer(inner) == "inner"
    later = client.begin_async(target, "echo", "later", parent=asked.call)
    assert client.answer(later) == "later"
    client.returns(asked, "one")
    assert client.answer(call) == "one"


def test_an_answer_waits_while_php_runs_a_callback(client: Client, target: wire.Object) -> None:
    client.set(target, "value", closure(7))
    outer = client.begin_async(target, "wait", "a", "outer")
    call = client.begin_async(target, "call", 1)
    asked = client.asked()
    # What opens the gate runs when the callback is over; nothing comes before PHP's answer.
    opened = client.begin_async(target, "open", "a")
    client.returns(asked, "one")
    assert answers(client, outer, call, opened) == ["outer", "one", None]


def test_nested_coroutines_call_php(client: Client, target: wire.Object) -> None:
    client.set(target, "value", closure(7))
    call = client.begin_async(target, "call_in_thread", 1)
    asked = client.asked()
    # A coroutine that is called in the callback calls PHP in turn, while PHP only awaits it.
    inner = client.begin_async(target, "call_in_thread", 2, parent=asked.call)
    nested = client.asked()
    assert (nested.parent, nested.values[2]) == (inner, [2])
    client.returns(nested, "two")
    assert client.answer(inner) == "two"
    client.returns(asked, "one")
    assert client.answer(call) == "one"


def test_the_request_ends_while_a_coroutine_calls_php(client: Client, target: wire.Object) -> None:
    client.set(target, "value", closure(7))
    call = client.begin_async(target, "call", 1)
    asked = client.asked()
    client.send(wire.END_REQUEST, call=0)
    assert client.answer(call) is None
    client.returns(asked, "nobody waits for it")
    assert client.call(client.new("Coroutine"), "echo", 1) == 1


def test_contexts_tasks_and_loops(client: Client, target: wire.Object) -> None:
    calls = [client.begin_async(target, "count") for _ in range(3)]
    assert answers(client, *calls) == [1, 1, 1]
    assert client.call(target, "own_loop", "own") == "own"
    assert client.call(target, "begin", "a") is None
    joined = client.begin_async(target, "join")
    assert answers(client, joined, client.begin_async(target, "open", "a")) == [["a"], None]
    same = "EVENTS.setdefault('loop', asyncio.get_running_loop()) is asyncio.get_running_loop()"
    assert [client.call(target, "evaluate", same) for _ in range(2)] == [True, True]


def test_a_loop_that_is_stopped_goes_on(client: Client, target: wire.Object) -> None:
    waiting = client.begin_async(target, "wait", "a", "a")
    client.call(target, "evaluate", "asyncio.get_running_loop().stop()")
    source = "async def fail(): raise SystemExit('in a task')\nself.tasks.append(asyncio.create_task(fail()))"
    client.call(target, "execute", source)
    assert client.call(target, "echo", 1) == 1
    opened = client.begin_async(target, "open", "a")
    assert answers(client, opened, waiting) == [None, "a"]


def test_long_requests_are_announced(client: Client, target: wire.Object) -> None:
    waiting = client.begin_async(target, "wait", "a", wire.Segment(wire.TEXT, b"a" * 3_000_000))
    opened = client.begin_async(target, "open", "a")
    held = client.send(wire.HOLD)
    found = set()
    while (frame := client.receive())[1] != held:
        found.add(frame[1])
    # Nothing comes now, however long the answers are, and however long the request.
    long = client.begin(target, "plain", wire.Segment(wire.TEXT, b"b" * 5_000_000))
    left = [call for call in (waiting, opened) if call not in found]
    assert len(answers(client, *left, long)[-1]) == 5_000_000


def test_an_asynchronous_generator_is_iterated(client: Client, target: wire.Object) -> None:
    numbers = client.call(target, "numbers", 3)
    iterator, items = client.ask(wire.ITERATE, numbers.id, 100)
    assert items == [0]
    assert client.ask(wire.NEXT, iterator.id, 100) == [True, [1]]
    assert client.get(target, "log") == [0, 1]
    assert client.ask(wire.NEXT, iterator.id, 100) == [True, [2]]
    assert client.ask(wire.NEXT, iterator.id, 100) == [False, []]


def test_an_asynchronous_context(client: Client, target: wire.Object) -> None:
    number, value = client.ask(wire.ENTER, target.id)
    assert value == "inside"
    assert client.ask(wire.EXIT, number, None) is False
    number, _ = client.ask(wire.ENTER, target.id)
    assert client.ask(wire.EXIT, number, ["LogicException", "no", 7, "/srv/a.php", 12]) is True
    log = ["entered", "left with None", "entered", "left with PhpException('no')"]
    assert client.get(target, "log") == log


def test_a_client_that_leaves_while_coroutines_run(supervisor: Supervisor) -> None:
    other = supervisor.client(CLASSES)
    target = other.new("Coroutine")
    other.begin_async(target, "wait", "a")
    assert other.call(target, "plain", 1) == 1
    other.leave()
    assert supervisor.status_of(other.session) == 0


def test_many_at_once(client: Client, target: wire.Object) -> None:
    calls = [client.begin_async(target, "wait", "a", number) for number in range(100)]
    opened = client.begin_async(target, "open", "a")
    assert answers(client, *calls, opened) == [*range(100), None]
