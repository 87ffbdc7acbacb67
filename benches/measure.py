"""A run: rounds, in each of which every floor and peer has its turn, so that what drifts hits all alike."""

from contextlib import ExitStack

from . import floors, pages
from .fleet import Fleet, first_cpus, hogs
from .floors import Floor
from .peers import PEERS, Serving
from .processes import Unavailable
from .progress import Progress
from .samples import FREE, HOGS, ONE_CORE, TWO_CORES, Samples
from .settings import PAGE, Settings

SPECIAL_WORKLOAD = "W1"
SPECIAL_PEERS = ("msgpack", "phpy", "tortoise", "tortoise-unix")
"""What is looked at in unusual places: Tortoise, and the best of each other kind."""

HOG_COUNT = 2


class Run:
    """What runs, what was measured, and what could not be."""

    def __init__(self, settings: Settings) -> None:
        self.samples = Samples()
        self.absent: dict[str, str] = {}
        """Peer, or peer and workload, and why it was not measured."""
        self._settings = settings
        self._progress = Progress(settings.rounds)
        self._floor = Floor.compiled(settings.temporary)
        self._servers = ExitStack()
        self._serving: dict[tuple[str, str], Serving] = {}
        self._workloads = [name for name in settings.workloads if name != PAGE]

    def measure(self) -> None:
        """Run all rounds."""
        with self._servers:
            for number in range(self._settings.rounds):
                self._progress.round(number)
                if self._workloads:
                    self._round()
                if PAGE in self._settings.workloads:
                    self._pages()
        self._progress.done()

    def _round(self) -> None:
        self._floors(FREE, "")
        for peer in self._peers():
            clients = [(workload, count) for workload in self._workloads for count in self._settings.clients]
            self._peer(peer, FREE, "", clients)
        if SPECIAL_WORKLOAD not in self._workloads:
            return
        alone = [(SPECIAL_WORKLOAD, 1)]
        for place, cpus, count in (
            (ONE_CORE, first_cpus(1), 1),
            (TWO_CORES, first_cpus(2), 2),
            (HOGS, "", 1),
        ):
            with hogs(HOG_COUNT if place == HOGS else 0):
                self._floors(place, cpus)
                for peer in self._peers():
                    if peer in SPECIAL_PEERS:
                        self._peer(peer, place, cpus, [(SPECIAL_WORKLOAD, count)] if count > 1 else alone)

    def _peers(self) -> list[str]:
        wanted = self._settings.peers or PEERS.keys()
        return [peer for peer in PEERS if peer in wanted and peer not in self.absent]

    def _floors(self, place: str, cpus: str) -> None:
        workloads = [name for name in self._workloads if name in floors.SIZES] if place == FREE else [SPECIAL_WORKLOAD]
        for peer in floors.LABELS:
            # Two that spin on one core would only wait for each other.
            if peer == floors.MEMORY and (place == ONE_CORE or "," not in first_cpus(2)):
                continue
            for workload in workloads:
                self._progress.doing(floors.LABELS[peer], f"{workload}, {place}")
                try:
                    self.samples.add(self._floor.measure(peer, workload, place, cpus, self._settings.seconds))
                except Unavailable as reason:
                    self._miss(f"{floors.LABELS[peer]}, {place}", reason)

    def _peer(self, peer: str, place: str, cpus: str, runs: list[tuple[str, int]]) -> None:
        settings = self._settings
        try:
            serving = self._serve(peer, cpus)
        except Unavailable as reason:
            self._miss(peer, reason)
            return
        most = max(count for _, count in runs)
        with ExitStack() as stack:
            fleet: Fleet | None = None
            for workload, count in runs:
                if f"{peer} {workload}" in self.absent or peer in self.absent:
                    continue
                self._progress.doing(PEERS[peer].label, f"{workload}, {count} at once, {place}")
                fleet = fleet or stack.enter_context(Fleet(settings.php, peer, serving, most, cpus))
                try:
                    self.samples.add(fleet.measure(workload, count, place, settings.seconds))
                except Unavailable as reason:
                    # A peer that fails in its first workload fails in all.
                    self._miss(peer if workload == runs[0][0] else f"{peer} {workload}", reason)
                    # Clients may still be busy with it.
                    fleet.kill()
                    fleet = None

    def _serve(self, peer: str, cpus: str) -> Serving:
        if (peer, cpus) not in self._serving:
            serving = PEERS[peer].start(self._settings, cpus)
            if serving.server:
                self._servers.enter_context(serving.server)
            self._serving[peer, cpus] = serving
        return self._serving[peer, cpus]

    def _pages(self) -> None:
        for children in self._settings.children:
            if PAGE in self.absent:
                return
            self._progress.doing("pages of FPM", f"{children} children")
            try:
                for sample in pages.measure(self._settings, children):
                    self.samples.add(sample)
            except Unavailable as reason:
                self._miss(PAGE, reason)

    def _miss(self, what: str, reason: Unavailable) -> None:
        if what not in self.absent:
            self.absent[what] = str(reason)
            self._progress.note(f"{what} is left out: {reason}")
