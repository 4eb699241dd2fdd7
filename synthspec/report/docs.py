"""The pages under ``docs/`` that ``synthspec explain --write`` writes: codes by area, ids of the standard, keys."""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.report.keys_page import keys_page
from synthspec.report.references import anchor, linked
from synthspec.report.standard import Clause, clauses
from synthspec.rules import Rule
from synthspec.rules.codes import CODES
from synthspec.rules.documented import Documented
from synthspec.rules.page import Example

NOTICE = (
    "<!-- Written by `synthspec explain --write docs`; change the pages of the rules, or specs/standard, instead. -->"
)
AREAS = {
    "syntax": "What cannot be read",
    "schema": "What the models refuse",
    "unit": "Units and quantities",
    "expr": "Expressions",
    "sref": "The schema of the data",
    "P405-1": "Explicit measures",
    "P405-2": "Controllability",
    "P405-3": "Stability first",
    "P405-4": "Privacy upfront",
    "P405-5": "Unified time base",
    "P405-6": "Dual arrival forms",
    "P405-7": "Dimensional conservation",
    "P405-8": "Reproducibility",
    "P405-9": "Evaluation separation",
    "P405-10": "Accountability",
    "C40": "Contracts",
    "engine": "Engines and backends",
    "data": "What only the data can tell",
    "weights": "Weights that a run did not make",
    "waiver": "Waivers",
    "review": "What a change of specs does",
    "policy": "Policies",
    "verify": "What verify refuses",
    "internal": "Our own bugs",
}
"""The areas in the order of the language, with their titles; a code is ``<area>.<offence>``."""

Entry = Rule | Documented


def pages() -> dict[str, str]:
    """Every page by its path below ``docs/``."""
    found = {f"rules/{area}.md": _area(area, members) for area, members in _by_area().items()}
    return {"rules/README.md": _index(), **found, "standard.md": _standard(), "keys.md": _keys()}


def _by_area() -> dict[str, list[Entry]]:
    """The codes of each area. Raises KeyError for a code of an area that has no title yet."""
    grouped: dict[str, list[Entry]] = {area: [] for area in AREAS}
    for code, entry in CODES.items():
        grouped[code.partition(".")[0]].append(entry)
    return {area: sorted(members, key=lambda entry: entry.code) for area, members in grouped.items()}


def _index() -> str:
    lines = [
        NOTICE,
        "",
        "# Findings",
        "",
        "Every code that can be printed; `synthspec explain CODE` shows the same page.",
    ]
    for area, members in _by_area().items():
        lines += ["", f"## [{AREAS[area]}]({area}.md)", "", "| code | severity | |", "|---|---|---|"]
        lines += [
            f"| {_link(entry.code, '')} | {entry.severity.value} | {_cell(entry.page.title)} |" for entry in members
        ]
    return _text(lines)


def _area(area: str, members: list[Entry]) -> str:
    lines = [NOTICE, "", f"# {AREAS[area]}"]
    clause = clauses().get(area)
    if clause is not None:
        lines += ["", f"> {clause.text} ([{clause.id}](../standard.md#{anchor(clause.id)}))"]
    for entry in members:
        lines += ["", *_page(entry)]
    return _text(lines)


def _page(entry: Entry) -> Iterator[str]:
    page = entry.page
    raised = "" if isinstance(entry, Rule) else f", raised by {entry.raised_by}"
    yield f"## {entry.code}"
    yield ""
    yield f"{page.title.replace('``', '`')} ({entry.severity.value}{raised})"
    yield ""
    yield "**Why:** " + page.why.replace("``", "`")
    yield ""
    yield f"Refs: {linked('; '.join(page.refs), '../')}"
    for title, example in (("Bad", page.bad), ("Good", page.good)):
        yield ""
        yield from _example(title, example)


def _example(title: str, example: Example) -> Iterator[str]:
    yield f"{title}, {example.heading}:" if example.base else f"{title}:"
    yield ""
    if example.text:
        yield from ("```yaml", *example.text.splitlines(), "```")
    else:
        yield "(nothing is written there)"


def _standard() -> str:
    lines = [
        NOTICE,
        "",
        "# The standard",
        "",
        "Every id of chapter 5 in our own words: what meets it here, and how it can fail.",
    ]
    source = ""
    for clause in clauses().values():
        if clause.source != source:
            source = clause.source
            lines += ["", f"## {source}"]
        lines += ["", *_clause(clause)]
    return _text(lines)


def _clause(clause: Clause) -> Iterator[str]:
    yield f"### {clause.id}"
    yield ""
    yield f"**{clause.title}.** {clause.text}"
    yield ""
    yield f"Fails when {clause.fails_when}."
    rows = {
        "Rules": [_link(code, "rules/") for code in clause.rules],
        "Contracts": [f"[{name}](#{anchor(name)})" if name in clauses() else name for name in clause.contracts],
        "Written in": [f"`{module}`" for module in clause.modules],
        "Planned": list(clause.planned),
    }
    for title, words in rows.items():
        if words:
            yield ""
            yield f"{title}: {', '.join(words)}"


def _keys() -> str:
    def place(code: str) -> str | None:
        return f"rules/{code.partition('.')[0]}.md#{anchor(code)}" if code in CODES else None

    notice = "<!-- Written by `synthspec explain --write docs`; change synthspec/spec instead: the models and their words. -->"
    return f"{notice}\n\n{keys_page(place)}"


def _link(code: str, folder: str) -> str:
    return f"[{code}]({folder}{code.partition('.')[0]}.md#{anchor(code)})"


def _cell(text: str) -> str:
    return text.replace("``", "`").replace("|", "\\|")


def _text(lines: list[str]) -> str:
    return "\n".join(lines) + "\n"
