"""Classes with ancestors of both languages: what each class has, and what `super()` and `parent::` reach."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import wire
from peers import Asked, Client, FailedError, Supervisor, lines, members, php_class

STATIC, ABSTRACT, PROTECTED = 1, 2, 4
COPY = 11
COUNTABLE, TRAVERSABLE, STRINGABLE, THROWABLE = 2, 8, 16, 32

PAGE = lines(
    "import abc",
    "class Page(abc.ABC):",
    "    kind = 'page'",
    "    def __init__(self, name='none'): self.name = name; self.built = self.title()",
    "    def title(self): return 'Python'",
    "    def render(self): return f'<{self.title()}>'",
    "    def hooked(self): return self._hook(1)",
    "    def _hook(self, x): return x",
    "    def length(self): return len(self), str(self)",
    "    def me(self): return self",
    "    def run(self, source): return eval(source, globals(), {'self': self})",
    "    @classmethod",
    "    def make(cls, *arguments): return cls(*arguments)",
    "    @classmethod",
    "    def label(cls): return 'label of ' + cls.__name__",
    "class Shape(abc.ABC):",
    "    @abc.abstractmethod",
    "    def area(self): ...",
    "    def show(self): return self.area()",
    "class Needs:",
    "    def __new__(cls, must): return super().__new__(cls)",
    "class Slotted(tuple): pass",
)

BELOW = lines(
    "from php import Base",
    "class Below(Base):",
    "    template = 'python'",
    "    other = 'own'",
    "    def before(self): return ['Python', super().before()]",
    "    def __len__(self): return 1 + super().__len__()",
    "    def run(self, source): return eval(source, globals(), {'self': self})",
    "    @classmethod",
    "    def build(cls, *arguments): return cls(*arguments)",
)

METHODS = {"__construct": 0, "before": PROTECTED, "count": 0, "make": STATIC}
BASE = [70, COUNTABLE, php_class("Base", ["Countable"], METHODS, {"template": 0, "_size": PROTECTED})]


class Php:
    """PHP: answers what it is asked, and keeps what that was."""

    def __init__(self, client: Client, *, halves: int = 500) -> None:
        self.client = client
        self.asked: list[list[Any]] = []
        self.answers: dict[Any, Any] = {}
        self.halves = halves

    def answer(self, asked: Asked) -> object:
        """The answer to one question."""
        self.asked.append([asked.kind, *asked.values])
        match asked.kind, asked.values:
            case wire.PHP_CLASS, ["Base"]:
                return BASE
            case wire.PHP_HALVE, _:
                self.halves += 1
                return wire.PhpObject(self.halves)
            case (wire.PHP_CALL_OWN, [_, _, name, *_]) | (wire.PHP_GET_OWN, [_, _, name]):
                found = self.answers.get(name, f"PHP's {name}")
                return found(asked) if callable(found) else found
            case wire.PHP_CLASS | wire.PHP_SET_OWN, _:
                return None
        return self.answers[asked.kind]

    def ask(self, kind: int, *values: object) -> Any:
        """The value of a request, in which PHP is asked."""
        return self.client.run(self.client.send(kind, *values), self.answer)

    def call(self, target: wire.Object, method: str, *arguments: object) -> Any:
        """The value of a method, in which PHP is asked."""
        return self.ask(wire.CALL, target.id, method, list(arguments), {})

    def evaluate(self, target: wire.Object, source: str) -> Any:
        """The value of an expression about an object."""
        return self.call(target, "run", source)

    def describe(self, name: str) -> int:
        """The class id of a class."""
        sent = self.client.send(wire.DESCRIBE, name, None)
        while True:
            kind, call, payload = self.client.receive()
            if kind == wire.FAILURE:
                raise FailedError(payload)
            if kind == wire.DESCRIBED:
                assert call == sent
                [[class_id, *_]] = wire.unpack(payload)
                return int(class_id)
            asked = self.client._asked(kind, call, payload)
            self.client.returns(asked, self.answer(asked))


@pytest.fixture
def php(supervisor: Supervisor, tmp_path: Path) -> Iterator[Php]:
    """PHP, with a session that has the classes above."""
    (tmp_path / "Page.py").write_text(PAGE)
    (tmp_path / "Below.py").write_text(BELOW)
    client = supervisor.client(tmp_path)
    # Lower ones are those of halves.
    client.last_object = 1_000_001
    yield Php(client)
    client.leave()
    assert supervisor.status_of(client.session) == 0


def extend(
    php: Php,
    parent: int,
    methods: dict[str, int] | None = None,
    properties: dict[str, int] | None = None,
    *,
    name: str = "Mine",
    traits: int = 0,
    number: int = 40,
) -> int:
    """The id of the class that stands for a PHP class."""
    description = php_class(name, ["Page"], methods or {}, properties)
    own = (members(methods or {}), members(properties or {}))
    shadow = php.ask(wire.EXTEND, parent, [number, traits, description], *own)
    assert isinstance(shadow, int)
    return shadow


def page(php: Php) -> int:
    """The class id of `Page`."""
    return php.describe("Page")


def halve(php: Php, class_id: int, number: int = 1) -> wire.Object:
    """The Python half of a PHP object whose id is 100 more."""
    made = php.ask(wire.HALVE, class_id, number, wire.PhpObject(100 + number))
    assert isinstance(made, wire.Object)
    return made


def test_python_reaches_phps_overrides(php: Php) -> None:
    shadow = extend(php, page(php), {"title": 0, "_hook": PROTECTED, "area": ABSTRACT})
    mine = halve(php, shadow)
    assert mine == wire.Object(1, shadow, 0)
    assert php.call(mine, "render") == "<PHP's title>"
    assert php.call(mine, "hooked") == "PHP's _hook"
    assert php.asked == [
        [wire.PHP_CALL_OWN, 101, "Mine", "title", [], {}],
        [wire.PHP_CALL_OWN, 101, "Mine", "_hook", [1], {}],
    ]
    assert php.call(mine, "me").id == 1
    assert php.evaluate(mine, "[type(self).__name__, type(self).__module__, isinstance(self, Page)]") == [
        "Mine",
        "php",
        True,
    ]


def test_a_parents_method_is_found_behind_the_override(php: Php) -> None:
    base = page(php)
    shadow = extend(php, base, {"title": 0, "_hook": PROTECTED, "label": STATIC})
    mine = halve(php, shadow)
    assert php.ask(wire.CALL_FROM, base, mine.id, "title", [], {}) == "Python"
    assert php.ask(wire.CALL_FROM, base, mine.id, "_hook", [2], {}) == 2
    assert php.ask(wire.CALL_FROM, shadow, mine.id, "title", [], {}) == "PHP's title"
    # Of a class, its own class methods: `static` stays what it is.
    assert php.ask(wire.CALL_FROM, base, shadow, "label", [], {}) == "label of Mine"
    with pytest.raises(FailedError, match="has no attribute 'nowhere'"):
        php.ask(wire.CALL_FROM, base, mine.id, "nowhere", [], {})
    with pytest.raises(FailedError, match="is not for PHP"):
        php.ask(wire.CALL_FROM, base, mine.id, "__reduce__", [], {})
    other = php.client.new("Page")
    with pytest.raises(FailedError, match="Mine is no class of an object of Page"):
        php.ask(wire.CALL_FROM, shadow, other.id, "title", [], {})
    with pytest.raises(FailedError, match="private"):
        php.client.call(other, "_hook", 1)


def test_constructors_run_when_they_are_asked_for(php: Php) -> None:
    base = page(php)
    shadow = extend(php, base, {"title": 0})
    made = php.ask(wire.INITIALIZE, base, shadow, 1, wire.PhpObject(101), ["n"], {})
    assert php.asked == [[wire.PHP_CALL_OWN, 101, "Mine", "title", [], {}]]
    assert php.client.get(made, "built") == "PHP's title"
    late = halve(php, shadow, 3)
    assert php.client.has(late, "name", 0) is False
    again = php.ask(wire.INITIALIZE, base, shadow, 3, wire.PhpObject(103), [], {"name": "later"})
    assert again == late
    assert php.client.get(late, "name") == "later"


def test_a_constructor_that_fails_leaves_nothing(php: Php) -> None:
    base = page(php)
    shadow = extend(php, base)
    with pytest.raises(FailedError, match="unexpected keyword argument"):
        php.ask(wire.INITIALIZE, base, shadow, 1, wire.PhpObject(101), [], {"nothing": 1})
    with pytest.raises(FailedError, match="object 1 is not one"):
        php.client.get(1, "name")
    assert php.client.released == [(101, 1)]
    assert halve(php, shadow).id == 1


def test_an_object_made_in_python_gets_its_php_half(php: Php) -> None:
    shadow = extend(php, page(php), {"__construct": 0, "title": 0})
    made = php.ask(wire.CALL, shadow, "make", ["n"], {})
    assert made.class_id == shadow
    assert php.asked == [
        [wire.PHP_HALVE, made],
        [wire.PHP_CALL_OWN, 501, "Mine", "__construct", ["n"], {}],
    ]
    assert php.call(made, "title") == "PHP's title"
    assert php.asked[2:] == [[wire.PHP_CALL_OWN, 501, "Mine", "title", [], {}]]


def test_declared_properties_live_in_php(php: Php) -> None:
    shadow = extend(php, page(php), properties={"size": 0, "kind": PROTECTED})
    mine = halve(php, shadow)
    assert php.evaluate(mine, "self.size") == "PHP's size"
    assert php.evaluate(mine, "setattr(self, 'kind', [5])") is None
    assert php.asked == [
        [wire.PHP_GET_OWN, 101, "Mine", "size"],
        [wire.PHP_SET_OWN, 101, "Mine", "kind", [5]],
    ]
    php.client.set(mine, "_other", 6)
    assert php.evaluate(mine, "[type(self).kind, vars(self)]") == ["page", {"_other": 6}]
    assert php.client.get(mine, "_other") == 6
    assert php.client.has(mine, "_none", 2) is False
    assert len(php.asked) == 2


def test_phps_interfaces_are_protocols(php: Php) -> None:
    methods = {"count": 0, "getIterator": 0, "__toString": 0, "__invoke": 0}
    shadow = extend(php, page(php), methods, traits=COUNTABLE | TRAVERSABLE | STRINGABLE | 1)
    mine = halve(php, shadow)
    assert mine.traits == 1
    php.answers |= {"count": 4, "__toString": "text", "getIterator": ["a", "b"]}
    assert php.call(mine, "length") == [4, "text"]
    assert php.evaluate(mine, "[item for item in self]") == ["a", "b"]
    assert php.evaluate(mine, "self(5)") == "PHP's __invoke"
    assert php.asked[-1] == [wire.PHP_CALL_OWN, 101, "Mine", "__invoke", [5], {}]
    other = halve(php, extend(php, page(php), {"count": 0}, name="Uncountable", number=41), 3)
    with pytest.raises(FailedError, match=r"has no len\(\)"):
        php.call(other, "length")


def test_the_same_class_again_is_the_same(php: Php) -> None:
    base = page(php)
    shadow = extend(php, base, {"title": 0})
    php.client.send(wire.END_REQUEST, call=0)
    assert extend(php, base, {"title": 0}, number=50) == shadow
    assert extend(php, base, {"title": 0, "more": 0}, number=51) != shadow


def test_a_class_below_a_shadow(php: Php) -> None:
    first = extend(php, page(php), {"title": 0}, name="First")
    second = extend(php, first, {"render": 0}, name="Second", number=41)
    mine = halve(php, second)
    assert php.ask(wire.CALL_FROM, php.describe("Page"), mine.id, "render", [], {}) == "<PHP's title>"
    assert php.asked == [[wire.PHP_CALL_OWN, 101, "First", "title", [], {}]]


def test_a_python_class_below_a_php_class(php: Php) -> None:
    below = php.describe("Below")
    assert php.asked == [[wire.PHP_CLASS, "Base"]]
    made = php.ask(wire.INITIALIZE, below, below, 1, wire.PhpObject(101), ["r"], {})
    assert php.asked[1:] == [[wire.PHP_CALL_OWN, 101, "Base", "__construct", ["r"], {}]]
    assert php.call(made, "before") == ["Python", "PHP's before"]
    php.answers["count"] = 6
    assert php.evaluate(made, "len(self)") == 7
    assert php.evaluate(made, "[self.template, self._size, self.other, type(self).template]") == [
        "PHP's template",
        "PHP's _size",
        "own",
        "python",
    ]
    assert php.asked[-2:] == [
        [wire.PHP_GET_OWN, 101, "Base", "template"],
        [wire.PHP_GET_OWN, 101, "Base", "_size"],
    ]
    php.client.set(made, "fresh", 1)
    assert php.evaluate(made, "[vars(self), isinstance(self, Base)]") == [{"fresh": 1}, True]
    with pytest.raises(FailedError, match="has no attribute 'nothing'"):
        php.evaluate(made, "self.nothing")
    assert php.evaluate(made, "self") == made


def test_an_object_below_a_php_class_that_python_makes(php: Php) -> None:
    below = php.describe("Below")
    made = php.ask(wire.CALL, below, "build", ["b"], {})
    assert isinstance(made, wire.Object)
    assert made.class_id == below
    assert php.asked[1:] == [
        [wire.PHP_HALVE, made],
        [wire.PHP_CALL_OWN, 501, "Base", "__construct", ["b"], {}],
    ]


def test_defaults_are_described(php: Php) -> None:
    php.describe("Below")
    sent = php.client.send(wire.DESCRIBE, "Below", None)
    assert dict(php.client.answer(sent).fields["properties"]) == {"template": "python", "other": "own"}


def test_a_php_class_makes_objects_of_phps(php: Php) -> None:
    below = halve(php, php.describe("Below"))
    php.answers[wire.PHP_FUNCTION] = wire.PhpObject(9, 70)
    assert php.evaluate(below, "Base(1, two=2)") == wire.PhpHandle(9)
    assert php.asked[-1] == [wire.PHP_FUNCTION, "new Base", [1], {"two": 2}]
    php.answers[wire.PHP_FUNCTION] = "made"
    assert php.evaluate(below, "[Base.make(1), type(self).make(2), self.make(3)]") == ["made"] * 3
    assert [asked[1] for asked in php.asked[-3:]] == ["Base::make", "Below::make", "Below::make"]


def test_protected_members_are_for_halves_only(php: Php) -> None:
    below = halve(php, php.describe("Below"))
    php.client.set(below, "plain", wire.PhpObject(9, 70))
    # What is public of that name, if anything, is a property.
    php.answers[wire.PHP_GET] = "public"
    assert php.evaluate(below, "self.plain.before") == "public"
    with pytest.raises(FailedError, match="before is protected"):
        php.evaluate(below, "Base.before(self.plain)")
    php.answers[wire.PHP_OPERATE] = 3
    assert php.evaluate(below, "[len(self.plain), isinstance(self.plain, Base)]") == [3, True]
    with pytest.raises(FailedError, match="has no half in PHP"):
        php.evaluate(below, "Base.before(5)")


def test_what_php_has_from_python_is_imported_as_itself(php: Php) -> None:
    shadow = extend(php, page(php), {"title": 0}, name=r"App\Between")
    mine = halve(php, shadow)

    def php_class_of(asked: Asked) -> object:
        assert asked.values == [r"App\Between"]
        return wire.Handle(shadow)

    sent = php.client.begin(mine, "run", "__import__('php.App', fromlist=['Between']).Between is type(self)")
    assert php.client.run(sent, php_class_of) is True


@pytest.mark.parametrize(
    "source",
    ["__import__('php', fromlist=['Nothing']).Nothing", "__import__('php.App.Models', fromlist=['Nothing'])"],
)
def test_a_class_that_is_not_there_is_an_import_error(php: Php, source: str) -> None:
    mine = php.client.new("Page")
    with pytest.raises(FailedError, match="PHP has no class") as caught:
        php.evaluate(mine, source)
    assert caught.value.exceptions[0].class_name == "ImportError"


def test_an_exception_class_of_phps_catches(php: Php) -> None:
    mine = php.client.new("Page")
    description = php_class("Refused", ["RuntimeException", "Exception", "Throwable"])

    def answer(_: Asked) -> object:
        return [71, THROWABLE, description]

    source = "[c.__name__ for c in __import__('php', fromlist=['Refused']).Refused.__mro__[:3]]"
    sent = php.client.begin(mine, "run", source)
    assert php.client.run(sent, answer) == ["Refused", "RuntimeException", "Exception"]


def test_abstract_methods_are_implemented_in_php(php: Php) -> None:
    shape = php.client.call(php.client.new("Page"), "run", "Shape")
    square = halve(php, extend(php, shape.id, {"area": 0}, name="Square"))
    assert php.call(square, "show") == "PHP's area"
    unfinished = extend(php, shape.id, {"area": ABSTRACT}, name="Unfinished", number=41)
    with pytest.raises(FailedError, match="abstract method"):
        halve(php, unfinished, 3)
    assert (103, 1) in php.client.released


def test_a_new_that_wants_arguments_says_what_to_do(php: Php) -> None:
    needs = php.client.call(php.client.new("Page"), "run", "Needs")
    shadow = extend(php, needs.id, name="Needing")
    with pytest.raises(FailedError, match=r"call parent::__construct\(\) before"):
        halve(php, shadow)
    assert php.ask(wire.INITIALIZE, needs.id, shadow, 1, wire.PhpObject(101), [5], {}).id == 1


def test_copies(php: Php) -> None:
    mine = halve(php, extend(php, page(php)))
    php.client.set(mine, "held", [1])
    for source in ("__import__('copy').copy(self)", "__import__('pickle').dumps(self)"):
        with pytest.raises(FailedError, match="cannot pickle or copy"):
            php.evaluate(mine, source)
    copied = php.ask(wire.OPERATE, COPY, [wire.Handle(mine.id)])
    assert copied.id != mine.id
    assert copied.class_id == mine.class_id
    assert php.client.get(copied, "held") == [1]
    assert php.ask(wire.HALVE, mine.class_id, copied.id, wire.PhpObject(200)) == copied


def test_a_second_half_is_refused(php: Php) -> None:
    mine = halve(php, extend(php, page(php)))
    with pytest.raises(FailedError, match="has another half in PHP already"):
        php.ask(wire.HALVE, mine.class_id, mine.id, wire.PhpObject(300))
    with pytest.raises(FailedError, match="object 4000 is not one"):
        php.ask(wire.HALVE, mine.class_id, 4000, wire.PhpObject(301))


def kept(php: Php, shadow: int, number: int = 1) -> wire.Object:
    """A half that Python keeps."""
    mine = halve(php, shadow, number)
    php.evaluate(mine, "globals().setdefault('KEPT', []).append(self)")
    return mine


def test_who_keeps_whom(php: Php) -> None:
    shadow = extend(php, page(php), {"title": 0})
    gone = halve(php, shadow)
    assert php.ask(wire.LET_GO, gone.id) is True
    with pytest.raises(FailedError, match="object 1 is not one"):
        php.client.get(gone, "name")
    assert php.ask(wire.LET_GO, gone.id) is True

    mine = kept(php, shadow, 3)
    assert php.ask(wire.LET_GO, mine.id) is False
    other = php.client.new("Page")
    # The id stays, and so does the half that PHP keeps.
    assert php.evaluate(other, "KEPT[0].title()") == "PHP's title"
    assert php.asked[-1] == [wire.PHP_CALL_OWN, 103, "Mine", "title", [], {}]
    assert php.evaluate(other, "KEPT[0]") == mine
    assert php.evaluate(other, "KEPT.clear()") is None
    assert php.call(mine, "render") == "<PHP's title>"
    php.client.released.clear()
    assert php.ask(wire.LET_GO, mine.id) is True
    assert php.client.released == []

    mine = kept(php, shadow, 5)
    assert php.ask(wire.LET_GO, mine.id) is False
    assert php.evaluate(other, "KEPT.clear()") is None
    php.client.call(other, "me")
    assert php.client.released[-1] == (105, 1)
    with pytest.raises(FailedError, match="object 5 is not one"):
        php.client.get(mine, "name")


def test_a_cycle_of_pythons_goes_when_it_is_collected(php: Php) -> None:
    mine = halve(php, extend(php, page(php)))
    php.client.set(mine, "itself", wire.Handle(mine.id))
    assert php.ask(wire.LET_GO, mine.id) is False
    other = php.client.new("Page")
    php.evaluate(other, "__import__('gc').collect()")
    php.client.call(other, "me")
    assert php.client.released == [(101, 1)]


def test_what_cannot_be_referred_to_weakly_is_kept_until_the_request_ends(php: Php) -> None:
    slotted = php.client.call(php.client.new("Page"), "run", "Slotted")
    shadow = extend(php, slotted.id, name="Tuple")
    mine = halve(php, shadow)
    other = php.client.new("Page")
    php.client.set(other, "held", wire.Handle(mine.id))
    assert php.ask(wire.LET_GO, mine.id) is False
    php.client.set(other, "held", None)
    assert php.ask(wire.LET_GO, mine.id) is True


def test_the_request_ends(php: Php) -> None:
    below = php.describe("Below")
    mine = kept(php, below)
    php.client.send(wire.END_REQUEST, call=0)
    again = halve(php, below, 3)
    with pytest.raises(FailedError, match="PHP's request is over"):
        php.evaluate(again, "KEPT[0].template")
    with pytest.raises(FailedError, match="of an earlier request"):
        php.evaluate(again, "KEPT[0]")
    assert mine.id == 1


def test_ten_thousand_halves_leave_nothing_behind(php: Php) -> None:
    shadow = extend(php, page(php), {"title": 0})
    other = php.client.new("Page")
    count = "(__import__('gc').collect(), len(__import__('gc').get_objects()))[1]"

    def rounds(first: int) -> None:
        for number in range(first, first + 4000, 2):
            mine = halve(php, shadow, number)
            if number % 4 == 1:
                php.client.set(mine, "itself", wire.Handle(mine.id))
            php.ask(wire.LET_GO, mine.id)

    rounds(10_001)
    before = php.evaluate(other, count)
    rounds(20_001)
    assert php.evaluate(other, count) - before < 50
    php.client.call(other, "me")
    assert len(php.client.released) == 2000
