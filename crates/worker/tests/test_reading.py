"""What PHP may send in more than one form: vectors, rows without keys, segments, methods by index."""

import math
import os
import random
import struct
from pathlib import Path
from typing import Any

import pytest
import wire
from conftest import CLASSES
from peers import Client, FailedError, Supervisor, lines
from test_protocol import array, told

SIZES = [0, 1, 15, 16, 17, 4095, 4096, 4097, 100_000]
INTEGERS = [0, 1, -1, 255, 256, 257, -5, -6, 2**31, 2**63 - 1, -(2**63)]
FLOATS = [0.0, -0.0, 1.5, math.inf, -math.inf, 5e-324, 1.7976931348623157e308]


def seen(client: Client, probe: wire.Object, value: Any) -> Any:
    """The value as Python shows it, evaluated here: the session's own writer has no part in it."""
    return eval(client.call(probe, "show", value), {"inf": math.inf, "nan": math.nan})[0][0]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("form", "pool"), [("d", FLOATS), ("q", INTEGERS)])
@pytest.mark.parametrize("is_segment", [False, True])
def test_a_vector_is_a_list(
    client: Client, probe: wire.Object, size: int, form: str, pool: list[float], is_segment: bool
) -> None:
    expected = random.Random(size).choices(pool, k=size)
    kind = wire.FLOATS if form == "d" else wire.INTEGERS
    sent = wire.Segment(kind, wire.numbers(form, expected)) if is_segment else wire.Vector(form, expected)
    found = seen(client, probe, sent)
    assert type(found) is list
    assert list(map(repr, found)) == list(map(repr, expected))


@pytest.mark.parametrize("size", [*SIZES, 7, 8, 9])
def test_a_vector_of_both_is_a_list(client: Client, probe: wire.Object, size: int) -> None:
    expected = random.Random(size).choices([*FLOATS, *INTEGERS, math.nan], k=size)
    found = seen(client, probe, wire.Numbers(expected))
    assert type(found) is list
    assert list(map(repr, found)) == list(map(repr, expected))


@pytest.mark.parametrize("form", [wire.Vector("d", [0.1] * 100_000), wire.Numbers([0.1, 2**40] * 50_000)])
def test_long_lists_are_laid_where_the_last_one_lay(
    client: Client, probe: wire.Object, form: wire.Vector | wire.Numbers
) -> None:
    faults = "__import__('resource').getrusage(0).ru_minflt"
    counts = []
    for _ in range(6):
        before = client.call(probe, "evaluate", faults)
        client.call(probe, "same", form, 0)
        counts.append(client.call(probe, "evaluate", faults) - before)
    # In fresh memory it would be a fault for each of 600 pages.
    assert min(counts) < 100, counts


def test_a_vector_keeps_the_payload_of_a_nan(client: Client, probe: wire.Object) -> None:
    nan = struct.unpack("<d", bytes.fromhex("efbe00000000f87f"))[0]
    client.set(probe, "value", wire.Vector("d", [nan] * 16))
    bits = client.call(probe, "evaluate", "__import__('struct').pack('<d', self.value[15]).hex()")
    assert bits == "efbe00000000f87f"


@pytest.mark.parametrize("size", [0, 1, 31, 16384, 65536, 65537, 3_000_000])
def test_bulk_lies_behind_the_payload(client: Client, probe: wire.Object, size: int) -> None:
    content = random.Random(size).randbytes(size)
    text = "é" * (size // 2)
    sent = [
        wire.Segment(wire.BINARY, content),
        wire.Segment(wire.TEXT, b"x" * size),
        wire.Segment(wire.TEXT, text.encode()),
        wire.Segment(wire.TEXT, b"\xff" * size),
        7,
    ]
    assert seen(client, probe, sent) == [content, "x" * size, text, b"\xff" * size if size else "", 7]


ODD_KEY = wire.pack({"k": 1}).replace(wire.pack("k"), wire.pack(wire.Text(b"\xff")))
ROWS = [
    [{"a": 1, "b": "x"}, wire.SameKeys([2, "y"]), wire.SameKeys([3, None])],
    [{}, wire.SameKeys([])],
    [{"a": 1}, 5, [wire.Raw(b"\x80")], wire.SameKeys([2])],
    [{"a": [{"b": 1, "c": 2}, wire.SameKeys([3, 4])]}, wire.SameKeys([[{"d": 5}, wire.SameKeys([6])]])],
    [{"a": 1}, wire.SameKeys([2]), {"b": 3}, wire.SameKeys([4])],
    [{1: "one", "k": {"z": {}}}, wire.SameKeys(["eins", [{"q": 1}, wire.SameKeys([2])]])],
    [wire.Raw(ODD_KEY), wire.SameKeys([2])],
]  # fmt: skip
EXPECTED = [
    [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}, {"a": 3, "b": None}],
    [{}, {}],
    [{"a": 1}, 5, [{}], {"a": 2}],
    [{"a": [{"b": 1, "c": 2}, {"b": 3, "c": 4}]}, {"a": [{"d": 5}, {"d": 6}]}],
    [{"a": 1}, {"a": 2}, {"b": 3}, {"b": 4}],
    [{1: "one", "k": {"z": {}}}, {1: "eins", "k": [{"q": 1}, {"q": 2}]}],
    [{b"\xff": 1}, {b"\xff": 2}],
]


