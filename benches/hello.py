"""A client that says hello and hears the welcome: docs/protocol.md."""

import os
import socket
import struct
import time

import msgpack

HEADER = struct.Struct("!IBBHQQII")
"""Bytes of payload, kind, flags, CPU, call, parent call, thread, bytes of segments."""

HELLO, WELCOME = 0x01, 0x02

WIRE_VERSION = 1

PATIENCE_SECONDS = 30.0


def seconds_to_welcome(address: str, product: str, roots: list[str]) -> float:
    """Connect, and say how long it took until the session welcomed us.

    Raises ConnectionError with what came instead.
    """
    said = {"product": product, "process": os.getpid(), "roots": roots, "modules": []}
    payload = b"TORTOISE" + struct.pack("!H", WIRE_VERSION) + msgpack.packb(said)
    frame = HEADER.pack(len(payload), HELLO, 0, 0, 0, 0, 0, 0) + payload
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(PATIENCE_SECONDS)
        begin = time.perf_counter()
        client.connect(address.removeprefix("unix://"))
        client.sendall(frame)
        answer = client.recv(1 << 16)
        took = time.perf_counter() - begin
    if len(answer) < HEADER.size or HEADER.unpack_from(answer)[1] != WELCOME:
        raise ConnectionError(f"no welcome, but {answer!r}")
    return took
