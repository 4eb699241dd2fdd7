"""The standard as `explain` shows it: every id with its text, how it is met here, and how it can fail.

The files are ``specs/standard/*.yaml``; a wheel installs them under ``share/synthspec``. Only `explain` and the docs load them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.metadata import distribution
from pathlib import Path
from typing import cast

from synthspec.parse import Value, compose, read_source

PARTS = ("p405", "s405", "m40", "c40", "i40", "ix")


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """One id of the standard."""

    id: str
    title: str
    text: str
    source: str
    """The part of the standard it stands in."""
    rules: tuple[str, ...] = ()
    """Codes that answer when it is not kept."""
    contracts: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    """Where it is implemented."""
    planned: tuple[str, ...] = ()
    """What of it is not built yet; empty when all of it is."""
    fails_when: str


@cache
def clauses() -> dict[str, Clause]:
    """Every clause by its id, in the order of the standard. Raises ValueError when a shipped file is damaged."""
    found = [clause for part in PARTS for clause in _read(part)]
    return {clause.id: clause for clause in found}


def clause(name: str) -> Clause | None:
    """The clause called `name`, whatever its case; None when the standard has none."""
    folded = {known.casefold(): each for known, each in clauses().items()}
    return folded.get(name.strip().casefold())


def _folder() -> Path:
    """Where the files lie: beside the package in a checkout, under the environment's ``share`` when installed."""
    checkout = Path(__file__).parents[2] / "specs" / "standard"
    if checkout.is_dir():
        return checkout
    named = next(file for file in distribution("synthspec").files or () if file.match("synthspec/standard/*.yaml"))
    return Path(str(named.locate())).parent


def _read(part: str) -> tuple[Clause, ...]:
    file = _folder() / f"{part}.yaml"
    document = read_source(file.read_bytes(), file.name).then(compose)
    if document.value is None or not document.ok:
        raise ValueError(f"{file.name}: {'; '.join(finding.message for finding in document.diagnostics)}")
    source = str(document.value.value["standard"])
    entries = cast("tuple[dict[str, Value], ...]", document.value.value["clauses"])
    return tuple(_clause(entry, source) for entry in entries)


def _clause(entry: dict[str, Value], source: str) -> Clause:
    return Clause(
        id=str(entry["id"]),
        title=str(entry["title"]),
        text=str(entry["text"]),
        source=source,
        rules=_words(entry, "rules"),
        contracts=_words(entry, "contracts"),
        modules=_words(entry, "modules"),
        planned=_words(entry, "planned"),
        fails_when=str(entry["fails_when"]),
    )


def _words(entry: dict[str, Value], key: str) -> tuple[str, ...]:
    return tuple(str(word) for word in cast("tuple[Value, ...]", entry.get(key, ())))
