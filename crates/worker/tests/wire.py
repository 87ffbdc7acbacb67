"""The wire of the client, written anew from its drawn layouts: nothing of the worker's code is used."""

import struct
from dataclasses import dataclass
from typing import Any

HEADER = struct.Struct(">IBBHQQQ")

WELCOME, REFUSAL = 0x02, 0x03
DESCRIBE, CONSTRUCT, CALL, GET, SET, HAS, DELETE, ROOTS, RELEASE, END_REQUEST = *range(0x10, 0x18), 0x1E, 0x1F
VALUE, FAILURE, DESCRIBED = 0x40, 0x41, 0x42

FLAG_RELEASES = 1
CALLABLE = 1


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
class Raw:
    """Bytes that stand for themselves, right or wrong."""

    encoded: bytes


@dataclass(frozen=True)
class Text:
    """A text of any bytes, as PHP's strings are."""

    content: bytes


def pack(value: Any) -> bytes:
    """A value as MessagePack."""
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
            return b"\xdd" + struct.pack(">I", len(value)) + b"".join(map(pack, value))
        case dict():
            pairs = b"".join(pack(key) + pack(element) for key, element in value.items())
            return b"\xdf" + struct.pack(">I", len(value)) + pairs
        case Object() | Handle():
            return b"\xd7\x02" + struct.pack(">Q", value.id)
        case Raw():
            return value.encoded
    raise TypeError(type(value))


def unpack(data: bytes) -> list[Any]:
    """All values of a payload, one behind the other."""
    values, at = [], 0
    while at < len(data):
        value, at = _value(data, at)
        values.append(value)
    return values


def _value(data: bytes, at: int) -> tuple[Any, int]:
    tag, at = data[at], at + 1
    if tag < 0x80:
        return tag, at
    if tag < 0x90:
        return _map(data, at, tag & 0x0F)
    if tag < 0xA0:
        return _array(data, at, tag & 0x0F)
    if tag < 0xC0:
        return data[at : at + (tag & 0x1F)].decode(), at + (tag & 0x1F)
    if tag >= 0xE0:
        return tag - 256, at
    constants = {0xC0: None, 0xC2: False, 0xC3: True}
    if tag in constants:
        return constants[tag], at
    numbers = {
        0xCB: ">d",
        0xCC: ">B",
        0xCD: ">H",
        0xCE: ">I",
        0xCF: ">Q",
        0xD0: ">b",
        0xD1: ">h",
        0xD2: ">i",
        0xD3: ">q",
    }
    if tag in numbers:
        form = struct.Struct(numbers[tag])
        return form.unpack_from(data, at)[0], at + form.size
    if data[at - 1 : at + 2] == b"\xc7\x11\x01":
        return Object(*struct.unpack_from(">QQB", data, at + 2)), at + 19
    lengths = {
        0xC4: "B",
        0xC5: "H",
        0xC6: "I",
        0xD9: "B",
        0xDA: "H",
        0xDB: "I",
        0xDC: "H",
        0xDD: "I",
        0xDE: "H",
        0xDF: "I",
    }
    form = struct.Struct(">" + lengths[tag])
    length, at = form.unpack_from(data, at)[0], at + form.size
    if tag in (0xC4, 0xC5, 0xC6):
        return data[at : at + length], at + length
    if tag in (0xD9, 0xDA, 0xDB):
        return data[at : at + length].decode(), at + length
    return _array(data, at, length) if tag in (0xDC, 0xDD) else _map(data, at, length)


def _array(data: bytes, at: int, count: int) -> tuple[list[Any], int]:
    values = []
    for _ in range(count):
        value, at = _value(data, at)
        values.append(value)
    return values, at


def _map(data: bytes, at: int, count: int) -> tuple[dict[Any, Any], int]:
    flat, at = _array(data, at, 2 * count)
    return dict(zip(flat[::2], flat[1::2], strict=True)), at
