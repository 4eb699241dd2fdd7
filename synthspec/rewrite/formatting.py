"""`fmt`: a document in its canonical form, or why there is none."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

from synthspec.check.comments import comments
from synthspec.diag import Diagnostic, Outcome, failure
from synthspec.pipeline.front import Spot, Written, data_of, read_written
from synthspec.rewrite.layout import laid_out
from synthspec.rewrite.spelling import quantity_edits


@dataclass(frozen=True, slots=True)
class Formatted:
    """A document as it was and as it is written, byte for byte."""

    before: bytes
    after: bytes

    @property
    def changed(self) -> bool:
        return self.before != self.after


def formatted(place: Spot) -> Outcome[Formatted]:
    """The document at `place` with its keys in the order of the language and its quantities in one spelling.

    Comments stay with what they stand beside, and the meaning is the same: the result is read again and compared before it
    is handed out. Diagnostics: what keeps the document from being understood. Raises OSError when it cannot be read.
    """
    data = data_of(place)
    ended = data if data.endswith(b"\n") else data + (b"\r\n" if b"\r\n" in data else b"\n")
    written = read_written(replace(place, data=ended))
    if written.value is None:
        return failure(written.diagnostics)
    places = written.value.composed.places
    text = laid_out(written.value.model, places, quantity_edits(written.value.model, places))
    mark = ended[: len(ended) - len(places.source.text.encode())]
    after = mark + text.encode()
    again = read_written(replace(place, data=after)).value
    if again is None or not _same(written.value, again):
        return failure([_refused(place)])
    return Outcome(Formatted(data, after), written.diagnostics)


def _same(one: Written, other: Written) -> bool:
    return one.model == other.model and _remarks(one) == _remarks(other)


def _remarks(written: Written) -> Counter[str]:
    return Counter(comment.text.rstrip() for comment in comments(written.composed.places))


def _refused(place: Spot) -> Diagnostic:
    return Diagnostic(
        code="internal.fmt-unsafe",
        message=f"{place.name} would not mean the same, or lose a comment, if its keys were put in order",
        help="this is a bug of synthspec; please report it with the file. Nothing was written.",
    )
