"""Accounts with their budgets, and the releases that spend them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make both tables."""
    op.create_table(
        "accounts",
        sa.Column("name", sa.String(200), primary_key=True),
        sa.Column("adjacency", sa.String(20), nullable=False),
        sa.Column("unit", sa.String(200), nullable=False),
        sa.Column("accountant", sa.String(20), nullable=False),
        sa.Column("eps_budget", sa.Float, nullable=False),
        sa.Column("delta_budget", sa.Float, nullable=False),
        sa.Column("opened_at", sa.String(20), nullable=False),
    )
    op.create_table(
        "entries",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("account", sa.String(200), sa.ForeignKey("accounts.name"), nullable=False, index=True),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("dataset", sa.String(64), nullable=False, index=True),
        sa.Column("event", sa.Text, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("spec", sa.String(64), nullable=False),
        sa.Column("plan", sa.String(64), nullable=False),
        sa.Column("commitment", sa.String(64), nullable=False, index=True),
        sa.Column("manifest", sa.String(64), nullable=False),
        sa.Column("holder", sa.Text, nullable=False),
        sa.Column("meter", sa.Text, nullable=False),
        sa.Column("made_at", sa.String(20), nullable=False),
        sa.Column("settled_at", sa.String(20), nullable=False),
    )


def downgrade() -> None:
    """A record of what was spent is not taken back."""
    raise NotImplementedError("a ledger is never emptied by a migration")
