"""numpy's scalars, its arrays as elements, and arrays for parameters that are annotated so."""

import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
import wire
from conftest import CLASSES
from peers import PYTHON, Client, FailedError, Supervisor, lines

pytestmark = pytest.mark.skipif(
    subprocess.run([PYTHON, "-c", "import numpy"], capture_output=True).returncode != 0,
    reason="numpy is not installed for the interpreter that plays the user's",
)


@pytest.fixture(scope="module")
def client(supervisor: Supervisor) -> Iterator[Client]:
    """One client for all: numpy takes its time to be imported."""
    connected = supervisor.client(CLASSES)
    yield connected
    connected.leave()
    assert supervisor.status_of(connected.session) == 0


@pytest.fixture(scope="module")
def probe(client: Client) -> wire.Object:
    """An object that evaluates what it is given, with numpy as `np`."""
    made = client.new("Probe")
    client.call(made, "execute", "import numpy, numpy.typing; globals().update(np=numpy, npt=numpy.typing)")
    return made


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("np.bool_(True)", True),
        ("np.float64(0.1)", 0.1),
        ("np.float32(0.5)", 0.5),
        ("np.float16(-0.25)", -0.25),
        *((f"np.{name}(-7)", -7) for name in ("int8", "int16", "int32", "int64", "longlong", "intp")),
        *((f"np.{name}(200)", 200) for name in ("uint8", "uint16", "uint32", "uint64", "ulonglong")),
        ("np.float64('nan')", float("nan")),
        ("[np.float64(n) for n in range(20)]", [float(n) for n in range(20)]),
        ("{'a': np.int32(1), 'b': [np.bool_(False)]}", {"a": 1, "b": [False]}),
    ],
)
def test_a_scalar_is_a_value(client: Client, probe: wire.Object, expression: str, expected: Any) -> None:
    assert repr(client.call(probe, "evaluate", expression)) == repr(expected)


@pytest.mark.parametrize(
    "expression",
    [
        "np.complex128(1)",
        "np.longdouble(1)",
        "np.datetime64('2020-01-02')",
        "np.timedelta64(1, 's')",
        "np.void(b'ab')",
        "np.zeros(1, dtype=[('a', 'i4')])[0]",
        "np.uint64(2**63)",
        "type('Own', (np.float64,), {})(1)",
        "np.zeros(3)",
        "np.array(5)",
    ],
)
def test_these_go_by_reference(client: Client, probe: wire.Object, expression: str) -> None:
    assert isinstance(client.call(probe, "evaluate", f"[{expression}]")[0], wire.Object)
    assert client.call(probe, "evaluate", "[np.uint64(5), np.float32(2)]") == [5, 2.0]


def test_scalars_are_values_once_numpy_has_come(supervisor: Supervisor) -> None:
    client = supervisor.client(CLASSES)
    probe = client.new("Probe")
    assert isinstance(client.call(probe, "evaluate", "object()"), wire.Object)
    assert client.call(probe, "evaluate", "__import__('numpy').float32(1.5)") == 1.5


