"""JSON over HTTP/1.1 with connections that stay, by what Python brings along. Bytes are the body as they are."""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from objects import answer, main, method, ready


class Handler(BaseHTTPRequestHandler):
    """`POST /call` with a request, `POST /echo/NUMBER` with bytes."""

    protocol_version = "HTTP/1.1"
    # Headers and body are two packets, and the second shall not wait for the first one's acknowledgement.
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        """Answer one request."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path.startswith("/echo/"):
            kind, reply = "application/octet-stream", method(int(self.path[6:]), "echo")(body)
        else:
            kind, reply = "application/json", json.dumps(answer(json.loads(body))).encode()
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(reply)))
        self.end_headers()
        self.wfile.write(reply)

    def log_message(self, format: str, *arguments: object) -> None:
        """Log nothing."""


class Server(ThreadingHTTPServer):
    """Its threads end with it."""

    daemon_threads = True
    request_queue_size = 64


def serve(_: Path) -> None:
    """Serve on a port that is free."""
    with Server(("127.0.0.1", 0), Handler) as server:
        ready(f"http://127.0.0.1:{server.server_port}")
        server.serve_forever()


if __name__ == "__main__":
    main(serve)
