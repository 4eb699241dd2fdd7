"""Every code that can be printed, with its page: what `explain` reads. `validate` does not load it."""

from __future__ import annotations

from synthspec.rules import RULES, Rule
from synthspec.rules.documented import DOCUMENTED, Documented
from synthspec.rules.documented.verifying import AREA

_ALL: tuple[Rule | Documented, ...] = (*RULES, *DOCUMENTED)
CODES: dict[str, Rule | Documented] = {entry.code: entry for entry in _ALL}


def find(code: str) -> Rule | Documented | None:
    """The rule or documented code called `code`, whatever its case; None when there is none.

    A refusal of `verify` goes by the word that is printed, in capitals (``DIGEST``): in small letters some are areas.
    """
    name = code.strip()
    folded = {known.casefold(): entry for known, entry in CODES.items()}
    return folded.get(name.casefold()) or (CODES.get(f"{AREA}.{name}") if name.isupper() else None)


def of_axiom(axiom: str) -> tuple[Rule | Documented, ...]:
    """The codes of one axiom or area (``P405-1``, ``sref``), in the order of the table."""
    return tuple(entry for code, entry in CODES.items() if code.partition(".")[0].casefold() == axiom.casefold())
