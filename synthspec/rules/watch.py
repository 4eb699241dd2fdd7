"""What the stability section watches."""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import At, at


def watched(resolved: ResolvedSpec) -> Iterator[tuple[At, str]]:
    """Every signal that a monitor or the convergence watches, with its place, in the order of the language."""
    stability = resolved.spec.stability
    if stability is None:
        return
    for number, monitor in enumerate(stability.monitors):
        yield at("stability", "monitors", number, "signal"), monitor.signal
    if stability.convergence is not None:
        yield at("stability", "convergence", "signal"), stability.convergence.signal
