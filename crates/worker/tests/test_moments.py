"""Points and spans of time, and integers of any size: what Python has of them, and what PHP is sent."""

import random
import struct
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import wire
from conftest import CLASSES
from peers import Client, FailedError, Supervisor, lines
from test_protocol import array, told

LIMIT = 1 << 20
DAY = 86_400


@pytest.fixture
def times(client: Client, probe: wire.Object) -> wire.Object:
    """A probe that knows the names of `datetime`."""
    client.call(probe, "execute", "globals().update(vars(__import__('datetime')))")
    client.call(probe, "execute", "global ZoneInfo\nfrom zoneinfo import ZoneInfo")
    return probe


CLOCK = (2024, 2, 29, 23, 59, 58, 999_999)
CALL = "datetime(2024, 2, 29, 23, 59, 58, 999999"
NIGHT = (2024, 10, 27, 2, 30, 0, 0)
NIGHT_CALL = "datetime(2024, 10, 27, 2, 30"


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (f"{CALL})", wire.Moment(CLOCK)),
        (f"{CALL}, tzinfo=timezone.utc)", wire.Moment(CLOCK, 0, "UTC")),
        (f"{CALL}, tzinfo=timezone(timedelta(seconds=-1)))", wire.Moment(CLOCK, -1)),
        (f"{CALL}, tzinfo=timezone(timedelta(seconds={DAY - 1})))", wire.Moment(CLOCK, DAY - 1)),
        (f"{NIGHT_CALL}, tzinfo=ZoneInfo('Europe/Berlin'))", wire.Moment(NIGHT, 7200, "Europe/Berlin")),
        (
            f"{NIGHT_CALL}, tzinfo=ZoneInfo('Europe/Berlin'), fold=1)",
            wire.Moment(NIGHT, 3600, "Europe/Berlin"),
        ),
        ("datetime.min", wire.Moment((1, 1, 1, 0, 0, 0, 0))),
        ("datetime.max", wire.Moment((9999, 12, 31, 23, 59, 59, 999_999))),
        ("timedelta(microseconds=-1)", wire.Duration(-1, 999_999)),
        ("timedelta.min", wire.Duration(-999_999_999 * DAY, 0)),
        ("timedelta.max", wire.Duration(999_999_999 * DAY + DAY - 1, 999_999)),
    ],
)
def test_what_php_is_sent(client: Client, times: wire.Object, expression: str, expected: Any) -> None:
    assert client.call(times, "evaluate", expression) == expected
    assert client.call(times, "evaluate", f"[{{'in': ({expression},)}}]") == [{"in": [expected]}]
    # And it is the same when it comes back.
    assert (
        client.call(times, "show", expected)
        == f"(({client.call(times, 'evaluate', f'repr({expression})')},), {{}})"
    )


@pytest.mark.parametrize(
    ("tzinfo", "expected"),
    [
        # A zone from a file has any name; not all of them are names of the database.
        ("ZoneInfo.from_file(open(self.file, 'rb'), key='not a name')", wire.Moment(CLOCK, 3600)),
        ("ZoneInfo.from_file(open(self.file, 'rb'), key='ä')", wire.Moment(CLOCK, 3600)),
        ("ZoneInfo.from_file(open(self.file, 'rb'), key='x' * 129)", wire.Moment(CLOCK, 3600)),
        ("ZoneInfo.from_file(open(self.file, 'rb'))", wire.Moment(CLOCK, 3600)),
        ("timezone(timedelta(hours=1), 'mine')", wire.Moment(CLOCK, 3600)),
        ("timezone(timedelta(0), 'mine')", wire.Moment(CLOCK, 0)),
    ],
)
def test_a_name_that_is_none_stays(client: Client, times: wire.Object, tzinfo: str, expected: Any) -> None:
    client.call(
        times,
        "execute",
        lines(
            "import os, zoneinfo",
            "files = [f'{path}/Europe/Berlin' for path in zoneinfo.TZPATH]",
            "self.file = next(filter(os.path.exists, files))",
        ),
    )
    assert client.call(times, "evaluate", f"{CALL}, tzinfo={tzinfo})") == expected


@pytest.mark.parametrize(
    ("expression", "class_name"),
    [
        (f"{CALL}, tzinfo=timezone(timedelta(microseconds=1)))", "datetime"),
        (f"{CALL}, tzinfo=type('Broken', (tzinfo,), {{}})())", "datetime"),
        ("type('Own', (datetime,), {})(2024, 1, 1)", "Own"),
        ("type('Own', (timedelta,), {})(1)", "Own"),
        ("date(2024, 1, 1)", "date"),
        ("time(1, 2)", "time"),
        ("timezone.utc", "timezone"),
    ],
)
def test_what_the_wire_cannot_say_goes_by_reference(
    client: Client, times: wire.Object, expression: str, class_name: str
) -> None:
    answer = client.call(times, "evaluate", f"[{expression}]")[0]
    assert isinstance(answer, wire.Object)
    assert client.describe(answer.class_id).fields["qualified_name"] == class_name
    client.call(times, "execute", f"self.value = {expression}")
    assert isinstance(client.get(times, "value"), wire.Object)


