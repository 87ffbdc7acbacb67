"""A client that breaks the rules of the wire: it is told what was wrong, and the connection is closed."""

import struct
from collections.abc import Callable

import pytest
import wire
from conftest import CLASSES
from peers import Client, FailedError, Supervisor


@pytest.fixture
def client(supervisor: Supervisor) -> Client:
    """A client that may be thrown out."""
    return supervisor.client(CLASSES)


def told(client: Client, call: int) -> str:
    """The message of the failure that is the last thing the session says."""
    kind, answered, payload = client.receive()
    assert (kind, answered) == (wire.FAILURE, call)
    failed = FailedError(payload)
    assert (failed.category, failed.ran, failed.exceptions) == ("protocol", False, [])
    assert client.ends()
    return failed.message


def array(*values: object) -> bytes:
    """Values without an array around them."""
    return b"".join(map(wire.pack, values))


@pytest.mark.parametrize(
    ("kind", "payload", "message"),
    [
        (wire.CALL, b"", "the payload ends inside a value, at byte 0"),
        (wire.CALL, array("x"), "a text where an object id was due"),
        (wire.CALL, array(-1), "an integer where an object id was due"),
        (wire.CALL, array(1, "show", 7, {}), "an integer where the arguments of a call was due"),
        (wire.CALL, array(1, "show", [], []), "an array where the named arguments of a call was due"),
        (wire.CALL, array(1, "show", [], {}, None), "1 bytes stand behind the last value"),
        (wire.CALL, array(1, "show") + b"\xdd\xff\xff\xff\xff", "4294967295 elements cannot stand in the 0"),
        (wire.CALL, array(1, "show", [], {1: 2}), "an integer where the name of an argument was due"),
        (wire.CALL, array(1, "show", []) + b"\x82" + array("a", 1, "a", 2), "one name twice"),
        (wire.CALL, array(1, "show") + b"\x91\x82" + array("a", 1, "a", 2) + b"\x80", "the same key twice"),
        (wire.CALL, array(1, "show", [{1.5: 2}], {}), "a float where a text or an integer as a key was due"),
        (wire.CALL, array(1, "show") + b"\x91" * 514 + b"\x80", "nested more than 512 levels deep"),
        (wire.CALL, array(1, "show") + b"\x91\xc1\x80", "there is no value of type 0xc1"),
        (
            wire.CALL,
            array(1, "show") + b"\x91\xc7\x11\x01" + bytes(17) + b"\x80",
            "an object where a value was",
        ),
        (
            wire.CALL,
            array(1, "show") + b"\x91\xc9\0\0\0\x08\x07" + bytes(9),
            "cannot have 8 bytes, which end inside",
        ),
        (
            wire.CALL,
            array(1, "show") + b"\x91\xc9\0\0\0\x09\x07" + bytes(8) + b"\x02\x80",
            "has bits for more",
        ),
        (wire.CALL, array(1, "show") + b"\x91\xc9\xff\xff\xff\xff\x07" + bytes(9), "ends inside a value"),
        (wire.CALL, array(1, "a\0b", [], {}), "the name of a method is not an identifier"),
        (wire.CALL, array(1, "a" * 1025, [], {}), "the name of a method is over the limit of 1024"),
        (wire.CALL, array(1, wire.Text(b"\xff"), [], {}), "the name of a method is not UTF-8"),
        (
            wire.CALL,
            array(1, "show", [None] * 65537, {}),
            "the arguments of a call is over the limit of 65536",
        ),
        (wire.GET, array(1, "value", 1), "1 bytes stand behind the last value"),
        (wire.SET, array(1, "value"), "the payload ends inside a value"),
        (wire.HAS, array(1, "value", 3), "another number where a question from 0 to 2 was due"),
        (wire.DESCRIBE, array("a" * 1025, None), "a class name is over the limit of 1024"),
        (wire.DESCRIBE, array("Probe", b"short"), "fewer where a fingerprint of 16 bytes was due"),
        (wire.CONSTRUCT, array(2, 2, [], {}), "where an odd and unused id for the new object was due"),
        (wire.CONSTRUCT, array(2, 1, [], {}), "where an odd and unused id for the new object was due"),
        (wire.ROOTS, array(["/x"] * 65), "class roots is over the limit of 64"),
        (wire.VALUE, array(1), "a message of another kind where a request was due"),
        (wire.WELCOME, array({}), "a message of another kind where a request was due"),
    ],
)
def test_a_malformed_request_is_named(client: Client, kind: int, payload: bytes, message: str) -> None:
    assert client.new("Probe").class_id == 2
    call = client.send(kind, raw=payload)
    assert message in told(client, call)


@pytest.mark.parametrize("payload", [b"\x91\x01", b"\x92\x01\xa1x", b"\xc0", b"\x92\x01"])
def test_malformed_releases_are_named(client: Client, payload: bytes) -> None:
    header = wire.HEADER.pack(len(payload), wire.RELEASE, wire.FLAG_RELEASES, 0, 0, 0, 0, 0)
    client.stream.sendall(header + payload)
    assert told(client, 0)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (wire.HEADER.pack(2**32 - 1, wire.CALL, 0, 0, 9, 0, 0, 0), "over the limit of 536870912"),
        (wire.HEADER.pack(0, 0x7F, 0, 0, 9, 0, 0, 0), "there is no message of kind 0x7f"),
        (wire.HEADER.pack(0, wire.CALL, 0x80, 0, 9, 0, 0, 0), "unknown flags 0b10000000"),
        (wire.HEADER.pack(0, wire.CALL, 0x08, 0, 9, 0, 0, 0), "unknown flags 0b00001000"),
    ],
)
def test_a_malformed_header_is_named(client: Client, header: bytes, message: str) -> None:
    client.stream.sendall(header)
    assert message in told(client, 0)


@pytest.mark.parametrize("call", [0, 1, 2])
def test_call_ids_only_grow(client: Client, call: int) -> None:
    client.new("Probe")
    client.send(wire.DESCRIBE, "Probe", None, call=call)
    assert "where a new call id was due" in told(client, call)


def test_ids_may_be_left_out(client: Client) -> None:
    client.last_call = 2**40
    probe = client.new("Probe")
    client.last_call = 2**64 - 2
    assert client.call(probe, "show") == "((), {})"


def test_no_prefix_of_a_request_hangs_or_kills(client: Client, supervisor: Supervisor) -> None:
    whole = array(1, "show", [{"a": [1, 2.5, b"x"]}], {"k": wire.Handle(1)})
    for cut in range(len(whole)):
        each = supervisor.client(CLASSES)
        each.new("Probe")
        call = each.send(wire.CALL, raw=whole[:cut])
        assert told(each, call)
        assert supervisor.status_of(each.session) == 0


def test_a_frame_cut_off_ends_the_session(client: Client, supervisor: Supervisor) -> None:
    client.stream.sendall(wire.HEADER.pack(100, wire.CALL, 0, 0, 1, 0, 0, 0) + b"abc")
    client.leave()
    assert supervisor.status_of(client.session) == 0


def test_many_requests_at_once_are_answered_in_order(client: Client) -> None:
    probe = client.new("Probe")
    send: Callable[[int], int] = lambda number: client.send(wire.CALL, probe.id, "show", [number], {})  # noqa: E731
    calls = [send(number) for number in range(200)]
    for number, call in enumerate(calls):
        assert client.receive() == (wire.VALUE, call, wire_text(f"(({number},), {{}})"))


def wire_text(text: str) -> bytes:
    """A short text as the session writes it."""
    return struct.pack("B", 0xA0 | len(text)) + text.encode()
