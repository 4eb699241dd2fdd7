"""Who holds a reservation, and whether that process still runs."""

from __future__ import annotations

import os
import socket
from pathlib import Path

_BOOT = Path("/proc/sys/kernel/random/boot_id")


def holder() -> str:
    """Name this process: host, boot, process id and start, so that a later one of the same id is another."""
    return f"{socket.gethostname()} {_boot()} {os.getpid()} {_started(os.getpid())}"


def died_here(name: str) -> bool:
    """Whether the process called `name` ran on this machine since it was booted, and has ended.

    Of another machine, or before a power cut, nothing can be said: what such a process counted may not have reached the
    disk, and its reservation stands in full.
    """
    host, boot, pid, started = (name.split(" ") + [""] * 4)[:4]
    if host != socket.gethostname() or not boot or boot != _boot() or not pid.isdigit():
        return False
    return _started(int(pid)) != started


def _boot() -> str:
    try:
        return _BOOT.read_text().strip()
    except OSError:
        return ""


def _started(pid: int) -> str:
    """The process's start in clock ticks since boot; empty when it does not run."""
    try:
        # The name of the program, in parentheses, may hold anything; what follows it is numbers.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] == "Z" else fields[19]
