"""Threads of Python that call PHP: they take turns, and wait for PHP to wait."""

import pytest
import wire
from peers import Asked, Client, closure

SETUP = """
import threading

def start(function, *arguments):
    thread = threading.Thread(target=function, args=arguments)
    thread.start()
    return thread

def call(name, *arguments):
    try:
        results[name] = self.value(*arguments)
    except BaseException as error:
        results[name] = type(error).__name__ + ": " + str(error)

results = {}
threads = []
self.results = results
self.start, self.call, self.threads = start, call, threads
for function in (start, call):
    function.__globals__.update(self=self, results=results, threading=threading)
"""


@pytest.fixture
def probe(client: Client, probe: wire.Object) -> wire.Object:
    """A probe whose value is a closure, and that has what starts threads."""
    client.set(probe, "value", closure(7))
    client.call(probe, "execute", SETUP)
    return probe


def results(client: Client, probe: wire.Object) -> dict[str, object]:
    """What the threads have got, once all are done."""
    client.call(probe, "execute", "for thread in self.threads: thread.join()")
    found = client.get(probe, "results")
    assert isinstance(found, dict)
    return found


def test_a_thread_calls_php_while_the_call_runs(client: Client, probe: wire.Object) -> None:
    call = client.begin(probe, "execute", "self.start(self.call, 'a', 1).join()")
    asked = client.asked()
    assert (asked.parent, asked.values) == (call, [7, "", [1], {}])
    assert asked.thread > 0
    inner = client.begin(probe, "evaluate", "threading.current_thread().name", parent=asked.call)
    assert client.answer(inner) != "MainThread"
    client.returns(asked, "one")
    assert client.answer(call) is None
    assert results(client, probe) == {"a": "one"}


def test_two_threads_take_turns(client: Client, probe: wire.Object) -> None:
    source = "[thread.join() for thread in [self.start(self.call, name, name) for name in 'abcdef']]"
    call = client.begin(probe, "execute", source)
    threads = set()
    for _ in range(6):
        asked = client.asked()
        threads.add(asked.thread)
        client.returns(asked, asked.values[2][0] * 2)
    assert client.answer(call) is None
    assert len(threads) == 6
    assert results(client, probe) == {name: name * 2 for name in "abcdef"}


def test_an_answer_waits_for_the_callback_of_a_thread(client: Client, probe: wire.Object) -> None:
    source = [
        "began = threading.Event()",
        "def run():",
        "    began.set()",
        "    self.call('late', 1)",
        "run.__globals__['began'] = began",
        "self.threads.append(self.start(run))",
        "began.wait()",
    ]
    call = client.begin(probe, "execute", "\n".join(source))
    kind, answered, payload = client.receive()
    if kind == wire.VALUE:
        # The call was done first, so the thread has its turn in the next.
        assert answered == call
        call = client.begin(probe, "execute", "[thread.join() for thread in self.threads]")
        kind, answered, payload = client.receive()
    assert kind == wire.PHP_CALL
    client.returns(Asked(kind, answered, 0, 0, wire.unpack(payload)), "done")
    assert client.answer(call) is None
    assert results(client, probe) == {"late": "done"}


def test_a_thread_that_goes_on_waits_for_the_next_call(client: Client, probe: wire.Object) -> None:
    source = [
        "self.go = threading.Event()",
        "def run():",
        "    self.go.wait()",
        "    self.call('a', 1)",
        "    self.call('b', 2)",
        "self.threads.append(self.start(run))",
    ]
    client.call(probe, "execute", "\n".join(source))
    client.call(probe, "execute", "self.go.set()")
    answered = 0
    while answered < 2:
        # Short calls, none of which waits for the thread: it is let in all the same.
        call = client.begin(probe, "show")
        kind, number, payload = client.receive()
        while kind == wire.PHP_CALL:
            answered += 1
            client.returns(Asked(kind, number, 0, 0, wire.unpack(payload)), answered)
            kind, number, payload = client.receive()
        assert (kind, number) == (wire.VALUE, call)
    assert results(client, probe) == {"a": 1, "b": 2}


