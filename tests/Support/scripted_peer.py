"""A sidecar that does what it is told, whoever connects.

    scripted_peer.py SOCKET

Standard input holds one JSON list: for each connection a list of steps, of which the last connection's serve all
later ones too. A step is what to send, in hexadecimal, after one whole frame has come; "" sends nothing; null closes
the connection at once. After the last step the peer waits until the client leaves. Each frame that comes is printed:
kind, call and payload, in hexadecimal.
"""

import json
import socket
import struct
import sys

HEADER = struct.Struct(">IBBHQQQ")


def exactly(stream: socket.socket, count: int) -> bytes | None:
    """So many bytes; None if the client has left."""
    received = b""
    while len(received) < count:
        chunk = stream.recv(count - len(received))
        if not chunk:
            return None
        received += chunk
    return received


def read_frame(stream: socket.socket) -> bool:
    head = exactly(stream, HEADER.size)
    if head is None:
        return False
    length, kind, _, _, call, _, _ = HEADER.unpack(head)
    payload = exactly(stream, length)
    if payload is None:
        return False
    print(f"{kind:02x} {call} {payload.hex()}", flush=True)
    return True


def serve(stream: socket.socket, steps: list[str | None]) -> None:
    for step in steps:
        if step is None:
            return
        if not read_frame(stream):
            return
        stream.sendall(bytes.fromhex(step))
    while read_frame(stream):
        pass


def main(path: str) -> None:
    connections: list[list[str | None]] = json.loads(sys.stdin.readline())
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        print("listening", flush=True)
        number = 0
        while True:
            stream, _ = listener.accept()
            with stream:
                try:
                    serve(stream, connections[min(number, len(connections) - 1)])
                except OSError as error:
                    print(f"left: {error}", flush=True)
            print("closed", flush=True)
            number += 1


if __name__ == "__main__":
    main(sys.argv[1])
