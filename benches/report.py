"""The tables of a run, as Markdown that reads well in a terminal too."""

from collections.abc import Callable
from dataclasses import dataclass

from . import floors, pages
from .goals import GOALS, PHPY, Goal
from .peers import PEERS
from .samples import Samples
from .settings import WORKLOADS

LABELS = floors.LABELS | {name: peer.label for name, peer in PEERS.items()}


@dataclass(frozen=True)
class Result:
    """All of a run that is shown or saved."""

    machine: dict[str, str]
    samples: Samples
    absent: dict[str, str]
    """What was left out, and why."""
    command: str
    """What made it."""


def goals(result: Result) -> str:
    """Return each goal beside what was reached; the ratio is to phpy if it ran, else to the floor."""
    samples = result.samples
    base, name = base_of(result)
    rows = [["", "floor", "phpy", "best by hand", "Tortoise", "goal", "", f"of {name}"]]
    for goal in GOALS:
        own = goal.value(samples, goal.peer)
        other = goal.value(samples, base)
        is_ratio = not goal.unit
        rows.append(
            [
                goal.title,
                *("" if is_ratio else _cell(goal, goal.value(samples, peer)) for peer in (floors.SOCKET, PHPY)),
                "" if is_ratio else _cell(goal, goal.best_by_hand(samples)),
                _cell(goal, own) or "not measured",
                _goal(goal),
                "" if own is None else {None: "", True: "holds", False: "missed"}[goal.holds(own)],
                f"{own / other:.3g}" if own and other and not is_ratio else "",
            ]
        )
    return table(rows)


def base_of(result: Result) -> tuple[str, str]:
    """Return the peer that ratios are to, and what to call it."""
    return (PHPY, "phpy") if PHPY in result.samples.peers() else (floors.SOCKET, "the floor")


def comparison(result: Result, clients: int) -> str:
    """Return median and 99th percentile of every peer for so many clients at once."""

    def cell(peer: str, workload: str) -> str:
        p50 = result.samples.median("p50", peer, workload, clients)
        p99 = result.samples.median("p99", peer, workload, clients)
        return "" if p50 is None or p99 is None else f"{time(p50)} / {time(p99)}"

    return _by_workload(result, cell)


def cpu(result: Result, clients: int) -> str:
    """Return the CPU time of one operation, the client's and the server's."""

    def cell(peer: str, workload: str) -> str:
        client = result.samples.median("client_cpu", peer, workload, clients)
        server = result.samples.median("server_cpu", peer, workload, clients)
        return "" if client is None or server is None else f"{time(client)} + {time(server)}"

    return _by_workload(result, cell)


def page_table(result: Result) -> str:
    """Return W8: the page and the same page without Python, by the number of FPM's children."""
    samples = result.samples
    heads = ["first page", "p99", "later pages", "p99", "all at once", "p99", "pages/s", "CPU: FPM + Python"]
    rows = [["children", "page", *heads]]
    for children in range(1, 1_025):
        for peer in (pages.WITHOUT, pages.WITH):
            if samples.median("p50", peer, pages.BUSY, children) is None:
                continue
            row = [str(children), pages.LABELS[peer]]
            for workload in (pages.COLD, pages.WARM, pages.BUSY):
                row += [time(samples.median(figure, peer, workload, children) or 0.0) for figure in ("p50", "p99")]
            row.append(f"{samples.median('rate', peer, pages.BUSY, children) or 0.0:,.0f}")
            used = [samples.median(f"{side}_cpu", peer, pages.BUSY, children) or 0.0 for side in ("client", "server")]
            rows.append([*row, " + ".join(time(part) for part in used)])
    return table(rows) if len(rows) > 1 else ""


def text(result: Result, clients: tuple[int, ...]) -> str:
    """Return all tables, for a terminal."""
    parts = ["\n".join(f"{name}: {value}" for name, value in result.machine.items()), goals(result)]
    for count in clients:
        parts += [f"{clients_at_once(count)}: median / 99th percentile", comparison(result, count)]
    for count in clients:
        parts += [f"{clients_at_once(count)}: CPU time of one operation, client + server", cpu(result, count)]
    if pages_ := page_table(result):
        parts += ["W8: a page of FPM", pages_]
    parts += [f"{what} was left out: {reason}" for what, reason in result.absent.items()]
    return "\n\n".join(part for part in parts if part)


def time(microseconds: float) -> str:
    """Return a time with its unit and three digits."""
    if microseconds < 1_000:
        value, unit = microseconds, "µs"
    elif microseconds < 1_000_000:
        value, unit = microseconds / 1_000, "ms"
    else:
        value, unit = microseconds / 1_000_000, "s"
    return f"{value:.{2 if value < 10 else 1 if value < 100 else 0}f} {unit}"


def table(rows: list[list[str]], figures: bool = True) -> str:
    """Return a Markdown table, aligned. The first row is the head; all columns but the first are figures, or text."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]

    def line(row: list[str]) -> str:
        cells = (
            cell + " " * (width - len(cell)) if column == 0 or not figures else " " * (width - len(cell)) + cell
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        return f"| {' | '.join(cells)} |"

    rule = "|".join(
        "-" * (width + 2) if column == 0 else "-" * (width + 1) + ":" for column, width in enumerate(widths)
    )
    return "\n".join([line(rows[0]), f"|{rule}|", *(line(row) for row in rows[1:])])


def _by_workload(result: Result, cell: Callable[[str, str], str]) -> str:
    measured = [name for name in WORKLOADS if any(cell(peer, name) for peer in LABELS)]
    rows = [["", *measured]]
    for peer, label in LABELS.items():
        cells = [cell(peer, workload) for workload in measured]
        if any(cells):
            rows.append([label, *cells])
    return table(rows) if measured else ""


def _cell(goal: Goal, value: float | None) -> str:
    if value is None:
        return ""
    if goal.is_rate:
        return f"{value:,.0f}{goal.unit}"
    return time(value) if goal.unit else f"{value:.3f}"


def _goal(goal: Goal) -> str:
    if goal.limit is None:
        return ""
    return f"{'≥' if goal.is_rate else '≤'} {_cell(goal, goal.limit)}"


def clients_at_once(count: int) -> str:
    """Return a heading."""
    return "1 client" if count == 1 else f"{count} clients at once"
