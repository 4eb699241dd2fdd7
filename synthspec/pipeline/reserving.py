"""A run against the ledger: set aside before training, settled after it, and refused when it does not fit (P405-4)."""

from __future__ import annotations

import hmac
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from synthspec.backend.protocol import DataError
from synthspec.backend.releases import PRIVACY_RECORD, ReleaseRecord, read_record
from synthspec.backend.secret import secret_of
from synthspec.execute import Passage
from synthspec.ir.manifest_engine import LedgerRef
from synthspec.ir.ops import Fit, Op, Statistics
from synthspec.ir.plan import Plan
from synthspec.ir.privacy import accountant_of, planned_event, stated_multiplier, training_event
from synthspec.ir.statistics import marginals_event
from synthspec.spec.privacy import DpNoise, DpSgd, Pate

if TYPE_CHECKING:
    from synthspec.accounting import Event
    from synthspec.execute import NodeRun
    from synthspec.ledger import Account, Entry, Ledger, Total

UNUSABLE = "P405-4.ledger-unusable"
Block = DpSgd | Pate | DpNoise


def ledger_url(state: Path, environment: Mapping[str, str] = os.environ) -> str:
    """``$SYNTHSPEC_LEDGER`` (an SQLAlchemy URL), else an SQLite file in the folder `state`."""
    return environment.get("SYNTHSPEC_LEDGER") or f"sqlite:///{(state / 'ledger.sqlite3').absolute()}"


@dataclass(frozen=True, slots=True)
class _Release:
    """An op that releases something of private records, under a block that names a ledger."""

    op: Fit | Statistics
    block: Block

    @property
    def planned(self) -> Event:
        """What is set aside: statistics beside a training ask for what both will spend, before the first is released."""
        from synthspec.accounting import Unknown

        block, counts = self.block, isinstance(self.op, Statistics)
        if isinstance(block, DpNoise):
            return marginals_event(self.op.sigma) if isinstance(self.op, Statistics) else Unknown("not statistics")
        multiplier = stated_multiplier(block) or 0.0
        return planned_event(block, multiplier) if counts else training_event(block, multiplier)