@pytest.mark.parametrize(("rows", "expected"), [*zip(ROWS, EXPECTED, strict=True)])
def test_a_map_without_keys_has_those_before_it(
    client: Client, probe: wire.Object, rows: list[Any], expected: list[Any]
) -> None:
    assert seen(client, probe, rows) == expected
    assert client.call(probe, "show", *rows) == repr((tuple(expected), {}))


def test_a_row_with_a_stale_handle_says_where(client: Client, probe: wire.Object) -> None:
    rows = [{"a": 1, 5: 2}, wire.SameKeys([1, [wire.Handle(98)]])]
    with pytest.raises(FailedError, match=r"^args\[0\]\[1\]\[5\]\[0\]: object 98 is not one of this session"):
        client.call(probe, "show", rows)
    with pytest.raises(FailedError, match=r'^args\[0\]\[1\]\["a"\]: object 98'):
        client.call(probe, "show", [{"a": 1}, wire.SameKeys([wire.Handle(98)])])


def test_what_was_not_read_of_segments_is_passed_over(client: Client, probe: wire.Object) -> None:
    bulk = wire.Segment(wire.BINARY, bytes(3_000_000))
    with pytest.raises(FailedError, match="object 98"):
        client.call(probe, "show", wire.Handle(98), bulk, bulk)
    with pytest.raises(FailedError, match="object 99"):
        client.call(99, "show", bulk)
    with pytest.raises(FailedError, match="_hidden"):
        client.call(probe, "_hidden", bulk)
    assert client.call(probe, "show", 1) == "((1,), {})"


def by(client: Client, probe: wire.Object, method: Any, *args: Any) -> Any:
    """The answer to a call whose method is named in any way."""
    return client.ask(wire.CALL, probe.id, wire.Raw(wire.pack(method)), list(args), {})


def test_a_method_is_an_index_after_its_first_use(client: Client, probe: wire.Object) -> None:
    assert by(client, probe, [7, "show"], 1) == "((1,), {})"
    assert by(client, probe, 7, 2) == "((2,), {})"
    assert by(client, probe, [4095, "few"], 1, 2)[:2] == [1, 2]
    assert by(client, probe, [7, "alive"]) == []
    assert by(client, probe, 7) == []
    assert by(client, probe, 4095, 3, 4)[:2] == [3, 4]


def test_an_index_stays_whatever_becomes_of_the_call(client: Client, probe: wire.Object) -> None:
    stale = wire.Object(98, 0, 0)
    with pytest.raises(FailedError, match="object 98"):
        by(client, stale, [0, "show"])
    assert by(client, probe, 0, 1) == "((1,), {})"
    with pytest.raises(FailedError, match="no attribute 'nowhere'"):
        by(client, probe, [1, "nowhere"])
    with pytest.raises(FailedError, match="no attribute 'nowhere'"):
        by(client, probe, 1)
    for method in ([2, "_hidden"], 2, 2):
        with pytest.raises(FailedError, match='"_hidden" of Probe is not for PHP') as caught:
            by(client, probe, method)
        assert (caught.value.category, caught.value.ran) == ("access", False)
    echo = client.call(probe, "evaluate", "lambda value: value")
    assert by(client, echo, [3, ""], 5) == 5
    assert by(client, echo, 3, 6) == 6


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        (array(1, 0, [], {}), "the index of no name where the index of a method was due"),
        (array(1, 4096, [], {}), "the index of a method is over the limit of 4096"),
        (array(1, -1, [], {}), "an integer where the index of a method was due"),
        (array(1, [1, "a", 2], [], {}), "an array where the name of a method was due"),
        (array(1, ["a", 1], [], {}), "a text where the index of a method was due"),
        (array(1, "show", [wire.SameKeys([1])], {}), "without keys of another length"),
        (array(1, "show", [[{"a": 1}, wire.SameKeys([])]], {}), "without keys of another length"),
        (array(1, "show", [[{"a": 1}, wire.SameKeys([1, 2])]], {}), "without keys of another length"),
        (array(1, "show", [[{"a": 1}], [wire.SameKeys([1])]], {}), "without keys of another length"),
        (array(1, "show", [[[{"a": 1}], wire.SameKeys([1])]], {}), "without keys of another length"),
        (array(1, "show", [{"a": wire.SameKeys([1])}], {}), "a map without keys where a value was due"),
        (array(1, "show", [{"a": {"b": 1}, "c": wire.SameKeys([1])}], {}), "without keys where a value was"),
        (array(1, "show", [], {"a": wire.SameKeys([1])}), "a map without keys where a value was due"),
        (array(1, "show", []) + b"\xd4\x06\x00", "a map without keys where the named arguments"),
        (array(1, "show") + b"\x91\xd4\x06\x03\x01\x80", "3 elements cannot stand in the 2 bytes"),
        (array(1, "show") + b"\x91\xc9\xff\xff\xff\xf8\x04\x00", "the payload ends inside a value"),
        (array(1, "show") + b"\x91\xc9\x00\x00\x00\x09\x04" + bytes(9) + b"\x80", "cannot have 9 bytes"),
        (array(1, "show") + b"\x91\xc7\x05\x03\x02\xff\xff\xff\xf8\x80", "a segment of 4294967288 bytes"),
        (array(1, "show") + b"\x91\xc7\x05\x03\x01\x00\x00\x00\x01\x80", "1 bytes, where 0 are left"),
        (array(1, "show") + b"\x91\xc7\x05\x03\x04\x00\x00\x00\x00\x80", "no segment of kind 0x04"),
    ],
)  # fmt: skip
def test_a_malformed_form_is_named(supervisor: Supervisor, payload: bytes, message: str) -> None:
    client = supervisor.client(CLASSES)
    client.new("Probe")
    call = client.send(wire.CALL, raw=payload)
    assert message in told(client, call)


