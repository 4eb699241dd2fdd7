"""A run against the ledger: set aside before training, settled after it, and refused when it does not fit (P405-4)."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from synthspec.backend.protocol import DataError, Identity
from synthspec.backend.releases import PRIVACY_RECORD, ReleaseRecord, read_record
from synthspec.backend.secret import Secret, keep, kept, secret_of
from synthspec.execute import Passage
from synthspec.ir.ops import Fit, Op, Statistics
from synthspec.ir.plan import Plan
from synthspec.ir.privacy import accountant_of, planned_event, stated_multiplier, training_event
from synthspec.ir.statistics import statistics_event
from synthspec.pipeline.spending import Held
from synthspec.spec.privacy import DpNoise, DpSgd, Pate

if TYPE_CHECKING:
    from synthspec.accounting import Event
    from synthspec.execute import NodeRun
    from synthspec.ledger import Account, Entry, Ledger, Total

UNUSABLE = "P405-4.ledger-unusable"
_GOES_ON = (
    "a training of this plan was interrupted, and goes on for little or nothing more under its own noise alone: with the "
    "--secret that it had, or without one where it had none, with the same backend on the same machine"
)
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
            released = self.op if isinstance(self.op, Statistics) else None
            return statistics_event(released.kind, released.sigma) if released else Unknown("not statistics")
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
    held: Held | None = None
    """What the ledger says after the training: for the manifest."""
    _settled_entries: list[int] = field(default_factory=list)
    _entry: Entry | None = None
    _meter: Path | None = None
    _opened: list[Ledger] = field(default_factory=list)

    def begin(self, op: Op, inputs: Mapping[str, str], secret: Path | None, identity: Identity) -> Passage:
        """`op`, whose inputs have the digests `inputs`, is about to be computed, with the secret in the file `secret`.

        A training that was interrupted goes on under its own noise, which costs nothing more; under other noise (that of
        another file, or of another execution) it is a release of its own. Until it is done, its secret lies beside its
        meter, unless a file was asked for.

        Raises DataError: `P405-4.budget-exceeded` when what is left does not cover it, `P405-4.ledger-unusable`, and for
        a file of secrets that is not this execution's; nothing is reserved then.
        """
        release = _released_by(op)
        if release is None:
            return Passage(secret=secret)
        asked = None if secret is None else kept(secret_of(op, secret), identity)
        if asked is not None and self._ledger().has(release.block.ledger or "", asked.commitment):
            return Passage(secret=secret)
        self.state.mkdir(mode=0o700, parents=True, exist_ok=True)
        noise = _Noise(op, secret, asked, identity, self.state)
        self._entry, self._meter = self._resumed(release, inputs["data"], noise) or self._begun(
            release, inputs["data"], noise
        )
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
        self.held = Held(name=entry.account, entry=entry.id, releases=total.entries, spend=total.spend)
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

    def _resumed(self, release: _Release, data: str, noise: _Noise) -> tuple[Entry, Path] | None:
        """The interrupted training that this one goes on with: one whose noise is still there, and is the one asked for."""
        for found in self._interrupted(release, data):
            if found.meter and noise.is_that_of(Path(found.meter)):
                with _refusals():
                    taken = self._ledger().resume(_account(release.block), found, release.planned)
                if taken is not None:
                    return taken, Path(found.meter)
        return None

    def _interrupted(self, release: _Release, data: str) -> tuple[Entry, ...]:
        return self._ledger().interrupted(release.block.ledger or "", self.plan.digest, data)

    def _begun(self, release: _Release, data: str, noise: _Noise) -> tuple[Entry, Path]:
        """A training of its own. Its noise is settled first: who resumes it has to hold it."""
        meter, made = noise.settled()
        try:
            return self._reserve(release, data, str(meter)), meter
        except BaseException as error:
            if made is not None:
                made.unlink(missing_ok=True)
            if isinstance(error, DataError) and self._interrupted(release, data):
                raise DataError(error.code, str(error), f"{error.help}; {_GOES_ON}") from None
            raise

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


@dataclass(frozen=True, slots=True)
class _Noise:
    """The noise that is asked for: that of the file `path`, where `held` is what it holds, or any without a file.

    The meter of a training is named by the commitment to its noise: whoever goes on counting in it must hold that noise.
    """

    op: Op
    path: Path | None
    held: Secret | None
    identity: Identity
    state: Path

    def is_that_of(self, meter: Path) -> bool:
        """Whether it is the noise of the training that counts in `meter`; of one that began before, or elsewhere, it is not."""
        mine = self.held
        if self.path is None:
            try:
                mine = kept(secret_of(self.op, _secret(meter)), self.identity)
            except DataError:  # that of another version, or of another machine: it is not gone on with
                return False
        return mine is not None and meter.name == _meter(self.state, mine).name

    def settled(self) -> tuple[Path, Path | None]:
        """The meter of a new training, and the file of secrets that was made for it. Raises DataError, OSError."""
        if self.held is not None:
            return _meter(self.state, self.held), None
        fresh = Secret.fresh()
        meter = _meter(self.state, fresh.of(self.identity))
        made = secret_of(self.op, self.path or _secret(meter))
        try:
            keep(made, fresh, self.identity)
        except FileExistsError:  # another run made it meanwhile
            return replace(self, held=kept(made, self.identity)).settled()
        return meter, made


def _meter(state: Path, secret: Secret) -> Path:
    return state / f"meter-{secret.commitment}"


def _secret(meter: Path) -> Path:
    """Where the secret of a training under way lies when no file was asked for: a crash must not cost its noise."""
    return meter.with_suffix(".secret")
