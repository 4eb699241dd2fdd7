"""The database of a ledger: SQLite or PostgreSQL, its driver, its locks and the version of its tables."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from synthspec.ledger.account import LedgerError

_MIGRATIONS = Path(__file__).parent / "migrations"
_WAIT_S = 60


def open_engine(url: str) -> Engine:
    """The database at `url`. Raises LedgerError for one that cannot be meant, or has no driver here."""
    try:
        parsed = make_url(url)
        if parsed.drivername == "postgresql":
            parsed = parsed.set(drivername="postgresql+pg8000")
        if parsed.get_backend_name() == "sqlite" and parsed.database:
            Path(parsed.database).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        engine = create_engine(parsed, connect_args={"timeout": _WAIT_S})
    except (ArgumentError, NoSuchModuleError, ImportError, OSError) as error:
        # What cannot be parsed may hold a password in any place: its text is not shown.
        what = f"no driver: {error.name}" if isinstance(error, ImportError) else type(error).__name__
        help_text = "use sqlite:///FILE, or postgresql://... with pip install 'synthspec[postgres]'"
        raise LedgerError(f"the ledger's URL cannot be used ({what})", help_text) from None
    if engine.dialect.name == "sqlite":
        # SQLAlchemy's driver begins a transaction only at the first write: two readers would both reserve.
        event.listen(engine, "connect", _no_implicit_transactions)
        event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    return engine


def _no_implicit_transactions(connection: Any, _: object) -> None:  # noqa: ANN401 - a driver's own class
    connection.isolation_level = None


def migrate(connection: Connection) -> None:
    """Bring the tables to the newest version."""
    from alembic import command
    from alembic.config import Config

    if connection.dialect.name == "postgresql":
        # Two that open a new database at once: one makes the tables, the other waits and finds them.
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(405516)")
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def insert_or_leave(connection: Connection) -> Callable[..., Any]:
    """The dialect's own INSERT, which can leave what is there."""
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert as dialect_insert
    else:
        from sqlalchemy.dialects.sqlite import insert as dialect_insert  # type: ignore[assignment]
    return dialect_insert
