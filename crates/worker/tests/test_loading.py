"""From the name of a PHP class to a Python class: where it is looked for, and what can be wrong there."""

import hashlib
import os
from pathlib import Path

import pytest
from peers import Client, FailedError, Supervisor, lines


@pytest.fixture
def client(supervisor: Supervisor, tmp_path: Path) -> Client:
    """A client whose class root is `tmp_path`."""
    return supervisor.client(tmp_path)


def write(root: Path, name: str, *text: str) -> Path:
    """Writes a source file under a root."""
    file = root / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(lines(*text))
    return file


@pytest.mark.parametrize(
    ("file", "cls", "asked", "name"),
    [
        ("Foo/Bar.py", "Foo_Bar", "Foo_Bar", "Foo_Bar"),
        ("Foo/Bar.py", "Foo_Bar", "Foo\\Bar", "Foo_Bar"),
        ("Foo/Bar.py", "Bar", "Foo_Bar", "Foo\\Bar"),
        ("Foo/Bar.py", "Bar", "Foo\\Bar", "Foo\\Bar"),
        ("Foo/Bar.py", "BAR", "Foo_Bar", "Foo\\BAR"),
        ("foo/bar.py", "Foo_Bar", "Foo_Bar", "Foo_Bar"),
        ("foo/bar.py", "Bar", "FOO_bar", "foo\\Bar"),
        ("Counter.py", "Counter", "Counter", "Counter"),
        ("counter.py", "Counter", "counter", "Counter"),
        ("App/Foo/Bar.py", "Bar", "App\\Foo\\Bar", "App\\Foo\\Bar"),
        ("App/Foo/Bar.py", "Foo_Bar", "App\\Foo_Bar", "App\\Foo_Bar"),
        ("App/Foo/Bar.py", "App_Foo_Bar", "App_Foo_Bar", "App_Foo_Bar"),
        ("Größe/Maß.py", "Maß", "Größe\\Maß", "Größe\\Maß"),
    ],
)
def test_a_class_is_found_in_its_file(
    client: Client, tmp_path: Path, file: str, cls: str, asked: str, name: str
) -> None:
    write(tmp_path, file, "class Other_Class: pass", f"class {cls}:", "    'It.'")
    fields = client.describe(asked).fields
    assert (fields["name"], fields["qualified_name"], fields["documentation"]) == (name, cls, "It.")
    assert (fields["file"], fields["line"]) == (str(tmp_path / file), 2)


@pytest.mark.parametrize(
    ("file", "names"),
    [
        ("Held/Account.py", {"Held_Refused": "Held_Refused", "Helper": "Held\\Account\\Helper"}),
        ("Held.py", {"Held_Refused": "Held_Refused", "Helper": "Held\\Helper"}),
        (
            "App/Held/Account.py",
            {"App_Held_Refused": "App_Held_Refused", "Held_No": "App\\Held\\Account\\Held_No"},
        ),
    ],
)
def test_other_classes_of_a_file_are_named_after_it(
    client: Client, tmp_path: Path, file: str, names: dict[str, str]
) -> None:
    main = file.removesuffix(".py").replace("/", "_")
    others = [f"class {name}: pass" for name in names]
    write(tmp_path, file, *others, f"class {main}:", f"    def all(self): return [{', '.join(names)}]")
    others = client.call(client.new(main), "all")
    assert [client.describe(other.id).fields["name"] for other in others] == list(names.values())


def test_the_full_name_goes_before_the_short_and_the_spelled_before_others(
    client: Client, tmp_path: Path
) -> None:
    write(tmp_path, "Foo/Bar.py", "class Bar: pass", "class foo_bar: pass", "class Foo_Bar: pass")
    assert client.describe("Foo_Bar").fields["name"] == "Foo_Bar"
    write(tmp_path, "Foo/Baz.py", "class Baz: pass", "class foo_baz: pass")
    assert client.describe("Foo_Baz").fields["name"] == "Foo\\Baz"


