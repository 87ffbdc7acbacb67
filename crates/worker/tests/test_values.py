"""Values on their way from PHP to Python and back: the same, a reference, or an error that says where."""

import math
import struct
from typing import Any

import pytest
import wire
from peers import Client, FailedError

MAX_DEPTH = 512


@pytest.mark.parametrize(
    "value",
    [
        *(None, True, False, 0, 1, -1, 31, -32, -33, 127, 128, 255, 256, 65535, 65536, 2**32),
        *(2**63 - 1, -(2**63)),
        *(0.0, 1.5, -2.25, math.inf, -math.inf, 5e-324, 1.7976931348623157e308),
        *("", "a", "ä€😀", "\0", "x" * 31, "x" * 32, "x" * 255, "x" * 256, "x" * 65536, "x" * 3_000_000),
        *(b"", b"\xff\x00", b"x" * 255, b"x" * 256, b"x" * 65536),
        *([], [[]], [1, "a", None, [2.5]], list(range(20)), list(range(70000))),
        *({}, {"a": 1}, {1: "a", -5: "b"}, {"b": {"a": [{}]}, "a": 2}),
        {f"k{number}": number for number in range(70000)},
    ],
    ids=lambda value: repr(value)[:20],
)  # fmt: skip
def test_a_value_comes_back_as_it_went(client: Client, probe: wire.Object, value: Any) -> None:
    client.set(probe, "value", value)
    back = client.get(probe, "value")
    assert (back, type(back)) == (value, type(value))
    if isinstance(value, dict):
        assert list(back) == list(value)


def test_floats_keep_every_bit(client: Client, probe: wire.Object) -> None:
    for value in (-0.0, math.nan, struct.unpack(">d", bytes.fromhex("7ff800000000beef"))[0]):
        client.set(probe, "value", value)
        assert struct.pack(">d", client.get(probe, "value")) == struct.pack(">d", value)


def test_types_stay_different(client: Client, probe: wire.Object) -> None:
    shown = client.call(probe, "show", None, False, 0, 0.0, "", b"", [], {}, "0", 2**64 - 1)
    assert shown == f"((None, False, 0, 0.0, '', b'', [], {{}}, '0', {2**64 - 1}), {{}})"


def test_a_text_that_is_not_utf8_is_bytes(client: Client, probe: wire.Object) -> None:
    assert client.call(probe, "show", wire.Text(b"\xff\xfe")) == "((b'\\xff\\xfe',), {})"
    key = wire.pack({"k": 1}).replace(wire.pack("k"), wire.pack(wire.Text(b"\xff")))
    assert client.call(probe, "show", wire.Raw(key)) == "(({b'\\xff': 1},), {})"


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("(1, (2,))", [1, [2]]),
        ("bytearray(b'ab')", b"ab"),
        ("{1}", [1]),
        ("frozenset(['a'])", ["a"]),
        ("[{'12': 1, 'x': 2}]", [{"12": 1, "x": 2}]),
        ("{1: 'a', '01': 'b', '-0': 'c', '': 'd', '1.0': 'e', ' 1': 'f'}",
         {1: "a", "01": "b", "-0": "c", "": "d", "1.0": "e", " 1": "f"}),
        ("{1: 'a', '9223372036854775808': 'b'}", {1: "a", "9223372036854775808": "b"}),
        ("2**63 - 1", 2**63 - 1),
    ],
)  # fmt: skip
def test_these_become_values(client: Client, probe: wire.Object, expression: str, value: Any) -> None:
    assert client.call(probe, "evaluate", expression) == value


