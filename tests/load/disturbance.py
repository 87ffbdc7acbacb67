"""What an operator does meanwhile: once a second a new edition of the code, and `tortoise reload` or `restart`."""

import subprocess
import time

from .actions import Action
from .progress import Progress
from .stack import CLIENT_LEFT, Stack

COMMANDS = ("reload", "restart")

PATIENCE_SECONDS = 30.0


def planned(seconds: int, commands: tuple[str, ...]) -> int:
    """How many commands a run has: the last one begins a second before its end, so that all are under load."""
    return seconds - 1 if commands else 0


def disturb(stack: Stack, tool: subprocess.Popen[str], seconds: int, commands: tuple[str, ...]) -> list[Action]:
    """Run the commands in turn, one a second, until the load tool ends. Without any, only watch it.

    They never overlap: one that takes longer than a second delays the next.
    """
    actions: list[Action] = []
    with Progress(seconds) as progress:
        begin = time.monotonic()
        due = begin + 1
        while not _ends_before(tool, due):
            due += 1
            if len(actions) < planned(seconds, commands):
                actions.append(_act(stack, commands[len(actions) % len(commands)]))
            # What the end of the load tool cuts off has not failed.
            failed = sum(status != CLIENT_LEFT for status, _ in stack.bad())
            progress.show(time.monotonic() - begin, actions, stack.requests(), failed)
    return actions


def _ends_before(tool: subprocess.Popen[str], due: float) -> bool:
    try:
        tool.wait(max(0.0, due - time.monotonic()))
    except subprocess.TimeoutExpired:
        return False
    return True


def _act(stack: Stack, command: str) -> Action:
    stack.write_next_edition()
    begin = time.monotonic()
    error = stack.tell(command, PATIENCE_SECONDS)
    return Action(command, time.monotonic() - begin, error)
