"""As much of a web server as FPM needs to serve a page: https://fastcgi-archives.github.io/FastCGI_Specification.html."""

import socket
import struct
from pathlib import Path

BEGIN_REQUEST, END_REQUEST, PARAMETERS, INPUT, OUTPUT, ERRORS = 1, 3, 4, 5, 6, 7
RESPONDER, KEEP_CONNECTION = 1, 1
PATIENCE_SECONDS = 60

HEADER = struct.Struct("!BBHHBx")
"""Version, type, request, bytes of content, bytes of padding."""


class FastCgiError(Exception):
    """The page was not what it should be."""


class Connection:
    """A connection that stays, and so belongs to one child of FPM."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(PATIENCE_SECONDS)
        self._socket.connect(str(path))
        self._received = bytearray()
        self._output = bytearray()
        self._errors = bytearray()

    def fileno(self) -> int:
        """For selectors."""
        return self._socket.fileno()

    def send(self, request: bytes) -> None:
        """Ask for a page."""
        self._socket.sendall(request)

    def receive(self) -> str | None:
        """Read what has come, waiting for something; the body of the page once it is there."""
        more = self._socket.recv(1 << 16)
        if not more:
            raise FastCgiError(f"the child of FPM is gone; it had said: {self._text(self._errors)}")
        self._received += more
        while len(self._received) >= HEADER.size:
            _, kind, _, content, padding = HEADER.unpack_from(self._received)
            end = HEADER.size + content
            if len(self._received) < end + padding:
                return None
            part = self._received[HEADER.size : end]
            del self._received[: end + padding]
            if kind == OUTPUT:
                self._output += part
            elif kind == ERRORS:
                self._errors += part
            elif kind == END_REQUEST:
                return self._page()
        return None

    def close(self) -> None:
        """Let the child go."""
        self._socket.close()

    def _page(self) -> str:
        head, _, body = self._text(self._output).partition("\r\n\r\n")
        errors = self._text(self._errors)
        self._output.clear()
        self._errors.clear()
        if errors or head.startswith("Status:"):
            raise FastCgiError(f"{head.splitlines()[0]} {errors} {body}".strip())
        return body

    @staticmethod
    def _text(data: bytearray) -> str:
        return data.decode(errors="replace")


def request(script: Path) -> bytes:
    """Return the bytes of a GET of a script."""
    parameters = {
        "SCRIPT_FILENAME": str(script),
        "SCRIPT_NAME": f"/{script.name}",
        "REQUEST_METHOD": "GET",
        "REQUEST_URI": f"/{script.name}",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "GATEWAY_INTERFACE": "CGI/1.1",
    }
    encoded = b"".join(
        struct.pack("!BB", len(name), len(value)) + name.encode() + value.encode()
        if len(value) < 128
        else struct.pack("!BI", len(name), len(value) | 0x80000000) + name.encode() + value.encode()
        for name, value in parameters.items()
    )
    begin = struct.pack("!HB5x", RESPONDER, KEEP_CONNECTION)
    return b"".join(
        HEADER.pack(1, kind, 1, len(content), 0) + content
        for kind, content in ((BEGIN_REQUEST, begin), (PARAMETERS, encoded), (PARAMETERS, b""), (INPUT, b""))
    )
