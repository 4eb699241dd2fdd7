"""A run against the ledger: set aside before training, settled after it, and refused when it does not fit (P405-4)."""

from __future__ import annotations

import hmac
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from synthspec.backend.protocol import DataError
from synthspec.backend.releases import PRIVACY_RECORD, ReleaseRecord, read_record
from synthspec.execute import Passage
from synthspec.ir.manifest_engine import LedgerRef
from synthspec.ir.ops import Fit, Op
from synthspec.ir.plan import Plan
from synthspec.ir.privacy import accountant_of, planned_event, stated_multiplier
from synthspec.spec.privacy import DpSgd, Pate

if TYPE_CHECKING:
    from synthspec.accounting import Event
    from synthspec.execute import NodeRun
    from synthspec.ledger import Account, Entry, Ledger, Total

UNUSABLE = "P405-4.ledger-unusable"


def ledger_url(state: Path, environment: Mapping[str, str] = os.environ) -> str:
    """``$SYNTHSPEC_LEDGER`` (an SQLAlchemy URL), else an SQLite file in the folder `state`."""
    return environment.get("SYNTHSPEC_LEDGER") or f"sqlite:///{(state / 'ledger.sqlite3').absolute()}"


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
    _entry: Entry | None = None
    _meter: Path | None = None
    _opened: list[Ledger] = field(default_factory=list)

    def begin(self, op: Op, inputs: Mapping[str, str], secret: Path | None) -> Passage:
        """`op`, whose inputs have the digests `inputs`, is about to be computed, with the secret in the file `secret`.

        A training that was interrupted goes on under its own noise, which costs nothing more. Until it is done, its
        secret lies beside its meter, unless a file was asked for.

        Raises DataError: `P405-4.budget-exceeded` when what is left does not cover it, `P405-4.ledger-unusable`.
        """
        block = _private(op)
        if block is None:
            return Passage(secret=secret)
        if secret is not None and (seed := _commitment(secret)) and self._known(block, seed) is not None:
            return Passage(secret=secret)
        self.state.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._entry, self._meter = self._resumed(block, inputs["data"], secret) or self._reserved(block, inputs["data"])
        return Passage(meter=self._meter, secret=secret or _secret(self._meter))

    def done(self, node: NodeRun, inputs: Mapping[str, str]) -> None:
        """A node is finished: a training is settled to what it released.

        Raises DataError as `begin`.
        """
        block = _private(self.plan.node(node.node).op)
        if block is None or PRIVACY_RECORD not in node.artifact.files:
            return
        record = read_record(node.artifact.path(PRIVACY_RECORD))
        entry, total = self._settled(block, record, inputs["data"])
        self.held = LedgerRef(
            name=entry.account, entry=entry.id, releases=total.entries, eps_total=total.eps, delta_total=total.delta
        )
        if self._meter is not None:
            self._meter.unlink(missing_ok=True)
            _secret(self._meter).unlink(missing_ok=True)

    def publish(self, manifest: str) -> None:
        """The manifest with this digest tells of the training."""
        if self.held is not None:
            self._ledger().publish(self.held.entry, manifest)

    def close(self) -> None:
        for each in self._opened:
            each.close()

    def _settled(self, block: DpSgd | Pate, record: ReleaseRecord, data: str) -> tuple[Entry, Total]:
        ledger = self._ledger()
        if self._entry is None:
            # The same noise on the same data is the same release, however often it is published.
            if (known := self._known(block, record.commitment)) is not None:
                return known
            self._entry = self._reserve(block, data, "")
        return self._entry, ledger.settle(self._entry.id, record.event, record.commitment)

    def _known(self, block: DpSgd | Pate, commitment: str) -> tuple[Entry, Total] | None:
        return self._ledger().known(block.ledger or "", commitment)

    def _resumed(self, block: DpSgd | Pate, data: str, secret: Path | None) -> tuple[Entry, Path] | None:
        """The interrupted training that this one goes on with, when its secret is still there."""
        found = self._ledger().interrupted(block.ledger or "", self.plan.digest, data)
        if found is None or not found.meter or not (secret or _secret(Path(found.meter))).exists():
            return None
        return self._ledger().resume(found, _planned(block), found.meter), Path(found.meter)

    def _reserved(self, block: DpSgd | Pate, data: str) -> tuple[Entry, Path]:
        meter = self.state / f"meter-{secrets.token_hex(8)}"
        return self._reserve(block, data, str(meter)), meter

    def _reserve(self, block: DpSgd | Pate, data: str, meter: str) -> Entry:
        from synthspec.ledger import Entry, LedgerError, OverBudgetError

        entry = Entry(
            account=block.ledger or "",
            dataset=data,
            event=_planned(block),
            note=f"{self.plan.name} {self.plan.version}",
            spec=self.plan.spec_digest,
            plan=self.plan.digest,
            meter=meter,
        )
        try:
            return self._ledger().reserve(_account(block), entry)[0]
        except OverBudgetError as error:
            raise DataError("P405-4.budget-exceeded", error.message, error.help) from None
        except LedgerError as error:
            raise DataError(UNUSABLE, error.message, error.help) from None

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


def _private(op: Op) -> DpSgd | Pate | None:
    """The mechanism of a training that releases something and names a ledger."""
    block = op.privacy if isinstance(op, Fit) else None
    return block if isinstance(block, DpSgd | Pate) and block.ledger else None


def _account(block: DpSgd | Pate) -> Account:
    from synthspec.ledger import Account

    return Account(
        name=block.ledger or "",
        adjacency=block.adjacency or "replace_one",
        unit=block.unit or "record",
        accountant=accountant_of(block) or "pld",
        eps_budget=block.eps_budget or 0.0,
        delta_budget=block.delta or 0.0,
    )


def _planned(block: DpSgd | Pate) -> Event:
    return planned_event(block, stated_multiplier(block) or 0.0)


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
