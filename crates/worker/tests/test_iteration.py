"""Iterators: items ahead of time where that cannot be seen, one at a time where it can."""

from typing import Any

import pytest
import wire
from peers import Client, FailedError, lines


def iterate(client: Client, target: Any, most: int = 4) -> tuple[wire.Object | None, list[Any]]:
    """An iterator and its first items."""
    target = target.id if isinstance(target, wire.Object) else target
    iterator, items = client.ask(wire.ITERATE, target, most)
    assert iterator is None or isinstance(iterator, wire.Object)
    return iterator, items


def take(client: Client, iterator: wire.Object, most: int = 4) -> tuple[bool, list[Any]]:
    """Further items."""
    more, items = client.ask(wire.NEXT, iterator.id, most)
    assert isinstance(more, bool)
    return more, items


def referred(client: Client, probe: wire.Object, expression: str) -> wire.Object:
    """An object that would be a value otherwise."""
    client.call(probe, "execute", f"class Held: pass\nself.value = Held(); self.value.items = {expression}")
    client.call(
        probe,
        "execute",
        "type(self.value).__iter__ = lambda self: iter(self.items)",
    )
    held = client.get(probe, "value")
    assert isinstance(held, wire.Object)
    return held


@pytest.mark.parametrize(
    "expression",
    [
        "list(range(10))",
        "tuple('abcdefghij')",
        "range(10)",
        "range(2**63 - 11, 2**63 - 1)",
        "dict.fromkeys('abcdefghij')",
        "dict.fromkeys('abcdefghij', 1).values()",
        "dict.fromkeys('abcdefghij', 1).items()",
        "{*range(10)}",
        "frozenset(range(10))",
        "'abcdefghij'",
        "'äbcdefghij'",
        "b'abcdefghij'",
        "bytearray(b'abcdefghij')",
    ],
)
def test_items_of_containers_come_ahead(client: Client, probe: wire.Object, expression: str) -> None:
    expected = [list(item) if isinstance(item, tuple) else item for item in eval(expression)]
    iterator, items = iterate(client, referred(client, probe, expression))
    assert iterator is not None
    assert items == expected[:4]
    assert take(client, iterator) == (True, expected[4:8])
    assert take(client, iterator) == (False, expected[8:])
    assert take(client, iterator) == (False, [])


def test_an_iterator_that_nobody_else_holds_is_taken_ahead(client: Client, probe: wire.Object) -> None:
    reverse = client.call(probe, "evaluate", "reversed(list(range(10)))")
    iterator, items = iterate(client, reverse)
    assert iterator == reverse
    assert items == [9, 8, 7, 6]
    assert take(client, iterator) == (True, [5, 4, 3, 2])


def test_an_iterator_that_python_holds_too_is_not_taken_ahead(client: Client, probe: wire.Object) -> None:
    client.call(probe, "execute", "self.value = iter(list(range(10)))")
    iterator, items = iterate(client, client.get(probe, "value"))
    assert iterator is not None
    assert items == [0]
    assert client.call(probe, "evaluate", "next(self.value)") == 1
    assert take(client, iterator) == (True, [2])
    client.call(probe, "execute", "self.value = None")
    assert take(client, iterator) == (True, [3, 4, 5, 6])


def test_what_is_empty_needs_no_iterator(client: Client, probe: wire.Object) -> None:
    assert iterate(client, referred(client, probe, "[]")) == (None, [])
    assert iterate(client, referred(client, probe, "[1, 2, 3]")) == (None, [1, 2, 3])
    assert iterate(client, client.call(probe, "evaluate", "(n for n in ())")) == (None, [])


def test_items_travel_as_vectors_and_rows(client: Client, probe: wire.Object) -> None:
    held = referred(client, probe, "[n / 2 for n in range(100)]")
    assert iterate(client, held, 65536)[1] == [n / 2 for n in range(100)]
    assert b"\xc9\x00\x00\x03\x20\x04" in client.payload


