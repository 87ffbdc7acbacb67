"""PHP objects in Python: attributes, protocols, identity, and how they are let go of."""

import pytest
import wire
from peers import Client, FailedError, closure, php_object

BASKET = ("add", "count", "__construct")


def holding(client: Client, value: object) -> wire.Object:
    """A probe that has a PHP object as its value."""
    return client.new("Probe", value)


def ask(
    client: Client, probe: wire.Object, source: str, *answers: object
) -> tuple[object, list[list[object]]]:
    """The value of an expression, and what PHP was asked in it: number of the kind and values."""
    call = client.begin(probe, "evaluate", source)
    questions = []
    for answer in answers:
        asked = client.asked()
        questions.append([asked.kind, *asked.values])
        client.returns(asked, answer)
    return client.answer(call), questions


def test_methods_and_properties(client: Client) -> None:
    probe = holding(client, php_object(2, class_id=1, methods=BASKET))
    assert ask(client, probe, "self.value.add('apple', many=3)", True) == (
        True,
        [[wire.PHP_CALL, 2, "add", ["apple"], {"many": 3}]],
    )
    assert ask(client, probe, "self.value.size", 5) == (5, [[wire.PHP_GET, 2, "size"]])
    assert ask(client, probe, "setattr(self.value, 'size', [6])", None)[1] == [[wire.PHP_SET, 2, "size", [6]]]
    assert ask(client, probe, "delattr(self.value, 'size')", None)[1] == [[wire.PHP_DELETE, 2, "size"]]
    php = "__import__('php')"
    assert ask(client, probe, f"{php}.isset(self.value, 'size')", True) == (True, [[wire.PHP_HAS, 2, "size"]])
    assert ask(client, probe, f"{php}.method(self.value, 'size')()", 1)[1] == [
        [wire.PHP_CALL, 2, "size", [], {}]
    ]
    # A method can be kept; the same method is equal.
    assert client.call(probe, "evaluate", "[self.value.add == self.value.add, self.value.add.__name__]") == [
        True,
        "add",
    ]
    assert client.call(probe, "evaluate", "self.value.add.__self__ is self.value") is True
    assert client.call(probe, "evaluate", "repr(self.value.add)") == "<PHP method add of <PHP Basket #2>>"


def test_names_of_pythons_own_are_not_asked_for(client: Client) -> None:
    probe = holding(client, php_object(2, class_id=1, methods=BASKET))
    source = "[hasattr(self.value, '__len__'), hasattr(self.value, '__array__'), bool(self.value)]"
    assert client.call(probe, "evaluate", source) == [False, False, True]
    with pytest.raises(FailedError, match="has no attribute"):
        client.call(probe, "evaluate", "self.value.__dict__")
    with pytest.raises(FailedError, match="cannot be made in Python"):
        client.call(probe, "evaluate", "__import__('php').Object()")
    with pytest.raises(FailedError, match="cannot pickle"):
        client.call(probe, "evaluate", "__import__('copy').copy(self.value)")


def test_what_is_not_there_is_an_attribute_error(client: Client) -> None:
    probe = holding(client, php_object(2, class_id=1))
    call = client.begin(probe, "evaluate", "hasattr(self.value, 'key')")
    client.throws(client.asked(), [1, "Basket::$key is private"])
    assert client.answer(call) is False
    for category, name in enumerate(
        ("RuntimeError", "AttributeError", "TypeError", "ReferenceError", "RuntimeError", "TypeError")
    ):
        call = client.begin(probe, "evaluate", "self.value.key")
        client.throws(client.asked(), [category, "no"])
        with pytest.raises(FailedError, match=r"^no$") as caught:
            client.answer(call)
        assert caught.value.exceptions[0].class_name == name


def test_a_class_with_a_magic_call_may_have_any_method(client: Client) -> None:
    probe = holding(client, php_object(2, "call", class_id=1))
    call = client.begin(probe, "evaluate", "self.value.anything(1)")
    asked = client.asked()
    assert (asked.kind, asked.values) == (wire.PHP_GET, [2, "anything"])
    client.throws(asked, [1, "there is no such property"])
    asked = client.asked()
    assert (asked.kind, asked.values) == (wire.PHP_CALL, [2, "anything", [1], {}])
    client.returns(asked, "done")
    assert client.answer(call) == "done"


