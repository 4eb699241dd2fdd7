"""Alembic's environment: every version of the tables, oldest first."""
