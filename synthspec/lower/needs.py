"""What a run cannot do without: asked for by name, reported all at once."""

from __future__ import annotations

from typing import TypeVar

from synthspec.diag import Diagnostic
from synthspec.ir.resolved import ResolvedSpec
from synthspec.text import Path, pointer

T = TypeVar("T")


class Needs:
    """Collects what is missing. A rule has asked for it already, so this speaks only where that rule was waived."""

    def __init__(self, resolved: ResolvedSpec) -> None:
        self._resolved = resolved
        self.faults: list[Diagnostic] = []

    def of(self, value: T, *path: str) -> T:
        """Hand `value` on, noting a fault at `path` when there is none."""
        if value is None:
            where: Path = path
            self.fault(
                "schema.missing-key",
                f"{pointer(where)} is missing, and a run cannot do without it",
                "write it: a waiver can excuse a rule, but not supply what the rule asks for",
                where,
            )
        return value

    def fault(self, code: str, message: str, help_text: str, path: Path) -> None:
        """Note one fault of the spec at `path`."""
        span = self._resolved.spec_places.value(path)
        self.faults.append(Diagnostic(code=code, message=message, help=help_text, span=span, path=path))
