"""What a client is told when Python code raises."""

from pathlib import Path

import pytest
import wire
from peers import Client, FailedError, Supervisor, lines

MAX_CAUSES = 32
MAX_FRAMES = 128
MAX_MESSAGE_BYTES = 1 << 20


@pytest.fixture
def failing(supervisor: Supervisor, tmp_path: Path) -> Client:
    """A client whose class root has a class that fails in many ways, in `Fail.py`."""
    (tmp_path / "Fail.py").write_text(
        lines(
            "import json",
            "class Refused(ValueError):",
            "    pass",
            "class Fail:",
            "    def __init__(self, deep=False):",
            "        if deep:",
            "            self.inner()",
            "    def inner(self):",
            "        raise Refused('no', [7])",
            "    def chained(self):",
            "        try:",
            "            self.inner()",
            "        except Refused as error:",
            "            raise KeyError('outer') from error",
            "    def contextual(self):",
            "        try:",
            "            self.inner()",
            "        except Refused:",
            "            return 1 / 0",
            "    def suppressed(self):",
            "        try:",
            "            self.inner()",
            "        except Refused:",
            "            raise KeyError('alone') from None",
            "    def cycle(self):",
            "        first, second = ValueError('first'), ValueError('second')",
            "        first.__cause__, second.__cause__ = second, first",
            "        raise first",
            "    def long_chain(self):",
            "        error = None",
            "        for number in range(100):",
            "            new = ValueError(number)",
            "            new.__cause__ = error",
            "            error = new",
            "        raise error",
            "    def unspeakable(self):",
            "        class Unspeakable(Exception):",
            "            def __str__(self): raise SystemExit('never')",
            "        raise Unspeakable",
            "    def long(self):",
            "        raise ValueError('ä' * 2**20)",
            "    def surrogate(self):",
            "        raise ValueError('a\\udc80b')",
            "    def exit(self):",
            "        raise SystemExit(3)",
            "    def interrupt(self):",
            "        raise KeyboardInterrupt",
            "    def recurse(self):",
            "        return self.recurse()",
            "    def library(self):",
            "        return json.loads('{')",
            "    def noted(self):",
            "        error = ValueError('with a note')",
            "        error.add_note('the note')",
            "        raise error",
            "    def group(self):",
            "        raise ExceptionGroup('several', [ValueError(1), KeyError(2)])",
            "    def around(self):",
            "        self.chained()",
            "    def nested(self):",
            "        class Local:",
            "            class Deep:",
            "                def method(self): raise Refused",
            "        (lambda: Local.Deep().method())()",
            "    def broken_source(self):",
            "        compile('1 +', 'there.py', 'exec')",
            "    def fine(self):",
            "        return 'fine'",
        )
    )
    return supervisor.client(tmp_path)


def failure(client: Client, method: str) -> FailedError:
    """What a method of `Fail` fails with; the session must be as good as new."""
    fail = client.new("Fail")
    with pytest.raises(FailedError) as caught:
        client.call(fail, method)
    assert (caught.value.category, caught.value.ran) == ("python", True)
    assert caught.value.message == caught.value.exceptions[0].message
    assert client.call(fail, "fine") == "fine"
    return caught.value


def test_an_error_in_a_constructor_has_its_place_and_traceback(failing: Client, tmp_path: Path) -> None:
    with pytest.raises(FailedError) as caught:
        failing.new("Fail", deep=True)
    [raised] = caught.value.exceptions
    assert (raised.class_name, raised.message) == ("Fail.Refused", "('no', [7])")
    assert (raised.file, raised.line) == (str(tmp_path / "Fail.py"), 9)
    # From 3.13 on every line of source has a line of marks under it.
    printed = [line for line in raised.traceback.splitlines() if line.strip(" ~^")]
    assert printed == [
        "Traceback (most recent call last):",
        f'  File "{tmp_path}/Fail.py", line 7, in __init__',
        "    self.inner()",
        f'  File "{tmp_path}/Fail.py", line 9, in inner',
        "    raise Refused('no', [7])",
        "Fail.Refused: ('no', [7])",
    ]
    file = str(tmp_path / "Fail.py")
    assert raised.frames == [["inner", "Fail", file, 9], ["__init__", "Fail", file, 7]]
    assert failing.get(raised.object, "args") == ["no", [7]]
    described = failing.describe(raised.object.class_id).fields
    assert (described["name"], described["traits"]) == ("Fail\\Refused", 1 | 64)


def test_causes_come_behind_what_they_caused(failing: Client) -> None:
    raised = failure(failing, "chained").exceptions
    assert [(each.class_name, each.message, each.line) for each in raised] == [
        ("KeyError", "'outer'", 14),
        ("Fail.Refused", "('no', [7])", 9),
    ]
    assert raised[1].traceback.endswith("\nFail.Refused: ('no', [7])\n")
    assert "KeyError" not in raised[1].traceback
    assert "Refused" not in raised[0].traceback.splitlines()[-1]


