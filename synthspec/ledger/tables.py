"""The tables as the newest migration leaves them."""

from __future__ import annotations

from sqlalchemy import Column, Float, ForeignKey, Integer, MetaData, String, Table, Text

metadata = MetaData()

accounts = Table(
    "accounts",
    metadata,
    Column("name", String(200), primary_key=True),
    Column("adjacency", String(20), nullable=False),
    Column("unit", String(200), nullable=False),
    Column("accountant", String(20), nullable=False),
    Column("eps_budget", Float, nullable=False),
    Column("delta_budget", Float, nullable=False),
    Column("opened_at", String(20), nullable=False),
)

entries = Table(
    "entries",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("account", String(200), ForeignKey("accounts.name"), nullable=False, index=True),
    Column("state", String(20), nullable=False),
    Column("dataset", String(64), nullable=False, index=True),
    Column("event", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("spec", String(64), nullable=False),
    Column("plan", String(64), nullable=False),
    Column("commitment", String(64), nullable=False, index=True),
    Column("manifest", String(64), nullable=False),
    Column("holder", Text, nullable=False),
    Column("meter", Text, nullable=False),
    Column("made_at", String(20), nullable=False),
    Column("settled_at", String(20), nullable=False),
)
