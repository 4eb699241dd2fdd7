"""Events as text: each names its kind, so that none is ever read as another."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from synthspec.accounting import Composed, Event, Gaussian, Laplace, PoissonGaussian, Repeated, Unknown

_KINDS: dict[str, type[Any]] = {
    kind.__name__: kind for kind in (Gaussian, PoissonGaussian, Laplace, Unknown, Repeated, Composed)
}


def write_event(event: Event) -> str:
    """`event` as JSON."""
    return json.dumps(_plain(event), sort_keys=True)


def read_event(text: str) -> Event:
    """What `write_event` wrote. What is not understood is `Unknown`: it counts as infinite, and is never left out."""
    try:
        return _event(json.loads(text))
    except (ValueError, KeyError, TypeError, AttributeError):
        return Unknown(f"an entry that this version cannot read: {text[:200]}")


def told(event: Event) -> str:
    """`event` for people: what kind of noise, how much, how often."""
    match event:
        case Gaussian(sigma):
            return f"Gaussian, sigma {sigma:.4g}"
        case PoissonGaussian(rate, sigma, steps, contributions):
            several = "" if contributions == 1 else f", {contributions} records of a unit"
            return f"{steps} x Gaussian of a Poisson sample, rate {rate:.4g}, sigma {sigma:.4g}{several}"
        case Laplace(scale):
            return f"Laplace, scale {scale:.4g}"
        case Unknown(what):
            return f"unaccounted for: {what}"
        case Repeated(part, times):
            return told(part) if times == 1 else f"{times} x ({told(part)})"
        case Composed(events):
            return "; ".join(map(told, events)) or "nothing: the data were not touched"


def _plain(event: Event) -> dict[str, Any]:
    fields = {field.name: getattr(event, field.name) for field in dataclasses.fields(event)}
    if isinstance(event, Composed):
        fields["events"] = [_plain(part) for part in event.events]
    elif isinstance(event, Repeated):
        fields["event"] = _plain(event.event)
    return {"kind": type(event).__name__, **fields}


def _event(value: dict[str, Any]) -> Event:
    fields = dict(value)
    kind = _KINDS[fields.pop("kind")]
    if kind is Composed:
        fields["events"] = tuple(_event(part) for part in fields["events"])
    elif kind is Repeated:
        fields["event"] = _event(fields["event"])
    made: Event = kind(**fields)
    return made
