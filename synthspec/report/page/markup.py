"""HTML and SVG by functions: text is escaped where it enters, so that nothing that is reported can become markup."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass

from synthspec.report.findings_text import plain

_VOID = frozenset({"br", "col", "hr", "img", "link", "meta", "wbr"})
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]*")


@dataclass(frozen=True, slots=True)
class Markup:
    """Text that is markup already; only `tag`, `join` and `verbatim` make it."""

    text: str


Child = Markup | str
Attribute = str | int | None


def tag(name: str, /, *children: Child, **attributes: Attribute) -> Markup:
    """``<name attributes>children</name>``.

    A string is text: it is escaped, and control and format characters in it are written out. ``aria_label`` is
    ``aria-label``, ``class_`` is ``class``; None leaves an attribute out, the empty string leaves it bare. Raises
    ValueError for a name that is not one.
    """
    shown = "".join(_attribute(key, value) for key, value in attributes.items() if value is not None)
    if not _NAME.fullmatch(name):
        raise ValueError(f"no name of an element: {name!r}")
    if name in _VOID:
        return Markup(f"<{name}{shown}>")
    return Markup(f"<{name}{shown}>{join(*children).text}</{name}>")


def join(*children: Child) -> Markup:
    """`children` one after another; strings are escaped."""
    return Markup("".join(each.text if isinstance(each, Markup) else escape(each) for each in children))


def breakable(name: str) -> Markup:
    """`name`, which may be broken after each underscore, dot and slash."""
    parts = re.split(r"(?<=[_./])", name)
    return join(parts[0], *(Markup(f"<wbr>{escape(part)}") for part in parts[1:]))


def verbatim(text: str) -> Markup:
    """Markup of this program's own: a style sheet, a doctype. Never anything that was read."""
    return Markup(text)


def escape(text: str) -> str:
    """`text` for an element or a quoted attribute."""
    return html.escape(plain(text), quote=True)


def _attribute(key: str, value: str | int | None) -> str:
    name = key.rstrip("_").replace("_", "-")
    if not _NAME.fullmatch(name):
        raise ValueError(f"no name of an attribute: {key!r}")
    return f" {name}" if value == "" else f' {name}="{escape(str(value))}"'
