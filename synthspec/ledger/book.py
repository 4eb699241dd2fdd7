"""Reserve before training, settle after it: what is reserved counts as spent until the count of releases says less."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from synthspec.accounting import Event
from synthspec.backend.releases import counted
from synthspec.ledger.account import Account, Entry, LedgerError, Total
from synthspec.ledger.database import insert_or_leave, migrate, open_engine
from synthspec.ledger.event_text import read_event, write_event
from synthspec.ledger.holder import died_here, holder
from synthspec.ledger.tables import accounts, entries
from synthspec.ledger.totals import afforded, shortened, total


class Ledger:
    """An open database. Every method is one transaction; two at once on one account wait for each other."""

    def __init__(self, url: str) -> None:
        """Open the database at `url` and bring its tables to the newest version.

        Raises LedgerError when it cannot be reached; the password of the URL is in no message.
        """
        self._engine = open_engine(url)
        with self._transaction() as connection:
            migrate(connection)

    def close(self) -> None:
        self._engine.dispose()

    def open_account(self, account: Account) -> Account:
        """The account called ``account.name``, opened with this budget where there is none.

        Raises LedgerError when it is there with another adjacency or unit: their releases do not compose.
        """
        with self._transaction() as connection:
            return _opened(connection, account)

    def reserve(self, account: Account, entry: Entry) -> tuple[Entry, Total]:
        """Set aside what `entry` plans, or refuse; the entry with its number, and the total with it.

        The smaller of the account's budget and ``account.eps_budget`` must cover everything that was and will be
        released. A process that died leaves its reservation as large as what it had counted.

        Raises OverBudgetError, with nothing written; LedgerError when the data belong to another account.
        """
        with self._transaction() as connection:
            held = _opened(connection, account)
            _recover(connection, account.name)
            _one_account(connection, account.name, entry.dataset)
            before = _entries(connection, account.name)
            whole = afforded(held, account, before, before, entry)
            stamped = replace(entry, account=account.name, holder=holder(), made_at=_now())
            return _inserted(connection, stamped), whole

    def interrupted(self, account: str, plan: str, dataset: str) -> tuple[Entry, ...]:
        """Trainings of `plan` on `dataset` whose process died before they were settled, the last one first.

        One of them may go on under its own noise; under other noise it is another training.
        """
        with self._transaction() as connection:
            return tuple(
                each
                for each in reversed(_entries(connection, account))
                if (each.plan, each.dataset, each.commitment) == (plan, dataset, "") and died_here(each.holder)
            )

    def resume(self, account: Account, entry: Entry, planned: Event) -> Entry | None:
        """Take over the interrupted `entry`, whose noise goes on to all of `planned`; None when somebody else has.

        What it had counted is part of `planned`. The rest was given back when it died, and others may have it since: it
        is asked for again. Raises OverBudgetError, with nothing written; LedgerError as `reserve`.
        """
        with self._transaction() as connection:
            held = _opened(connection, account)
            _recover(connection, account.name)
            before = _entries(connection, account.name)
            if not any(each.id == entry.id and not each.commitment and died_here(each.holder) for each in before):
                return None
            note = f"{entry.note}; went on".lstrip("; ")
            going = replace(entry, event=planned, state="reserved", note=note, holder=holder(), settled_at="")
            afforded(held, account, before, [each for each in before if each.id != entry.id], going)
            changed = {"note": note, "holder": going.holder, "settled_at": ""}
            values = {"event": write_event(planned), "state": "reserved", **changed}
            connection.execute(update(entries).where(entries.c.id == entry.id).values(**values))
        return going

    def settle(self, entry_id: int, done: Event, commitment: str = "") -> Total:
        """The release happened: `done` takes the place of what was reserved. The total of all there is by now with it."""
        with self._transaction() as connection:
            values = {"event": write_event(done), "state": "spent", "commitment": commitment, "settled_at": _now()}
            connection.execute(update(entries).where(entries.c.id == entry_id).values(**values))
            return _until(connection, entry_id, now=True)

    def known(self, account: str, commitment: str) -> tuple[Entry, Total] | None:
        """The entry whose noise is that of `commitment`, and the total up to it: a result that is used again."""
        with self._transaction() as connection:
            found = [each for each in _entries(connection, account) if each.commitment == commitment]
            return (found[0], _until(connection, found[0].id)) if found else None

    def has(self, account: str, commitment: str) -> bool:
        """Whether an entry has the noise of `commitment`; nothing is composed."""
        with self._transaction() as connection:
            return any(each.commitment == commitment for each in _entries(connection, account))

    def publish(self, entry_id: int, manifest: str) -> None:
        """Note the digest of the manifest that tells of an entry."""
        with self._transaction() as connection:
            connection.execute(update(entries).where(entries.c.id == entry_id).values(manifest=manifest))

    def accounts(self) -> tuple[tuple[Account, Total], ...]:
        """Every account with what it has spent, by name; reservations of dead processes are settled first."""
        with self._transaction() as connection:
            found = connection.execute(select(accounts).order_by(accounts.c.name)).mappings().all()
            for row in found:
                _recover(connection, row["name"])
            held = [Account(**row) for row in found]
            return tuple((each, total(each, _entries(connection, each.name))) for each in held)

    def entries(self, account: str) -> tuple[Entry, ...]:
        """What was released from `account`, in order."""
        with self._transaction() as connection:
            _recover(connection, account)
            return tuple(_entries(connection, account))

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        try:
            with self._engine.begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise _unreachable(self._engine.url.render_as_string(hide_password=True), error) from None


def _opened(connection: Connection, account: Account) -> Account:
    query = select(accounts).where(accounts.c.name == account.name).with_for_update()
    row = connection.execute(query).mappings().first()
    if row is None:
        values = {field: getattr(account, field) for field in ("adjacency", "unit", "accountant", "eps_budget")}
        made = {"name": account.name, **values, "delta_budget": account.delta_budget, "opened_at": _now()}
        # Two that open one account at once: one does, the other finds it.
        connection.execute(insert_or_leave(connection)(accounts).values(**made).on_conflict_do_nothing())
        row = connection.execute(query).mappings().one()
    held = Account(**row)
    if (held.adjacency, held.unit) != (account.adjacency, account.unit):
        message = (
            f"the ledger {held.name} counts {held.adjacency} by {held.unit}, not {account.adjacency} by {account.unit}"
        )
        raise LedgerError(message, "state the same adjacency and unit, or keep these data in another ledger")
    if account.delta_budget < held.delta_budget:
        message = f"the ledger {held.name} answers for delta {held.delta_budget:g}, not {account.delta_budget:g}"
        raise LedgerError(message, "state its delta, or keep these data in another ledger")
    return held


def _recover(connection: Connection, account: str) -> None:
    """Settle what processes that died had reserved, to the extent that they had counted."""
    for each in _entries(connection, account):
        if each.state != "reserved" or not died_here(each.holder):
            continue
        releases = counted(Path(each.meter)) if each.meter else None
        if releases is None:
            continue
        note = f"{each.note}; ended early after {releases} releases".lstrip("; ")
        values = {"event": write_event(shortened(each.event, releases)), "state": "spent", "note": note}
        connection.execute(update(entries).where(entries.c.id == each.id).values(**values, settled_at=_now()))


def _one_account(connection: Connection, account: str, dataset: str) -> None:
    query = select(entries.c.account).where(entries.c.dataset == dataset, entries.c.account != account).limit(1)
    other = connection.execute(query).scalar() if dataset else None
    if other is not None:
        message = f"these data are accounted for in the ledger {other}; in two, neither would know what was spent"
        raise LedgerError(message, f"write privacy.ledger: {other}")


def _entries(connection: Connection, account: str) -> list[Entry]:
    rows = connection.execute(select(entries).where(entries.c.account == account).order_by(entries.c.id)).mappings()
    return [_read(row) for row in rows]


def _read(row: Mapping[Any, Any]) -> Entry:
    return Entry(**{**row, "event": read_event(row["event"])})


def _inserted(connection: Connection, entry: Entry) -> Entry:
    columns = [column.name for column in entries.columns if column.name not in ("id", "event")]
    values = {name: getattr(entry, name) for name in columns}
    done = connection.execute(insert(entries).values(**values, event=write_event(entry.event)))
    return replace(entry, id=cast("tuple[int]", done.inserted_primary_key)[0])


def _until(connection: Connection, entry_id: int, *, now: bool = False) -> Total:
    """The total of what was there when an entry was settled, which is `now`, or was in the second that it is stamped with.

    A training that was interrupted, or took long, is settled after entries that were made later than its own.
    """
    name = connection.execute(select(entries.c.account).where(entries.c.id == entry_id)).scalar_one()
    held = Account(**connection.execute(select(accounts).where(accounts.c.name == name)).mappings().one())
    every = _entries(connection, name)
    (settled,) = (each.settled_at for each in every if each.id == entry_id)
    return total(held, [each for each in every if now or each.id <= entry_id or each.made_at < settled])


def _unreachable(url: str, error: SQLAlchemyError) -> LedgerError:
    cause = type(getattr(error, "orig", None) or error).__name__
    return LedgerError(f"the ledger at {url} cannot be used ({cause})", "check the URL, the server and the rights")


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
