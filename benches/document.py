"""docs/performance.md, written from a run and from nothing else."""

from collections.abc import Callable
from pathlib import Path

from . import plot, report
from .report import Result
from .settings import WORKLOADS

PAGE = """\
# Performance

What a call from PHP into Python takes, beside other ways to make one. This page was written by the benchmark itself:

```sh
{command}
```

{machine}

## Where Tortoise must stand

{goals}

- *floor*: a program in C that sends as many bytes over a Unix socket to another one and gets as many back.
- *best by hand*: the best of the peers that speak over a socket and are not Tortoise.
- The lines of W8 are a pool's of eight children, asked one after another.
- *of {base}*: what Tortoise takes as a part of it; for a rate, how many times it.

## All peers

![The medians of one client as bars, on a logarithmic axis](performance.png)

{comparisons}

Other machines and other days give other figures: compare within one run.
{absent}
## A page of FPM

A page makes three objects of three classes and calls ten methods. *First page*: each child's first one, with the
connection to Python, the import and the three classes. *Later pages*: one child after another. *All at once*: every
child gets its next request as soon as it has answered, so that times grow with the number of children for each core.

{pages}

## CPU time

{cpu}

## What is measured

{workloads}

- Each round runs every floor and every peer once, so that what drifts on the machine hits all alike. A figure is the
  median over the rounds.
- A time is the PHP side's: from the call until its result is a PHP value. Every answer is checked.
- The 99th percentile is of operations timed one by one, and of several clients the worst one's. The median of what
  takes less than 20 µs is that of averages of 100, because looking at the clock would count.
- CPU time is the kernel's count, of the client and of the server with all its processes, while the clients ran.
- *One core*: client and server are held to one. *Two CPU hogs*: two other processes take all the CPU they can get.
- The peers written by hand stand in `benches/servers` and `benches/php/Peers`, and are as short as people write them.
"""


def write(result: Result, clients: tuple[int, ...], folder: Path) -> None:
    """Write performance.md and performance.png."""
    folder.mkdir(parents=True, exist_ok=True)
    plot.draw(result, folder / "performance.png")
    absent = "".join(f"- {what} was left out: {reason}\n" for what, reason in result.absent.items())
    text = PAGE.format(
        command=result.command,
        machine=report.table([["", ""], *([name, value] for name, value in result.machine.items())], figures=False),
        goals=report.goals(result),
        base=report.base_of(result)[1],
        comparisons=_sections(report.comparison, result, clients, "median / 99th percentile"),
        absent=f"\n{absent}" if absent else "",
        pages=report.page_table(result) or "Not measured in this run.",
        cpu=_sections(report.cpu, result, clients, "client + server, for one operation"),
        workloads=report.table([["", ""], *([name, title] for name, title in WORKLOADS.items())], figures=False),
    )
    (folder / "performance.md").write_text(text, "utf-8")


def _sections(table: Callable[[Result, int], str], result: Result, clients: tuple[int, ...], what: str) -> str:
    parts = ((count, table(result, count)) for count in clients)
    return "\n\n".join(f"{report.clients_at_once(count)}: {what}\n\n{part}" for count, part in parts if part)
