"""The ways to call Python from PHP: the server of each, and how a PHP that is its client is started."""

import secrets
import socket
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from .processes import Server, Unavailable, environment
from .settings import FOLDER, Settings


@dataclass(frozen=True)
class Serving:
    """A server that runs, and what a client must be told."""

    server: Server | None
    address: str
    ini: tuple[str, ...] = ()


@dataclass(frozen=True)
class Peer:
    """One way to call Python."""

    label: str
    start: Callable[[Settings, str], Serving]
    """Starts the server on some CPUs; raises Unavailable where it cannot run."""


def script(name: str, *modules: str) -> Callable[[Settings, str], Serving]:
    """Return what starts a server of benches/servers, whose client needs some modules of PHP."""

    def start(settings: Settings, cpus: str) -> Serving:
        for module in modules:
            if not has_module(settings.php, module):
                raise Unavailable(
                    f"PHP has no {module} extension; the package is php-{module} (make bench installs Debian's)"
                )
        command = [settings.python, str(FOLDER / "servers" / f"{name}.py"), str(fresh(settings.temporary))]
        server = Server(command, "^ready ", cpus)
        return Serving(server, server.line.split()[1], tuple(f"extension={module}" for module in modules))

    return start


def phpy(settings: Settings, _: str) -> Serving:
    """Nothing to start: it is in PHP's own process."""
    if not settings.phpy:
        raise Unavailable("PHPY_SO names no phpy.so; https://github.com/swoole/phpy says how to build one")
    if not has_module(settings.php, settings.phpy):
        raise Unavailable(f"{settings.phpy} cannot be loaded by {settings.php}")
    packages = Path(settings.python).parent.parent.glob("lib/python*/site-packages")
    return Serving(None, str(next(packages, "-")), (f"extension={settings.phpy}",))


def tortoise(settings: Settings, cpus: str) -> Serving:
    """Shared memory, beside a Unix socket."""
    return sidecar(settings, cpus, f"unix://{fresh(settings.temporary)}/tortoise.sock")


def tortoise_unix(settings: Settings, cpus: str) -> Serving:
    """The Unix socket alone."""
    address = f"unix://{fresh(settings.temporary)}/tortoise.sock"
    need_setting(settings, "tortoise.shared_memory")
    return sidecar(settings, cpus, address, ini=("tortoise.shared_memory=0",))


def tortoise_tcp(settings: Settings, cpus: str) -> Serving:
    """TCP on the loopback device, with a token."""
    token = fresh(settings.temporary) / "token"
    token.touch(0o600)
    token.write_text(secrets.token_hex(32))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    listen = f'token_file = "{token}"\n'
    return sidecar(settings, cpus, f"tcp://127.0.0.1:{port}", listen, (f"tortoise.token_file={token}",))


def sidecar(settings: Settings, cpus: str, address: str, more: str = "", ini: tuple[str, ...] = ()) -> Serving:
    """Start `tortoise serve`. `more` are lines for the settings file."""
    extension, binary = build(settings)
    classes = FOLDER / "classes"
    file = fresh(settings.temporary) / "tortoise.toml"
    file.write_text(
        f'path = ["{classes}"]\npython = "{settings.python}"\n{more}[[listen]]\naddress = "{address}"\n', "utf-8"
    )
    server = Server([str(binary), "serve", "--config", str(file)], "ready: listening", cpus)
    ini = (f"extension={extension}", f"tortoise.server={address}", f"tortoise.path={classes}", *ini)
    return Serving(server, address, ini)


def build(settings: Settings) -> tuple[Path, Path]:
    """Return the extension and the sidecar."""
    extension, binary = settings.dist.resolve() / "tortoise.so", settings.dist.resolve() / "bin" / "tortoise"
    if not (extension.exists() and binary.exists()):
        raise Unavailable(f"{settings.dist} lacks tortoise.so or bin/tortoise; make build makes them")
    return extension, binary


def php(program: str, ini: tuple[str, ...]) -> list[str]:
    """Return a PHP that reads no php.ini, so that no debugger or profiler of the machine is measured."""
    return [program, "-n", "-d", "memory_limit=2G", *(word for setting in ini for word in ("-d", setting))]


@cache
def has_module(program: str, module: str) -> bool:
    """Whether this PHP can load it."""
    done = subprocess.run([*php(program, (f"extension={module}",)), "-r", ""], capture_output=True, env=environment())
    return not done.stdout and not done.stderr and done.returncode == 0


def need_setting(settings: Settings, name: str) -> None:
    """Raise Unavailable if the built extension has no such setting."""
    command = [*php(settings.php, (f"extension={build(settings)[0]}",)), "-r"]
    done = subprocess.run([*command, f"exit(ini_get('{name}') === false ? 1 : 0);"], env=environment())
    if done.returncode != 0:
        raise Unavailable(f"this build of Tortoise has no setting {name}")


def fresh(folder: Path) -> Path:
    """Make a new folder, for one server."""
    return Path(tempfile.mkdtemp(dir=folder, prefix=""))


PEERS = {
    "json": Peer("JSON over TCP, by hand", script("json_socket")),
    "msgpack": Peer("msgpack over a Unix socket", script("msgpack_socket", "msgpack")),
    "http": Peer("JSON over HTTP, http.server and curl", script("http_json", "curl")),
    "phpy": Peer("phpy, in process", phpy),
    "tortoise": Peer("Tortoise, shared memory", tortoise),
    "tortoise-unix": Peer("Tortoise, Unix socket", tortoise_unix),
    "tortoise-tcp": Peer("Tortoise, TCP", tortoise_tcp),
}
"""In the order of the tables. php/client.php has the other side of each."""

BY_HAND = ("json", "msgpack", "http")
"""Peers that speak over a socket and are not Tortoise."""
