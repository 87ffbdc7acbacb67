"""W8: a page of FPM that uses three Python classes and calls ten methods, beside the same page without Python."""

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from selectors import EVENT_READ, DefaultSelector
from statistics import median, quantiles

from .fastcgi import Connection, FastCgiError, request
from .peers import Serving, fresh, tortoise
from .processes import Server, Unavailable
from .samples import Sample
from .settings import FOLDER, Settings

WITH, WITHOUT = "page", "plain page"
SCRIPTS = {WITH: FOLDER / "page" / "page.php", WITHOUT: FOLDER / "page" / "plain.php"}
LABELS = {WITH: "Tortoise", WITHOUT: "without Python"}
BODY = "customer 7 pays 540\n"

COLD, WARM, BUSY = "W8 cold", "W8 warm", "W8 busy"
"""A child's first page; its later ones, one child after another; and all children at once."""

LEAST_PAGES = 200


def measure(settings: Settings, children: int) -> Iterator[Sample]:
    """Start a pool with Tortoise and one without, both new, and give three samples of each.

    A sample's rate is pages a second, its CPU times those of FPM and of the sidecar with its sessions.
    """
    if not settings.php_fpm:
        raise Unavailable("there is no FPM of this PHP; the package is php-fpm (make bench installs Debian's)")
    with ExitStack() as stack:
        serving = tortoise(settings, "")
        assert serving.server is not None
        stack.enter_context(serving.server)
        # The first session of all waits until the interpreter has started. That is no page's time.
        _get_once(settings, serving)
        pools = [Pool(settings, WITHOUT, children, None), Pool(settings, WITH, children, serving)]
        for pool in pools:
            stack.enter_context(closing(pool))
        try:
            for measured in (Pool.cold, Pool.warm, Pool.busy):
                for pool in pools:
                    yield measured(pool, settings.seconds)
        except FastCgiError as error:
            raise Unavailable(f"FPM answered: {error}") from error


def _get_once(settings: Settings, serving: Serving) -> None:
    with closing(Pool(settings, WITH, 1, serving)) as pool:
        try:
            pool.cold(0)
        except FastCgiError as error:
            raise Unavailable(f"FPM answered: {error}") from error


class Pool:
    """A pool of FPM, and a connection to each of its children."""

    def __init__(self, settings: Settings, name: str, children: int, serving: Serving | None) -> None:
        folder = fresh(settings.temporary)
        path = folder / "fpm.sock"
        file = folder / "fpm.conf"
        file.write_text(
            f"[global]\ndaemonize = no\nerror_log = /proc/self/fd/2\n"
            f"[bench]\nlisten = {path}\npm = static\npm.max_children = {children}\n"
            + (f"user = {os.getuid()}\ngroup = {os.getgid()}\n" if os.geteuid() == 0 else "")
        )
        command = [settings.php_fpm, "-n", "--fpm-config", str(file)]
        if os.geteuid() == 0:
            command.append("--allow-to-run-as-root")
        for setting in ("zend_extension=opcache", *(serving.ini if serving else ())):
            command += ["-d", setting]
        self._name = name
        self._request = request(SCRIPTS[name])
        self._sidecar = serving.server if serving else None
        self._server = Server(command, "ready to handle connections")
        try:
            self._connections = [Connection(path) for _ in range(children)]
        except OSError:
            self._server.stop()
            raise

    def cold(self, _: float) -> Sample:
        """Each child's first page, one after another."""
        return self._sample(COLD, self._in_turn(len(self._connections)))

    def warm(self, seconds: float) -> Sample:
        """More pages of the children, one after another."""
        self._in_turn(3 * len(self._connections))
        stop = time.perf_counter() + seconds
        times: list[float] = []
        while len(times) < LEAST_PAGES or time.perf_counter() < stop:
            times += self._in_turn(len(self._connections))
        return self._sample(WARM, times)

    def busy(self, seconds: float) -> Sample:
        """Pages of all children at once: each gets its next request as soon as it has answered."""
        cpu = self._cpu()
        begin = time.perf_counter()
        times: list[float] = []
        with DefaultSelector() as selector:
            started: dict[Connection, float] = {}
            for connection in self._connections:
                selector.register(connection, EVENT_READ, connection)
                started[connection] = time.perf_counter()
                connection.send(self._request)
            while started:
                for key, _ in selector.select():
                    connection = key.data
                    body = connection.receive()
                    if body is None:
                        continue
                    now = time.perf_counter()
                    times.append(self._checked(body, now - started.pop(connection)))
                    if now - begin < seconds or len(times) < LEAST_PAGES:
                        started[connection] = now
                        connection.send(self._request)
        elapsed = time.perf_counter() - begin
        used = [(after - before) * 1e6 / len(times) for before, after in zip(cpu, self._cpu(), strict=True)]
        return self._sample(BUSY, times, len(times) / elapsed, used[0], used[1])

    def _in_turn(self, pages: int) -> list[float]:
        times: list[float] = []
        for number in range(pages):
            connection = self._connections[number % len(self._connections)]
            begin = time.perf_counter()
            connection.send(self._request)
            while (body := connection.receive()) is None:
                pass
            times.append(self._checked(body, time.perf_counter() - begin))
        return times

    def _sample(
        self, workload: str, times: list[float], rate: float = 0.0, client_cpu: float = 0.0, server_cpu: float = 0.0
    ) -> Sample:
        p99 = quantiles(times, n=100)[98] if len(times) > 1 else times[0]
        return Sample(
            self._name,
            workload,
            len(self._connections),
            "free",
            median(times) * 1e6,
            p99 * 1e6,
            rate or len(times) / sum(times),
            client_cpu,
            server_cpu,
        )

    def _cpu(self) -> tuple[float, float]:
        return self._server.cpu_seconds(), self._sidecar.cpu_seconds() if self._sidecar else 0.0

    @staticmethod
    def _checked(body: str, seconds: float) -> float:
        if body != BODY:
            raise FastCgiError(f"another page than it should be: {body[:200]}")
        return seconds

    def close(self) -> None:
        """End the pool."""
        for connection in self._connections:
            connection.close()
        self._server.stop()
