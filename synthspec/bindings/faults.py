"""What a binding raises for a fault of its caller: every finding, as `synthspec validate` would print them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from synthspec.diag import Diagnostic, Outcome, failure
from synthspec.text import pointer

T = TypeVar("T")


class BindingError(Exception):
    """The call is refused; nothing was computed. `findings` are the errors, each with its code, message and help."""

    def __init__(self, findings: Iterable[Diagnostic]) -> None:
        self.findings = tuple(found for found in findings if found.is_error)
        super().__init__("\n".join(map(_line, self.findings)))


def _line(found: Diagnostic) -> str:
    where = f" at {pointer(found.path)}" if found.path else ""
    return f"{found.code}{where}: {found.message} ({found.help})"


def value_of(outcome: Outcome[T]) -> T:
    """The value of `outcome`. Raises BindingError when there is none."""
    if outcome.value is None:
        raise BindingError(outcome.diagnostics)
    return outcome.value


def refused(code: str, message: str, help_text: str) -> BindingError:
    """The error of one fault that no document shows."""
    return BindingError(failure([Diagnostic(code=code, message=message, help=help_text)]).diagnostics)
