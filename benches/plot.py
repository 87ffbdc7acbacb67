"""The picture of a run: what an operation takes, for each workload and peer, on a logarithmic axis."""

from pathlib import Path
from textwrap import fill

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot
from matplotlib.ticker import FuncFormatter

from . import floors
from .report import LABELS, Result, time
from .settings import WORKLOADS

LABEL_WIDTH = 16

COLORS = {
    floors.SOCKET: "#9a9a9a",
    floors.MEMORY: "#cfcfcf",
    "json": "#c9a15a",
    "msgpack": "#a8742a",
    "http": "#e3cfa4",
    "phpy": "#5b7fb5",
    "tortoise": "#1f7a4d",
    "tortoise-unix": "#5fae86",
    "tortoise-tcp": "#a5d3bb",
}


def draw(result: Result, file: Path) -> None:
    """Write a PNG of one client's medians."""
    samples = result.samples
    peers = [peer for peer in LABELS if peer in samples.peers()]
    workloads = [name for name in WORKLOADS if any(samples.median("p50", peer, name) for peer in peers)]
    figure, axes = pyplot.subplots(figsize=(14, 6), dpi=110)
    width = 0.86 / max(1, len(peers))
    for place, peer in enumerate(peers):
        found = [
            (number + (place - (len(peers) - 1) / 2) * width, value)
            for number, workload in enumerate(workloads)
            if (value := samples.median("p50", peer, workload)) is not None
        ]
        axes.bar([x for x, _ in found], [y for _, y in found], width, label=LABELS[peer], color=COLORS[peer])
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: time(value)))
    labels = [f"{name}\n{fill(WORKLOADS[name], LABEL_WIDTH)}" for name in workloads]
    axes.set_xticks(range(len(workloads)), labels)
    axes.set_ylabel("median of one operation, one client")
    axes.set_title(f"{result.machine['CPU']}, PHP {result.machine['PHP']}, Python {result.machine['Python']}", size=10)
    axes.grid(axis="y", which="major", alpha=0.3)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(ncols=3, frameon=False, loc="upper left")
    axes.margins(x=0.01)
    low, high = axes.get_ylim()
    # Room for the legend.
    axes.set_ylim(low, high * 30)
    figure.tight_layout()
    figure.savefig(file)
    pyplot.close(figure)
