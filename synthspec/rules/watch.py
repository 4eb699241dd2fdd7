"""What the stability section watches."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from synthspec.expr import names, parse
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


def looked_at(resolved: ResolvedSpec) -> Iterator[tuple[At, str]]:
    """What is watched, and every other signal that a trip names: all that can steer the training."""
    yield from watched(resolved)
    stability = resolved.spec.stability
    for number, monitor in enumerate(() if stability is None else stability.monitors):
        for name in _named(monitor.trip):
            if name != monitor.signal:
                yield at("stability", "monitors", number, "trip"), name


@lru_cache(maxsize=256)
def _named(trip: str) -> tuple[str, ...]:
    """The signals that a trip names, each once. Several rules ask, and specs of one house share their trips."""
    tree = parse(trip).value
    return () if tree is None else tuple(dict.fromkeys(name for name, _ in names(tree)))
