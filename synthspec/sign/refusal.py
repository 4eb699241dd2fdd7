"""Refusals: what a verifier answers instead of raising, and how none of them can be mistaken for "verified"."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal, TypeVar

T = TypeVar("T")

Code = Literal[
    # the front door
    "TOO_LARGE",
    "NOT_UTF8",
    "BAD_JSON",
    "TOO_DEEP",
    "DUPLICATE_KEY",
    "NON_FINITE",
    "INT_RANGE",
    "BASE64",
    "NOT_CANONICAL",
    # envelope and statement
    "SCHEMA",
    "MEDIA_TYPE",
    "PAYLOAD_TYPE",
    "STATEMENT_TYPE",
    "PREDICATE_TYPE",
    "UNSUPPORTED_VERSION",
    "NO_SIGNATURE",
    "SIGNATURE_COUNT",
    "SIGNATURE",
    # keys and trust
    "TRUST_POLICY",
    "KEY_HINT",
    "KEY_TYPE",
    "WEAK_KEY",
    "KEY_FORMAT",
    "KEY_PASSPHRASE",
    "KEY_PERMISSIONS",
    "KEY_EXISTS",
    "KEY_DEVICE",
    "KEY_REVOKED",
    "KEY_NOT_VALID",
    # subjects and files
    "BAD_NAME",
    "DUPLICATE_SUBJECT",
    "COLLIDING_SUBJECT",
    "SUBJECT_COUNT",
    "DIGEST_ALG",
    "DIGEST_FORM",
    "SIZE",
    "DIGEST",
    "MISSING_FILE",
    "EXTRA_FILE",
    "SYMLINK",
    "SPECIAL_FILE",
    "HARDLINK",
    "CHANGED_WHILE_READING",
    # what is claimed
    "CONTRACT_MISSING",
    "DUPLICATE_CONTRACT",
    "CONTRACT_SCHEMA",
    "CONTRACT_INCONSISTENT",
    "EVIDENCE_MISSING",
    "LIMIT_NOT_FROM_SPEC",
    "VERDICT_INCONSISTENT",
    "COMPANION_INCONSISTENT",
    "GATE_CLOSED",
    # time
    "EXPIRED",
    "FROM_FUTURE",
    "TIMESTAMP_MISMATCH",
    "TIMESTAMP_UNTRUSTED",
    # the order of releases
    "ROLLBACK",
    "FORK",
    "CHAIN_BROKEN",
    # the world, and ourselves
    "IO",
    "INTERNAL",
]
"""``IO`` is an input that cannot be read (exit 2); every other code is a refusal (exit 1)."""

_MESSAGE_LIMIT = 400
_WHERE_LIMIT = 200


def printable(text: str, limit: int = _MESSAGE_LIMIT) -> str:
    """`text` safe for a terminal: control, format and undecodable characters escaped, cut after `limit` characters."""
    shown = "".join(
        char if char.isprintable() else char.encode("unicode_escape", "surrogatepass").decode()
        for char in text[: limit + 1]
    )
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


@dataclass(frozen=True, slots=True)
class Refusal:
    """One thing that is wrong. `where` is a file, a JSON pointer or a contract id; both texts are safe to print."""

    code: Code
    message: str
    where: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "message", printable(self.message))
        object.__setattr__(self, "where", printable(self.where, _WHERE_LIMIT))

    def __str__(self) -> str:
        """``samples.csv: an unsigned file``; what is wrong with the whole names no place."""
        return f"{self.where}: {self.message}" if self.where else self.message


Refusals = tuple[Refusal, ...]


class Refused(Exception):  # noqa: N818 - it carries an answer, it is not a fault
    """Carries refusals out of the depth of this package; no public function lets it through."""

    def __init__(self, refusals: Iterable[Refusal]) -> None:
        super().__init__("refused")
        self.refusals: Refusals = tuple(refusals)


def refuse(code: Code, message: str, where: str = "") -> Refused:
    """The exception that carries one refusal."""
    return Refused((Refusal(code, message, where),))


def settled(step: Callable[[], T]) -> T | Refusals:
    """The result of `step`, or why there is none. A fault of our own is a refusal too, so that it never verifies."""
    try:
        return step()
    except Refused as refused:
        return refused.refusals
    except Exception as error:  # noqa: BLE001 - fail closed whatever happens
        return (Refusal("INTERNAL", f"the verifier failed: {type(error).__name__}: {error}"),)
