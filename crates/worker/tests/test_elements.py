"""An object's elements by value, for a client that asks for them."""

import array
import ctypes
import math
from typing import Any

import pytest
import wire
from peers import Client, FailedError


def elements(client: Client, probe: wire.Object, expression: str) -> Any:
    """The elements of what an expression gives by reference."""
    held = client.call(probe, "evaluate", f"[{expression}]")[0]
    assert isinstance(held, wire.Object), held
    return client.ask(wire.VALUES, held.id)


ARRAY = "__import__('array').array"
CUBE = [[[row * 12 + column * 4 + n for n in range(4)] for column in range(3)] for row in range(2)]
COLLECTIONS = "__import__('collections')"


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (f"{ARRAY}('d', [0.5, -0.0, float('inf')])", [0.5, -0.0, math.inf]),
        *((f"{ARRAY}('{code}', [1, 2, 100] * 9)", [1, 2, 100] * 9) for code in "bBhHiIlLqQ"),
        *((f"{ARRAY}('{code}', [-1, -2, 7] * 9)", [-1, -2, 7] * 9) for code in "bhilq"),
        (f"{ARRAY}('f', [0.5, -2.25] * 9)", [0.5, -2.25] * 9),
        ("memoryview(b'abc')", [97, 98, 99]),
        ("memoryview(b'abcdef')[::-2]", [102, 100, 98]),
        ("memoryview(bytes(range(24))).cast('B', [2, 3, 4])", CUBE),
        ("memoryview(b'\\1\\0\\1').cast('?')", [True, False, True]),
        ("memoryview(b'ab').cast('c')", [b"a", b"b"]),
        ("(__import__('ctypes').c_int16 * 3)(1, -2, 3)", [1, -2, 3]),
        ("(__import__('ctypes').c_uint32.__ctype_be__ * 2)(1, 2**31)", [1, 2**31]),
        ("(__import__('ctypes').c_double.__ctype_be__ * 20)(1.5)", [1.5] + [0.0] * 19),
        (f"{COLLECTIONS}.Counter('aab')", {"a": 2, "b": 1}),
        (f"{COLLECTIONS}.OrderedDict(b=1, a=[{{1}}])", {"b": 1, "a": [[1]]}),
        (f"{COLLECTIONS}.ChainMap({{'a': 1}}, {{2: 3}})", {2: 3, "a": 1}),
        ("__import__('types').MappingProxyType({'a': 1})", {"a": 1}),
        (f"{COLLECTIONS}.namedtuple('Point', 'x y')(1, 2)", [1, 2]),
        (f"{COLLECTIONS}.deque([1, 'a'])", [1, "a"]),
        ("range(5)", [0, 1, 2, 3, 4]),
        ("{'a': 1}.keys()", ["a"]),
        ("{'a': 1}.items()", [["a", 1]]),
        ("type('Bag', (set,), {})([5])", [5]),
        ("type('Series', (), {'tolist': lambda self: [1, 2]})()", [1, 2]),
    ],
    ids=lambda value: repr(value)[:30],
)  # fmt: skip
def test_elements_are_values(client: Client, probe: wire.Object, expression: str, expected: Any) -> None:
    found = elements(client, probe, expression)
    assert (repr(found), list(found)) == (repr(expected), list(expected))


def test_an_array_is_one_vector(client: Client, probe: wire.Object) -> None:
    assert elements(client, probe, f"{ARRAY}('d', [0.5]) * 1000") == [0.5] * 1000
    assert client.payload[:6] == b"\xc9\x00\x00\x1f\x40\x04"


def test_elements_without_a_value_are_references(client: Client, probe: wire.Object) -> None:
    [first, second] = elements(client, probe, f"{COLLECTIONS}.deque([1j, 2])")
    assert isinstance(first, wire.Object)
    assert second == 2


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        (f"{ARRAY}('Q', [1, 2**63])", r"^elements\[1\]: 9223372036854775808 is over PHP's largest integer"),
        (f"memoryview({ARRAY}('Q', [0] * 47 + [2**64 - 1])).cast('B').cast('Q', [2, 24])", r"s\[1\]\[23\]: "),
        ("{1: 'a', '1': 'b'}", "elements: the keys of this dict are no keys of a PHP array"),
        (f"{COLLECTIONS}.OrderedDict({{1.5: 1}})", "elements: the keys of this OrderedDict are no keys"),
        ("(n for n in 'ab')", "elements: a generator has no length, so it may have no end. Iterate over it"),
        ("iter([1])", "elements: a list_iterator has no length"),
        ("object()", "elements: a object has no length"),
        (f"{COLLECTIONS}.deque([['\\udc80']])", r"^elements\[0\]\[0\]: a str with a lone surrogate"),
    ],
)  # fmt: skip
def test_what_has_no_elements_says_why(
    client: Client, probe: wire.Object, expression: str, message: str
) -> None:
    with pytest.raises(FailedError, match=message) as caught:
        elements(client, probe, expression)
    assert caught.value.category == "conversion"


def test_what_the_objects_own_code_raises(client: Client, probe: wire.Object) -> None:
    source = "type('Odd', (), {'__len__': lambda self: 1, '__iter__': lambda self: [][1]})()"
    with pytest.raises(FailedError, match="list index out of range") as caught:
        elements(client, probe, source)
    assert caught.value.exceptions[0].class_name == "IndexError"
    with pytest.raises(FailedError, match="object 98 is not one of this session"):
        client.ask(wire.VALUES, 98)


def test_sizes_are_those_of_this_machine() -> None:
    """What the cases above take for granted."""
    assert array.array("l").itemsize == ctypes.sizeof(ctypes.c_long) == 8
