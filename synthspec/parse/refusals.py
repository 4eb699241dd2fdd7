"""What the reader refuses, in words; and the list in which a reading collects it."""

from __future__ import annotations

from dataclasses import dataclass

from synthspec.diag import Diagnostic, Related
from synthspec.parse.document import MAX_DEPTH, MAX_FINDINGS, MAX_KEY, MAX_NODES, MAX_SCALAR
from synthspec.text import Path, Source

Range = tuple[int, int]
"""Offsets of the first character and of the one after the last."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why something was not read: the code, what is wrong, what to write instead."""

    code: str
    message: str
    help: str


def abridged(text: str, limit: int = 40) -> str:
    """`text`, or its beginning when it is too long to be shown."""
    return text if len(text) <= limit else text[: limit - 3] + "..."


DIRECTIVE = Refusal(
    "syntax.yaml", "directives (lines that begin with %) are not read: every file is YAML 1.2", "delete the line"
)
TEXT_TOO_LARGE = Refusal(
    "syntax.too-large", "the text is over 1 MiB", "keep data out of the spec: name a file in data.source"
)
SECOND_DOCUMENT = Refusal(
    "syntax.multi-document", "a second document begins here; a file holds one", "put it into a file of its own"
)
TOO_DEEP = Refusal(
    "syntax.too-deep", f"nested more than {MAX_DEPTH} levels deep", "flatten the structure; no spec needs this depth"
)
TOO_MANY_NODES = Refusal(
    "syntax.too-large",
    f"more than {MAX_NODES:,} keys, values and lists",
    "keep data out of the spec: name a file in data.source",
)
TOO_MANY_FINDINGS = Refusal(
    "syntax.too-large", f"{MAX_FINDINGS} findings; the rest of the file was not read", "mend the ones above first"
)
MERGE_KEY = Refusal("syntax.alias", "merge keys (<<) are not read", "write the keys out")
COMPLEX_KEY = Refusal(
    "syntax.yaml",
    "a list or mapping stands where a key is expected; keys are texts",
    "write a text as the key; quote it if it begins with [ or {",
)
EMPTY_KEY = Refusal(
    "syntax.ambiguous-scalar", "a key is missing before the ':'", 'write the key, or "" for an empty one'
)
FORBIDDEN_CHARACTER = Refusal("syntax.encoding", "the text holds a character that YAML forbids", "delete it")


def alias(word: str) -> Refusal:
    """`word` is ``*name``."""
    word = abridged(word)
    message = f"{word} refers to another node; aliases are not read"
    return Refusal("syntax.alias", message, f'write the value out, or quote it if it is a text: "{word}"')


def node_property(word: str) -> Refusal:
    """`word` is an anchor (``&name``) or a tag (``!name``)."""
    word = abridged(word)
    if word[0] == "&":
        message = f"the anchor {word} is not allowed: nothing is repeated by reference"
        return Refusal("syntax.alias", message, "delete it, or quote the text if it begins with &")
    message = f"the tag {word} is not allowed: the kind of a value follows from how it is written"
    return Refusal("syntax.tag", message, "delete it, or quote the text if it begins with !")


def long_key(length: int) -> Refusal:
    """`length` counts code points."""
    return Refusal("syntax.too-large", f"a key of {length:,} characters; at most {MAX_KEY} are read", "shorten it")


def long_text(length: int) -> Refusal:
    """`length` counts code points."""
    message = f"a text of {length:,} characters; at most {MAX_SCALAR:,} are read"
    return Refusal("syntax.too-large", message, "keep data out of the spec: name a file in data.source")


def no_mapping(what: str, help_: str = "begin with `apiVersion: synthspec/v1`") -> Refusal:
    """The root is a text, a list or nothing."""
    return Refusal("schema.wrong-type", f"{what}; it takes a mapping, `key: value` lines", help_)


def scalar_root(text: str) -> Refusal:
    """The root is one text, often because of a forgotten space after a colon."""
    name, colon, rest = text.partition(":")
    if colon and rest.strip() and name.isidentifier():
        return no_mapping("the file holds one text", f"put a space after the colon: {name}: {rest.split()[0][:20]}")
    return no_mapping("the file holds one value" if text else "the file is empty")


def lone_key(word: str) -> Refusal:
    """A line that should be ``key: value`` and has no colon."""
    message = f"{abridged(word)!r} is a key without a value"
    return Refusal("syntax.yaml", message, "write `key: value`, or indent it as part of the line above")


def missing_value(key: str, *, flow: bool, colon: bool) -> Refusal:
    """`key` has no value, in a flow mapping (`{ }`) or a block; `colon` tells whether it is followed by one."""
    name, inner_colon, rest = key.partition(":")
    help_ = 'write null, or "" for an empty text'
    if flow and inner_colon and rest:
        help_ = f"put a space after the colon: {name}: {rest}"
    elif flow and not colon:
        help_ = f"write `{key}: value`; items without keys belong in [ ]"
    return Refusal("syntax.ambiguous-scalar", f"{abridged(key)!r} has no value", help_)


class Findings:
    """The findings of one reading, in the order of the text; it is `halted` when reading on is unsafe or pointless."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.found: list[Diagnostic] = []
        self.halted = False

    def add(self, refusal: Refusal, place: Range, path: Path, related: tuple[Related, ...] = ()) -> None:
        """Note `refusal`; after `MAX_FINDINGS` of them a last one says that the rest was not read."""
        if self.halted:
            return
        self.found.append(self._diagnostic(refusal, place, path, related))
        if len(self.found) >= MAX_FINDINGS:
            self.halt(TOO_MANY_FINDINGS, place)

    def halt(self, refusal: Refusal, place: Range) -> None:
        """Note `refusal` as the last one."""
        self.halted = True
        self.found.append(self._diagnostic(refusal, place, (), ()))

    def _diagnostic(self, refusal: Refusal, place: Range, path: Path, related: tuple[Related, ...]) -> Diagnostic:
        return Diagnostic(
            code=refusal.code,
            message=refusal.message,
            help=refusal.help,
            span=self.source.span(*place),
            path=path,
            related=related,
        )
