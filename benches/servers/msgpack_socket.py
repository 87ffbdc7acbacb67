"""A thread for each connection, four bytes of length and then MessagePack, over a Unix socket."""

import socket
from pathlib import Path

import msgpack
from objects import answer, main, ready
from stream import receive
from stream import serve as serve_connections


def serve_connection(connection: socket.socket) -> None:
    """Answer the requests of a client until it leaves."""
    while length := receive(connection, 4):
        reply = msgpack.packb(answer(msgpack.unpackb(receive(connection, int.from_bytes(length, "big")))))
        connection.sendall(len(reply).to_bytes(4, "big") + reply)


def serve(folder: Path) -> None:
    """Serve on a socket in the folder."""
    path = folder / "msgpack.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen(64)
        ready(f"unix://{path}")
        serve_connections(listener, serve_connection)


if __name__ == "__main__":
    main(serve)
