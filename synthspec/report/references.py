"""References of a page as a reader can follow them."""

from __future__ import annotations

import re

LANGUAGE = "docs/language.md"
SECTIONS = {
    1: "Files",
    2: "Quantities, units, dimensions",
    3: "Expressions",
    4: "EngineSpec, section by section",
    5: "Contracts",
    6: "Rules",
    7: "Command line",
    8: "Machine output",
}
"""The sections of the reference of the language, by the numbers that rules refer to."""
_LANGUAGE = re.compile(r"\blanguage ([1-8])\b")


def followed(text: str) -> str:
    """`text` with the file that a reference to the language is to be found in.

    >>> followed("language 4, waivers; P405-4")
    'docs/language.md 4, waivers; P405-4'
    """
    return _LANGUAGE.sub(rf"{LANGUAGE} \1", text)


def linked(text: str, folder: str) -> str:
    """`text` with references to the language as links from `folder`, which leads to ``docs/``.

    >>> linked("language 1", "../")
    '[language 1](../language.md#1-files)'
    """
    return _LANGUAGE.sub(lambda found: f"[{found[0]}]({folder}language.md#{_section(found[1])})", text)


def anchor(heading: str) -> str:
    """The anchor that a renderer of Markdown gives a heading: lower case, without points.

    >>> anchor("2. Quantities, units"), anchor("P405-4.on-empty")
    ('2-quantities-units', 'p405-4on-empty')
    """
    return "".join(char for char in heading.lower().replace(" ", "-") if char.isalnum() or char in "-_")


def _section(number: str) -> str:
    return anchor(f"{number}. {SECTIONS[int(number)]}")
