"""The text of a document with the keys of every mapping in canonical order, moved as they stand.

An entry of a block mapping is a run of whole lines: the comments above its key, the key, its value, the comments after it
that are indented deeper than the key. An entry of a flow mapping is the text from its key to the end of its value; what
stands between entries (commas, line breaks) keeps its place. Blank lines above an entry go with it, and the entry that
comes first leaves its own to the one that was first.

Two kinds of mappings keep the order in which they were written: a flow mapping with comments between its entries, and one
that begins behind the dash of a list item and whose new first entry has comments above it. There is no telling where these
comments belong.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from pydantic import BaseModel

from synthspec.rewrite.edits import Edit
from synthspec.rewrite.models import key_order, walk
from synthspec.text import Path, Place, Places


def laid_out(model: BaseModel, places: Places, spelled: Iterable[Edit] = ()) -> str:
    """The text of `places`, which ends with a line break, in canonical order and with the scalars `spelled` replaced."""
    return _Layout(model, places, spelled).document()


class _Layout:
    def __init__(self, model: BaseModel, places: Places, spelled: Iterable[Edit]) -> None:
        self.text = places.source.text
        self.places: Mapping[Path, Place] = places
        self.spelled = {edit.start: edit for edit in spelled}
        self.order = {path: key_order(value) for path, value in walk(model) if isinstance(value, BaseModel)}
        self.parts: dict[Path, list[Path]] = {}
        for path in places:
            if path:
                self.parts.setdefault(path[:-1], []).append(path)

    def document(self) -> str:
        root = self.places[()].value
        if self.text[root.start] == "{":
            return self.text[: root.start] + self.flow(()) + self.text[root.end :]
        begin = self.line_start(root.start)
        return self.text[:begin] + self.mapping((), begin, len(self.text))

    # -- values --------------------------------------------------------------------------------------------------------

    def value(self, path: Path, indicator: int, end: int) -> str:
        """The text from `indicator` (the end of the key, or the dash) to `end`, with the value at `path` laid out."""
        span, parts = self.places[path].value, self.parts.get(path)
        if not parts or self.text[span.start] in "[{":
            return self.text[indicator : span.start] + self.flow(path) + self.text[span.end : end]
        if isinstance(parts[0][-1], int):
            return self.text[indicator : span.start] + self.sequence(path, end)
        line = self.line_start(span.start)
        own_line = not self.text[line : span.start].strip(" ") and indicator < line
        begin = self.line_after(indicator) if own_line else span.start
        return self.text[indicator:begin] + self.mapping(path, begin, end)

    def flow(self, path: Path) -> str:
        """A scalar, or a collection in brackets with everything in it."""
        span, parts = self.places[path].value, self.parts.get(path)
        if not parts:
            edit = self.spelled.get(span.start)
            return self.text[span.start : span.end] if edit is None else edit.text
        starts = [self.start(part) for part in parts]
        ends = [self.places[part].value.end for part in parts]
        between = [self.text[a:b] for a, b in zip([span.start, *ends], [*starts, span.end], strict=True)]
        entries = [
            self.text[start : self.places[part].value.start] + self.flow(part)
            for start, part in zip(starts, parts, strict=True)
        ]
        if not any("#" in gap for gap in between):
            entries = [entries[number] for number in self.ranked(path, parts)]
        return between[0] + "".join(entry + gap for entry, gap in zip(entries, between[1:], strict=True))

    def sequence(self, path: Path, end: int) -> str:
        """A block list from its first dash to `end`."""
        parts = self.parts[path]
        ends = [self.places[part].value.end for part in parts]
        dashes = [self.places[path].value.start, *(self.next_token(end) for end in ends[:-1])]
        column = dashes[0] - self.line_start(dashes[0])
        cuts = [dashes[0], *self.cuts(parts, dashes, column), end]
        return "".join(
            self.text[cut:dash] + self.value(part, dash, stop)
            for part, dash, (cut, stop) in zip(parts, dashes, pairwise(cuts), strict=True)
        )

    def mapping(self, path: Path, begin: int, end: int) -> str:
        """A block mapping from `begin`, the start of a line or the first key behind a dash, to `end`."""
        parts = self.parts[path]
        keys = [self.start(part) for part in parts]
        column = keys[0] - self.line_start(keys[0])
        if any(self.text[self.line_start(key) : key].strip(" ") for key in keys[1:]):
            return self.text[begin:end]  # a key behind a question mark: there is no whole line to move
        tail = self.owned(self.places[parts[-1]].value.end, end, column)
        cuts = [begin, *self.cuts(parts, keys, column), tail]
        chunks = []
        for part, (cut, stop) in zip(parts, pairwise(cuts), strict=True):
            key = self.places[part].name
            chunks.append(self.text[cut : key.end] + self.value(part, key.end, stop))
        dashed = begin != self.line_start(begin)
        moved = _moved(chunks, self.ranked(path, parts), column if dashed else None)
        return moved + self.text[tail:end]

    # -- places --------------------------------------------------------------------------------------------------------

    def ranked(self, path: Path, parts: Sequence[Path]) -> list[int]:
        """The numbers of `parts` in the order to write them; as they are where the keys are the user's own."""
        rank = {key: number for number, key in enumerate(self.order.get(path, ()))}
        return sorted(range(len(parts)), key=lambda number: (rank.get(str(parts[number][-1]), len(rank)), number))

    def start(self, path: Path) -> int:
        return self.places[path].name.start

    def cuts(self, parts: Sequence[Path], starts: Sequence[int], column: int) -> list[int]:
        """Where the lines of each entry but the first begin, for entries that stand in `column`."""
        ends = [self.places[part].value.end for part in parts]
        return [
            self.owned(end, self.line_start(start), column) for end, start in zip(ends[:-1], starts[1:], strict=True)
        ]

    def owned(self, end: int, limit: int, column: int) -> int:
        """How far an entry in `column` whose value ends at `end` reaches: over comments that are indented deeper."""
        line = self.line_start(end)
        # A block text ends at the start of a line.
        position = reached = line if not self.text[line:end].strip(" ") else self.line_after(end)
        while position < limit:
            following = self.line_after(position)
            content = self.text[position:following]
            bare = content.strip()
            if bare and not bare.startswith("#"):
                break
            position = following
            if bare and len(content) - len(content.lstrip(" ")) > column:
                reached = following
        return min(reached, limit)

    def next_token(self, position: int) -> int:
        """The offset of the next character that is neither blank nor in a comment."""
        while self.text[position].isspace() or self.text[position] == "#":
            position = self.line_after(position) if self.text[position] == "#" else position + 1
        return position

    def line_start(self, offset: int) -> int:
        return self.text.rfind("\n", 0, offset) + 1

    def line_after(self, offset: int) -> int:
        return (self.text.find("\n", offset) + 1) or len(self.text)


def _moved(chunks: list[str], order: Sequence[int], dashed: int | None) -> str:
    """The lines `chunks` in `order`. With `dashed` the first has no indentation: it stands behind a dash, in that column."""
    first = order[0]
    if first == 0:
        return "".join(chunks[number] for number in order)
    (blank, lines), (old_blank, old_lines) = _blank_lines(chunks[first]), _blank_lines(chunks[0])
    moved = list(chunks)
    if dashed is not None:
        if lines.lstrip(" ").startswith("#"):
            return "".join(chunks)
        lines, old_lines = lines.lstrip(" "), " " * dashed + old_lines
    moved[first], moved[0] = old_blank + lines, blank + old_lines
    return "".join(moved[number] for number in order)


def _blank_lines(chunk: str) -> tuple[str, str]:
    """The blank lines that `chunk` begins with, and the rest."""
    lines = chunk.splitlines(keepends=True)
    count = next((number for number, line in enumerate(lines) if line.strip()), len(lines))
    return "".join(lines[:count]), "".join(lines[count:])