def test_a_thread_learns_that_the_request_has_ended(client: Client, probe: wire.Object) -> None:
    source = [
        "self.go = threading.Event()",
        "def run():",
        "    self.go.wait()",
        "    self.call('a', 1)",
        "self.threads.append(self.start(run))",
        "Probe.shared = self.threads, self.results, self.go",
    ]
    client.call(probe, "execute", "\n".join(source))
    client.send(wire.END_REQUEST, call=0)
    again = client.new("Probe")
    client.call(again, "execute", "threads, results, go = Probe.shared\ngo.set()\nthreads[0].join()")
    assert client.call(again, "evaluate", "Probe.shared[1]") == {
        "a": "RequestOver: PHP's request is over, and so is the life of its objects"
    }


def test_a_thread_that_waits_is_woken_by_the_end_of_the_request(client: Client, probe: wire.Object) -> None:
    source = [
        "self.began = threading.Event()",
        "def run():",
        "    self.began.set()",
        "    while 'a' not in self.results or self.results['a'] == 1: self.call('a', 1)",
        "self.threads.append(self.start(run))",
        "Probe.shared = self.threads, self.results",
        "self.began.wait()",
    ]
    call = client.begin(probe, "execute", "\n".join(source))
    kind, number, _ = client.receive()
    while kind == wire.PHP_CALL:
        client.send(wire.RETURNED, 1, call=number)
        kind, number, _ = client.receive()
    assert (kind, number) == (wire.VALUE, call)
    client.send(wire.END_REQUEST, call=0)
    again = client.new("Probe")
    client.call(again, "execute", "Probe.shared[0][0].join()")
    over = client.call(again, "evaluate", "Probe.shared[1]['a']")
    assert over.startswith("RequestOver: ")


def test_python_calls_php_only_in_a_call(client: Client, probe: wire.Object) -> None:
    source = [
        "class Manager:",
        "    def __enter__(manager): return None",
        "    def __exit__(manager, *exception): self.call('leaving')",
        "Manager.__exit__.__globals__.update(self=self)",
        "Probe.shared = self.results",
        "self.manager = Manager()",
    ]
    client.call(probe, "execute", "\n".join(source))
    client.ask(wire.ENTER, client.get(probe, "manager").id)
    client.send(wire.END_REQUEST, call=0)
    again = client.new("Probe")
    assert client.call(again, "evaluate", "Probe.shared['leaving']").startswith("RequestOver: ")


def test_threads_in_threads_answer_in_their_order(client: Client, probe: wire.Object) -> None:
    call = client.begin(probe, "execute", "self.start(self.call, 'outer', 1).join()")
    outer = client.asked()
    inner_call = client.begin(probe, "execute", "self.start(self.call, 'inner', 2).join()", parent=outer.call)
    inner = client.asked()
    assert (inner.parent, inner.values[2]) == (inner_call, [2])
    assert inner.thread != outer.thread
    client.returns(inner, "second")
    assert client.answer(inner_call) is None
    client.returns(outer, "first")
    assert client.answer(call) is None
    assert results(client, probe) == {"outer": "first", "inner": "second"}


def test_the_end_of_php_ends_what_waits(client: Client, probe: wire.Object) -> None:
    call = client.begin(probe, "execute", "self.start(self.call, 'a', 1).join()")
    client.asked()
    assert call
    # The session ends by itself: the fixture waits for that.


def test_a_pool_of_threads_maps_a_closure(client: Client, probe: wire.Object) -> None:
    source = (
        "list(__import__('concurrent.futures').futures.ThreadPoolExecutor(4).map(self.value, range(100)))"
    )
    call = client.begin(probe, "evaluate", source)

    def php(asked: Asked) -> object:
        # While PHP waits in here, another thread may have its turn: then this one is answered later.
        inner = client.begin(probe, "evaluate", str(asked.values[2][0]), parent=asked.call)
        return client.run(inner, php) ** 2

    assert client.run(call, php) == [number**2 for number in range(100)]
