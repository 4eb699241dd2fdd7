"""Which backends are installed, found through the entry points of the group ``synthspec.backends``.

A plugin that cannot be loaded, is not a `Backend` or claims a name that is taken is reported; the others stay.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from itertools import groupby
from types import MappingProxyType

from synthspec.backend.protocol import Backend

GROUP = "synthspec.backends"
OWN = "synthspec"
"""The distribution whose names nobody else may take."""


@dataclass(frozen=True, slots=True)
class Broken:
    """An entry point that gave no backend, and why."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Discovery:
    """What the entry points of one environment gave: backends by name in alphabetical order, and what is broken."""

    backends: Mapping[str, Backend]
    broken: tuple[Broken, ...]


def installed() -> Mapping[str, Backend]:
    """The backends that work, by name, in alphabetical order. `discover` also tells of those that do not."""
    return discover().backends


def discover(found: Iterable[EntryPoint] | None = None) -> Discovery:
    """Load every plugin among `found` (by default all that is installed). No fault of a plugin is raised."""
    points = sorted(entry_points(group=GROUP) if found is None else found, key=_order)
    backends: dict[str, Backend] = {}
    broken: list[Broken] = []
    for name, group in groupby(points, key=lambda point: point.name):
        chosen, refused = _one_of(name, list(group))
        broken.extend(refused)
        if chosen is None:
            continue
        backend = _load(chosen)
        if isinstance(backend, Broken):
            broken.append(backend)
        else:
            backends[name] = backend
    return Discovery(MappingProxyType(backends), tuple(broken))


def _order(point: EntryPoint) -> tuple[str, str, str]:
    return point.name, _distribution(point), point.value


def _distribution(point: EntryPoint) -> str:
    return point.dist.name if point.dist is not None else "an unnamed distribution"


def _one_of(name: str, group: list[EntryPoint]) -> tuple[EntryPoint | None, list[Broken]]:
    """The entry point that `name` stands for: ours, else the only one; which of two strangers is meant is no guess."""
    distinct = {(_distribution(point), point.value): point for point in group}
    ours = [point for (distribution, _), point in distinct.items() if distribution == OWN]
    candidates = ours or list(distinct.values())
    if len(candidates) > 1:
        claims = ", ".join(f"{_distribution(point)} ({point.value})" for point in candidates)
        return None, [Broken(name, f"the name is claimed more than once: {claims}; uninstall all but one")]
    chosen = candidates[0]
    strangers = [point for point in distinct.values() if point is not chosen]
    return chosen, [
        Broken(name, f"{_distribution(point)} ({point.value}) claims a name that belongs to {OWN}; it is not used")
        for point in strangers
    ]


def _load(point: EntryPoint) -> Backend | Broken:
    try:
        loaded = point.load()
        fault = _fault(point.name, loaded)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a stranger's import may raise anything
        return Broken(point.name, f"{point.value} of {_distribution(point)} fails: {type(error).__name__}: {error}")
    if fault or not isinstance(loaded, Backend):
        return Broken(point.name, f"{point.value} of {_distribution(point)} is no backend: {fault}")
    return loaded


def _fault(name: str, loaded: object) -> str:
    """What keeps `loaded` from being the backend called `name`; empty when nothing does."""
    if isinstance(loaded, type):
        return f"it is the class {loaded.__name__}; export an instance of it"
    for attribute in ("name", "version"):
        value = getattr(loaded, attribute, None)
        if not isinstance(value, str) or not value:
            return f"`{attribute}` must be a non-empty string"
    for method in ("supports", "missing", "environment", "kernels"):
        if not callable(getattr(loaded, method, None)):
            return f"it has no method `{method}`"
    said = getattr(loaded, "name", "")
    return "" if said == name else f"it calls itself {said!r}, but its entry point {name!r}"
