"""What PHP is told about a class."""

import sys
from pathlib import Path
from typing import Any

import pytest
import wire
from conftest import CLASSES
from peers import Client, Described, FailedError, Supervisor, lines

# How a parameter takes its argument.
ONLY_PLACE, PLACE, MORE, ONLY_NAME, OTHERS = range(5)
# A class's objects have a text of their own.
TEXTUAL = 64
# They have a length.
COUNTABLE = 8
# How a method is bound.
INSTANCE, STATIC, CLASS, CONSTRUCT = range(4)


@pytest.fixture
def shapes(client: Client) -> dict[str, int]:
    """Ids of the classes of `Shape.py`."""
    client.describe("Shape")
    probe = client.new("Probe")
    module = client.call(probe, "evaluate", "sys.modules['Shape']")
    names = [name for name in vars_of(CLASSES / "Shape.py") if client.has(module, name, 1)]
    return {name: client.get(module, name).id for name in names}


def vars_of(file: Path) -> list[str]:
    """The names of the classes of a source file."""
    return [
        line[6:].partition(":")[0].partition("(")[0]
        for line in file.read_text().splitlines()
        if line[:6] == "class "
    ]


def test_a_description_has_everything(client: Client) -> None:
    source = (CLASSES / "Shape.py").read_text().splitlines()
    fields = client.describe("Shape").fields
    methods = fields.pop("methods")
    assert fields == {
        "name": "Shape",
        "module": "Shape",
        "qualified_name": "Shape",
        "file": str(CLASSES / "Shape.py"),
        "line": source.index("class Shape:") + 1,
        "documentation": "A shape.\n\nWith a second paragraph,\n    indented.",
        "traits": 0,
        "bases": [],
        "constants": {
            "SIDES": 0,
            "NAME_2": "shape",
            "RATIO": 1.5,
            "NOTHING": None,
            "TRUE": True,
            "RAW": b"\xff",
            "TABLE": [1, [2, ["x"]]],
        },
        "properties": {},
    }
    assert {
        name: (kind, parameters, documentation)
        for name, (kind, parameters, documentation, _) in methods.items()
    } == {
        "__construct": (
            CONSTRUCT,
            [
                ["name", ONLY_PLACE],
                ["size", PLACE, [1]],
                ["more", MORE],
                ["color", ONLY_NAME, ["red"]],
                ["others", OTHERS],
            ],
            "Makes one.",
        ),
        "all_defaults": (
            INSTANCE,
            [
                ["a", PLACE, [None]],
                ["b", PLACE, [True]],
                ["c", PLACE, [-(2**63)]],
                ["d", PLACE, []],
                ["e", PLACE, [1.5]],
                ["f", PLACE, ["text"]],
                *([letter, PLACE, []] for letter in "ghijkl"),
            ],
            None,
        ),
        "only": (INSTANCE, [], "Takes nothing.\n\nAnd more."),
        "static": (STATIC, [["a", PLACE], ["b", ONLY_NAME]], "Static."),
        "make": (CLASS, [["a", PLACE, [1]]], "Class."),
        "decorated": (INSTANCE, [["a", PLACE], ["b", PLACE, [2]]], "Decorated."),
        "cached": (INSTANCE, [["a", PLACE]], "Cached."),
        "described": (INSTANCE, [["a", PLACE]], "Described."),
        "dispatched": (INSTANCE, [["a", PLACE]], "Dispatched."),
        "later": (INSTANCE, [["a", PLACE]], "Later."),
        "too_many": (INSTANCE, None, None),
        "part": (
            INSTANCE,
            [
                ["b", PLACE, [True]],
                ["c", PLACE, [-(2**63)]],
                ["d", PLACE, []],
                ["e", ONLY_NAME, [5]],
                ["f", ONLY_NAME, ["text"]],
                *([letter, ONLY_NAME, []] for letter in "ghijkl"),
            ],
            None,
        ),
        "builtin": (STATIC, [["obj", ONLY_PLACE]], "Return the number of items in a container."),
        "constant_function": (INSTANCE, [["x", PLACE]], None),
        "größe": (INSTANCE, [["maß", PLACE]], None),
    }
    assert source[methods["static"][3] - 1].strip() == "@staticmethod"
    assert source[methods["only"][3] - 1].strip() == "def only(self):"


def bases(client: Client, described: Described) -> list[str]:
    """The names of the bases; each must be as it is described itself."""
    names = []
    for (name, fingerprint), class_id in zip(described.fields["bases"], described.bases, strict=True):
        base = client.describe(class_id)
        assert (base.fields["name"], base.fingerprint) == (name, fingerprint)
        names.append(name)
    return names


