"""What every section of the page is made of: sections, tables, lists of facts, figures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from synthspec.report.page.markup import Child, Markup, join, tag

RESULT = {"held": "good", "broken": "bad", "unproven": "open"}
_SIGN = {"held": "✓", "broken": "✗", "unproven": "?"}


def section(ident: str, title: str, *children: Child) -> Markup:
    """A region of the page under a heading of the second level."""
    heading = tag("h2", title, id=f"{ident}-title")
    return tag("section", heading, *children, id=ident, aria_labelledby=f"{ident}-title")


def table(caption: str, head: Sequence[str], rows: Iterable[Sequence[Child]], kind: str = "") -> Markup:
    """A table whose first cells name their rows.

    On narrow screens a row becomes a block with the names of its columns; the roles keep it a table for screen readers.
    """
    columns = (tag("th", name, scope="col", role="columnheader") for name in head)
    return tag(
        "table",
        tag("caption", caption),
        tag("thead", tag("tr", *columns, role="row"), role="rowgroup"),
        tag("tbody", *(_row(head, row) for row in rows), role="rowgroup"),
        role="table",
        class_=kind or None,
    )


def _row(head: Sequence[str], row: Sequence[Child]) -> Markup:
    first, *others = row
    cells = (
        tag("td", tag("div", cell), role="cell", data_label=name, class_="empty" if cell == "" else None)
        for name, cell in zip(head[1:], others, strict=True)
    )
    return tag("tr", tag("th", first, scope="row", role="rowheader"), *cells, role="row")


def facts(pairs: Iterable[tuple[str, Child | None]]) -> Markup:
    """Names with what is known of them; a pair without a value is left out."""
    shown = (tag("div", tag("dt", name), tag("dd", value)) for name, value in pairs if value not in (None, ""))
    return tag("dl", *shown, class_="facts")


def result(word: str) -> Markup:
    """``held``, ``broken`` or ``unproven``, told by word, sign and colour."""
    sign = tag("span", _SIGN[word], aria_hidden="true")
    return tag("span", sign, " ", word, class_=f"result {RESULT[word]}")


def code(text: str) -> Markup:
    """A digest, a path, an expression."""
    return tag("code", text)


def more(summary: str, *children: Child) -> Markup:
    """What is there for who asks."""
    return tag("details", tag("summary", summary), *children)


def cards(items: Iterable[Markup], kind: str = "cards") -> Markup:
    """Blocks side by side where there is room."""
    return tag("ul", *(tag("li", item) for item in items), class_=kind, role="list")


def paragraphs(*texts: Child) -> Markup:
    """One paragraph a text."""
    return join(*(tag("p", text) for text in texts))
