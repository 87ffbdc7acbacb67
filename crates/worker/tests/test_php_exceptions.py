"""What a callback throws: as a Python exception, and back in PHP as itself."""

import pytest
import wire
from peers import Client, FailedError, closure, php_object

PARENTS = {
    "RuntimeException": ("Exception", "Throwable", "Stringable"),
    "App\\NotFound": ("RuntimeException", "Exception", "Throwable", "Stringable", "App\\Marker"),
    "Error": ("Throwable", "Stringable"),
}


def thrown(number: int, name: str = "App\\NotFound", class_id: int = 50, code: int | str = 7) -> list[object]:
    """A PHP exception as a callback brings it."""
    value = php_object(number, "throwable", "stringable", class_id=class_id, name=name, parents=PARENTS[name])
    return [value, "no such thing", code, "/srv/a.php", 12]


@pytest.fixture
def probe(client: Client, probe: wire.Object) -> wire.Object:
    """A probe whose value is a closure."""
    client.set(probe, "value", closure(7))
    return probe


def run(client: Client, probe: wire.Object, source: list[str], *answers: object) -> None:
    """Runs statements, whose callbacks throw."""
    call = client.begin(probe, "execute", "\n".join(["import php", *source]))
    for answer in answers:
        client.throws(client.asked(), answer)
    assert client.answer(call) is None


def test_python_catches_it_by_its_class_and_has_its_fields(client: Client, probe: wire.Object) -> None:
    source = [
        "try: self.value()",
        "except php.exception_class('RuntimeException') as error:",
        "    self.seen = [str(error), error.class_name, error.message, error.code, error.file, error.line]",
        "    self.kinds = [kind.__name__ for kind in type(error).__mro__]",
        "    self.object = error.object",
        "    self.isa = isinstance(error, php.exception_class('App\\\\Marker'))",
        "    self.module = type(error).__module__",
    ]
    run(client, probe, source, thrown(20))
    seen = ["no such thing", "App\\NotFound", "no such thing", 7, "/srv/a.php", 12]
    assert client.get(probe, "seen") == seen
    assert client.get(probe, "kinds")[:3] == ["NotFound", "RuntimeException", "Exception"]
    assert "PhpException" in client.get(probe, "kinds")
    assert client.get(probe, "object") == wire.PhpHandle(20)
    assert [client.get(probe, "isa"), client.get(probe, "module")] == [True, "php.App"]


def test_a_class_is_no_more_than_it_is(client: Client, probe: wire.Object) -> None:
    source = [
        "for _ in range(2):",
        "    try: self.value()",
        "    except php.Exception as error: last = error",
        "marker, error = php.exception_class('App\\\\Marker'), php.exception_class('Error')",
        "self.seen = [isinstance(last, marker), isinstance(last, error), last.code]",
    ]
    run(client, probe, source, thrown(20), thrown(21, "RuntimeException", 51, code="HY000"))
    assert client.get(probe, "seen") == [False, False, "HY000"]


def test_nobody_catches_it_and_php_is_told_which_it_was(client: Client, probe: wire.Object) -> None:
    call = client.begin(probe, "evaluate", "self.value()")
    client.throws(client.asked(), thrown(20))
    with pytest.raises(FailedError, match="no such thing") as caught:
        client.answer(call)
    [raised] = caught.value.exceptions
    assert (raised.php, raised.class_name) == (20, "php.App.NotFound")
    # It lives as long as PHP holds the Python exception.
    client.call(probe, "show")
    assert client.released == []
    client.release(raised.object)
    client.call(probe, "show")
    client.call(probe, "show")
    assert client.released == [(20, 1)]


def test_a_cause_is_told_behind_what_it_caused(client: Client, probe: wire.Object) -> None:
    source = [
        "try: self.value()",
        "except Exception as error: raise KeyError('outer') from error",
    ]
    call = client.begin(probe, "execute", "\n".join(source))
    client.throws(client.asked(), thrown(20))
    with pytest.raises(FailedError) as caught:
        client.answer(call)
    assert [(each.class_name, each.php) for each in caught.value.exceptions] == [
        ("KeyError", 0),
        ("php.App.NotFound", 20),
    ]


def test_the_same_exception_twice_is_one(client: Client, probe: wire.Object) -> None:
    source = [
        "try: self.value()",
        "except php.Exception as error: first = error",
        "try: self.value(first)",
        "except php.Exception as error: self.same = error is first",
    ]
    call = client.begin(probe, "execute", "\n".join(["import php", *source]))
    client.throws(client.asked(), thrown(20))
    asked = client.asked()
    # It goes home as itself.
    assert asked.values == [7, "", [wire.PhpHandle(20)], {}]
    client.throws(asked, thrown(20))
    assert client.answer(call) is None
    assert client.get(probe, "same") is True


def test_an_exception_of_python_passes_through_php(client: Client, probe: wire.Object) -> None:
    client.call(probe, "execute", "self.error = KeyError('k')")
    error = client.get(probe, "error")
    source = ["try: self.value()", "except KeyError as error: self.same = error is self.error"]
    run(client, probe, source, error)
    assert client.get(probe, "same") is True
    for thing, message in ((probe, "which is no exception"), (wire.Handle(998), "object 998 is not one")):
        call = client.begin(probe, "evaluate", "self.value()")
        client.throws(client.asked(), thing)
        with pytest.raises(FailedError, match=message):
            client.answer(call)


def test_exit_runs_what_must_run_and_nothing_else(client: Client, probe: wire.Object) -> None:
    source = [
        "self.seen = []",
        "try:",
        "    try: self.value()",
        "    except Exception: self.seen.append('caught')",
        "    finally: self.seen.append('finally')",
        "finally: pass",
    ]
    call = client.begin(probe, "execute", "\n".join(source))
    client.throws(client.asked(), None)
    with pytest.raises(FailedError, match=r"exit\(\)") as caught:
        client.answer(call)
    assert caught.value.exceptions[0].class_name == "tortoise_worker.php_classes.Exit"
    assert client.get(probe, "seen") == ["finally"]


def test_many_exceptions_leave_nothing_behind(client: Client, probe: wire.Object) -> None:
    def round_trip(first: int) -> None:
        for number in range(first, first + 300):
            call = client.begin(probe, "evaluate", "self.value()")
            client.throws(client.asked(), thrown(number))
            with pytest.raises(FailedError) as caught:
                client.answer(call)
            client.release(caught.value.exceptions[0].object)

    count = "(gc.collect(), len(gc.get_objects()))[1]"
    round_trip(1000)
    before = client.call(probe, "evaluate", count)
    round_trip(2000)
    assert client.call(probe, "evaluate", count) - before < 50
    assert {number for number, _ in client.released} >= set(range(1000, 1300)) | set(range(2000, 2299))