BERLIN = "tzinfo=zoneinfo.ZoneInfo(key='Europe/Berlin')"
ONE_HOUR = "tzinfo=datetime.timezone(datetime.timedelta(seconds=3600))"


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (wire.Moment(NIGHT, 7200, "Europe/Berlin"), f"2024, 10, 27, 2, 30, {BERLIN}"),
        (wire.Moment(NIGHT, 3600, "Europe/Berlin"), f"2024, 10, 27, 2, 30, fold=1, {BERLIN}"),
        # At half past two in the night in which it is skipped.
        (wire.Moment((2024, 3, 31, 2, 30, 0, 0), 3600, "Europe/Berlin"), f"2024, 3, 31, 2, 30, {BERLIN}"),
        (wire.Moment((2024, 7, 1, 0, 0, 0, 0), 3600, "Europe/Berlin"), f"2024, 7, 1, 0, 0, {ONE_HOUR}"),
        (wire.Moment((2024, 7, 1, 0, 0, 0, 0), 3600, "Nowhere/Town"), f"2024, 7, 1, 0, 0, {ONE_HOUR}"),
        (wire.Moment((2024, 7, 1, 0, 0, 0, 0), 3600, "../../../etc/passwd"), f"2024, 7, 1, 0, 0, {ONE_HOUR}"),
        (wire.Moment((2024, 7, 1, 0, 0, 0, 0), 3600, "Europe"), f"2024, 7, 1, 0, 0, {ONE_HOUR}"),
        (wire.Moment((2024, 7, 1, 0, 0, 0, 0), 0), "2024, 7, 1, 0, 0, tzinfo=datetime.timezone.utc"),
        (wire.Moment((2024, 7, 1, 0, 0, 0, 0), 0, "UTC"), "2024, 7, 1, 0, 0, tzinfo=datetime.timezone.utc"),
        (wire.Moment((2024, 7, 1, 0, 0, 0, 7)), "2024, 7, 1, 0, 0, 0, 7"),
    ],
)
def test_the_zone_is_kept_where_it_has_that_offset(
    client: Client, probe: wire.Object, sent: wire.Moment, expected: str
) -> None:
    assert client.call(probe, "show", sent) == f"((datetime.datetime({expected}),), {{}})"


def test_all_moments_spans_and_integers_come_back(client: Client, probe: wire.Object) -> None:
    client.takes_big_integers = True
    source = random.Random(4)
    for _ in range(300):
        instant = datetime(1, 1, 3, tzinfo=UTC) + timedelta(
            seconds=source.randrange(3_652_050 * DAY), microseconds=source.randrange(10**6)
        )
        clock = (*instant.timetuple()[:6], instant.microsecond)
        offset = source.choice([None, source.randrange(1 - DAY, DAY)])
        zone = "UTC" if offset == 0 else ""
        number = source.choice([-1, 1]) * (2**64 + source.getrandbits(source.randrange(1, 5000)))
        span = wire.Duration(source.randrange(-999_999_999, 999_999_999) * DAY, source.randrange(10**6))
        value = [wire.Moment(clock, offset, zone), span, wire.BigInteger(number)]
        client.set(probe, "value", value)
        assert client.get(probe, "value") == value


@pytest.mark.parametrize("number", [0, -1, 255, 2**63 - 1, -(2**63)])
def test_a_small_integer_in_the_long_form_is_an_integer(
    client: Client, probe: wire.Object, number: int
) -> None:
    assert client.call(probe, "show", wire.BigInteger(number)) == f"(({number},), {{}})"
    padded = wire.Raw(wire.extension(8, bytes([number < 0]) + bytes(9) + abs(number).to_bytes(8, "big")))
    assert client.call(probe, "show", padded) == f"(({number},), {{}})"
    assert client.call(probe, "show", wire.Raw(wire.extension(8, b"\x01\x00"))) == "((0,), {})"


EDGES = [2**63, -(2**63) - 1, 2**64 - 1, 2**64, -(2**64), 3**5000, -(3**5000)]


@pytest.mark.parametrize("number", EDGES, ids=lambda number: f"{number.bit_length()} bits")
def test_the_client_says_whether_it_takes_large_integers(
    client: Client, probe: wire.Object, number: int
) -> None:
    client.call(probe, "execute", f"self.value = {{'n': [{number:#x}]}}")
    for takes in (False, True, False):
        client.takes_big_integers = takes
        [found] = client.get(probe, "value")["n"]
        if takes:
            assert found == wire.BigInteger(number)
        else:
            assert isinstance(found, wire.Object)
            assert client.call(probe, "show", found) == f"(({number},), {{}})"


def test_the_flag_stands_beside_releases(client: Client, probe: wire.Object) -> None:
    counted = client.call(probe, "counted", "a")
    client.takes_big_integers = True
    client.release(counted)
    assert client.call(probe, "evaluate", "2**64") == wire.BigInteger(2**64)
    assert client.call(probe, "alive") == []


