"""Whole processes, side by side: what the operating system charged for each, in turn, so that a slow moment hits all."""

from __future__ import annotations

import os
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

LEFT_OUT = ("PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "PYTHONSTARTUP", "PYTHONUNBUFFERED")
"""Settings of one shell that would count for one program and not for the other."""


@dataclass(frozen=True, slots=True)
class Cost:
    """One finished process: user and system seconds, and the most memory it held, in MiB."""

    cpu: float
    peak: float


@dataclass(frozen=True, slots=True)
class Command:
    """A program with its arguments, the folder it runs in, and the exit code that says it did its work."""

    words: tuple[str, ...]
    folder: str
    expected: int = 0


def run_once(command: Command) -> Cost:
    """Run `command` with its output thrown away. Raises RuntimeError when it exits otherwise than expected."""
    environment = {name: value for name, value in os.environ.items() if name not in LEFT_OUT}
    child = os.fork()
    if child == 0:
        _become(command, environment)
    _, status, usage = os.wait4(child, 0)
    code = os.waitstatus_to_exitcode(status)
    if code != command.expected:
        raise RuntimeError(f"exit {code} instead of {command.expected}: {' '.join(command.words[:4])} ...")
    return Cost(usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def _become(command: Command, environment: Mapping[str, str]) -> None:
    try:
        os.chdir(command.folder)
        null = os.open(os.devnull, os.O_RDWR)
        for stream in range(3):
            os.dup2(null, stream)
        os.execve(command.words[0], command.words, environment)
    finally:
        os._exit(127)


def in_turn(commands: Sequence[Command], runs: int) -> list[list[Cost]]:
    """The costs of each command over `runs` rounds A B A B ..., after one round that is not counted."""
    costs: list[list[Cost]] = [[] for _ in commands]
    for number in range(runs + 1):
        for own, command in zip(costs, commands, strict=True):
            cost = run_once(command)
            if number:
                own.append(cost)
    return costs


def spread(values: Sequence[float], digits: int = 3) -> str:
    """``median (smallest to largest)``."""
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"
