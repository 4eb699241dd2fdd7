"""Pages of `explain`: every code that can be printed, every id of the standard, every key of the language."""

from __future__ import annotations

import textwrap

from synthspec.report.key_answer import WIDTH, explain_keys
from synthspec.report.keys import spelled_paths
from synthspec.report.references import followed
from synthspec.report.standard import Clause, clause, clauses
from synthspec.report.style import Style
from synthspec.rules import Rule
from synthspec.rules.codes import CODES, find, of_axiom
from synthspec.rules.documented import Documented
from synthspec.rules.page import Example


def names() -> tuple[str, ...]:
    """Everything that can be explained."""
    return (*clauses(), *CODES, *spelled_paths())


def explain_name(name: str, style: Style) -> str | None:
    """The page of a code, an id of the standard or a key, or the codes of an area; None when nothing is called so.

    A section may have the name of an area (`data`): then both are told.
    """
    entry = find(name)
    if entry is not None:
        return _page(entry, style)
    stated = clause(name)
    if stated is not None:
        return _clause(stated, style)
    members = of_axiom(name)
    told = (_list(members, style) if members else "", explain_keys(name, style))
    return "\n".join(filter(None, told)) or None


def index(style: Style) -> str:
    """All codes with their titles."""
    return _list(tuple(CODES.values()), style)


def _page(entry: Rule | Documented, style: Style) -> str:
    page = entry.page
    raised = "" if isinstance(entry, Rule) else f", raised while reading or running ({entry.raised_by})"
    parts = [
        f"{style.paint(entry.code, 'bold')}  ({entry.severity.value}{raised})",
        _wrapped(page.title),
        f"{style.paint('Why', 'bold')}\n{_wrapped(page.why)}",
        f"{style.paint('Refs', 'bold')}  {followed('; '.join(page.refs))}",
        _example("Bad", page.bad, style),
        _example("Good", page.good, style),
    ]
    return "\n\n".join(parts) + "\n"


def _clause(stated: Clause, style: Style) -> str:
    rows = {
        "Met by": tuple(each for each in (*stated.rules, *stated.contracts) if each != stated.id),
        "Written in": stated.modules,
        "Planned": stated.planned,
    }
    parts = [
        f"{style.paint(stated.id, 'bold')}  {stated.title}\n{stated.source}",
        _wrapped(stated.text),
        f"{style.paint('Fails when', 'bold')}\n{_wrapped(stated.fails_when)}",
    ]
    parts += [f"{style.paint(title, 'bold')}\n{_lines(words)}" for title, words in rows.items() if words]
    return "\n\n".join(parts) + "\n"


def _lines(words: tuple[str, ...]) -> str:
    titles = {code: f"{code}  {CODES[code].page.title}" for code in words if code in CODES}
    return textwrap.indent("\n".join(titles.get(word, word) for word in words), "    ")


def _example(title: str, example: Example, style: Style) -> str:
    where = f"  {example.heading}" if example.base else ""
    body = example.text or "(nothing is written there)"
    return f"{style.paint(title, 'bad' if title == 'Bad' else 'good')}{where}\n{textwrap.indent(body, '    ')}"


def _list(entries: tuple[Rule | Documented, ...], style: Style) -> str:
    width = max(len(entry.code) for entry in entries)
    lines = [f"{style.paint(entry.code.ljust(width), 'bold')}  {_first(entry.page.title)}" for entry in entries]
    return "\n".join(lines) + "\n"


def _first(title: str) -> str:
    return textwrap.shorten(title, WIDTH, placeholder=" ...")


def _wrapped(text: str) -> str:
    return textwrap.fill(text, WIDTH)
