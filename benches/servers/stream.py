"""A server with a thread for each connection, for the servers that send a length and then a message."""

import socket
import threading
from collections.abc import Callable


def serve(listener: socket.socket, serve_connection: Callable[[socket.socket], None]) -> None:
    """Accept connections for ever."""

    def run(connection: socket.socket) -> None:
        with connection:
            serve_connection(connection)

    while True:
        threading.Thread(target=run, args=(listener.accept()[0],), daemon=True).start()


def receive(connection: socket.socket, count: int) -> bytes | bytearray:
    """Return so many bytes, or none if the client is gone."""
    first = connection.recv(count)
    if not first or len(first) == count:
        return first
    message = bytearray(count)
    done = len(first)
    message[:done] = first
    view = memoryview(message)
    while done < count:
        more = connection.recv_into(view[done:])
        if not more:
            return b""
        done += more
    return message
