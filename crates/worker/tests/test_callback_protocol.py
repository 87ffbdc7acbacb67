"""A client that answers callbacks against the rules: it is told what was wrong, and thrown out."""

import pytest
import wire
from conftest import CLASSES
from peers import Client, FailedError, Supervisor, closure


@pytest.fixture
def client(supervisor: Supervisor) -> Client:
    """A client that may be thrown out."""
    return supervisor.client(CLASSES)


@pytest.fixture
def probe(client: Client) -> wire.Object:
    """An object with a closure."""
    return client.new("Probe", closure(7))


def told(client: Client) -> str:
    """The message of the failure that is the last thing the session says."""
    kind, _, payload = client.receive()
    assert kind == wire.FAILURE
    failed = FailedError(payload)
    assert (failed.category, failed.exceptions) == ("protocol", [])
    assert client.ends()
    return failed.message


UNKNOWN_CLASS = wire.pack(wire.PhpObject(5, 77))
BROKEN_CLASS = wire.pack(wire.PhpObject(5, 77, 0, b"\xa1x\x00\x90"))


@pytest.mark.parametrize(
    ("kind", "call", "payload", "message"),
    [
        (wire.RETURNED, 2, b"\xc0", "where the answer to the last callback was due"),
        (wire.RETURNED, 0, b"\xc0", "where the answer to the last callback was due"),
        (wire.RETURNED, 1, b"", "ends inside a value"),
        (wire.RETURNED, 1, b"\xc0\xc0", "1 bytes stand behind the last value"),
        (wire.RETURNED, 1, b"\x91" * 514, "nested more than 512 levels deep"),
        (wire.RETURNED, 1, UNKNOWN_CLASS, "where a PHP object of a class that was described was due"),
        (wire.RETURNED, 1, BROKEN_CLASS, "ends inside a value"),
        (wire.RETURNED, 1, b"\xc7\x05\x03\0\0\0\0\x09", "segment of 9 bytes, where 0 are left"),
        (wire.THREW, 1, b"\xc3", "where why a callback failed was due"),
        (wire.THREW, 1, b"\x92\x09\xa0", "a category from 0 to 5"),
        (wire.THREW, 1, b"\x95\x01\x01\x01\x01\x01", "where a PHP exception was due"),
        (wire.VALUE, 90, b"\xc0", "a message of another kind where a request was due"),
        (wire.CALL, 1, b"\xc0", "where a new call id was due"),
        (wire.WELCOME, 90, b"\xc0", "a message of another kind where a request was due"),
    ],
)
def test_an_answer_that_makes_no_sense_is_named(
    client: Client,
    probe: wire.Object,
    supervisor: Supervisor,
    kind: int,
    call: int,
    payload: bytes,
    message: str,
) -> None:
    client.begin(probe, "evaluate", "self.value()")
    asked = client.asked()
    client.send(kind, raw=payload, call=call, parent=asked.call)
    assert message in told(client)
    assert supervisor.status_of(client.session) == 0


@pytest.mark.parametrize("call", [0, 1, 1000])
def test_an_answer_that_nobody_asked_for_is_named(client: Client, probe: wire.Object, call: int) -> None:
    client.send(wire.RETURNED, None, call=call)
    assert "the answer to no callback where a request was due" in told(client)


def test_a_call_is_answered_though_the_request_ends_in_a_callback(client: Client, probe: wire.Object) -> None:
    source = [
        "import php",
        "Probe.seen = []",
        "for again in range(2):",
        "    try: self.value() if again == 0 else php.function('f')()",
        "    except php.RequestOver as error: Probe.seen.append(str(error))",
    ]
    call = client.begin(probe, "execute", "\n".join(source))
    waiting = client.begin(probe, "evaluate", "self.value()")
    asked = client.asked()
    client.send(wire.END_REQUEST, call=0)
    # Too late, so it is passed over.
    client.throws(asked, [3, "the PHP request is over"])
    assert client.answer(call) is None
    with pytest.raises(FailedError, match="PHP's request is over"):
        client.answer(waiting)
    again = client.new("Probe", closure(8))
    assert (
        client.call(again, "evaluate", "Probe.seen")
        == ["PHP's request is over, and so is the life of its objects"] * 2
    )
    call = client.begin(again, "evaluate", "self.value()")
    client.returns(client.asked(), "back")
    assert client.answer(call) == "back"


def test_the_end_of_the_request_in_callbacks_in_callbacks(client: Client, probe: wire.Object) -> None:
    source = [
        "Probe.seen = []",
        "try: self.value()",
        "except BaseException as error: Probe.seen.append(type(error).__name__)",
    ]
    first = client.begin(probe, "execute", "\n".join(source))
    outer = client.asked()
    second = client.begin(probe, "execute", "\n".join(source[1:]), parent=outer.call)
    client.asked()
    client.send(wire.END_REQUEST, call=0)
    assert [client.answer(call) for call in (second, first)] == [None, None]
    again = client.new("Probe")
    assert client.call(again, "evaluate", "Probe.seen") == ["RequestOver", "RequestOver"]


def test_requests_without_end_are_refused(client: Client, probe: wire.Object) -> None:
    client.begin(probe, "evaluate", "self.value()")
    client.asked()
    for _ in range(4097):
        client.begin(probe, "show")
    assert "requests that wait is over the limit of 4096" in told(client)


def test_a_segment_is_cut_off_in_a_callback(
    client: Client, probe: wire.Object, supervisor: Supervisor
) -> None:
    client.begin(probe, "evaluate", "self.value()")
    asked = client.asked()
    header = wire.HEADER.pack(8, wire.RETURNED, 0, 0, asked.call, 0, 0, 100)
    client.stream.sendall(header + b"\xc7\x05\x03\x01\0\0\0\x64")
    client.leave()
    assert supervisor.status_of(client.session) == 0


def test_no_prefix_of_an_answer_hangs_or_kills(supervisor: Supervisor) -> None:
    whole = wire.pack([{"a": [1, 2.5, b"x"]}, closure(9), "text"])
    for cut in range(len(whole)):
        each = supervisor.client(CLASSES)
        probe = each.new("Probe", closure(7))
        each.begin(probe, "evaluate", "self.value()")
        asked = each.asked()
        each.send(wire.RETURNED, raw=whole[:cut], call=asked.call)
        assert told(each)
        assert supervisor.status_of(each.session) == 0
