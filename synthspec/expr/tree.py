"""The nodes of an expression. Places are offsets into its text; they ride beside identity, so layout changes no tree."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from synthspec.text import Path, Span
from synthspec.units import Unit

At = tuple[int, int]
"""Half-open range of characters inside the text of the expression."""

CONSTANTS = {"pi": 3.141592653589793}
KEYWORDS = frozenset({"and", "or", "not"})


@dataclass(frozen=True, slots=True)
class Constant:
    """A number, with its unit when it is a quantity."""

    value: float
    unit: Unit | None = None
    at: At = field(default=(0, 0), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class String:
    """A string in quotes; it has no escapes."""

    value: str
    at: At = field(default=(0, 0), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Name:
    """A field, a signal, a piece of evidence, or a constant such as `pi`."""

    name: str
    at: At = field(default=(0, 0), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Unary:
    """`-x` or `not x`."""

    operator: str
    operand: Node
    at: At = field(default=(0, 0), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Binary:
    """Two operands of ``+ - * / ^``, a comparison, `and` or `or`."""

    operator: str
    left: Node
    right: Node
    at: At = field(default=(0, 0), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Call:
    """A function of the fixed table with its arguments."""

    function: str
    arguments: tuple[Node, ...]
    at: At = field(default=(0, 0), compare=False, repr=False)


Node = Constant | String | Name | Unary | Binary | Call


@dataclass(frozen=True, slots=True)
class Expr:
    """A parsed expression: its tree, and where it was written. Equal trees are equal expressions."""

    root: Node
    text: str = field(compare=False)
    anchor: Span = field(compare=False, repr=False)
    path: Path = field(default=(), compare=False)

    def span(self, at: At) -> Span:
        """The place in the document of a range inside this expression."""
        return locate(self.text, self.anchor, at)

    def written(self, at: At) -> str:
        """What the user wrote there, in at most 60 characters."""
        shown = " ".join(self.text[at[0] : at[1]].split())
        return shown if len(shown) <= 60 else shown[:59] + "…"


def locate(text: str, anchor: Span, at: At) -> Span:
    """Where the range `at` of `text` stands in the document, `anchor` being the span of the scalar.

    A plain scalar maps one to one, a quoted one behind its quote; where escapes or folding moved characters, the whole
    scalar is the answer.
    """
    start, end = at[0], max(at[1], at[0] + 1)
    written = anchor.text
    if written == text:
        return Span(anchor.source, anchor.start + start, anchor.start + end)
    if written[1:-1] == text and written[:1] == written[-1:] and written[:1] in {"'", '"'}:
        return Span(anchor.source, anchor.start + 1 + start, anchor.start + 1 + end)
    return anchor


def children(node: Node) -> tuple[Node, ...]:
    """The nodes right below."""
    match node:
        case Unary(operand=operand):
            return (operand,)
        case Binary(left=left, right=right):
            return (left, right)
        case Call(arguments=arguments):
            return arguments
        case _:
            return ()


def leaves(node: Node) -> Iterator[Name]:
    """Every free name below `node`, in the order of writing."""
    if isinstance(node, Name):
        if node.name not in CONSTANTS:
            yield node
        return
    for child in children(node):
        yield from leaves(child)


def names(expr: Expr) -> tuple[tuple[str, Span], ...]:
    """The free names with the places they are written at, in the order of writing; `pi` is not free."""
    return tuple((leaf.name, expr.span(leaf.at)) for leaf in leaves(expr.root))