INTEGERS = ("i2", "i4", "i8", "u2", "u4", "u8")
ELEMENTS = [
    *(f"np.arange(24, dtype='{order}{code}')" for order in "<>" for code in INTEGERS),
    *(f"np.arange(24, dtype='{order}{code}') / 8" for order in "<>" for code in ("f4", "f8")),
    *(f"np.arange(-12, 12).astype('{order}f2')" for order in "<>"),
    "np.array([0, -0.0, 6e-8, 65504, np.inf, -np.inf, np.nan, 1/3], dtype='f2')",
    *("np.arange(5, dtype='i1')", "np.arange(5, dtype='u1')", "np.arange(6) % 2 == 0"),
    *("np.array(5)", "np.array(0.5)", "np.array(True)", "np.array([])", "np.zeros((0, 3))"),
    "np.zeros((3, 0))",
    *("np.arange(24).reshape(2, 3, 4)", "np.arange(24).reshape(4, 6).T", "np.arange(100)[10:90:7]"),
    *("np.arange(100.0)[::-1]", "np.asfortranarray(np.arange(400.0).reshape(20, 20))"),
    *("np.broadcast_to(np.arange(3), (20, 3))", "np.broadcast_to(0.5, (2, 20))"),
    *("np.arange(24).reshape(2, 3, 4).transpose(2, 0, 1)[::-1, :, ::2]", "np.ma.array([1, 2, 3])"),
    *("np.array(['a', 'bc'])", "np.array([b'a'])", "np.array([None, 1, 'x', 2.5], dtype=object)"),
    *("np.array([(1, 2.5)], dtype=[('a', 'i4'), ('b', 'f8')])", "np.matrix([[1, 2], [3, 4]])"),
]  # fmt: skip


@pytest.mark.parametrize("expression", ELEMENTS)
def test_elements_of_an_array(client: Client, probe: wire.Object, expression: str) -> None:
    client.call(probe, "execute", f"self.value = [{expression}]")
    held = client.get(probe, "value")[0]
    expected = (
        client.call(probe, "evaluate", "repr(self.value[0].tolist())").replace("(", "[").replace(")", "]")
    )
    assert repr(client.ask(wire.VALUES, held.id)) == expected


def test_an_element_over_phps_integers_is_named(client: Client, probe: wire.Object) -> None:
    held = client.call(probe, "evaluate", "np.array([[1] * 20, [1] * 19 + [2**64 - 1]], dtype='u8')")
    with pytest.raises(
        FailedError, match=r"^elements\[1\]\[19\]: 18446744073709551615 is over PHP's"
    ) as caught:
        client.ask(wire.VALUES, held.id)
    assert caught.value.category == "conversion"


def test_an_array_without_end_is_refused(client: Client, probe: wire.Object) -> None:
    held = client.call(probe, "evaluate", "np.broadcast_to(0.5, (2**40,))")
    with pytest.raises(FailedError, match="too large"):
        client.ask(wire.VALUES, held.id)


ANNOTATED = lines(
    "from __future__ import annotations",
    "import numpy as np",
    "import numpy.typing as npt",
    "from typing import Annotated, Optional, TYPE_CHECKING",
    "def shown(*values):",
    "    return repr([(type(v).__name__, str(v.dtype), v.tolist()) if isinstance(v, np.ndarray) else v",
    "                 for v in values])",
    "class Annotated_:",
    "    def __init__(self, given: np.ndarray = None): self.given = given",
    "    def array(self, a: np.ndarray): return shown(a)",
    "    def typed(self, a: npt.NDArray[np.float64]): return shown(a)",
    "    def optional(self, a: Optional[np.ndarray]): return shown(a)",
    "    def either(self, a: np.ndarray | None): return shown(a)",
    "    def tagged(self, a: Annotated[np.ndarray, 5]): return shown(a)",
    "    def several(self, a: np.ndarray | list): return shown(a)",
    "    def second(self, a, /, b: np.ndarray, *, c: np.ndarray = None): return shown(a, b, c)",
    "    def rest(self, *a: np.ndarray): return shown(*a)",
    "    def odd(self, a: nowhere.at.all, b: ndarray_ if NDArray else 1 / 0): return shown(a, b)",
    "    def view(self, a: memoryview): return [type(a).__name__, bytes(a), a.readonly]",
    "    def bytearray(self, a: bytearray): a.append(33); return [type(a).__name__, bytes(a)]",
    "    def writable(self, a: np.ndarray):",
    "        a[0] = 7",
    "        return [a.flags.owndata, a.flags.c_contiguous, a.sum().item()]",
    "    @staticmethod",
    "    def static(a: np.ndarray): return shown(a)",
    "    @classmethod",
    "    def klass(cls, a: np.ndarray): return shown(a)",
)  # fmt: skip
MAKE_ANNOTATED = f"module = {{}}; exec({ANNOTATED!r}, module); self.value = module['Annotated_']"


