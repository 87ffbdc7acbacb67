"""What the session sends in another form than plain MessagePack: vectors, rows without keys, segments."""

import random
from typing import Any

import pytest
import wire
from peers import Client, FailedError

VECTORS = {
    "floats": b"\xc9\x00\x00\x00\x80\x04",
    "integers": b"\xc9\x00\x00\x00\x80\x05",
    "numbers": b"\xc9\x00\x00\x00\x82\x07",
    "array": b"\xdc\x00\x10",
}


@pytest.mark.parametrize(
    ("expression", "form"),
    [
        ("[0.5] * 16", "floats"),
        ("(0.5,) * 16", "floats"),
        ("[float('inf'), -0.0] * 8", "floats"),
        ("[1] * 16", "integers"),
        ("list(range(-8, 8))", "integers"),
        ("[2**63 - 1, -2**63] * 8", "integers"),
        ("[1] * 15 + [1.0]", "numbers"),
        ("[1.0] * 15 + [1]", "numbers"),
        ("[1] + [-0.0] * 15", "numbers"),
        ("[1, 1.0] * 8", "numbers"),
        ("[2**63 - 1, float('nan'), -2**63, float('-inf')] * 4", "numbers"),
        ("[1.0] * 14 + [1, True]", "array"),
        ("[1.0] * 15 + [True]", "array"),
        ("[1, 1.0] * 7 + [None, 1]", "array"),
        ("[1] * 15 + [True]", "array"),
        ("[True] * 16", "array"),
        ("[1] * 15 + [None]", "array"),
        ("[1.0] * 15 + ['x']", "array"),
        ("['x'] * 16", "array"),
    ],
)
def test_a_list_of_numbers_is_a_vector(
    client: Client, probe: wire.Object, expression: str, form: str
) -> None:
    found, expected = client.call(probe, "evaluate", expression), eval(expression)
    assert list(map(repr, found)) == list(map(repr, expected))
    assert client.payload.startswith(VECTORS[form])


def test_lists_of_both_come_back_the_same(client: Client, probe: wire.Object) -> None:
    random_numbers = random.Random(7)
    pool = [0, 1, -1, 2**63 - 1, -(2**63), 0.0, -0.0, 1.0, float("inf"), float("nan"), 5e-324, 2.0**53]
    for size in range(16, 90):
        share = random_numbers.random()
        numbers = [random_numbers.choice(pool[:5] if random_numbers.random() < share else pool[5:])
                   for _ in range(size)]  # fmt: skip
        client.set(probe, "value", [wire.Raw(wire.pack(number)) for number in numbers])
        assert list(map(repr, client.get(probe, "value"))) == list(map(repr, numbers))


def test_a_short_list_is_no_vector(client: Client, probe: wire.Object) -> None:
    assert client.call(probe, "evaluate", "[0.5] * 15") == [0.5] * 15
    assert client.payload[:2] == b"\x9f\xcb"


def test_an_integer_over_64_bits_makes_the_list_one_of_references(client: Client, probe: wire.Object) -> None:
    found = client.call(probe, "evaluate", "[1] * 16 + [2**63]")
    assert found[:16] == [1] * 16
    assert isinstance(found[16], wire.Object)
    found = client.call(probe, "evaluate", "[1.0, 1] * 8 + [2**63]")
    assert list(map(repr, found[:16])) == ["1.0", "1"] * 8
    assert isinstance(found[16], wire.Object)


@pytest.mark.parametrize(
    ("expression", "same"),
    [
        ("[{'id': n, 'name': 'x'} for n in range(3)]", 2),
        ("({'id': n} for n in range(3))", 0),
        ("tuple({'id': n} for n in range(3))", 2),
        ("[{'a': 1}, {'a': 2, 'b': 3}, {'a': 4, 'b': 5}]", 1),
        ("[{'a': 1, 'b': 2}, {'b': 3, 'a': 4}]", 0),
        ("[{'a': 1}, 5, {'a': 2}, [], {'a': 3}]", 2),
        ("[{}, {}]", 0),
        ("[{1: 2}, {1: 3}]", 0),
        ("[{'1': 2}, {'1': 3}]", 1),
        ("[{'1': 2, 3: 4}, {'1': 2, 3: 4}]", 0),
        ("[{'a': 1}, {'a': 2, 3: 4}, {'a': 5}]", 0),
        ("[{'a': [{'b': 1, 'c': 2}, {'b': 3, 'c': 4}]}, {'a': [{'d': 5}, {'d': 6}]}]", 3),
        ("[{'a': {'b': 1}}, {'a': {'b': 2}}]", 1),
        ("{'a': {'b': 1}, 'c': {'b': 2}}", 0),
        ("[{'a': 1}, [{'a': 2}], {'a': 3}]", 1),
        ("[{f'k{key}': key for key in range(255)}] * 2", 1),
        ("[{f'k{key}': key for key in range(256)}] * 2", 0),
    ],
)
def test_rows_are_written_without_their_keys(
    client: Client, probe: wire.Object, expression: str, same: int
) -> None:
    found = client.call(probe, "evaluate", expression)
    if expression.startswith("("):
        assert isinstance(found, wire.Object)
        return
    expected = eval(expression)
    assert found == (list(expected) if isinstance(expected, tuple) else expected)
    assert [list(row) for row in found if isinstance(row, dict)] == [
        list(row) for row in expected if isinstance(row, dict)
    ]
    assert client.payload.count(b"\xd4\x06") == same


def test_equal_keys_that_are_other_objects_are_written(client: Client, probe: wire.Object) -> None:
    expression = "[{''.join(['a', 'b']): n} for n in range(3)]"
    assert client.call(probe, "evaluate", expression) == [{"ab": n} for n in range(3)]


