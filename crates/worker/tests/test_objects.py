"""What a client does with objects: make, call, read, write, let go."""

from collections.abc import Callable

import pytest
import wire
from peers import Client, FailedError

IS_SET, IS_CALLABLE, EXISTS = range(3)


def test_an_object_is_made_called_read_and_written(client: Client) -> None:
    probe = client.new("Probe", value=[1])
    assert probe.id == 1
    assert probe.traits == 0
    assert client.get(probe, "value") == [1]
    client.set(probe, "value", {"a": 1.5})
    assert client.get(probe, "value") == {"a": 1.5}
    assert client.call(probe, "show", 1, two=2) == "((1,), {'two': 2})"
    client.delete(probe, "value")
    assert not client.has(probe, "value", EXISTS)
    with pytest.raises(FailedError, match="has no attribute 'value'") as caught:
        client.get(probe, "value")
    assert caught.value.exceptions[0].class_name == "AttributeError"


@pytest.mark.parametrize("count", range(2, 6))
def test_arguments_arrive_in_any_number(client: Client, probe: wire.Object, count: int) -> None:
    assert client.call(probe, "few", *range(count)) == [*range(count), *"abcde"[count:]]
    assert client.call(probe, "few", *range(count - 1), **{"abcde"[count - 1]: "named"})[count - 1] == "named"
    many = list(range(1000))
    assert client.call(probe, "show", *many) == repr((tuple(many), {}))


def test_what_an_attribute_is_can_be_asked(client: Client, probe: wire.Object) -> None:
    answers = {
        name: [client.has(probe, name, question) for question in (IS_SET, IS_CALLABLE, EXISTS)]
        for name in ("value", "show", "LIMIT", "nothing", "__init__")
    }
    assert answers == {
        "value": [False, False, True],
        "show": [True, True, True],
        "LIMIT": [True, False, True],
        "nothing": [False, False, False],
        "__init__": [False, False, False],
    }
    with pytest.raises(FailedError, match="no such luck"):
        client.has(probe, "exploding", IS_SET)


def test_the_same_object_is_the_same_object(client: Client, probe: wire.Object) -> None:
    assert client.call(probe, "evaluate", "self") == probe
    first = client.call(probe, "evaluate", "[self, Counted]")[1]
    assert client.call(probe, "evaluate", "Counted") == first
    assert client.call(probe, "same", probe, probe) is True
    counted = client.call(probe, "counted", "a")
    assert counted.id % 2 == 0
    assert client.call(probe, "same", counted, probe) is False
    assert client.get(counted, "name") == "a"
    assert counted.class_id == first.id


def test_things_without_a_class_of_their_own_have_none(client: Client, probe: wire.Object) -> None:
    for expression in (
        "Counted",
        "len",
        "self.show",
        "lambda: 1",
        "sys",
        "str.join",
        "dict.__dict__['fromkeys']",
    ):
        thing = client.call(probe, "evaluate", expression)
        assert (thing.class_id, expression) == (0, expression)
        assert thing.traits == (0 if expression == "sys" else wire.CALLABLE)
    function = client.call(probe, "evaluate", "lambda a, b=2: a * b")
    assert client.call(function, "", 21) == 42


def test_a_constructor_that_gives_an_old_object_gives_its_old_name(
    client: Client, probe: wire.Object
) -> None:
    single = client.call(probe, "evaluate", "Single")
    first = client.new(single.id)
    second = client.new(single.id)
    assert first.id == 3
    assert second == first
    # It was handed out twice, so letting go once is not enough.
    client.release(first)
    assert client.call(probe, "same", second, first) is True
    client.release(second)
    with pytest.raises(FailedError, match="not one of this session"):
        client.call(probe, "same", second, first)


def test_an_object_lives_until_all_of_its_handles_came_back(client: Client, probe: wire.Object) -> None:
    counted = client.call(probe, "counted", "a")
    client.set(probe, "value", counted)
    assert client.get(probe, "value") == counted
    client.set(probe, "value", None)
    client.release(counted)
    assert client.call(probe, "alive") == ["a"]
    client.release(counted)
    assert client.call(probe, "alive") == []
    with pytest.raises(FailedError) as caught:
        client.get(counted, "name")
    assert (caught.value.category, caught.value.ran) == ("stale", False)
    assert caught.value.message.startswith(f"object {counted.id} is not one of this session")