@pytest.fixture(scope="module")
def annotated(client: Client, probe: wire.Object) -> wire.Object:
    """An object whose methods are annotated."""
    client.call(
        probe, "execute", f"module = {{}}; exec({ANNOTATED!r}, module); self.value = module['Annotated_']"
    )
    return client.call(client.get(probe, "value"), "")


FLOATS = [n / 4 for n in range(20)]
MIXED = "('ndarray', 'float64', [[1.0, 1.0], [1.5, 1.5]])"
FORMS = [
    (wire.Vector("d", FLOATS), f"('ndarray', 'float64', {FLOATS})"),
    (wire.Segment(wire.FLOATS, wire.numbers("d", FLOATS)), f"('ndarray', 'float64', {FLOATS})"),
    (wire.Vector("q", [2**62, -1] * 8), f"('ndarray', 'int64', {[2**62, -1] * 8})"),
    (wire.Segment(wire.INTEGERS, wire.numbers("q", [1] * 20)), f"('ndarray', 'int64', {[1] * 20})"),
    ([wire.Vector("d", FLOATS)] * 2, f"('ndarray', 'float64', {[FLOATS] * 2})"),
    ([wire.Vector("q", [1] * 16)] * 2, f"('ndarray', 'int64', {[[1] * 16] * 2})"),
    ([wire.Vector("q", [1] * 2), wire.Vector("d", [1.5] * 2)], MIXED),
    (wire.Numbers([1, 2.5, -0.0]), "('ndarray', 'float64', [1.0, 2.5, -0.0])"),
    (wire.Numbers([1, 2]), "('ndarray', 'float64', [1.0, 2.0])"),
    ([wire.Numbers([1, 1.5]), wire.Vector("q", [2, 3])], "('ndarray', 'float64', [[1.0, 1.5], [2.0, 3.0]])"),
    ([wire.Vector("q", [2, 3]), wire.Vector("d", [0.5] * 2), wire.Numbers([1, 1.5])],
     "('ndarray', 'float64', [[2.0, 3.0], [0.5, 0.5], [1.0, 1.5]])"),
    ([wire.Numbers([1, 1.5]), wire.Vector("q", [2])], "[[1, 1.5], [2]]"),
    ([wire.Numbers([1, 1.5]), 2], "[[1, 1.5], 2]"),
    ([1, 2.5], "('ndarray', 'float64', [1.0, 2.5])"),
    ([[1, 2], [3, 4]], "('ndarray', 'int64', [[1, 2], [3, 4]])"),
    ([], "('ndarray', 'float64', [])"),
    ([wire.Vector("d", FLOATS), wire.Vector("d", FLOATS[1:])], repr([FLOATS, FLOATS[1:]])),
    ([1, [2]], "[1, [2]]"),
    (None, "None"),
    (5, "5"),
    ("text", "'text'"),
    ({"a": 1}, "{'a': 1}"),
]  # fmt: skip


@pytest.mark.parametrize(("sent", "expected"), FORMS, ids=lambda value: repr(value)[:30])
@pytest.mark.parametrize("method", ["array", "typed", "optional", "either", "tagged", "static", "klass"])
def test_a_parameter_gets_its_array(
    client: Client, annotated: wire.Object, method: str, sent: Any, expected: str
) -> None:
    for _ in range(2):
        assert client.call(annotated, method, sent) == f"[{expected}]"
        assert client.call(annotated, method, a=sent) == f"[{expected}]"


