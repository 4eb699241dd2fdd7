"""The parser: precedence climbing over tokens. Linear in the text, bounded in depth."""

from __future__ import annotations

import math
from dataclasses import replace

from synthspec.diag import Diagnostic, Outcome, did_you_mean, failure
from synthspec.expr.functions import NAMES
from synthspec.expr.lexer import GRAMMAR, Fault, Token, tokens
from synthspec.expr.tree import KEYWORDS, At, Binary, Call, Constant, Expr, Name, Node, String, Unary, locate
from synthspec.text import Path, Source, Span
from synthspec.units import Unit, UnitError, parse_unit

MAX_LENGTH = 2000
MAX_HEIGHT = 100
"""How many nodes may lie on the way from the root to a leaf."""
MAX_NESTING = 50

COMPARISONS = frozenset({"<", "<=", ">", ">=", "==", "!="})
_BINDING = {"or": 1, "and": 2, **dict.fromkeys(COMPARISONS, 4), "+": 5, "-": 5, "*": 6, "/": 6, "^": 8}
_NOT, _SIGN = 3, 7


def parse(text: str, span: Span | None = None, path: Path = ()) -> Outcome[Expr]:
    """Read an expression. `span` is the scalar that holds it, quotes included; `path` its place in the document.

    Diagnostics: `expr.syntax`, `expr.unknown-name` (a function), `expr.too-large` (over 2000 characters, 50 parentheses
    deep, 100 levels high, a number no double holds), and `unit.*` for the unit of a quantity.
    """
    anchor = span or Source("<expression>", text).span(0, len(text))
    try:
        root = _Parser(text).whole()
    except Fault as fault:
        where = locate(text, anchor, fault.at)
        finding = Diagnostic(code=fault.code, message=fault.message, help=fault.help, span=where, path=path)
        return failure([finding])
    return Outcome(Expr(root, text, anchor, path))