def test_only_the_protocols_of_the_class_are_there(client: Client) -> None:
    plain = holding(client, php_object(2, class_id=1))
    for source in ("len(self.value)", "self.value[1]", "iter(self.value)", "self.value()", "1 in self.value"):
        with pytest.raises(FailedError) as caught:
            client.call(plain, "evaluate", source)
        assert caught.value.exceptions[0].class_name == "TypeError"
    assert client.call(plain, "evaluate", "str(self.value)") == "<PHP Basket #2>"
    full = holding(
        client,
        php_object(3, "countable", "array", "stringable", "callable", class_id=2, name="Full"),
    )
    number = lambda operation, *operands: [[wire.PHP_OPERATE, operation, 3, list(operands)]]  # noqa: E731
    assert ask(client, full, "len(self.value)", 4) == (4, number(wire.LENGTH))
    assert ask(client, full, "self.value['k']", 4) == (4, number(wire.GET_ITEM, "k"))
    assert ask(client, full, "self.value.__setitem__('k', 1)", None) == (None, number(wire.SET_ITEM, "k", 1))
    assert ask(client, full, "self.value.__delitem__('k')", None) == (None, number(wire.DELETE_ITEM, "k"))
    assert ask(client, full, "'k' in self.value", True) == (True, number(wire.HAS_ITEM, "k"))
    assert ask(client, full, "str(self.value)", "text") == ("text", number(wire.TEXT_OF))
    php = "__import__('php')"
    assert ask(client, full, f"{php}.append(self.value, 1)", None) == (None, number(wire.APPEND, 1))
    assert ask(client, full, f"{php}.equals(self.value, 1)", False) == (False, number(wire.EQUAL, 1))
    assert ask(client, full, "self.value(1)", 2)[1] == [[wire.PHP_CALL, 3, "", [1], {}]]
    with pytest.raises(FailedError, match="not iterable"):
        client.call(full, "evaluate", "list(self.value)")


def test_iteration_is_lazy(client: Client) -> None:
    probe = holding(client, php_object(2, "traversable", class_id=1))
    iteration = php_object(5, class_id=9, name="iteration")
    source = "[next(iter(self.value))]"
    assert ask(client, probe, source, iteration, ["a", 1]) == (
        [1],
        [[wire.PHP_OPERATE, wire.BEGIN, 2, []], [wire.PHP_OPERATE, wire.FURTHER, 5, []]],
    )
    # It has been let go of, after one item.
    client.call(probe, "show")
    assert (5, 1) in client.released
    iteration = wire.PhpObject(6, 9)
    assert ask(client, probe, "list(self.value)", iteration, ["a", 1], ["b", 2], None)[0] == [1, 2]
    iteration = wire.PhpObject(7, 9)
    source = "dict(__import__('php').items(self.value))"
    assert ask(client, probe, source, iteration, ["a", 1], [7, 2], None)[0] == {"a": 1, 7: 2}


def test_the_same_php_object_is_the_same_python_object(client: Client, probe: wire.Object) -> None:
    basket = php_object(2, class_id=1)
    assert client.call(probe, "same", basket, basket) is True
    client.set(probe, "value", basket)
    call = client.begin(probe, "evaluate", "self.value.other is self.value")
    client.returns(client.asked(), wire.PhpObject(2))
    assert client.answer(call) is True
    assert client.get(probe, "value") == wire.PhpHandle(2)
    assert client.call(probe, "evaluate", "{self.value: [self.value]}[self.value]") == [wire.PhpHandle(2)]


def test_what_python_lets_go_of_is_told_with_its_count(client: Client, probe: wire.Object) -> None:
    basket = php_object(2, class_id=1)
    client.set(probe, "value", basket)
    assert client.call(probe, "same", wire.PhpObject(2), wire.PhpObject(2)) is True
    assert client.released == []
    client.set(probe, "value", None)
    client.call(probe, "show")
    assert client.released == [(2, 3)]
    client.call(probe, "show", wire.PhpObject(3))
    client.call(probe, "show")
    assert client.released == [(2, 3), (3, 1)]


def test_an_object_that_goes_home_lives_until_it_has_arrived(client: Client, probe: wire.Object) -> None:
    client.set(probe, "value", php_object(2, class_id=1))
    # The answer holds the last reference.
    assert client.call(probe, "evaluate", "self.__dict__.pop('value')") == wire.PhpHandle(2)
    assert client.released == []
    client.set(probe, "value", closure(7))
    assert client.released == [(2, 1)]
    call = client.begin(probe, "evaluate", "self.value([self.value.other])")
    client.returns(client.asked(), wire.PhpObject(4))
    asked = client.asked()
    assert asked.values == [7, "", [[wire.PhpHandle(4)]], {}]
    client.returns(asked, None)
    assert client.answer(call) is None