@pytest.mark.parametrize("most", [1, 4, 65536])
def test_code_makes_one_item_a_call(client: Client, probe: wire.Object, most: int) -> None:
    client.call(
        probe,
        "execute",
        lines(
            "def numbers(made):",
            "    for n in range(3):",
            "        made.append(n)",
            "        yield n",
            "self.made = []",
            "self.value = numbers(self.made)",
        ),
    )
    generator = client.get(probe, "value")
    iterator, items = iterate(client, generator, most)
    assert iterator == generator
    assert items == [0]
    assert client.get(probe, "made") == [0]
    assert take(client, iterator, most) == (True, [1])
    assert client.get(probe, "made") == [0, 1]
    assert take(client, iterator, most) == (True, [2])
    assert take(client, iterator, most) == (False, [])


@pytest.mark.parametrize(
    "expression",
    [
        "map(str, range(5))",
        "zip('ab', 'cd')",
        "enumerate('ab')",
        "iter([1, 2].pop, 3)",
        "type('L', (list,), {'__iter__': lambda self: (n for n in 'ab')})('xy')",
    ],
)
def test_other_iterators_give_one_item_a_call(client: Client, probe: wire.Object, expression: str) -> None:
    iterator, items = iterate(client, client.call(probe, "evaluate", f"[{expression}]")[0])
    assert iterator is not None
    assert len(items) == 1


def test_no_items_may_be_asked_for(client: Client, probe: wire.Object) -> None:
    iterator, items = iterate(client, referred(client, probe, "[1]"), 0)
    assert items == []
    assert iterator is not None
    assert take(client, iterator) == (False, [1])


def test_a_generator_is_closed_when_it_is_released(client: Client, probe: wire.Object) -> None:
    client.call(
        probe,
        "execute",
        lines(
            "def numbers(said):",
            "    try:",
            "        yield from range(10)",
            "    finally:",
            "        said.append('closed')",
            "class Held: pass",
            "self.value = Held()",
            "self.said = self.value.said = []",
            "Held.__iter__ = lambda self, numbers=numbers: numbers(self.said)",
        ),
    )
    held = client.get(probe, "value")
    for _ in range(2):
        iterator, items = iterate(client, held)
        assert iterator is not None
        assert items == [0]
        assert "closed" not in client.get(probe, "said")
        client.release(iterator)
        assert client.get(probe, "said") == ["closed"]
        client.call(probe, "execute", "self.said.clear()")
    iterator, _ = iterate(client, held)
    assert iterator is not None
    client.release(iterator)
    client.send(wire.RELEASE, call=0)
    assert client.get(probe, "said") == ["closed"]


def test_what_an_iterator_raises(client: Client, probe: wire.Object) -> None:
    client.call(
        probe,
        "execute",
        "def broken():\n    yield 1\n    raise LookupError('no more')\nself.value = broken()",
    )
    iterator, items = iterate(client, client.get(probe, "value"))
    assert iterator is not None
    assert items == [1]
    with pytest.raises(FailedError, match="no more") as caught:
        take(client, iterator)
    assert caught.value.exceptions[0].class_name == "LookupError"
    assert take(client, iterator) == (False, [])


def test_a_container_that_changes_says_so_behind_its_items(client: Client, probe: wire.Object) -> None:
    held = referred(client, probe, "{n: n for n in range(10)}")
    iterator, items = iterate(client, held)
    assert iterator is not None
    assert items == [0, 1, 2, 3]
    client.call(probe, "execute", "self.value.items[10] = 10")
    for _ in range(2):
        with pytest.raises(FailedError, match="dictionary changed size during iteration"):
            take(client, iterator)


def test_what_is_no_iterator(client: Client, probe: wire.Object) -> None:
    for kind, message in (
        (wire.ITERATE, "'Probe' object is not iterable"),
        (wire.NEXT, "Probe is no iterator"),
    ):
        with pytest.raises(FailedError, match=message) as caught:
            client.ask(kind, probe.id, 4)
        assert caught.value.exceptions[0].class_name == "TypeError"
    with pytest.raises(FailedError, match="object 98 is not one of this session"):
        client.ask(wire.NEXT, 98, 4)
    with pytest.raises(FailedError, match=r"^items\[0\]: a str with a lone surrogate"):
        iterate(client, client.call(probe, "evaluate", "iter(['\\udc80'])"))
