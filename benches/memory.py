"""The memory of processes, by the kernel's own account."""

import re
from dataclasses import dataclass
from pathlib import Path

FIELD = re.compile(r"^(\w+): +(\d+) kB$", re.MULTILINE)


@dataclass(frozen=True)
class Memory:
    """Of one process, or the sum of several. KiB."""

    proportional: float
    """PSS: its own pages, and its part of each page that it shares."""
    private: float
    """Pages that nobody else has."""


def of(processes: list[int]) -> Memory:
    """Return the sum of what living processes have."""
    proportional = private = 0
    for process in processes:
        fields = {name: int(value) for name, value in FIELD.findall(Path(f"/proc/{process}/smaps_rollup").read_text())}
        proportional += fields["Pss"]
        private += fields["Private_Clean"] + fields["Private_Dirty"] + fields.get("Private_Hugetlb", 0)
    return Memory(proportional, private)