@dataclass(slots=True)
class LedgerGuard:
    """What stands between a training under a mechanism and the data: one for each run.

    `url` is the ledger's database, `state` the folder for the meters of trainings under way. A training that is found in
    the store releases nothing again; it is entered when this ledger does not know it.
    """

    plan: Plan
    url: str
    state: Path
    held: LedgerRef | None = None
    """What the ledger says after the training: for the manifest."""
    _settled_entries: list[int] = field(default_factory=list)
    _entry: Entry | None = None
    _meter: Path | None = None
    _opened: list[Ledger] = field(default_factory=list)

    def begin(self, op: Op, inputs: Mapping[str, str], secret: Path | None) -> Passage:
        """`op`, whose inputs have the digests `inputs`, is about to be computed, with the secret in the file `secret`.

        A training that was interrupted goes on under its own noise, which costs nothing more. Until it is done, its
        secret lies beside its meter, unless a file was asked for.

        Raises DataError: `P405-4.budget-exceeded` when what is left does not cover it, `P405-4.ledger-unusable`.
        """
        release = _released_by(op)
        if release is None:
            return Passage(secret=secret)
        seed = "" if secret is None else _commitment(secret_of(op, secret))
        if seed and self._known(release, seed) is not None:
            return Passage(secret=secret)
        self.state.mkdir(mode=0o700, parents=True, exist_ok=True)
        data = inputs["data"]
        self._entry, self._meter = self._resumed(release, data, secret) or self._reserved(release, data)
        return Passage(meter=self._meter, secret=secret or _secret(self._meter))

    def done(self, node: NodeRun, inputs: Mapping[str, str]) -> None:
        """A node is finished: a training is settled to what it released.

        Raises DataError as `begin`.
        """
        release = _released_by(self.plan.node(node.node).op)
        if release is None or PRIVACY_RECORD not in node.artifact.files:
            return
        record = read_record(node.artifact.path(PRIVACY_RECORD))
        entry, total = self._settled(release, record, inputs["data"])
        self._settled_entries.append(entry.id)
        self.held = LedgerRef(
            name=entry.account, entry=entry.id, releases=total.entries, eps_total=total.eps, delta_total=total.delta
        )
        if self._meter is not None:
            self._meter.unlink(missing_ok=True)
            secret_of(release.op, _secret(self._meter)).unlink(missing_ok=True)
        # What comes next releases something else, and has an entry of its own.
        self._entry = self._meter = None

    def publish(self, manifest: str) -> None:
        """The manifest with this digest tells of what was released."""
        for entry in self._settled_entries:
            self._ledger().publish(entry, manifest)

    def close(self) -> None:
        for each in self._opened:
            each.close()

    def _settled(self, release: _Release, record: ReleaseRecord, data: str) -> tuple[Entry, Total]:
        ledger = self._ledger()
        if self._entry is None:
            # The same noise on the same data is the same release, however often it is published.
            if (known := self._known(release, record.commitment)) is not None:
                return known
            self._entry = self._reserve(release, data, "")
        return self._entry, ledger.settle(self._entry.id, record.event, record.commitment)

    def _known(self, release: _Release, commitment: str) -> tuple[Entry, Total] | None:
        return self._ledger().known(release.block.ledger or "", commitment)

    def _resumed(self, release: _Release, data: str, secret: Path | None) -> tuple[Entry, Path] | None:
        """The interrupted training that this one goes on with, when its secret is still there."""
        found = self._ledger().interrupted(release.block.ledger or "", self.plan.digest, data)
        if found is None or not found.meter or not secret_of(release.op, secret or _secret(Path(found.meter))).exists():
            return None
        with _refusals():
            taken = self._ledger().resume(_account(release.block), found, release.planned)
        return None if taken is None else (taken, Path(found.meter))

    def _reserved(self, release: _Release, data: str) -> tuple[Entry, Path]:
        meter = self.state / f"meter-{secrets.token_hex(8)}"
        return self._reserve(release, data, str(meter)), meter

    def _reserve(self, release: _Release, data: str, meter: str) -> Entry:
        from synthspec.ledger import Entry

        entry = Entry(
            account=release.block.ledger or "",
            dataset=data,
            event=release.planned,
            note=f"{self.plan.name} {self.plan.version}",
            spec=self.plan.spec_digest,
            plan=self.plan.digest,
            meter=meter,
        )
        with _refusals():
            return self._ledger().reserve(_account(release.block), entry)[0]

    def _ledger(self) -> Ledger:
        if self._opened:
            return self._opened[0]
        try:
            from synthspec.ledger import Ledger, LedgerError
        except ImportError as error:
            message = f"the ledger of a private training needs {error.name}, which is not installed"
            raise DataError(UNUSABLE, message, "pip install 'synthspec[privacy]'") from None
        try:
            self._opened.append(Ledger(self.url))
        except LedgerError as error:
            raise DataError(UNUSABLE, error.message, error.help) from None
        return self._opened[0]


@contextmanager
def _refusals() -> Iterator[None]:
    """What the ledger refuses, as a fault of the run."""
    from synthspec.ledger import LedgerError, OverBudgetError

    try:
        yield
    except OverBudgetError as error:
        raise DataError("P405-4.budget-exceeded", error.message, error.help) from None
    except LedgerError as error:
        raise DataError(UNUSABLE, error.message, error.help) from None


def _released_by(op: Op) -> _Release | None:
    """What `op` releases of private records, where it names a ledger."""
    block = op.privacy if isinstance(op, Fit | Statistics) else None
    if not isinstance(op, Fit | Statistics) or not isinstance(block, DpSgd | Pate | DpNoise) or not block.ledger:
        return None
    return _Release(op, block)


def _account(block: Block) -> Account:
    from synthspec.ledger import Account

    return Account(
        name=block.ledger or "",
        adjacency=block.adjacency or "replace_one",
        unit=block.unit or "record",
        accountant=accountant_of(block) or "pld",
        eps_budget=block.eps_budget or 0.0,
        delta_budget=block.delta or 0.0,
    )


def _secret(meter: Path) -> Path:
    """Where the secret of a training under way lies when no file was asked for: a crash must not cost its noise."""
    return meter.with_suffix(".secret")


def _commitment(path: Path) -> str:
    """The commitment to the seed in a file of secrets; empty where there is none."""
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
        return hmac.new(bytes.fromhex(held["salt"]), bytes.fromhex(held["seed"]), "sha256").hexdigest()
    except (OSError, ValueError, KeyError, TypeError):
        return ""