def test_members_come_from_the_class_and_from_bases_that_are_no_parent(
    client: Client, shapes: dict[str, int]
) -> None:
    found = {}
    for name in ("Shape_Round", "Circle", "Both", "Late", "Failure", "Plain"):
        described = client.describe(shapes[name])
        fields = described.fields
        found[name] = (
            bases(client, described),
            fields["constants"],
            list(fields["methods"]),
            fields["traits"],
        )
    round_name, exceptions = "Shape_Round", "Tortoise\\Python\\"
    assert found == {
        "Shape_Round": (["Shape"], {}, [], 0),
        "Circle": ([round_name], {"SIDES": 1}, ["__construct", "only"], 0),
        "Both": (["Shape\\Circle", "Shape\\Named"], {"COLOR": "red"}, ["rename", "paint"], 0),
        "Late": ([round_name, "Shape\\Colored"], {"COLOR": "red"}, ["__construct", "paint"], 0),
        "Failure": (
            [exceptions + "ValueError", "Shape\\Colored"],
            {"COLOR": "red"},
            ["paint", "only"],
            1 | TEXTUAL,
        ),
        "Plain": ([exceptions + "Exception"], {}, ["__construct"], 1 | TEXTUAL),
    }
    assert client.describe(shapes["Late"]).fields["methods"]["__construct"][1] == [
        ["a", PLACE],
        ["b", PLACE, [None]],
    ]


def test_special_classes_are_described_too(client: Client, shapes: dict[str, int]) -> None:
    def constructor(name: str) -> Any:
        return client.describe(shapes[name]).fields["methods"]["__construct"][1]

    assert client.describe(shapes["Abstract"]).fields["traits"] == 2
    assert bases(client, client.describe(shapes["Generic"])) == []
    assert bases(client, client.describe(shapes["Protocol"])) == []
    assert constructor("Generic") == []
    assert constructor("Called") == [["one", PLACE], ["two", PLACE, [2]]]
    assert constructor("Data") == [["x", PLACE], ["y", PLACE, [2]], ["z", PLACE, []]]
    assert constructor("Point") == [["x", PLACE], ["y", PLACE, [0]]]
    assert constructor("Color")[0] == ["value", PLACE]
    color = client.describe(shapes["Color"]).fields
    assert (color["constants"], color["methods"]["shout"][:2]) == ({}, [INSTANCE, []])
    strange = client.describe(shapes["Strange"]).fields
    assert (strange["module"], strange["documentation"], strange["file"]) == ("?", None, None)
    dictionary = client.describe(shapes["Dictionary"])
    assert bases(client, dictionary) == ["Tortoise\\Python\\builtins\\dict"]
    methods = client.describe(dictionary.bases[0]).fields["methods"]
    assert methods["get"][:2] == [INSTANCE, [["key", ONLY_PLACE], ["default", ONLY_PLACE, [None]]]]
    assert methods["fromkeys"][:2] == [CLASS, [["iterable", ONLY_PLACE], ["value", ONLY_PLACE, [None]]]]


def test_no_code_of_the_class_runs(client: Client, shapes: dict[str, int]) -> None:
    """Its metaclass raises at every question, and so do the descriptors and properties of `Shape`."""
    fields = client.describe(shapes["Asked"]).fields
    assert fields["methods"]["method"][:2] == [INSTANCE, [["a", PLACE]]]
    assert client.new(shapes["Asked"]).class_id == shapes["Asked"]


@pytest.mark.parametrize(
    ("expression", "name"),
    [
        ("KeyError", "Tortoise\\Python\\KeyError"),
        ("complex", "Tortoise\\Python\\builtins\\complex"),
        ("object", "Tortoise\\Python\\builtins\\object"),
        ("type", "Tortoise\\Python\\builtins\\type"),
        ("__import__('json').JSONDecodeError", "Tortoise\\Python\\json\\decoder\\JSONDecodeError"),
        ("__import__('Shape').Shape.Inner.Deep", "Shape\\Shape\\Inner\\Deep"),
        ("__import__('Shape').local()[0]", "Shape\\local\\Local"),
        ("__import__('Shape').local()[1]", "Shape\\local\\Local\\Within"),
        ("type('a b-c', (), {})", "Probe\\a_b_c"),
        ("type('1a', (), {'__module__': 'x.2y'})", "Tortoise\\Python\\x\\_2y\\_1a"),
        ("type('', (), {})", "Probe\\_"),
        ("type('n' * 5000, (), {})", ("Probe\\" + "n" * 5000)[:1024]),
        ("type('C', (), {'__module__': 'm.' * 2000})", ("Tortoise\\Python\\" + "m\\" * 2000)[:1023]),
        ("sys.__class__", "Tortoise\\Python\\builtins\\module"),
    ],
)  # fmt: skip
def test_every_class_has_a_name_that_php_can_hold(
    client: Client, probe: wire.Object, expression: str, name: str
) -> None:
    thing = client.call(probe, "evaluate", expression)
    assert client.describe(thing.id).fields["name"] == name


