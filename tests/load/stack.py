"""What serves the page: the sidecar, PHP-FPM and nginx, in one temporary folder, on a port that anybody may open."""

import http.client
import os
import re
import shutil
import socket
import subprocess
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from benches.processes import Server, Unavailable, environment

FOLDER = Path(__file__).parent

NGINX = """\
daemon off;
pid {folder}/nginx.pid;
error_log stderr notice;
{user}
worker_processes 1;
events {{ worker_connections 1024; }}
http {{
    # Whatever is not 200. A 499 is a page that the client did not wait for.
    map $status $is_bad {{ 200 0; default 1; }}
    log_format brief '$status $request_time $request_uri';
    access_log {folder}/bad.log brief if=$is_bad;
    client_body_temp_path {folder}/body;
    fastcgi_temp_path {folder}/fastcgi;
    proxy_temp_path {folder}/proxy;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    keepalive_requests 1000000000;
    server {{
        listen 127.0.0.1:{port};
        location = /page.php {{
            fastcgi_pass unix:{folder}/fpm.sock;
            # Nothing is tried again: a failure stays one.
            fastcgi_next_upstream off;
            fastcgi_read_timeout 60s;
            fastcgi_param SCRIPT_FILENAME {page};
            fastcgi_param REQUEST_METHOD $request_method;
            fastcgi_param QUERY_STRING $query_string;
        }}
        location = /status {{ stub_status; access_log off; }}
    }}
}}
"""

FPM = """\
[global]
daemonize = no
error_log = /proc/self/fd/2
[load]
listen = {folder}/fpm.sock
pm = static
pm.max_children = {children}
catch_workers_output = yes
{user}
"""

SIDECAR = """\
path = ["{classes}"]
python = "{python}"
[[listen]]
address = "unix://{folder}/tortoise.sock"
"""

CLIENT_LEFT = 499
"""nginx's status of a page that the client did not wait for."""

EDITION = re.compile(r"^EDITION = .*$", re.MULTILINE)


@dataclass(frozen=True)
class Programs:
    """What runs."""

    php_fpm: str
    nginx: str
    wrk: str
    python: str
    dist: Path
    """The folder with Tortoise, as `make build` fills it."""


class Stack:
    """Sidecar, FPM and nginx. Whoever made them ends them: see family.py."""

    def __init__(self, programs: Programs, children: int, folder: Path) -> None:
        self._folder = folder
        self._binary = programs.dist.resolve() / "bin" / "tortoise"
        self._settings = folder / "tortoise.toml"
        self._classes = folder / "classes"
        self._class_file = self._classes / "Load" / "Basket.py"
        self._first = 0.0
        self.edition = 0
        """The edition of the class file that was written last."""
        shutil.copytree(FOLDER / "classes", self._classes, ignore=shutil.ignore_patterns("__pycache__"))
        self._first = self._class_file.stat().st_mtime
        self._sidecar = self._start_sidecar(programs)
        self._fpm = self._start_fpm(programs, children)
        self.port = _free_port()
        self._nginx = self._start_nginx(programs)

    def _start_sidecar(self, programs: Programs) -> Server:
        self._settings.write_text(
            SIDECAR.format(classes=self._classes, python=programs.python, folder=self._folder), "utf-8"
        )
        return Server(
            [str(self._binary), "serve", "--config", str(self._settings)], "ready: listening", log=self.log("sidecar")
        )

    def _start_fpm(self, programs: Programs, children: int) -> Server:
        file = self._folder / "fpm.conf"
        user = f"user = {os.getuid()}\ngroup = {os.getgid()}" if os.geteuid() == 0 else ""
        file.write_text(FPM.format(folder=self._folder, children=children, user=user), "utf-8")
        command = [programs.php_fpm, "-n", "--fpm-config", str(file)]
        if os.geteuid() == 0:
            command.append("--allow-to-run-as-root")
        settings = (
            "zend_extension=opcache",
            f"extension={programs.dist.resolve() / 'tortoise.so'}",
            f"tortoise.server=unix://{self._folder}/tortoise.sock",
            f"tortoise.path={self._classes}",
        )
        for setting in settings:
            command += ["-d", setting]
        return Server(command, "ready to handle connections", log=self.log("fpm"))

    def _start_nginx(self, programs: Programs) -> Server:
        file = self._folder / "nginx.conf"
        user = "user root;" if os.geteuid() == 0 else ""
        file.write_text(NGINX.format(folder=self._folder, port=self.port, page=FOLDER / "page.php", user=user), "utf-8")
        command = [programs.nginx, "-p", str(self._folder), "-c", str(file), "-e", "stderr"]
        return Server(command, "start worker process ", log=self.log("nginx"))

    def log(self, name: str) -> Path:
        """Where the sidecar, fpm or nginx logs to."""
        return self._folder / f"{name}.log"

    @property
    def address(self) -> str:
        """The page's server, for a load tool."""
        return f"http://127.0.0.1:{self.port}"

    def page(self) -> str:
        """Ask for the page once."""
        return self._get("/page.php")

    def requests(self) -> int:
        """How many requests nginx has read so far, this one included."""
        return int(self._get("/status").split()[9])

    def _get(self, path: str) -> str:
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)) as connection:
            connection.request("GET", path)
            return connection.getresponse().read().decode(errors="replace")

    def bad(self) -> list[tuple[int, float]]:
        """Status and seconds of all requests so far whose status is not 200."""
        words = (line.split() for line in (self._folder / "bad.log").read_text().splitlines())
        return [(int(status), float(seconds)) for status, seconds, _ in words]

    def write_next_edition(self) -> None:
        """Replace the class file by its next edition, as a deployment does."""
        self.edition += 1
        new = self._class_file.with_suffix(".new")
        new.write_text(EDITION.sub(f"EDITION = {self.edition}", self._class_file.read_text("utf-8")), "utf-8")
        # Python's cache of compiled files knows a file by its size and the second in which it was written.
        os.utime(new, (self._first + self.edition,) * 2)
        new.replace(self._class_file)

    def tell(self, command: str, patience: float) -> str:
        """Run `tortoise reload` or `restart`; return what was wrong, empty if nothing was."""
        try:
            done = subprocess.run(
                [str(self._binary), command, "--config", str(self._settings)],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                env=environment(),
                timeout=patience,
            )
        except subprocess.TimeoutExpired:
            return f"no answer within {patience:g} seconds"
        if done.returncode == 0:
            return ""
        return (done.stderr or done.stdout).strip() or f"exit status {done.returncode}, without a word"

    def stop_nginx(self) -> None:
        """End nginx, which writes the rest of its log."""
        self._nginx.stop()

    def stop_fpm(self) -> None:
        """End FPM and its children."""
        self._fpm.stop()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port


def find(name: str) -> str:
    """Return the path of a program; nginx stands where not every user's PATH leads."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    if not found:
        raise Unavailable(f"there is no {name}; the package has the same name")
    return found