def test_a_cause_has_the_frames_around_the_one_that_caught_it(failing: Client, tmp_path: Path) -> None:
    file = str(tmp_path / "Fail.py")
    outer, cause = failure(failing, "around").exceptions
    assert outer.frames == [["chained", "Fail", file, 14], ["around", "Fail", file, 59]]
    assert cause.frames == [
        ["inner", "Fail", file, 9],
        ["chained", "Fail", file, 12],
        ["around", "Fail", file, 59],
    ]


def test_frames_of_functions_and_of_classes_in_functions(failing: Client, tmp_path: Path) -> None:
    [raised] = failure(failing, "nested").exceptions
    assert [frame[:2] for frame in raised.frames] == [
        ["method", "Local.Deep"],
        ["<lambda>", None],
        ["nested", "Fail"],
    ]
    [raised] = failure(failing, "broken_source").exceptions
    assert raised.frames == [
        ["<module>", None, "there.py", 1],
        ["broken_source", "Fail", str(tmp_path / "Fail.py"), 66],
    ]


def test_the_context_counts_unless_it_is_suppressed(failing: Client) -> None:
    assert [each.class_name for each in failure(failing, "contextual").exceptions] == [
        "ZeroDivisionError",
        "Fail.Refused",
    ]
    assert [each.class_name for each in failure(failing, "suppressed").exceptions] == ["KeyError"]


def test_a_cycle_is_cut_and_a_long_chain_too(failing: Client) -> None:
    assert [each.message for each in failure(failing, "cycle").exceptions] == ["first", "second"]
    chain = failure(failing, "long_chain").exceptions
    assert [each.message for each in chain] == [str(number) for number in range(99, 99 - MAX_CAUSES, -1)]
    assert chain[-1].traceback == "ValueError: 68\n"


def test_an_exception_that_cannot_speak_is_spoken_for(failing: Client) -> None:
    message = failure(failing, "unspeakable").message
    assert message == "(str() of the Fail.Fail.unspeakable.<locals>.Unspeakable failed with SystemExit)"


def test_a_long_message_is_cut_and_says_so(failing: Client) -> None:
    failed = failure(failing, "long")
    for text in (failed.message, failed.exceptions[0].traceback):
        assert MAX_MESSAGE_BYTES - 2 <= len(text.encode()) <= MAX_MESSAGE_BYTES
        assert "… [cut: 209" in text
    assert failure(failing, "surrogate").message == "a\\udc80b"


def test_leaving_and_interrupting_are_errors_like_others(failing: Client) -> None:
    assert failure(failing, "exit").exceptions[0].class_name == "SystemExit"
    assert failure(failing, "interrupt").exceptions[0].class_name == "KeyboardInterrupt"


def test_recursion_without_end_is_an_error(failing: Client) -> None:
    [raised] = failure(failing, "recurse").exceptions
    assert raised.class_name == "RecursionError"
    assert "[Previous line repeated" in raised.traceback
    assert len(raised.frames) == MAX_FRAMES


def test_the_place_is_the_innermost_file(failing: Client) -> None:
    [raised] = failure(failing, "library").exceptions
    assert raised.class_name == "json.decoder.JSONDecodeError"
    assert raised.file is not None
    assert raised.file.endswith("json/decoder.py")
    assert "Fail.py" in raised.traceback


def test_notes_and_groups_stand_in_the_traceback(failing: Client) -> None:
    assert failure(failing, "noted").exceptions[0].traceback.endswith("ValueError: with a note\nthe note\n")
    [group] = failure(failing, "group").exceptions
    assert group.class_name == "ExceptionGroup"
    assert "ValueError: 1" in group.traceback


def test_a_missing_argument_is_named_and_has_no_place(failing: Client) -> None:
    with pytest.raises(FailedError, match="unexpected keyword argument 'nothing'") as caught:
        failing.new("Fail", nothing=1)
    [raised] = caught.value.exceptions
    assert (raised.class_name, raised.file, raised.line) == ("TypeError", None, 0)
    assert raised.traceback == f"TypeError: {raised.message}\n"


def test_an_exception_is_an_object_like_any_other(failing: Client) -> None:
    fail = failing.new("Fail")
    with pytest.raises(FailedError) as caught:
        failing.call(fail, "inner")
    thing = caught.value.exceptions[0].object
    failing.release(thing)
    failing.send(wire.RELEASE)
    with pytest.raises(FailedError, match="not one of this session"):
        failing.get(thing, "args")
