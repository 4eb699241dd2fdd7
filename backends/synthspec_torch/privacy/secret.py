"""The secrets of a mechanism, which live in the core: noise on statistics has them, too."""

from __future__ import annotations

from synthspec.backend.secret import Secret, bound_to, settle

__all__ = ["Secret", "bound_to", "settle"]