def test_releasing_too_often_or_the_unknown_does_nothing_else(client: Client, probe: wire.Object) -> None:
    counted = client.call(probe, "counted", "a")
    client.release(counted, 2**64 - 1)
    client.release(123456)
    client.release(probe.class_id, 5)
    client.send(wire.RELEASE)
    assert client.call(probe, "alive") == []
    assert client.new(probe.class_id).class_id == probe.class_id


def test_the_end_of_a_request_is_the_end_of_its_objects(client: Client, probe: wire.Object) -> None:
    client.call(probe, "counted", "a")
    client.send(wire.END_REQUEST, call=0)
    with pytest.raises(FailedError, match="earlier request"):
        client.call(probe, "alive")
    again = client.new(probe.class_id)
    assert client.call(again, "alive") == []
    # Modules and classes stay, so what lives in them does.
    assert client.call(again, "evaluate", "Probe").id == probe.class_id


def test_ids_are_never_given_twice(client: Client, probe: wire.Object) -> None:
    ids = set()
    for name in "abcdefgh":
        counted = client.call(probe, "counted", name)
        ids.add(counted.id)
        client.release(counted)
    assert len(ids) == 8


def test_ten_thousand_objects_leave_nothing_behind(client: Client, probe: wire.Object) -> None:
    def round_trip() -> None:
        for _ in range(1000):
            client.release(client.new(probe.class_id))
            client.release(client.call(probe, "counted", "x"))

    round_trip()
    before = client.call(probe, "evaluate", "(gc.collect(), len(gc.get_objects()))[1]")
    for _ in range(5):
        round_trip()
    after = client.call(probe, "evaluate", "(gc.collect(), len(gc.get_objects()))[1]")
    assert after - before < 50


def test_a_broken_end_is_only_logged(client: Client, probe: wire.Object) -> None:
    client.release(client.call(probe, "broken"))
    assert client.call(probe, "show") == "((), {})"


@pytest.mark.parametrize("name", ["_private", "__class__", "__init__", "_", "a.b"])
def test_private_names_are_refused_by_every_request(client: Client, probe: wire.Object, name: str) -> None:
    requests: list[Callable[[], object]] = [
        lambda: client.call(probe, name),
        lambda: client.get(probe, name),
        lambda: client.set(probe, name, 1),
        lambda: client.delete(probe, name),
    ]
    for request in requests:
        with pytest.raises(FailedError) as caught:
            request()
        assert (caught.value.category, caught.value.ran) == ("access", False)
        assert caught.value.message.startswith(f'"{name}" of Probe is not for PHP')
    assert client.has(probe, name, EXISTS) is False
    with pytest.raises(FailedError, match="of class Probe"):
        client.get(probe.class_id, name)


def test_an_empty_name_is_only_for_calls(client: Client, probe: wire.Object) -> None:
    with pytest.raises(FailedError, match="cannot be empty"):
        client.get(probe, "")
    with pytest.raises(FailedError, match="not callable"):
        client.call(probe, "")


def test_only_classes_are_constructed_and_described(client: Client, probe: wire.Object) -> None:
    function = client.call(probe, "evaluate", "len")
    for thing in (probe, function):
        with pytest.raises(FailedError, match="is no class") as caught:
            client.new(thing.id)
        assert caught.value.category == "access"
        with pytest.raises(FailedError, match="is no class"):
            client.describe(thing.id)


def test_class_attributes_are_read_and_written_on_the_class(client: Client, probe: wire.Object) -> None:
    assert client.get(probe.class_id, "LIMIT") == 10
    client.set(probe.class_id, "LIMIT", 11)
    assert client.get(probe, "LIMIT") == 11
    assert client.call(probe.class_id, "alive", probe) == []


def test_a_stale_handle_among_arguments_is_named(client: Client, probe: wire.Object) -> None:
    with pytest.raises(FailedError) as caught:
        client.call(probe, "show", 1, {"when": [wire.Handle(99)]})
    assert caught.value.category == "stale"
    assert caught.value.message.startswith('args[1]["when"][0]: object 99 is not one of this session')
    with pytest.raises(FailedError, match=r'^kwargs\["a"\]\[7\]: object 99'):
        client.call(probe, "show", a={7: wire.Handle(99)})
    with pytest.raises(FailedError, match=r"^new value of value: object 99"):
        client.set(probe, "value", wire.Handle(99))


def test_more_names_than_are_kept_still_work(client: Client, probe: wire.Object) -> None:
    for number in range(5000):
        assert client.has(probe, f"name{number}", EXISTS) is False
    assert client.has(probe, "show", IS_CALLABLE) is True
