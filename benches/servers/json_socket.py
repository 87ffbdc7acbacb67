"""What people write by hand: a thread for each connection, eight digits of length and then JSON, over TCP."""

import json
import socket
from pathlib import Path

from objects import answer, main, ready
from stream import receive
from stream import serve as serve_connections


def serve_connection(connection: socket.socket) -> None:
    """Answer the requests of a client until it leaves."""
    while length := receive(connection, 8):
        reply = json.dumps(answer(json.loads(receive(connection, int(length))))).encode()
        connection.sendall(b"%08d" % len(reply) + reply)


def serve(_: Path) -> None:
    """Serve on a port that is free."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        ready(f"tcp://127.0.0.1:{listener.getsockname()[1]}")
        serve_connections(listener, serve_connection)


if __name__ == "__main__":
    main(serve)