def test_a_class_says_if_another_of_its_file_has_a_spelling_of_its_name(
    client: Client, tmp_path: Path
) -> None:
    write(tmp_path, "Foo/Bar.py", "class Foo_Bar: pass", "class Bar: pass", "class Foo_Other: pass")
    write(tmp_path, "Foo/Alone.py", "class Alone: pass", "class Foo_Other: pass")
    write(tmp_path, "My_App/Foo/Bar.py", "class Bar: pass", "class My_App_Foo_Bar: pass")
    names = ("Foo_Bar", "Foo\\Bar", "Foo_Alone", "My_App\\Foo_Bar")
    assert [client.describe(name).fields["traits"] for name in names] == [4, 4, 0, 0]


def test_roots_are_searched_in_order(supervisor: Supervisor, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    write(first, "foo/bar.py", "class Foo_Bar: PLACE = 'first, lower'")
    write(second, "Foo/Bar.py", "class Foo_Bar: PLACE = 'second'")
    write(second, "Only/Here.py", "class Here: PLACE = 'second'")
    client = supervisor.client(first, second)
    assert client.describe("Foo_Bar").fields["constants"] == {"PLACE": "first, lower"}
    assert client.describe("Only_Here").fields["constants"] == {"PLACE": "second"}


@pytest.mark.parametrize(
    "name",
    [
        *(
            "Foo__Bar",
            "_Foo",
            "Foo_",
            "",
            "\\Foo",
            "Foo\\\\Bar",
            "Foo\\",
            "..",
            "../etc/passwd",
            "Foo\\..\\Bar",
        ),
        *(".Foo", "Foo.Bar", "Foo/Bar", "Foo Bar", "1Foo", "Foo_1Bar", "Foo-Bar", "Foo\n"),
    ],
)
def test_what_is_no_class_name_is_refused(client: Client, name: str) -> None:
    with pytest.raises(FailedError, match="is not the name of a Python class") as caught:
        client.describe(name)
    assert (caught.value.category, caught.value.ran) == ("access", False)


def test_no_file_is_an_answer_that_names_the_roots(client: Client, tmp_path: Path) -> None:
    with pytest.raises(FailedError) as caught:
        client.describe("Foo_Bar")
    assert (caught.value.category, caught.value.ran) == ("access", False)
    assert caught.value.message == f"there is no class file for Foo_Bar under {tmp_path}"


def test_a_file_without_its_class_says_what_it_has(client: Client, tmp_path: Path) -> None:
    file = write(
        tmp_path, "Foo/Bar.py", "from json import JSONDecoder", "class Baz: pass", "class _Own: pass"
    )
    with pytest.raises(FailedError) as caught:
        client.describe("Foo_Bar")
    [raised] = caught.value.exceptions
    assert (raised.class_name, raised.file, raised.line) == ("ImportError", str(file), 1)
    assert raised.message == f"{file} defines no class Foo_Bar or Bar; it defines Baz"
    assert raised.traceback == f"ImportError: {raised.message}\n"
    write(tmp_path, "Foo/Bar.py", "class Bar: pass", "class Another: pass")
    assert client.describe("Foo_Bar").fields["name"] == "Foo\\Bar"


def test_a_syntax_error_has_its_line_and_goes_away_with_the_fix(client: Client, tmp_path: Path) -> None:
    file = write(tmp_path, "Foo/Bar.py", "class Foo_Bar:", "    def twice(self:", "        return 2")
    with pytest.raises(FailedError) as caught:
        client.describe("Foo_Bar")
    [raised] = caught.value.exceptions
    assert (raised.class_name, raised.file, raised.line) == ("SyntaxError", str(file), 2)
    assert "def twice(self:" in raised.traceback
    assert "importlib" not in raised.traceback
    assert "tortoise_worker" not in raised.traceback
    write(tmp_path, "Foo/Bar.py", "class Foo_Bar:", "    def twice(self): return 2")
    assert client.call(client.new("Foo_Bar"), "twice") == 2


def test_an_error_while_importing_leaves_nothing_half_done(client: Client, tmp_path: Path) -> None:
    file = write(tmp_path, "Foo/Bar.py", "class Foo_Bar: pass", "import json", "missing.name")
    for _ in range(2):
        with pytest.raises(FailedError, match="name 'missing' is not defined") as caught:
            client.describe("Foo_Bar")
        assert (caught.value.exceptions[0].file, caught.value.exceptions[0].line) == (str(file), 3)
        assert caught.value.exceptions[0].traceback.count("File ") == 1
    write(tmp_path, "Foo/Bar.py", "class Foo_Bar: pass")
    assert client.describe("Foo_Bar").fields["name"] == "Foo_Bar"


def test_a_clash_with_another_module_loads_our_file_and_shadows_nothing(
    client: Client, tmp_path: Path
) -> None:
    write(
        tmp_path,
        "json.py",
        "from .Helper import helped",
        "class Json:",
        "    def loads(self, text):",
        "        import json",
        "        return [json.loads(text), json.__name__, helped(), __name__]",
    )
    write(tmp_path, "Helper.py", "def helped(): return 'helped'")
    (tmp_path / "json").mkdir()
    write(tmp_path, "json/Tool.py", "class json_Tool: pass")
    key = hashlib.blake2b(os.fsencode(f"{tmp_path}/"), digest_size=4).hexdigest()
    described = client.describe("json")
    assert described.fields["name"] == "Json"
    assert client.call(client.new("json"), "loads", "[1]") == [
        [1],
        "json",
        "helped",
        f"tortoise_classes.r{key}.json",
    ]
    assert client.describe("json_Tool").fields["module"] == f"tortoise_classes.r{key}.json.Tool"


def test_a_class_file_is_one_module_whoever_asks(client: Client, tmp_path: Path) -> None:
    write(tmp_path, "Foo/Bar.py", "print('imported')", "class Bar: made = 0")
    write(
        tmp_path,
        "Foo/User.py",
        "from Foo.Bar import Bar",
        "from . import Bar as module",
        "class User:",
        "    def same(self, bar): return type(bar) is Bar and module.Bar is Bar",
    )
    bar = client.new("Foo_Bar")
    assert client.call(client.new("Foo_User"), "same", bar) is True


def test_two_roots_with_the_same_file_do_not_mix(supervisor: Supervisor, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    write(first, "Foo/Bar.py", "class Bar: PLACE = 1")
    write(second, "Foo/Bar.py", "class Bar: PLACE = 2")
    client = supervisor.client(first)
    assert client.describe("Foo_Bar").fields["constants"] == {"PLACE": 1}
    client.ask(0x17, [str(second)])
    assert client.describe("Foo_Bar").fields["constants"] == {"PLACE": 2}
    client.ask(0x17, [str(first)])
    assert client.describe("Foo_Bar").fields["constants"] == {"PLACE": 1}
    client.ask(0x17, [])
    with pytest.raises(FailedError, match="under no class root at all"):
        client.describe("Foo_Bar")
    with pytest.raises(FailedError, match="not an absolute path") as caught:
        client.ask(0x17, ["relative/root"])
    assert caught.value.category == "access"


def test_a_file_beside_its_folder_is_the_folders_own_code(client: Client, tmp_path: Path) -> None:
    write(tmp_path, "Model.py", "from Model.Base import Base", "class Model(Base): pass")
    write(tmp_path, "Model/Base.py", "class Base: pass")
    write(
        tmp_path, "Model/User.py", "from . import Model", "from .Base import Base", "class User(Model): pass"
    )
    user, model = client.describe("Model_User"), client.describe("Model")
    assert user.bases == [model.class_id]
    assert (user.fields["module"], model.fields["module"]) == ("Model.User", "Model")
    assert client.describe("Model_Base").class_id == model.bases[0]


def test_a_file_beside_a_package_of_its_name_is_found(client: Client, tmp_path: Path) -> None:
    write(tmp_path, "Pack/__init__.py", "class Inner: pass")
    write(tmp_path, "Pack.py", "print('Pack.py')", "class Pack: WHERE = 'file'")
    write(tmp_path, "Pack/Part.py", "from . import Inner", "class Part(Inner): pass")
    first = client.describe("Pack")
    assert first.fields["constants"] == {"WHERE": "file"}
    assert client.describe("Pack").class_id == first.class_id
    assert client.describe("Pack_Part").fields["module"] == "Pack.Part"


def test_an_error_in_the_file_beside_the_folder_is_that_files(client: Client, tmp_path: Path) -> None:
    write(tmp_path, "Model/User.py", "class User: pass")
    write(tmp_path, "Model.py", "class Model: pass", "missing.name")
    for asked in ("Model_User", "Model"):
        with pytest.raises(FailedError, match="'missing' is not defined") as caught:
            client.describe(asked)
        assert caught.value.exceptions[0].file == str(tmp_path / "Model.py")
    write(tmp_path, "Model.py", "class Model: pass", "class More: pass")
    assert client.describe("Model_User").fields["name"] == "Model\\User"


def test_a_package_stays_a_package(client: Client, tmp_path: Path) -> None:
    write(tmp_path, "Pack/__init__.py", "NAME = 'pack'", "class Pack: pass")
    write(tmp_path, "Pack/Inner.py", "from Pack import NAME", "class Inner:", "    NAME = NAME")
    assert client.describe("Pack_Inner").fields["constants"] == {"NAME": "pack"}
    inner = client.new("Pack_Inner")
    assert client.get(inner, "NAME") == "pack"


def test_a_link_out_of_the_root_is_refused(client: Client, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    root = tmp_path / "root"
    write(outside, "Bar.py", "class Bar: pass")
    write(root, "Real.py", "class Real: pass")
    (root / "Foo").symlink_to(outside)
    (root / "Link.py").symlink_to(root / "Real.py")
    client.ask(0x17, [str(root)])
    with pytest.raises(FailedError, match="is a symbolic link out of the class root") as caught:
        client.describe("Foo_Bar")
    assert caught.value.category == "access"


def test_a_root_that_is_a_link_is_a_root(client: Client, tmp_path: Path) -> None:
    write(tmp_path / "releases/1", "Foo/Bar.py", "class Bar: pass")
    (tmp_path / "current").symlink_to(tmp_path / "releases/1")
    client.ask(0x17, [str(tmp_path / "current")])
    fields = client.describe("Foo_Bar").fields
    assert (fields["name"], fields["module"]) == ("Foo\\Bar", "Foo.Bar")


def test_no_bytecode_is_written_under_a_root(client: Client, tmp_path: Path) -> None:
    write(tmp_path, "Foo/Bar.py", "class Bar: pass")
    client.describe("Foo_Bar")
    assert [str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*")] == ["Foo", "Foo/Bar.py"]


def test_the_builtin_exceptions_have_names_of_their_own(supervisor: Supervisor, tmp_path: Path) -> None:
    client = supervisor.client(tmp_path)
    for name in ("Tortoise\\Python\\KeyError", "tortoise\\python\\keyerror"):
        described = client.describe(name).fields
        assert (described["name"], described["module"]) == ("Tortoise\\Python\\KeyError", "builtins")
    assert client.describe("Tortoise\\Python\\IOError").fields["name"] == "Tortoise\\Python\\OSError"
    for name in ("int", "open", "Nope", "", "__loader__"):
        with pytest.raises(FailedError) as caught:
            client.describe(f"Tortoise\\Python\\{name}")
        assert (caught.value.category, caught.value.ran) == ("access", False)