@pytest.mark.parametrize(
    ("expression", "class_name"),
    [
        ("2**63", "int"),
        ("-2**63 - 1", "int"),
        ("{1: 'a', '1': 'b'}", "dict"),
        ("{-5: 'a', '-5': 'b'}", "dict"),
        ("{0: 'a', '0': 'b'}", "dict"),
        ("{-2**63: 'a', str(-2**63): 'b'}", "dict"),
        ("{True: 1}", "dict"),
        ("{1.5: 1}", "dict"),
        ("{None: 1}", "dict"),
        ("{2**63: 1}", "dict"),
        ("{(1, 2): 1}", "dict"),
        ("1j", "complex"),
        ("__import__('collections').Counter('aab')", "Counter"),
        ("__import__('collections').namedtuple('Point', 'x y')(1, 2)", "Point"),
        ("__import__('signal').SIGTERM", "Signals"),
        ("__import__('datetime').date(2020, 1, 2)", "date"),
        ("type('Text', (str,), {})('a')", "Text"),
        ("iter([1])", "list_iterator"),
        ("memoryview(b'a')", "memoryview"),
        ("range(3)", "range"),
    ],
)
def test_these_go_by_reference(client: Client, probe: wire.Object, expression: str, class_name: str) -> None:
    answer = client.call(probe, "evaluate", f"[{expression}]")[0]
    assert isinstance(answer, wire.Object)
    assert client.describe(answer.class_id).fields["qualified_name"].split(".")[-1] == class_name
    assert client.call(probe, "evaluate", "repr(self.value)") == "None"
    client.set(probe, "value", answer)
    assert client.call(probe, "evaluate", "type(self.value).__name__") == class_name
    assert client.get(probe, "value") == answer


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("{'rows': [1, 2, '\\udc80']}", 'return value["rows"][2]: a str with a lone surrogate'),
        ("'\\udc80'", "return value: a str with a lone surrogate"),
        ("[{'\\udc80': 1}]", 'return value[0]["\N{REPLACEMENT CHARACTER}'),
        ("({7: ('\\ud800',)},)", "return value[0][7][0]: a str with a lone surrogate"),
        ("{'" + "k" * 100 + "': '\\ud800'}", 'return value["' + "k" * 40 + '…"]: a str'),
    ],
)
def test_what_has_no_equal_is_an_error_that_says_where(
    client: Client, probe: wire.Object, expression: str, message: str
) -> None:
    with pytest.raises(FailedError) as caught:
        client.call(probe, "evaluate", expression)
    assert (caught.value.category, caught.value.ran) == ("conversion", True)
    assert caught.value.message.startswith(message)


def test_attributes_name_themselves_in_errors(client: Client, probe: wire.Object) -> None:
    client.call(probe, "execute", "self.value = ['\\udc80']")
    with pytest.raises(FailedError, match=r"^attribute value\[0\]: "):
        client.get(probe, "value")


@pytest.mark.parametrize(
    "source",
    [
        "self.value = []; self.value.append(self.value)",
        "self.value = {}; self.value['a'] = self.value",
        "self.value = a = []\nfor _ in range(600): a.append([]); a = a[0]",
        "self.value = ()\nfor _ in range(600): self.value = (self.value,)",
    ],
)
def test_what_is_nested_without_end_is_refused(client: Client, probe: wire.Object, source: str) -> None:
    client.call(probe, "execute", source)
    with pytest.raises(
        FailedError, match=r"nested more than 512 levels deep \(is it recursive\?\)"
    ) as caught:
        client.get(probe, "value")
    assert caught.value.category == "conversion"
    assert len(caught.value.message) < 500


def test_the_deepest_value_passes_both_ways(client: Client, probe: wire.Object) -> None:
    deep = wire.Raw(b"\x91\x81\xa1k" * (MAX_DEPTH // 2) + b"\x01")
    client.set(probe, "value", deep)
    client.send(wire.GET, probe.id, "value")
    assert client.receive() == (wire.VALUE, client.last_call, deep.encoded)


def test_shared_elements_cannot_grow_without_end(client: Client, probe: wire.Object) -> None:
    client.call(
        probe, "execute", "self.value = 'x' * 2**20\nfor _ in range(10): self.value = [self.value] * 10"
    )
    with pytest.raises(FailedError, match="too large: an answer is at most 536870912 bytes") as caught:
        client.get(probe, "value")
    assert caught.value.category == "conversion"


def test_what_an_unsent_answer_named_is_not_held(client: Client, probe: wire.Object) -> None:
    for _ in range(3):
        with pytest.raises(FailedError):
            client.call(probe, "evaluate", "[self.counted('a'), '\\udc80']")
        assert client.call(probe, "alive") == []