def test_a_segment_longer_than_those_that_came_is_refused(supervisor: Supervisor) -> None:
    client = supervisor.client(CLASSES)
    client.new("Probe")
    first = wire.Segment(wire.BINARY, bytes(100_000))
    call = client.send(wire.CALL, 1, "show", [first, wire.Segment(wire.FLOATS, bytes(80), 88)], {})
    assert "a segment of 88 bytes, where 80 are left" in told(client, call)


def test_a_client_that_leaves_inside_a_segment_ends_the_session(supervisor: Supervisor) -> None:
    client = supervisor.client(CLASSES)
    client.new("Probe")
    payload = array(1, "show", [wire.Segment(wire.BINARY, bytes(1000))], {})
    client.stream.sendall(
        wire.HEADER.pack(len(payload), wire.CALL, 0, 0, 9, 0, 0, 1000) + payload + bytes(999)
    )
    client.leave()
    assert supervisor.status_of(client.session) == 0


def test_other_threads_run_while_a_segment_comes(client: Client, probe: wire.Object, tmp_path: Path) -> None:
    pipes = [tmp_path / "in", tmp_path / "out"]
    for pipe in pipes:
        os.mkfifo(pipe)
    client.call(
        probe,
        "execute",
        lines(
            "import threading, pathlib",
            f"source, target = pathlib.Path({str(pipes[0])!r}), pathlib.Path({str(pipes[1])!r})",
            "echo = lambda source=source, target=target: target.write_bytes(source.read_bytes())",
            "threading.Thread(target=echo).start()",
        ),
    )
    payload = array(probe.id, "value", wire.Segment(wire.BINARY, bytes(1000)))
    client.last_call += 1
    header = wire.HEADER.pack(len(payload), wire.SET, 0, 0, client.last_call, 0, 0, 1000)
    client.stream.sendall(header + payload)
    # The thread answers only if it gets the interpreter's lock while the session waits for the segment.
    pipes[0].write_bytes(b"x")
    assert pipes[1].read_bytes() == b"x"
    client.stream.sendall(bytes(1000))
    assert client.receive()[0] == wire.VALUE


def test_no_payload_kills_a_session(supervisor: Supervisor) -> None:
    """A valid request with some bytes changed is answered, or told to be malformed."""
    values = [
        [{"a": 1, "b": wire.Vector("d", [0.5] * 20)}, wire.SameKeys([2, [wire.Vector("q", [7] * 16)]])],
        wire.Segment(wire.TEXT, b"x" * 50),
        wire.Segment(wire.FLOATS, bytes(160)),
        {"k": wire.Segment(wire.BINARY, b"y" * 9), 5: wire.Handle(1)},
    ]
    bulk: list[bytes] = []
    whole = (
        wire.pack(1)
        + wire.pack([3, "show"])
        + wire.pack(values, bulk)
        + wire.pack({"name": [None, 1.5]}, bulk)
    )
    segments = b"".join(bulk)
    chance = random.Random(7)
    client = None
    for _ in range(300):
        if client is None:
            client = supervisor.client(CLASSES)
            client.new("Probe")
        payload = bytearray(whole)
        for _ in range(chance.choice([0, 1, 1, 1, 2, 5])):
            payload[chance.randrange(len(payload))] = chance.choice(
                [0, 1, 0x7F, 0xC7, 0xD4, chance.randrange(256)]
            )
        sent = segments[: chance.choice([len(segments), len(segments), chance.randrange(len(segments))])]
        client.last_call += 1
        header = wire.HEADER.pack(len(payload), wire.CALL, 0, 0, client.last_call, 0, 0, len(sent))
        client.stream.sendall(header + payload + sent)
        kind, call, answer = client.receive()
        assert (kind in (wire.VALUE, wire.FAILURE), call) == (True, client.last_call)
        if kind == wire.FAILURE and FailedError(answer).category == "protocol":
            assert client.ends()
            status = supervisor.status_of(client.session)
            assert status == 0, (bytes(payload), len(sent), FailedError(answer).message)
            client = None
    if client is not None:
        client.leave()
