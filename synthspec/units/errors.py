"""The one error of this package."""

from __future__ import annotations


class UnitError(ValueError):
    """A text that is no unit or no quantity, or units that do not go together.

    The caller maps it to a diagnostic: `code` is a rule of the `unit` family, `message` says what is wrong, `help` what
    to do, and `start`, `end` are the half-open range of characters inside the text that was read.
    """

    def __init__(self, code: str, message: str, help: str, start: int = 0, end: int = 0) -> None:  # noqa: A002
        super().__init__(message)
        self.code = code
        self.message = message
        self.help = help
        self.start = start
        self.end = end

    def shifted(self, by: int) -> UnitError:
        """The same error for a text in which this one starts at character `by`."""
        return UnitError(self.code, self.message, self.help, self.start + by, self.end + by)
