"""The comments of a YAML text, which no reader of YAML hands on: what stands behind a `#` that is in no scalar."""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.text import Path, Places, Span


def comments(places: Places, word: str = "") -> Iterator[Span]:
    """The comments that hold `word` of a document that was read without a finding, from `#` to the end of the line, in order.

    Comments without it are not even looked at: a hostile file can hold half a million.
    """
    source, text = places.source, places.source.text
    position = 0
    for start, end in [*scalars(places), (len(text), len(text))]:
        while (found := text.find(word or "#", position, start)) >= 0:
            begin = text.find("#", max(position, text.rfind("\n", position, found) + 1), found + 1)
            if begin < 0:
                position = found + 1  # between two scalars of a line stands only punctuation
                continue
            stop = text.find("\n", begin)
            stop = len(text) if stop < 0 else stop
            # A `\r` before the line feed belongs to the line break.
            yield source.span(begin, stop - text.endswith("\r", begin, stop))
            position = stop
        position = max(position, end)


def scalars(places: Places) -> list[tuple[int, int]]:
    """The offsets of every key and every value that is no collection, in the order of the text."""
    collections: set[Path] = {path[:-1] for path in places if path}
    found: list[tuple[int, int]] = []
    for path in places:
        place = places[path]
        if place.key is not None:
            found.append((place.key.start, place.key.end))
        # An empty list or mapping has no parts, and may hold a comment.
        if path not in collections and not place.value.text.startswith(("[", "{")):
            found.append((place.value.start, place.value.end))
    return sorted(found)
