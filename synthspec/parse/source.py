"""From bytes to a `Source`: UTF-8, of bounded size, without characters that a reader of the file cannot see."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from itertools import islice

from synthspec.diag import Diagnostic, Outcome, failure
from synthspec.parse.document import MAX_BYTES, MAX_FINDINGS
from synthspec.text import Source

_BOM = "\ufeff"
_BIDI = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_LINE_BREAKS = "\x0b\x0c\x85\u2028\u2029"
_INVISIBLE = (
    "\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200d\u2060-\u2065\u206a-\u206f\u3164\uffa0\ufff9-\ufffb"
    "\U000e0000-\U000e0fff"
)
_CONTROL = "\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ufdd0-\ufdef\ufffe\uffff\ud800-\udfff"
_UNSEEN = re.compile(rf"[{_CONTROL}{_LINE_BREAKS}{_BIDI}{_INVISIBLE}{_BOM}]+|\r+(?!\n)")
_UNSEEN_ASCII = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]+|\r+(?!\n)")
_REASONS = (
    (re.compile(f"[{_BOM}]"), "a byte-order mark may stand only at the very start of a file"),
    (re.compile(f"[{_BIDI}]"), "it makes text read in another order than it is written"),
    (re.compile(f"[{_LINE_BREAKS}\r]"), "some programs take it for a line break and others do not"),
    (re.compile(f"[{_INVISIBLE}]"), "it cannot be seen in an editor"),
)
_NAMES = {
    _BOM: "BYTE ORDER MARK",
    "\x00": "NULL",
    "\x1b": "ESCAPE",
    "\r": "CARRIAGE RETURN",
    "\x7f": "DELETE",
    "\x85": "NEXT LINE",
}


def read_source(data: bytes, name: str) -> Outcome[Source]:
    """Decode a file shown as `name`; refuse what is no UTF-8, over 1 MiB, or hides characters (``syntax.encoding``).

    A byte-order mark at the start is dropped, so that columns are those an editor shows.
    """
    if len(data) > MAX_BYTES:
        return failure([_too_large(name, len(data))])
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        return failure([_undecodable(data, name, error)])
    source = Source(name, text.removeprefix(_BOM))
    findings = hidden_characters(source)
    return failure(findings) if findings else Outcome(source)


def hidden_characters(source: Source) -> tuple[Diagnostic, ...]:
    """A ``syntax.encoding`` finding for each run of control, bidirectional and invisible characters."""
    text = source.text
    if len(text) >= 2 and text.count("\0") * 4 >= len(text):
        return (
            Diagnostic(
                code="syntax.encoding",
                message="every other byte is zero: this looks like UTF-16 or UTF-32",
                help="save the file as UTF-8",
                span=source.span(text.index("\0")),
            ),
        )
    return tuple(islice(_hidden(source), MAX_FINDINGS))


def hidden_reason(text: str) -> str | None:
    """Why `text` may not be written, when it holds a character that cannot be seen; None when all is well."""
    found = (_UNSEEN_ASCII if text.isascii() else _UNSEEN).search(text)
    return _reason(found.group()[0]) if found else None


def _hidden(source: Source) -> Iterator[Diagnostic]:
    pattern = _UNSEEN_ASCII if source.text.isascii() else _UNSEEN
    for found in pattern.finditer(source.text):
        yield Diagnostic(
            code="syntax.encoding",
            message=_reason(found.group()[0]),
            help=_remedy(found.group()),
            span=source.span(found.start(), found.end()),
        )


def _reason(char: str) -> str:
    name = _NAMES.get(char) or unicodedata.name(char, "")
    why = next((reason for kind, reason in _REASONS if kind.match(char)), "it is a control character")
    return f"U+{ord(char):04X}{' ' + name if name else ''} is not allowed: {why}"


def _remedy(run: str) -> str:
    if run[0] == "\r":
        return "end lines with a line feed (LF or CR LF)"
    return "delete it" if len(run) == 1 else f"delete these {len(run)} characters"


def _too_large(name: str, size: int) -> Diagnostic:
    return Diagnostic(
        code="syntax.too-large",
        message=f"the file has {size:,} bytes; at most {MAX_BYTES:,} (1 MiB) are read",
        help="keep data out of the spec: name a file in data.source",
        span=Source(name, "").span(0, 0),
    )


def _undecodable(data: bytes, name: str, error: UnicodeDecodeError) -> Diagnostic:
    # What stands before the fault is sound, so its length in code points is the place; the rest is only for display.
    before = data[: error.start].decode("utf-8").removeprefix(_BOM)
    source = Source(name, data.decode("utf-8", "replace").removeprefix(_BOM))
    truncated = error.reason == "unexpected end of data"
    what = "the file ends inside a UTF-8 character" if truncated else "this is not UTF-8"
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        what = "this is UTF-16, not UTF-8"
    return Diagnostic(
        code="syntax.encoding",
        message=f"{what}: byte 0x{data[error.start]:02X} at offset {error.start}",
        help="save the file as UTF-8",
        span=source.span(len(before)),
    )
