"""I40-5, privacy_accountant: what was released, to (eps_total, delta) (P405-4, S405-8)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from synthspec.accounting import Accountant, AccountantMissingError, Adjacency, Composed, Event, eps_total
from synthspec.backend.releases import PRIVACY_RECORD, ReleaseRecord, read_record
from synthspec.bindings.engine import Engine
from synthspec.bindings.faults import refused

Log = Event | ReleaseRecord | Path
"""A release, what a training counted of its own, or the file or the folder that holds it (``privacy.json``)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivacySpent:
    """``{eps_total, delta}``, without a unit. `eps_total` is an upper bound, rounded up; infinite where nothing bounds it."""

    eps_total: float
    delta: float
    accountant: str = ""
    adjacency: str = ""
    version: str = ""


def privacy_accountant(
    logs: Engine | Log | Sequence[Log],
    *,
    delta: float | None = None,
    accountant: Accountant = "pld",
    adjacency: Adjacency | None = None,
) -> PrivacySpent:
    """What `logs` spend together, all of them on the same data (S405-8).

    An engine brings its own delta, accountant and adjacency; one without a mechanism protects nothing, and its eps_total is
    infinite. Events are those of `synthspec.accounting` (``PoissonGaussian(rate, sigma, steps)``, ``Gaussian``,
    ``Laplace``, ...; scales relative to the clip norm), one after another; one that nobody has a bound for is infinite, and
    none is left out. `delta` is the probability with which eps may fail.

    Raises BindingError without a delta, for records under several adjacencies, and without dp-accounting.
    """
    if isinstance(logs, Engine):
        stated = logs.spec.section("privacy")
        if stated.get("mechanism") == "none":
            return PrivacySpent(eps_total=math.inf, delta=0.0)
        delta = float(str(stated["delta"])) if delta is None and "delta" in stated else delta
        logs = _of(logs)
    events = [_read(log) for log in (logs if isinstance(logs, Sequence) else (logs,))]
    if delta is None:
        raise refused("P405-4.delta-missing", "an eps without its delta says nothing", "give delta, such as 1e-5")
    held = {record.adjacency for record in events if isinstance(record, ReleaseRecord)} | ({adjacency} - {None})
    if len(held) > 1:
        message = f"releases under {' and '.join(sorted(map(str, held)))} do not add up"
        raise refused("P405-4.adjacency-mismatch", message, "account for them under one adjacency")
    under = next(iter(held), None) or "add_remove"
    parts = tuple(each.event if isinstance(each, ReleaseRecord) else each for each in events)
    try:
        spent = eps_total(Composed(parts), delta, accountant, under)
    except AccountantMissingError as missing:
        raise refused("engine.backend-unsupported", str(missing), "install the extra") from missing
    except ValueError as error:
        raise refused("schema.bad-value", str(error), "delta is a probability below 1") from error
    return PrivacySpent(
        eps_total=spent.eps,
        delta=spent.delta,
        accountant=spent.accountant,
        adjacency=spent.adjacency,
        version=spent.version,
    )


def _of(engine: Engine) -> tuple[Path, ...]:
    """Where the releases of `engine` are recorded: those of its training, and of statistics before or beside it."""
    held = (engine.folder.parent / "statistics", engine.folder)
    return tuple(folder for folder in held if (folder / PRIVACY_RECORD).exists()) or (engine.folder,)


def _read(log: Log) -> Event | ReleaseRecord:
    if not isinstance(log, Path):
        return log
    from pydantic import ValidationError

    path = log / PRIVACY_RECORD if log.is_dir() else log
    try:
        return read_record(path)
    except FileNotFoundError:
        raise refused("schema.not-found", f"there is no {path.name} in {path.parent}", "name an engine") from None
    except ValidationError:
        raise refused("schema.bad-value", f"{path.name} is no record of releases", "name privacy.json") from None