@pytest.mark.parametrize("size", [0, 31, 255, 16383, 32767, 32768, 65536, 1_000_000, 3_000_000])
@pytest.mark.parametrize("expression", ["b'x' * {}", "'x' * {}", "'é' * ({} // 2)", "bytearray(b'x' * {})"])
def test_bulk_is_sent_from_where_it_lies(
    client: Client, probe: wire.Object, size: int, expression: str
) -> None:
    expression = expression.format(size)
    expected = eval(expression)
    found = client.call(probe, "evaluate", f"[{expression}, 7, {{'k': {expression}}}]")
    assert found == [expected, 7, {"k": expected}]
    is_segment = size >= 32768 and not isinstance(expected, bytearray)
    assert len(client.bulk) == (2 * size if is_segment else 0)


def test_what_is_sent_is_alive_until_it_is_sent(client: Client, probe: wire.Object) -> None:
    """More than a socket holds, of objects that nobody else has."""
    call = client.send(wire.CALL, probe.id, "evaluate", ["[bytes([n]) * 2**20 for n in range(8)]"], {})
    kind, answered, payload = client.receive()
    assert (kind, answered) == (wire.VALUE, call)
    assert wire.unpack(payload, client.bulk) == [[bytes([n]) * 2**20 for n in range(8)]]


def test_segments_of_a_refused_answer_are_not_sent(client: Client, probe: wire.Object) -> None:
    with pytest.raises(FailedError, match=r"return value\[1\]: a str with a lone surrogate"):
        client.call(probe, "evaluate", "[b'x' * 10**6, '\\udc80']")
    assert client.bulk == b""
    with pytest.raises(FailedError, match="too large"):
        client.call(probe, "evaluate", "[b'x' * 2**20] * 513")
    assert client.call(probe, "evaluate", "b'y' * 10**5") == b"y" * 10**5
    assert client.bulk == b"y" * 10**5


def some(chance: random.Random, depth: int) -> Any:
    """A value that PHP knows."""
    kind = chance.randrange(12 if depth else 7)
    match kind:
        case 0:
            return chance.choice([None, True, False])
        case 1 | 2:
            return chance.choice([chance.getrandbits(63), -chance.getrandbits(63), chance.getrandbits(8), 0])
        case 3:
            return chance.uniform(-1e300, 1e300)
        case 4:
            return chance.choice(["", "é", "x" * chance.randrange(300), "1", "k"])
        case 5:
            return chance.randbytes(chance.randrange(300))
        case 6:
            return chance.choice([b"b", "t"]) * chance.choice([32767, 32768, 40000])
        case 7:
            return [chance.random() for _ in range(chance.randrange(40))]
        case 8:
            return [chance.getrandbits(50) for _ in range(chance.randrange(40))] + chance.choice([[], [1.5]])
        case 9:
            keys = [
                chance.choice(["a", "b", "c", "long key " * 5, 5, -7]) for _ in range(chance.randrange(5))
            ]
            return [{key: some(chance, depth - 1) for key in keys} for _ in range(chance.randrange(6))]
        case 10:
            return {key: some(chance, depth - 1) for key in ("x", 0, "y")}
        case _:
            return [some(chance, depth - 1) for _ in range(chance.randrange(6))]


@pytest.mark.parametrize("seed", range(40))
def test_any_value_comes_back_as_it_went(client: Client, probe: wire.Object, seed: int) -> None:
    value = some(random.Random(seed), 4)
    client.set(probe, "value", value)
    assert client.get(probe, "value") == value
    assert repr(client.get(probe, "value")) == repr(value)
    # Once more, written by Python from its own text, where equal keys are one object.
    assert repr(client.call(probe, "evaluate", repr(value))) == repr(value)


@pytest.mark.parametrize(
    ("value", "change", "message"),
    [
        ("[{n} for n in range(100)]", "value.clear()", "a list that changed"),
        ("[{n} for n in range(100)]", "value.__delitem__(slice(1, 100))", "a list that changed"),
        ("[{n} for n in range(100)]", "value.append(0)", None),
        ("[{n} for n in range(100)]", "value.__setitem__(slice(None), [{'c': 1}] * 100)", None),
        ("{'a': [{1}], 'b': [2]}", "value.clear()", "a dict that changed"),
        ("{'a': {1}, 'b': 2}", "value.pop('b')", "a dict that changed"),
        ("{'a': {1}}", "value.__setitem__('b', 2)", "a dict that changed"),
        ("[{'a': {1}, 'b': 2}] * 3", "value[0].clear()", "a dict that changed"),
        ("[{'a': 1, 'b': 2}, {'a': {1}, 'b': 2}]", "value[1].clear()", "a dict that changed"),
        ("[{'a': 1, 'b': 2}, {'a': {1}, 'b': 2}]", "value[1].update(c=1, d=2, e=3, f=4, g=5, h=6)", None),
        ("[{'a': 1}, {'a': [{1}, {'b': 2}]}, {'a': 3}]", "value[2].clear()", None),
        ("{1, 2, 3}", "value.clear()", "a set that changed"),
    ],
)
def test_what_changes_while_it_is_read(
    client: Client, probe: wire.Object, value: str, change: str, message: str | None
) -> None:
    """A set makes an iterator, which starts garbage collection, which runs any code."""
    client.call(probe, "execute", f"self.value = {value}; self.ran = []")
    action = f"lambda probe=self, value=self.value: ({change}, probe.ran.append(1))"
    expression = f"self.collect_soon(self.value, {action})"
    if message is None:
        client.call(probe, "evaluate", expression)
    else:
        with pytest.raises(FailedError, match=message) as caught:
            client.call(probe, "evaluate", expression)
        assert caught.value.category == "conversion"
    assert client.get(probe, "ran") == [1]
