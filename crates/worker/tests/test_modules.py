"""Modules: which of them a client may open and use, and the functions of scripts."""

import contextlib
from collections.abc import Sequence
from pathlib import Path

import pytest
import wire
from conftest import CLASSES
from peers import FailedError, Supervisor, lines


@pytest.mark.parametrize(
    ("modules", "asked", "opened"),
    [
        ([], [], ""),
        ([], ["*"], ""),
        (["*"], [], "math os os.path xml xml.dom"),
        (["*"], ["os", "xml.*"], "os os.path xml.dom"),
        (["os"], [], "os os.path"),
        (["os.*"], [], "os.path"),
        (["os.path", "xml.dom"], ["*"], "os.path xml.dom"),
        (["xml", "math"], ["xml.dom"], "xml.dom"),
        (["posixpath"], [], "os.path"),
        (["m?th", "[ox]*"], [], "math os os.path xml xml.dom"),
        (["MATH", "", ".", "mat", "[", "xml/dom"], [], ""),
    ],
)
def test_patterns_let_modules_in(
    supervisor: Supervisor, modules: Sequence[str], asked: Sequence[str], opened: str
) -> None:
    client = supervisor.client(CLASSES, modules=modules, asked_modules=list(asked), served=[])
    probe = client.new("Probe")
    usable = []
    for name in ("math", "os", "os.path", "xml", "xml.dom"):
        module = client.call(probe, "evaluate", f"__import__({name!r}, fromlist=['x'])")
        assert client.has(module, "absent", 0) is False
        # Whether it can be called is what PHP asks before a call, so that is an attempt.
        with contextlib.suppress(FailedError):
            assert client.has(module, "absent", 1) is False
            usable.append(name)
    assert " ".join(usable) == opened
    client.leave()


def test_a_module_is_always_an_object(supervisor: Supervisor, tmp_path: Path) -> None:
    (tmp_path / "odd.py").write_text("import sys\nsys.modules[__name__] = 7\n")
    client = supervisor.client(tmp_path, modules=["odd", "math"])
    module = client.ask(wire.IMPORT, "math")
    assert (module.class_id, module) == (0, client.ask(wire.IMPORT, "math"))
    assert isinstance(client.ask(wire.IMPORT, "odd"), wire.Object)
    client.leave()


def test_the_refusal_names_who_can_change_it(supervisor: Supervisor) -> None:
    private = supervisor.client(CLASSES, modules=["math"])
    shared = supervisor.client(CLASSES, modules=["math", "os"], asked_modules=["os"], served=[])
    for client, name, place in [
        (private, "os", "tortoise.modules in PHP's settings lists 'math'; add 'os'"),
        (shared, "json.decoder", "(tortoise.toml, or --modules) lists 'math', 'os'; add 'json'"),
        (
            shared,
            "math",
            "tortoise.modules in PHP's settings, which only narrows what the sidecar lets in, lists 'os'",
        ),
    ]:
        with pytest.raises(FailedError) as caught:
            client.ask(wire.IMPORT, name)
        assert (caught.value.category, caught.value.ran) == ("access", False)
        assert f"the Python module '{name}' is not open to PHP: " in caught.value.message
        assert place in caught.value.message
    private.leave()
    shared.leave()


def test_a_module_that_is_refused_runs_nothing(supervisor: Supervisor, tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "danger.py").write_text(f"open({str(marker)!r}, 'w')\n")
    (outside / "user.py").write_text("def path(folder):\n    import sys\n    sys.path.append(folder)\n")
    roots = tmp_path / "roots"
    roots.mkdir()
    (roots / "user.py").write_text((outside / "user.py").read_text())
    client = supervisor.client(roots)
    client.call(client.ask(wire.SCRIPT, "user", "path"), "", str(outside))
    for name in ("danger", "danger.part"):
        with pytest.raises(FailedError, match="not open to PHP"):
            client.ask(wire.IMPORT, name)
    assert not marker.exists()
    client.leave()


@pytest.mark.parametrize("kind", [wire.IMPORT, wire.SCRIPT])
@pytest.mark.parametrize(
    "name", ["", ".", "a..b", "../x", "a b", "_a", "a._b", "__main__", "a\n", "1a", "a" * 1024, "ａ.-"]
)
def test_names_that_are_none(supervisor: Supervisor, kind: int, name: str) -> None:
    client = supervisor.client(CLASSES, modules=["*"])
    with pytest.raises(FailedError) as caught:
        client.ask(kind, name, *(["f"] if kind == wire.SCRIPT else []))
    assert caught.value.category in ("access", "python")
    assert caught.value.category == "access" or caught.value.exceptions[0].class_name == "ModuleNotFoundError"
    assert client.ask(wire.IMPORT, "math")
    client.leave()


def test_a_script_is_found_by_dots_and_slashes(supervisor: Supervisor, tmp_path: Path) -> None:
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "h.py").write_text(lines("def f(*a, **k): return [list(a), k]"))
    client = supervisor.client(tmp_path)
    function = client.ask(wire.SCRIPT, "tools/h", "f")
    assert function.traits & wire.CALLABLE
    assert client.ask(wire.SCRIPT, "tools.h", "f") == function
    assert client.call(function, "", 1, k=2) == [[1], {"k": 2}]
    module = client.ask(wire.IMPORT, "tools.h")
    assert client.get(module, "f") == function
    client.leave()


def test_a_function_that_is_not_there(supervisor: Supervisor, tmp_path: Path) -> None:
    names = [f"f{number}" for number in range(30)]
    (tmp_path / "h.py").write_text(
        lines("x = 1", "def _p(): pass", *(f"def {name}(): pass" for name in names))
    )
    client = supervisor.client(tmp_path)
    for name in ("x", "g"):
        with pytest.raises(FailedError) as caught:
            client.ask(wire.SCRIPT, "h", name)
        assert caught.value.exceptions[0].class_name == "AttributeError"
        listed = f"{tmp_path}/h.py has no function '{name}'; it has {', '.join(names[:20])}, …"
        assert caught.value.message == listed
    with pytest.raises(FailedError) as caught:
        client.ask(wire.SCRIPT, "h", "_p")
    assert (caught.value.category, caught.value.ran) == ("access", False)
    client.leave()


def test_new_roots_are_decided_anew(supervisor: Supervisor, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for root in (first, second):
        root.mkdir()
    (first / "a.py").write_text("def other(name): return __import__(name)\n")
    (second / "b.py").write_text("x = 1\n")
    client = supervisor.client(first)
    function = client.ask(wire.SCRIPT, "a", "other")
    with pytest.raises(FailedError, match="there is no script 'b'"):
        client.ask(wire.SCRIPT, "b", "f")
    client.ask(wire.ROOTS, [str(first), str(second)])
    module = client.call(function, "", "b")
    assert client.get(module, "x") == 1
    client.leave()