def test_a_description_is_sent_once_and_named_by_its_fingerprint(
    client: Client, supervisor: Supervisor
) -> None:
    first = client.describe("Shape")
    again = client.describe("Shape", held=first.fingerprint)
    assert (again.description, again.fingerprint, again.class_id) == (None, first.fingerprint, first.class_id)
    assert client.describe("Shape", held=bytes(16)).description == first.description
    other = supervisor.client(CLASSES)
    assert other.describe("Shape", held=first.fingerprint).description is None
    other.leave()


def test_the_fingerprint_covers_every_file_of_the_bases(supervisor: Supervisor, tmp_path: Path) -> None:
    (tmp_path / "Child.py").write_text(lines("from Middle import Middle", "class Child(Middle): pass"))
    (tmp_path / "Middle.py").write_text(lines("from Base import Base", "class Middle(Base): pass"))

    def fingerprint(parameter: str) -> bytes:
        (tmp_path / "Base.py").write_text(lines("class Base:", f"    def method(self, {parameter}): pass"))
        client = supervisor.client(tmp_path)
        try:
            return client.describe("Child").fingerprint
        finally:
            client.leave()

    assert fingerprint("a") == fingerprint("a") != fingerprint("b")


def test_what_is_over_a_limit_is_left_out_and_can_still_be_used(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    (tmp_path / "Large.py").write_text(
        lines(
            "class Large:",
            "    __doc__ = 'ä' * 300_000",
            "for number in range(5000):",
            "    setattr(Large, f'CONSTANT_{number}', number)",
            "    setattr(Large, f'method_{number}', lambda self: number)",
            "setattr(Large, 'n' * 1025, lambda self: 1)",
            "Large.LARGE = 'x' * 100_000",
            "bases = [type(f'B{number}', (), {f'of_{number}': lambda self: 1}) for number in range(100)]",
            "Many = type('Many', tuple(bases), {})",
        )
    )
    client = supervisor.client(tmp_path)
    fields = client.describe("Large").fields
    assert (len(fields["methods"]), len(fields["constants"])) == (4096, 4096)
    assert len(fields["documentation"].encode()) == 256 << 10
    assert client.call(client.new("Large"), "method_4999") == 4999
    assert client.get(client.describe("Large").class_id, "LARGE") == "x" * 100_000
    module_class = client.call(client.new("Large"), "method_1")
    assert module_class == 4999


# Modules that can be imported without side effects, wherever Python runs.
STANDARD_MODULES = """
abc argparse array ast asyncio base64 bdb bisect bz2 calendar cmd code codecs collections
collections.abc concurrent.futures configparser contextlib csv ctypes dataclasses datetime decimal
difflib dis doctest email email.message email.policy enum fileinput fnmatch fractions ftplib
functools gettext glob graphlib gzip heapq html.parser http.client http.cookiejar http.cookies
http.server imaplib importlib.machinery inspect io ipaddress itertools json json.decoder logging
logging.handlers lzma mailbox mimetypes multiprocessing multiprocessing.pool numbers operator
optparse os pathlib pdb pickle pickletools platform plistlib poplib pprint profile pstats pyclbr
queue random re reprlib sched selectors shelve shlex shutil smtplib socket socketserver sqlite3 ssl
statistics string struct subprocess symtable tarfile tempfile textwrap threading timeit token
tokenize trace traceback types typing unittest unittest.mock urllib.request uuid warnings wave
weakref xml.dom.minidom xml.etree.ElementTree xml.sax xmlrpc.client zipfile zoneinfo
"""


def test_every_public_class_of_the_standard_library_is_described(client: Client, probe: wire.Object) -> None:
    found = 0
    for module in STANDARD_MODULES.split():
        classes = client.call(
            probe,
            "evaluate",
            "[value for name, value in sorted(vars(__import__('importlib').import_module("
            f"'{module}')).items()) if name[0] != '_' and type in type(value).__mro__]",
        )
        for thing in classes:
            described = client.describe(thing.id)
            check(described)
            bases(client, described)
            found += 1
    print(f"{found} classes of {len(STANDARD_MODULES.split())} modules")
    assert found > 1000


def check(described: Described) -> None:
    """The rules by which the extension reads a description."""
    fields = described.fields
    assert all(is_identifier(part) for part in fields["name"].split("\\")), fields["name"]
    assert len(fields["name"].encode()) <= 1024
    assert len(described.fingerprint) == 16
    assert len(described.bases) == len(fields["bases"]) <= 64
    assert len(fields["methods"]) <= 4096
    for name, (kind, parameters, _, line) in fields["methods"].items():
        assert is_identifier(name), name
        assert (name == "__construct") == (kind == CONSTRUCT)
        assert line >= 0
        kinds = [parameter[1] for parameter in parameters or ()]
        assert kinds == sorted(kinds), (fields["name"], name, parameters)
        assert all(is_identifier(parameter[0]) for parameter in parameters or ())
        assert len({parameter[0] for parameter in parameters or ()}) == len(parameters or ())
    assert all(is_identifier(name) for name in fields["constants"])


def is_identifier(name: str) -> bool:
    """As PHP takes it."""
    encoded = name.encode()
    return (
        bool(encoded)
        and not encoded[:1].isdigit()
        and all(byte >= 0x80 or chr(byte).isalnum() or byte == ord("_") for byte in encoded)
    )


def test_annotations_that_make_no_sense_are_no_trouble(supervisor: Supervisor, tmp_path: Path) -> None:
    (tmp_path / "Typed.py").write_text(
        lines(
            "from __future__ import annotations" if sys.version_info < (3, 14) else "",
            "class Typed:",
            "    def method(self, a: Missing, b: 1 / 0 = 2) -> Nowhere: pass",
        )
    )
    client = supervisor.client(tmp_path)
    assert client.describe("Typed").fields["methods"]["method"][1] == [["a", PLACE], ["b", PLACE, [2]]]


def test_a_stale_class_is_not_described(client: Client) -> None:
    with pytest.raises(FailedError, match="object 77 is not one of this session"):
        client.describe(77)


BELOW_PHP = """
import abc

def method(self, *arguments): ...

# What a worker makes of PHP classes: the name and the methods are PHP's.
Object = type("Object", (), {"__module__": "php", "__qualname__": "Object"})

def php_class(name, base=Object, *methods, **namespace):
    namespace |= {"php_name": name, "php_methods": methods} | dict.fromkeys(methods, method)
    return type(name.rpartition("\\\\")[2], (base,), namespace)

Base = php_class("App\\\\Base", Object, "before", "_hook")
Parent = php_class("App\\\\Parent", Base, "after", "__get", __len__=method, __init__=method)
Other = php_class("Other")

class Mixin:
    def before(self): ...
    def mixed(self): ...
    def after(self): ...

class Below_Php(Mixin, Parent):
    LIMIT = 3
    template = "page"
    _options = {"id": None, 3: [1]}
    _deep = {"id": {}}
    made = object()
    def _hook(self, x): ...
    def _own(self): ...
    def __get(self): ...
    async_ = property(lambda self: 1)
    def after(self): ...

class Below_Php_Child(Below_Php, abc.ABC):
    size = 1.5
    def __init__(self, a): ...
    def __len__(self): return 1
    def _hook(self): ...

class Below_Php_Behind(Parent, Mixin):
    pass

class Below_Php_Twice(Parent, Other):
    pass
"""


def test_php_classes_are_named_and_not_described(supervisor: Supervisor, tmp_path: Path) -> None:
    (tmp_path / "Below").mkdir()
    (tmp_path / "Below" / "Php.py").write_text(BELOW_PHP)
    (tmp_path / "Below" / "Look.py").write_text(
        lines(
            "class Below_Look:",
            "    def at(self, name):",
            "        from Below import Php",
            "        return getattr(Php, name)",
        )
    )
    client = supervisor.client(tmp_path)
    look = client.new("Below_Look")
    described = lambda name: client.describe(client.call(look, "at", name).id)  # noqa: E731
    first = client.describe("Below_Php")
    fields = first.fields
    assert (fields["bases"], first.bases) == (
        [["App\\Parent", None], *fields["bases"][1:]],
        [0, *first.bases[1:]],
    )
    assert [name for name, _ in fields["bases"][1:]] == ["Below\\Php\\Mixin"]
    assert set(fields["methods"]) == {"before", "mixed", "after", "_hook"}
    assert fields["methods"]["_hook"][1] == [["x", PLACE]]
    assert fields["constants"] == {"LIMIT": 3}
    assert fields["properties"] == {"template": "page", "_options": {"id": None, 3: [1]}}
    assert fields["traits"] == 0, "PHP's own count() is no protocol of Python's"

    child = described("Below_Php_Child")
    assert child.bases == [first.class_id]
    assert set(child.fields["methods"]) == {"__construct", "_hook"}
    assert child.fields["properties"] == {"size": 1.5}
    assert child.fields["traits"] == COUNTABLE

    behind = described("Below_Php_Behind").fields
    assert set(behind["methods"]) == {"mixed"}, "PHP's methods come first in Python's order"
    with pytest.raises(
        FailedError, match=r"extends two PHP classes, App\\Parent and Other; a PHP class has one parent"
    ):
        described("Below_Php_Twice")
    client.leave()
    assert supervisor.status_of(client.session) == 0