def test_integers_beside_floats_are_rounded_as_numpy_does(
    client: Client, probe: wire.Object, annotated: wire.Object
) -> None:
    exact = 2**53
    integers = [exact + 1, exact + 3, -exact - 1, 2**63 - 1, -(2**63), 2**62 + 2**9, 3 * 2**61 + 2**9, 7]
    numbers = [*integers, 0.5]
    numpys = client.call(probe, "evaluate", f"repr(np.asarray({numbers!r}).tolist())")
    for sent in (wire.Numbers(numbers), [wire.Vector("q", integers), wire.Vector("d", [0.5] * 8)]):
        (_, kind, found) = eval(client.call(annotated, "array", sent))[0]
        assert kind == "float64"
        assert repr(found if isinstance(sent, wire.Numbers) else [*found[0], 0.5]) == numpys


def test_only_the_parameters_that_want_it(client: Client, annotated: wire.Object) -> None:
    ones, array = wire.Vector("d", [1.0] * 16), f"('ndarray', 'float64', {[1.0] * 16})"
    assert client.call(annotated, "second", ones, ones, c=ones) == f"[{[1.0] * 16}, {array}, {array}]"
    assert client.call(annotated, "second", ones, b=ones) == f"[{[1.0] * 16}, {array}, None]"
    assert client.call(annotated, "rest", *[ones] * 6) == f"[{', '.join([array] * 6)}]"
    assert client.call(annotated, "several", ones) == f"[{[1.0] * 16}]"
    assert client.call(annotated, "odd", ones, ones) == f"[{[1.0] * 16}, {[1.0] * 16}]"


def test_a_constructor_gets_its_array(client: Client, annotated: wire.Object) -> None:
    made = client.new(annotated.class_id, wire.Vector("d", FLOATS))
    given = client.get(made, "given")
    assert isinstance(given, wire.Object)
    assert client.ask(wire.VALUES, given.id) == FLOATS


@pytest.mark.parametrize(
    "sent",
    [
        b"ab\xff",
        "ab",
        wire.Text(b"ab\xff"),
        wire.Segment(wire.BINARY, b"ab" * 50000),
        wire.Segment(wire.TEXT, b""),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_bytes_in_other_forms(client: Client, annotated: wire.Object, sent: Any) -> None:
    content = sent if isinstance(sent, bytes) else getattr(sent, "content", b"ab")
    assert client.call(annotated, "view", sent) == ["memoryview", content, True]
    assert client.call(annotated, "bytearray", sent) == ["bytearray", content + b"!"]


def test_an_array_is_the_functions_own(client: Client, annotated: wire.Object) -> None:
    for sent in (wire.Vector("q", [1] * 20), wire.Segment(wire.INTEGERS, wire.numbers("q", [1] * 20))):
        assert client.call(annotated, "writable", sent) == [True, True, 26]


def test_a_function_is_asked_by_its_code(client: Client, probe: wire.Object) -> None:
    function = client.call(
        probe,
        "evaluate",
        "(lambda: (exec('def f(a: np.ndarray): return type(a).__name__', globals()), f)[1])()",
    )
    for _ in range(2):
        assert client.call(function, "", wire.Vector("d", FLOATS)) == "ndarray"
    plain = client.call(probe, "evaluate", "lambda a: type(a).__name__")
    assert client.call(plain, "", wire.Vector("d", FLOATS)) == "list"
    for odd in ("str.upper", "len", "type('C', (), {'__call__': lambda self, a: a})()", "int"):
        callable_ = client.call(probe, "evaluate", f"[{odd}]")[0]
        assert client.call(callable_, "", "7") in ("7", 1, 7)


def test_a_segment_that_is_too_short_is_told(supervisor: Supervisor) -> None:
    client = supervisor.client(CLASSES)
    probe = client.new("Probe")
    client.call(probe, "execute", MAKE_ANNOTATED)
    annotated = client.call(client.get(probe, "value"), "")
    client.send(wire.CALL, annotated.id, "array", [wire.Segment(wire.FLOATS, bytes(80), 88)], {})
    assert client.receive()[0] == wire.FAILURE
    assert client.ends()
