"""The wire of the client, written anew from its drawn layouts: nothing of the worker's code is used."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

HEADER = struct.Struct(">IBBHQQII")

WELCOME, REFUSAL = 0x02, 0x03
DESCRIBE, CONSTRUCT, CALL, GET, SET, HAS, DELETE, ROOTS, ITERATE, NEXT, VALUES = range(0x10, 0x1B)
OPERATE, RELEASE, END_REQUEST = 0x1B, 0x1E, 0x1F
IMPORT, SCRIPT, ENTER, EXIT, EXTEND, HALVE, INITIALIZE, CALL_FROM, LET_GO = range(0x20, 0x29)
CANCEL, HOLD = 0x29, 0x2A
RETURNED, THREW = 0x30, 0x31
VALUE, FAILURE, DESCRIBED, RETIRED = 0x40, 0x41, 0x42, 0x43
PHP_CALL, PHP_GET, PHP_SET, PHP_HAS, PHP_DELETE, PHP_OPERATE, PHP_FUNCTION, PHP_CLASS = range(0x50, 0x58)
PHP_CALL_OWN, PHP_GET_OWN, PHP_SET_OWN, PHP_HALVE = range(0x58, 0x5C)
LENGTH, GET_ITEM, SET_ITEM, APPEND, HAS_ITEM, DELETE_ITEM, TEXT_OF, BEGIN, FURTHER, EQUAL = range(10)

FLAG_RELEASES, FLAG_BIG_INTEGERS, FLAG_ASYNC = 1, 2, 4
CALLABLE = 1

# Traits of PHP objects.
PHP_TRAITS = ("callable", "countable", "array", "traversable", "stringable", "throwable", "closure", "call")

TEXT, BINARY, FLOATS, INTEGERS = range(4)


@dataclass(frozen=True)
class Object:
    """An object that the session handed out."""

    id: int
    class_id: int
    traits: int


@dataclass(frozen=True)
class Handle:
    """An object that the client hands back."""

    id: int


@dataclass(frozen=True)
class PhpObject:
    """A PHP object that the client hands out, with the description of its class where that is new."""

    id: int
    class_id: int = 1
    traits: int = 0
    description: bytes = b""


@dataclass(frozen=True)
class PhpHandle:
    """A PHP object that the session hands back."""

    id: int


@dataclass(frozen=True)
class Raw:
    """Bytes that stand for themselves, right or wrong."""

    encoded: bytes


@dataclass(frozen=True)
class Text:
    """A text of any bytes, as PHP's strings are."""

    content: bytes


@dataclass(frozen=True)
class Vector:
    """A typed vector, of the format that `struct` has for its elements: `d` or `q`."""

    form: str
    numbers: Sequence[float]


@dataclass(frozen=True)
class Numbers:
    """A typed vector of floats and integers."""

    numbers: Sequence[float]


@dataclass(frozen=True)
class SameKeys:
    """A map with the keys of the one before it."""

    values: Sequence[Any]


@dataclass(frozen=True)
class Segment:
    """Bulk that follows the payload, and how many bytes of it the payload announces."""

    kind: int
    content: bytes
    announced: int | None = None


@dataclass(frozen=True)
class BigInteger:
    """An integer as its sign and its bytes."""

    number: int


@dataclass(frozen=True)
class Moment:
    """What a clock shows, from the year to the microsecond, and where it hangs."""

    clock: tuple[int, int, int, int, int, int, int]
    offset: int | None = None
    zone: str = ""


@dataclass(frozen=True)
class Duration:
    """A span of time."""

    seconds: int
    microseconds: int


def extension(kind: int, content: bytes) -> bytes:
    """A value of an extension, whatever it may hold."""
    return b"\xc9" + struct.pack(">IB", len(content), kind) + content


def numbers(form: str, values: Sequence[float]) -> bytes:
    """The elements of a typed vector."""
    return struct.pack(f"<{len(values)}{form}", *values)