def test_releases_ride_on_callbacks_too(client: Client, probe: wire.Object) -> None:
    client.set(probe, "value", closure(7))
    call = client.begin(probe, "evaluate", "[self.value() and 0, self.value() and 0, self.value() and 0]")
    for number in range(3):
        asked = client.asked()
        assert client.released == [(before, 1) for before in range(10, 10 + number)]
        client.returns(asked, wire.PhpObject(10 + number, 99, 0b100_0001))
    assert client.answer(call) == [0] * 3
    assert client.released == [(10, 1), (11, 1), (12, 1)]


def test_an_object_of_an_earlier_request_is_over(client: Client, probe: wire.Object) -> None:
    client.set(probe, "value", closure(7))
    client.call(probe, "execute", "Probe.kept = self.value")
    client.send(wire.END_REQUEST, call=0)
    again = client.new(probe.class_id)
    with pytest.raises(FailedError, match="PHP's request is over") as caught:
        client.call(again, "evaluate", "Probe.kept()")
    assert caught.value.exceptions[0].class_name == "tortoise_worker.php_classes.RequestOver"
    with pytest.raises(FailedError, match="a PHP object of an earlier request"):
        client.call(again, "evaluate", "Probe.kept")
    # The class is known still, and the id is another object's now.
    client.set(again, "value", wire.PhpObject(8, 99, 0b100_0001))
    client.call(again, "execute", "Probe.kept = None")
    client.call(again, "show")
    assert client.released == []


def test_classes_have_their_parents(client: Client) -> None:
    parents = ["App\\Base", "Root", "Countable"]
    child = php_object(1, "countable", class_id=1, name="App\\Child", parents=parents, methods=["own"])
    base = php_object(2, class_id=2, name="App\\Base", parents=["Root"], methods=["inherited"])
    probe = holding(client, [child, base])
    source = (
        "(lambda a, b: [isinstance(a, type(b)), isinstance(b, type(a)),"
        " type(a).__module__, type(a).__qualname__,"
        " [each.php_name for each in type(a).__mro__[:-2]]])(*self.value)"
    )
    assert client.call(probe, "evaluate", source) == [
        True,
        False,
        "php.App",
        "Child",
        ["App\\Child", "App\\Base", "Root", "Countable"],
    ]
    # Another class by the same name, as in another request.
    other = php_object(3, "traversable", class_id=3, name="App\\Base", methods=["other"])
    client.set(probe, "value", other)
    names = client.call(probe, "evaluate", "sorted({'other', 'inherited'}.intersection(dir(self.value)))")
    assert names == ["other"]


def test_what_comes_with_a_refused_call_is_known_and_let_go_of(client: Client, probe: wire.Object) -> None:
    with pytest.raises(FailedError, match="not for PHP"):
        client.call(probe, "_private", php_object(2, class_id=1, name="Late"))
    with pytest.raises(FailedError, match="object 999 is not one"):
        client.call(probe, "show", wire.Handle(999), php_object(3, class_id=2, name="Later"))
    client.call(probe, "show")
    assert sorted(client.released) == [(2, 1), (3, 1)]
    assert client.call(probe, "show", wire.PhpObject(4, 1)) == "((<PHP Late #4>,), {})"
    assert client.call(probe, "show", wire.PhpObject(5, 2)) == "((<PHP Later #5>,), {})"


def test_ten_thousand_objects_leave_nothing_behind(client: Client, probe: wire.Object) -> None:
    client.call(probe, "show", php_object(1, class_id=1))

    def round_trip(first: int) -> None:
        for number in range(first, first + 1000):
            client.call(probe, "show", [wire.PhpObject(number), wire.PhpObject(number)])

    count = "(gc.collect(), len(gc.get_objects()))[1]"
    round_trip(1000)
    before = client.call(probe, "evaluate", count)
    for first in range(2000, 7000, 1000):
        round_trip(first)
    after = client.call(probe, "evaluate", count)
    assert after - before < 50
    assert client.released[1:] == [(number, 2) for number in range(1000, 7000)]