def test_a_child_of_int_and_an_odd_key_go_by_reference(client: Client, probe: wire.Object) -> None:
    client.takes_big_integers = True
    for expression in ("type('Own', (int,), {})(2**64)", "{2**64: 1}"):
        assert isinstance(client.call(probe, "evaluate", f"[{expression}]")[0], wire.Object)


def test_an_integer_at_the_limit_passes_and_a_larger_one_stays(client: Client, probe: wire.Object) -> None:
    client.takes_big_integers = True
    largest = 2 ** (8 * LIMIT) - 1
    for number in (largest, -largest):
        client.set(probe, "value", wire.BigInteger(number))
        assert client.get(probe, "value") == wire.BigInteger(number)
    assert client.call(probe, "evaluate", f"self.value == -(2**{8 * LIMIT} - 1)") is True
    assert isinstance(client.call(probe, "evaluate", f"2**{8 * LIMIT}"), wire.Object)


def _clock(*changed: int, behind: bytes = b"") -> bytes:
    return wire.extension(9, struct.pack(">H5BI", *changed) + behind)


NO_MOMENT = "no calendar and no clock shows such a moment"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (wire.extension(8, b""), "a big integer has no digits"),
        (wire.extension(8, b"\0"), "a big integer has no digits"),
        (wire.extension(8, b"\2\1"), "a sign that is neither 0 nor 1"),
        (wire.extension(8, bytes(LIMIT + 2)), f"a big integer is over the limit of {LIMIT}"),
        (b"\xc9\xff\xff\xff\xff\x08", "a big integer is over the limit"),
        (wire.extension(9, b""), NO_MOMENT),
        (_clock(*CLOCK)[:-1] + b"", "the payload ends inside a value"),
        (_clock(0, *CLOCK[1:]), NO_MOMENT),
        (_clock(10_000, *CLOCK[1:]), NO_MOMENT),
        (_clock(2024, 0, *CLOCK[2:]), NO_MOMENT),
        (_clock(2024, 13, *CLOCK[2:]), NO_MOMENT),
        (_clock(2024, 2, 0, *CLOCK[3:]), NO_MOMENT),
        (_clock(2024, 2, 30, *CLOCK[3:]), NO_MOMENT),
        (_clock(1900, 2, 29, *CLOCK[3:]), NO_MOMENT),
        (_clock(2024, 4, 31, *CLOCK[3:]), NO_MOMENT),
        (_clock(2024, 1, 1, 24, 0, 0, 0), NO_MOMENT),
        (_clock(2024, 1, 1, 0, 60, 0, 0), NO_MOMENT),
        (_clock(2024, 1, 1, 0, 0, 60, 0), NO_MOMENT),
        (_clock(2024, 1, 1, 0, 0, 0, 1_000_000), NO_MOMENT),
        (_clock(*CLOCK, behind=b"\0"), NO_MOMENT),
        (_clock(*CLOCK, behind=struct.pack(">i", DAY)), NO_MOMENT),
        (_clock(*CLOCK, behind=struct.pack(">i", -DAY)), NO_MOMENT),
        (_clock(*CLOCK, behind=bytes(4) + b"a b"), NO_MOMENT),
        (_clock(*CLOCK, behind=bytes(4) + b"\xff"), NO_MOMENT),
        (_clock(*CLOCK, behind=bytes(4) + b"x" * 129), NO_MOMENT),
        (wire.pack(wire.Duration(0, 1_000_000)), "the microseconds of a duration are less than a second"),
        (wire.extension(10, bytes(11)), "there is no value of type 0x0a"),
        (wire.extension(10, bytes(13)), "there is no value of type 0x0a"),
    ],
    ids=lambda value: repr(value)[:40],
)  # fmt: skip
def test_what_is_malformed_is_told(supervisor: Supervisor, value: bytes, message: str) -> None:
    client = supervisor.client(CLASSES)
    client.new("Probe")
    cut = b"" if "ends inside" in message else b"\x80"
    call = client.send(wire.CALL, raw=array(1, "show") + b"\x91" + value + cut)
    assert message in told(client, call)
    assert supervisor.status_of(client.session) == 0


@pytest.mark.parametrize("seconds", [2**63 - 1, -(2**63), 10**9 * DAY, -(10**9) * DAY])
def test_a_span_that_python_cannot_hold_is_named_with_its_place(
    client: Client, probe: wire.Object, seconds: int
) -> None:
    spans = {"spans": [wire.Duration(0, 0), wire.Duration(seconds, 0)]}
    # What stands behind it in the request is passed over.
    segment = wire.Segment(wire.BINARY, b"x" * 100_000)
    with pytest.raises(FailedError) as caught:
        client.call(probe, "show", spans, segment, k=segment)
    assert (caught.value.category, caught.value.ran) == ("conversion", False)
    assert caught.value.message.startswith('args[0]["spans"][1]: no timedelta: ')
    assert client.call(probe, "show") == "((), {})"