def mixed(values: Sequence[float]) -> bytes:
    """The elements of a typed vector of floats and integers, with their bits."""
    bits = sum(1 << place for place, value in enumerate(values) if isinstance(value, int))
    content = b"".join(struct.pack("<q" if isinstance(value, int) else "<d", value) for value in values)
    return content + bits.to_bytes((len(values) + 7) // 8, "little")


def pack(value: Any, bulk: list[bytes] | None = None) -> bytes:
    """A value as MessagePack. The contents of its segments go to `bulk`."""
    match value:
        case None:
            return b"\xc0"
        case bool():
            return b"\xc3" if value else b"\xc2"
        case int() if value > 2**63 - 1:
            return b"\xcf" + struct.pack(">Q", value)
        case int():
            return bytes([value]) if 0 <= value < 128 else b"\xd3" + struct.pack(">q", value)
        case float():
            return b"\xcb" + struct.pack(">d", value)
        case str():
            return pack(Text(value.encode()))
        case Text():
            return b"\xdb" + struct.pack(">I", len(value.content)) + value.content
        case bytes():
            return b"\xc6" + struct.pack(">I", len(value)) + value
        case list() | tuple():
            return (
                b"\xdd" + struct.pack(">I", len(value)) + b"".join(pack(element, bulk) for element in value)
            )
        case dict():
            pairs = b"".join(pack(key) + pack(element, bulk) for key, element in value.items())
            return b"\xdf" + struct.pack(">I", len(value)) + pairs
        case Object() | Handle():
            return b"\xd7\x02" + struct.pack(">Q", value.id)
        case PhpObject():
            content = struct.pack(">QIB", value.id, value.class_id, value.traits) + value.description
            return b"\xc9" + struct.pack(">IB", len(content), 11) + content
        case Raw():
            return value.encoded
        case Vector():
            content = numbers(value.form, value.numbers)
            return b"\xc9" + struct.pack(">IB", len(content), {"d": 4, "q": 5}[value.form]) + content
        case Numbers():
            content = mixed(value.numbers)
            return b"\xc9" + struct.pack(">IB", len(content), 7) + content
        case SameKeys():
            count = bytes([len(value.values)])
            return b"\xd4\x06" + count + b"".join(pack(element, bulk) for element in value.values)
        case Segment():
            if bulk is not None:
                bulk.append(value.content)
            announced = len(value.content) if value.announced is None else value.announced
            return b"\xc7\x05\x03" + struct.pack(">BI", value.kind, announced)
        case BigInteger():
            magnitude = abs(value.number).to_bytes(max(1, (value.number.bit_length() + 7) // 8), "big")
            return extension(8, bytes([value.number < 0]) + magnitude)
        case Moment():
            offset = b"" if value.offset is None else struct.pack(">i", value.offset)
            return extension(9, struct.pack(">H5BI", *value.clock) + offset + value.zone.encode())
        case Duration():
            return extension(10, struct.pack(">qI", value.seconds, value.microseconds))
    raise TypeError(type(value))


CONSTANTS = {0xC0: None, 0xC2: False, 0xC3: True}
NUMBERS = {0xCB: "d", 0xCC: "B", 0xCD: "H", 0xCE: "I", 0xCF: "Q", 0xD0: "b", 0xD1: "h", 0xD2: "i", 0xD3: "q"}
LENGTHS = {
    tag: form for first in (0xC4, 0xD9) for tag, form in zip(range(first, first + 3), "BHI", strict=True)
}
LENGTHS |= {0xDC: "H", 0xDD: "I", 0xDE: "H", 0xDF: "I"}


def unpack(data: bytes, bulk: bytes = b"") -> list[Any]:
    """All values of a payload, one behind the other. Its segments are in `bulk`."""
    unpacker = _Unpacker(data, bulk)
    values = []
    while unpacker.data:
        values.append(unpacker.value())
    assert not unpacker.bulk, f"{len(unpacker.bulk)} bytes of segments that nothing announced"
    return values


def unpack_first(data: bytes) -> tuple[Any, bytes]:
    """The first value of a payload, and what stands behind it."""
    unpacker = _Unpacker(data, b"")
    return unpacker.value(), bytes(unpacker.data)


def unmixed(content: bytes) -> list[float]:
    """The numbers of a typed vector of floats and integers."""
    count = next(count for count in range(len(content) + 1) if 8 * count + (count + 7) // 8 == len(content))
    bits = int.from_bytes(content[8 * count :], "little")
    assert bits >> count == 0, "bits behind the last number"
    forms = ("<q" if bits >> place & 1 else "<d" for place in range(count))
    return [struct.unpack_from(form, content, 8 * place)[0] for place, form in enumerate(forms)]


class _Unpacker:
    def __init__(self, data: bytes, bulk: bytes) -> None:
        self.data = memoryview(data)
        self.bulk = memoryview(bulk)

    def take(self, count: int) -> bytes:
        assert count <= len(self.data), f"{count} bytes where {len(self.data)} are left"
        taken, self.data = bytes(self.data[:count]), self.data[count:]
        return taken

    def number(self, form: str) -> Any:
        return struct.unpack(">" + form, self.take(struct.calcsize(">" + form)))[0]

    def value(self) -> Any:
        tag = self.number("B")
        if tag < 0x80:
            return tag
        if tag < 0x90:
            return self.map(tag & 0x0F)
        if tag < 0xA0:
            return self.array(tag & 0x0F)
        if tag < 0xC0:
            return self.take(tag & 0x1F).decode()
        if tag >= 0xE0:
            return tag - 256
        if tag in CONSTANTS:
            return CONSTANTS[tag]
        if tag in NUMBERS:
            return self.number(NUMBERS[tag])
        if tag == 0xD7:
            return self.extension(8)
        if tag == 0xC7:
            return self.extension(self.number("B"))
        if tag == 0xC9:
            return self.extension(self.number("I"))
        length = self.number(LENGTHS[tag])
        if tag in (0xC4, 0xC5, 0xC6):
            return self.take(length)
        if tag in (0xD9, 0xDA, 0xDB):
            return self.take(length).decode()
        return self.array(length) if tag in (0xDC, 0xDD) else self.map(length)

    def extension(self, length: int) -> Any:
        kind, content = self.number("B"), self.take(length)
        match kind, length:
            case 1, 17:
                return Object(*struct.unpack(">QQB", content))
            case 3, 5:
                return self.segment(*struct.unpack(">BI", content))
            case ((4 | 5), _):
                return list(struct.unpack(f"<{length // 8}{'dq'[kind - 4]}", content))
            case 7, _:
                return unmixed(content)
            case 8, _:
                assert content[0] in (0, 1), "a sign that is none"
                assert content[1], "a magnitude that begins with nothing"
                number = int.from_bytes(content[1:], "big")
                return BigInteger(-number if content[0] else number)
            case 9, _:
                year, month, day, hour, minute, second, microsecond = struct.unpack(">H5BI", content[:11])
                offset = struct.unpack(">i", content[11:15])[0] if length > 11 else None
                clock = (year, month, day, hour, minute, second, microsecond)
                return Moment(clock, offset, content[15:].decode("ascii"))
            case 10, 12:
                return Duration(*struct.unpack(">qI", content))
            case 12, 8:
                return PhpHandle(*struct.unpack(">Q", content))
        raise AssertionError(f"extension {kind} of {length} bytes")

    def segment(self, kind: int, length: int) -> Any:
        assert length <= len(self.bulk), f"a segment of {length} bytes where {len(self.bulk)} are left"
        content, self.bulk = bytes(self.bulk[:length]), self.bulk[length:]
        if kind in (TEXT, BINARY):
            return content.decode() if kind == TEXT else content
        return list(struct.unpack(f"<{length // 8}{'dq'[kind - FLOATS]}", content))

    def array(self, count: int) -> list[Any]:
        values: list[Any] = []
        keys: list[Any] = []
        for _ in range(count):
            if self.data[:2] == b"\xd4\x06":
                assert self.take(3)[2] == len(keys), "another number of keys"
                values.append({key: self.value() for key in keys})
                continue
            values.append(self.value())
            if isinstance(values[-1], dict):
                keys = list(values[-1])
        return values

    def map(self, count: int) -> dict[Any, Any]:
        pairs = [(self.value(), self.value()) for _ in range(count)]
        assert len(dict(pairs)) == count, "one key twice"
        return dict(pairs)
