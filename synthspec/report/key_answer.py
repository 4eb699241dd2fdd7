"""One key of the language on a terminal: what it takes, what it means, which way it loosens."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from synthspec.report.keys import Key, Section, document, find_keys, section_at
from synthspec.report.references import followed
from synthspec.report.style import Style

WIDTH = 100


def explain_keys(text: str, style: Style) -> str:
    """The entry of the key at the dotted path `text`, or of a document; of several keys a list; empty where there is none."""
    whole = document(text)
    if whole is not None:
        return "\n".join((style.paint(whole.kind, "bold"), *_below(whole, style))) + "\n"
    found = find_keys(text)
    places = dict.fromkeys(key.dotted for key in found)
    if len(places) > 1:
        return "".join(_listed(found, style))
    return "\n".join(_entry(found, style)) + "\n" if found else ""


def _entry(found: tuple[Key, ...], style: Style) -> Iterator[str]:
    """The entry of one path; where kinds take it differently, each of them."""
    where = " or ".join(found[0].where)
    yield style.paint(found[0].dotted, "bold") + (f"  (where {where} is written)" if where else "")
    for key in found:
        yield ""
        if key.of:
            yield textwrap.fill(f"Of {', '.join(key.of)}:", WIDTH)
        yield textwrap.fill(followed(key.words), WIDTH)
        yield ""
        default = (
            "none: the key is required"
            if key.required
            else key.default or ("none: a rule asks for it" if key.asked else "none")
        )
        for title, said in (("Takes", key.takes), ("Default", default), ("Change", key.loosens)):
            if said:
                head = style.paint(title.ljust(9), "bold")
                yield textwrap.fill(said, WIDTH, initial_indent=" " * 9, subsequent_indent=" " * 9).replace(
                    " " * 9, head, 1
                )
    below = section_at(found[0]) if found[0].section else None
    if below is not None:
        yield from _below(below, style)


def _below(section: Section, style: Style) -> Iterator[str]:
    """The keys of a section, and what has to be written for it to be there."""
    yield ""
    where = f", where {' or '.join(section.of)} is written" if section.of else ""
    yield f"{style.paint('Keys', 'bold')}{where}"
    width = max(len(key.name) for key in section.keys)
    for key in section.keys:
        of = f"[{', '.join(key.of)}] " if key.of else ""
        yield f"    {key.name.ljust(width)}  {_first(of + key.words, WIDTH - width - 6)}"


def _listed(found: tuple[Key, ...], style: Style) -> Iterator[str]:
    first = {key.dotted: key for key in reversed(found)}
    width = max(map(len, first))
    for dotted in dict.fromkeys(key.dotted for key in found):
        words = _first(first[dotted].words, WIDTH - width - 2)
        yield f"{style.paint(dotted.ljust(width), 'bold')}  {words}\n"


def _first(words: str, width: int) -> str:
    return textwrap.shorten(words, max(width, 40), placeholder=" ...")
