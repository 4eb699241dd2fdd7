"""Trees back to text: `parse(to_text(tree))` is the tree again."""

from __future__ import annotations

from synthspec.expr.tree import Binary, Call, Constant, Expr, Name, Node, String, Unary
from synthspec.units import spell_number

_BINDING = {"or": 1, "and": 2, "not": 3, "+": 5, "-": 5, "*": 6, "/": 6, "sign": 7, "^": 8}
_COMPARE, _LEAF = 4, 9


def to_text(tree: Expr | Node) -> str:
    """The canonical text, with no more parentheses than it needs: ``abs(a - pi * r^2) <= 100 mm^2``."""
    match tree:
        case Expr(root=root):
            return to_text(root)
        case Constant(value=value, unit=unit):
            return spell_number(value) + (f" {unit.symbol}" if unit else "")
        case String(value=value):
            return f"'{value}'" if '"' in value else f'"{value}"'
        case Name(name=name):
            return name
        case Call(function=function, arguments=arguments):
            return f"{function}({', '.join(map(to_text, arguments))})"
        case Unary(operator=operator, operand=operand):
            return _unary(operator, operand)
        case Binary(operator=operator, left=left, right=right):
            return _binary(operator, left, right)


def _unary(operator: str, operand: Node) -> str:
    if operator == "not":
        return f"not {_inside(operand, _BINDING['not'])}"
    # A minus before a quantity would become part of it.
    closed = isinstance(operand, Constant) and operand.unit is not None
    return f"-({to_text(operand)})" if closed else f"-{_inside(operand, _BINDING['sign'])}"


def _binary(operator: str, left: Node, right: Node) -> str:
    own = _BINDING.get(operator, _COMPARE)
    if operator == "^":
        base = _inside(left, own + 1)
        shown = f"({base})" if isinstance(left, Constant) and left.unit else base
        return f"{shown}^{_inside(right, _BINDING['sign'])}"
    # Comparisons do not chain, so both sides of one need parentheses around another.
    floor = own + 1 if own == _COMPARE else own
    return f"{_inside(left, floor)} {operator} {_inside(right, own + 1)}"


def _inside(node: Node, floor: int) -> str:
    """`node` as an operand of something that takes bindings of at least `floor`."""
    return to_text(node) if _tightness(node) >= floor else f"({to_text(node)})"


def _tightness(node: Node) -> int:
    match node:
        case Binary(operator=operator):
            return _BINDING.get(operator, _COMPARE)
        case Unary(operator=operator):
            return _BINDING["not" if operator == "not" else "sign"]
        case _:
            return _LEAF
