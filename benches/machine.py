"""What a result belongs to: the machine, and the versions of what ran."""

import os
import platform
import re
import subprocess
from datetime import date
from pathlib import Path

from .peers import has_module, php
from .processes import environment
from .settings import FOLDER, Settings


def describe(settings: Settings) -> dict[str, str]:
    """Return names and values, in the order in which to show them."""
    model = re.search(r"^model name\s*: (.*)", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    cpus = len(os.sched_getaffinity(0))
    extension = str(settings.dist.resolve() / "tortoise.so")
    return {
        "Date": date.today().isoformat(),
        "CPU": f"{model[1] if model else platform.machine()}, {cpus} core{'s' * (cpus != 1)}",
        "Load before": f"{os.getloadavg()[0]:.2f}",
        "Kernel": f"Linux {platform.release()}",
        "PHP": _php(settings, "", "PHP_VERSION"),
        "Python": _output([settings.python, "-c", "import platform; print(platform.python_version())"]),
        "Tortoise": _php(settings, extension, "phpversion('tortoise')") + _commit(settings),
        "phpy": _php(settings, settings.phpy, "phpversion('phpy')") if settings.phpy else "none",
        "Rounds": f"{settings.rounds}, in each {settings.seconds:g} s for each workload of each peer",
    }


def is_busy() -> bool:
    """Whether others take so much of the CPU that figures mean little."""
    return os.getloadavg()[0] > len(os.sched_getaffinity(0)) / 4


def _php(settings: Settings, extension: str, expression: str) -> str:
    if extension and not has_module(settings.php, extension):
        return "none"
    ini = (f"extension={extension}",) if extension else ()
    return _output([*php(settings.php, ini), "-r", f"echo {expression};"])


def _commit(settings: Settings) -> str:
    """Of the build: known only if it is this checkout's own."""
    if settings.dist.resolve().parent != FOLDER.parent:
        return ""
    commit = _output(["git", "-C", str(FOLDER), "rev-parse", "--short", "HEAD"])
    return f" ({commit})" if commit else ""


def _output(command: list[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, env=environment())
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