class _Parser:
    def __init__(self, text: str) -> None:
        if len(text) > MAX_LENGTH:
            message = f"this expression has {len(text)} characters"
            raise Fault(
                "expr.too-large", message, f"at most {MAX_LENGTH}; split it into derived fields", (0, len(text))
            )
        self.text = text
        self.tokens = tokens(text)
        self.position = 0
        self.nesting = 0
        self.heights: dict[int, tuple[int, Node]] = {}  # the node rides along so that no id is used twice
        self.closed: dict[int, Node] = {}  # what stood in parentheses

    @property
    def next(self) -> Token:
        return self.tokens[self.position]

    def take(self) -> Token:
        token = self.next
        self.position += 1
        return token

    def expect(self, kind: str, opened: At) -> Token:
        if self.next.kind != kind:
            raise Fault("expr.syntax", f"{_shown(self.next)} where {kind!r} is due", "close the parenthesis", opened)
        return self.take()

    def whole(self) -> Node:
        if self.next.kind == "end":
            raise Fault("expr.syntax", "an empty expression", f"write {GRAMMAR}", (0, len(self.text)))
        root = self.expression(0)
        if self.next.kind != "end":
            raise self._leftover()
        return root

    def _leftover(self) -> Fault:
        token, before = self.next, self.tokens[self.position - 1]
        if token.kind in {")", ","}:
            return Fault("expr.syntax", f"{_shown(token)} without an opening parenthesis", "remove it", token.at)
        if before.unit and token.kind in {"name", "("}:
            help_ = "join the names of a unit with `*` or `/` and no spaces, `5 N*m`; write `*` to multiply"
            return Fault("expr.syntax", f"{_shown(token)} right after a quantity", help_, token.at)
        return Fault("expr.syntax", f"an operator is missing before {_shown(token)}", "write `*` to multiply", token.at)

    def expression(self, floor: int) -> Node:
        """Everything that binds tighter than `floor`."""
        self.nesting += 1
        if self.nesting > MAX_NESTING:
            raise Fault("expr.too-large", "this is nested too deeply", f"at most {MAX_NESTING} levels", self.next.at)
        left = self.operand()
        while (binding := _BINDING.get(_operator(self.next), 0)) > floor:
            operator = self.take()
            # `^` takes the sign of its exponent, and groups to the right.
            right = self.expression(_SIGN - 1 if operator.kind == "^" else binding)
            left = self._binary(operator, left, right)
        self.nesting -= 1
        return left

    def _binary(self, operator: Token, left: Node, right: Node) -> Node:
        word = _operator(operator)
        bare = id(left) not in self.closed
        if bare and word in COMPARISONS and isinstance(left, Binary) and left.operator in COMPARISONS:
            help_ = "write two comparisons, `a < b and b < c`"
            raise Fault("expr.syntax", "a comparison of a comparison", help_, operator.at)
        if bare and word == "^" and isinstance(left, Constant) and left.unit:
            written = self.text[slice(*left.at)]
            help_ = f"write `{written}^2` without spaces for the unit, `({written})^2` for the square of the quantity"
            raise Fault("expr.syntax", "a power of a quantity can be read in two ways", help_, operator.at)
        return self.grown(Binary(word, left, right, (left.at[0], right.at[1])), left, right)

    def grown(self, node: Node, *below: Node) -> Node:
        """`node`, its height noted and bounded."""
        height = 1 + max((self.heights.get(id(child), (1, child))[0] for child in below), default=0)
        if height > MAX_HEIGHT:
            help_ = f"at most {MAX_HEIGHT} levels; split it into derived fields"
            raise Fault("expr.too-large", "this expression is too deep", help_, node.at)
        self.heights[id(node)] = (height, node)
        return node

    def operand(self) -> Node:
        token = self.take()
        match token.kind:
            case "number":
                return self._constant(token)
            case "string":
                return String(token.text[1:-1], token.at)
            case "(":
                return self._parenthesised(token)
            case "-" | "+":
                return self._signed(token)
            case "name":
                return self._named(token)
            case _:
                help_ = "a name, a number or a parenthesis is due here"
                raise Fault("expr.syntax", f"{_shown(token)} where a value is due", help_, token.at)

    def _parenthesised(self, opened: Token) -> Node:
        inner = self.expression(0)
        end = self.expect(")", opened.at).at[1]
        node = replace(inner, at=(opened.at[0], end))
        self.heights[id(node)] = (self.heights.get(id(inner), (1, inner))[0], node)
        self.closed[id(node)] = node
        return node

    def _signed(self, sign: Token) -> Node:
        operand = self.expression(_SIGN - 1)
        if sign.kind == "+":
            return operand
        at = (sign.at[0], operand.at[1])
        # The minus belongs to the number: -40 degC is a temperature, while minus (40 degC) would have no meaning.
        if isinstance(operand, Constant) and operand.unit and id(operand) not in self.closed:
            return self._finite(-operand.value, operand.unit, at)
        return self.grown(Unary("-", operand, at), operand)

    def _constant(self, token: Token) -> Constant:
        digits = self.text[token.at[0] : token.unit[0] if token.unit else token.at[1]].strip()
        value = float(digits)
        if not math.isfinite(value) or (
            value == 0 and any(char in "123456789" for char in digits.lower().split("e")[0])
        ):
            help_ = "use a number that a double can hold"
            raise Fault("expr.too-large", f"{digits[:40]} is out of range", help_, token.at)
        if token.unit is None:
            return Constant(value, None, token.at)
        try:
            unit = parse_unit(self.text[slice(*token.unit)])
        except UnitError as error:
            raise self._unit_fault(error.shifted(token.unit[0])) from None
        return self._finite(value, unit, token.at)

    def _unit_fault(self, error: UnitError) -> Fault:
        help_ = error.help
        if error.code == "unit.unknown" and error.start and self.text[error.start - 1] in "*/(":
            help_ += "; put spaces around the operator if it is a field"
        return Fault(error.code, error.message, help_, (error.start, error.end))

    def _finite(self, value: float, unit: Unit, at: At) -> Constant:
        if not math.isfinite(unit.to_si(value)):
            raise Fault("unit.nonfinite", "this quantity is out of range", "use a number that a double can hold", at)
        return Constant(value, unit, at)

    def _named(self, token: Token) -> Node:
        if token.text == "not":
            operand = self.expression(_NOT - 1)
            return self.grown(Unary("not", operand, (token.at[0], operand.at[1])), operand)
        if token.text in KEYWORDS:
            raise Fault("expr.syntax", f"`{token.text}` has nothing on its left", "it joins two conditions", token.at)
        return self._call(token) if self.next.kind == "(" else Name(token.text, token.at)

    def _call(self, token: Token) -> Node:
        if token.text not in NAMES:
            help_ = did_you_mean(token.text[:60], NAMES)
            raise Fault("expr.unknown-name", f"`{token.text[:60]}` is not a function", help_, token.at)
        opened = self.take()
        arguments: list[Node] = []
        while self.next.kind != ")":
            arguments.append(self.expression(0))
            if self.next.kind != ",":
                break
            self.take()
        closed = self.expect(")", opened.at)
        return self.grown(Call(token.text, tuple(arguments), (token.at[0], closed.at[1])), *arguments)


def _operator(token: Token) -> str:
    return token.text if token.kind == "name" else token.kind


def _shown(token: Token) -> str:
    return "the end" if token.kind == "end" else f"`{token.text[:40]}`"
