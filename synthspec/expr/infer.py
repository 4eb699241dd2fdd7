"""Names and dimensions of an expression, checked before anything is evaluated (`check_dim`, reference.md 2.1)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from enum import Enum

from synthspec.diag import Diagnostic, Outcome, Related, did_you_mean
from synthspec.expr.algebra import OPERATORS, Mismatch, Typed, alike, amount, condition
from synthspec.expr.functions import AGGREGATES, FUNCTIONS, Function
from synthspec.expr.scalar import SCALAR
from synthspec.expr.tree import CONSTANTS, Binary, Call, Constant, Expr, Name, Node, String, Unary, leaves
from synthspec.expr.types import BOOLEAN, PLAIN, TEXT, Number, Type


class Context(Enum):
    """What a name stands for."""

    ROW = "row"
    """The cell of a row: constraints, derived fields."""
    HISTORY = "history"
    """The last value of a signal, with the earlier ones behind it: monitors, contracts."""


def infer(
    tree: Expr, env: Mapping[str, Type], *, expected: Type | None = None, context: Context = Context.ROW
) -> Outcome[Type]:
    """The type of `tree` where names have the types of `env`; all that is wrong with it otherwise.

    `expected` is what the place asks for: `BOOLEAN` for a constraint or a trip, ``Number.of(unit)`` for a derived field.
    Diagnostics: `expr.unknown-name`, `expr.type`, `expr.too-large`, `unit.dim-mismatch`, `unit.offset-product`.
    """
    outcome = check(tree, env, expected=expected, context=context)
    return Outcome(outcome.value.type if outcome.value else None, outcome.diagnostics)


def check(
    tree: Expr, env: Mapping[str, Type], *, expected: Type | None = None, context: Context = Context.ROW
) -> Outcome[Typed]:
    """`infer`, with the type of every node and the constants folded."""
    checker = _Checker(tree, env, context)
    typed = checker.visit(tree.root)
    if typed is not None and expected is not None:
        checker.settle(typed, expected)
    return Outcome(None if checker.findings else typed, tuple(checker.findings))


class _Checker:
    """Visits each node once; a node whose parts failed says nothing more."""

    def __init__(self, tree: Expr, env: Mapping[str, Type], context: Context) -> None:
        self.tree = tree
        self.env = env
        self.context = context
        self.findings: list[Diagnostic] = []
        self.unknown: set[str] = set()

    def report(self, node: Node, code: str, message: str, help: str) -> None:  # noqa: A002
        related = () if code == "expr.unknown-name" else self._related(node)
        finding = Diagnostic(
            code=code,
            message=message,
            help=help,
            span=self.tree.span(node.at),
            path=self.tree.path,
            related=related,
        )
        self.findings.append(finding)

    def _related(self, node: Node) -> tuple[Related, ...]:
        """What the names in it are."""
        seen = {leaf.name: leaf for leaf in leaves(node) if leaf.name in self.env}
        return tuple(
            Related(f"`{name}` is {self.env[name].describe()}", self.tree.span(leaf.at))
            for name, leaf in list(seen.items())[:8]
        )

    def visit(self, node: Node) -> Typed | None:
        try:
            return _finite(self._visit(node))
        except Mismatch as wrong:
            self.report(node, wrong.code, wrong.message, wrong.help)
            return None

    def _visit(self, node: Node) -> Typed | None:
        shown = self.tree.written(node.at)
        match node:
            case Constant(value=value, unit=None):
                return Typed(node, PLAIN, shown=shown, value=value)
            case Constant(value=value, unit=unit) if unit is not None:
                return Typed(node, Number.of(unit), shown=shown, value=unit.to_si(value))
            case String(value=text):
                return Typed(node, TEXT, shown=shown, value=text)
            case Name(name=name):
                return self._name(node, name, shown)
            case Unary(operator=operator, operand=operand):
                return self._unary(node, operator, self.visit(operand), shown)
            case Binary(operator=operator, left=left, right=right):
                first, second = self.visit(left), self.visit(right)
                if first is None or second is None:
                    return None
                return self._folded(node, OPERATORS[operator](first, second), operator, (first, second), shown)
            case Call():
                return self._call(node, shown)
        raise AssertionError(node)

    def _name(self, node: Name, name: str, shown: str) -> Typed | None:
        if name in CONSTANTS:
            return Typed(node, PLAIN, shown=shown, value=CONSTANTS[name])
        if name in self.env:
            return Typed(node, self.env[name], shown=shown)
        if name in self.unknown:
            return None
        self.unknown.add(name)
        known = did_you_mean(name[:60], [*self.env, *CONSTANTS])
        if name in FUNCTIONS or name in AGGREGATES:
            known = f"`{name}` is a function: write `{name}(...)`"
        elif _after_quantity(self.tree, node):
            known = f"a unit is written without spaces, as in `5 m/{name}`; " + known
        self.report(node, "expr.unknown-name", f"nothing is called `{shown}` here", known)
        return None

    def _unary(self, node: Node, operator: str, part: Typed | None, shown: str) -> Typed | None:
        if part is None:
            return None
        if operator == "not":
            condition(part, "`not`")
            return self._folded(node, BOOLEAN, "not", (part,), shown)
        found = amount(part, "a minus sign")
        return self._folded(node, Number(found.kind, found.origin), "neg", (part,), shown)

    def _call(self, node: Call, shown: str) -> Typed | None:
        visited = [self.visit(argument) for argument in node.arguments]
        parts = tuple(part for part in visited if part is not None)
        if len(parts) < len(visited):
            return None
        aggregate = self._is_aggregate(node)
        function = self._function(node, aggregate)
        type_ = function.rule(node.function, parts)
        if aggregate:
            return Typed(node, type_, parts, shown, aggregate=True)
        return self._folded(node, type_, node.function, parts, shown)

    def _is_aggregate(self, node: Call) -> bool:
        """`min`, `max` and `len` are both: they look back when they are given one signal and there is a history."""
        if node.function not in FUNCTIONS:
            return True
        one_signal = len(node.arguments) == 1 and isinstance(node.arguments[0], Name)
        if not one_signal or node.function not in AGGREGATES or self.context is Context.ROW:
            return False
        return isinstance(self.env.get(getattr(node.arguments[0], "name", "")), Number)

    def _function(self, node: Call, aggregate: bool) -> Function:  # noqa: FBT001
        if aggregate and self.context is Context.ROW:
            message = f"`{node.function}` looks back over a history, and a row has none"
            raise Mismatch("expr.type", message, "it is for monitors and contracts; compare columns row by row here")
        function = (AGGREGATES if aggregate else FUNCTIONS)[node.function]
        if not function.least <= len(node.arguments) <= function.most:
            message = f"`{node.function}` takes {function.arity}, not {len(node.arguments)}"
            raise Mismatch("expr.type", message, f"give it {function.arity}")
        return function

    def _folded(self, node: Node, type_: Type, key: str, parts: tuple[Typed, ...], shown: str) -> Typed:
        if any(part.value is None for part in parts):
            return Typed(node, type_, parts, shown)
        value = SCALAR[key](*(part.value for part in parts))
        return Typed(node, type_, parts, shown, value)

    def settle(self, typed: Typed, expected: Type) -> None:
        """Report a whole that is not of the type its place asks for."""
        if isinstance(typed.type, Number) and isinstance(expected, Number):
            wanted = Typed(typed.node, expected, shown="what is declared")
            try:
                alike([typed, wanted], "what is declared")
            except Mismatch as wrong:
                message = f"{typed.describe()}, where {expected.describe()} is declared"
                self.report(typed.node, wrong.code, message, "change the declared unit or the expression")
        elif typed.type != expected:
            message = f"{typed.describe()}, where {expected.describe()} is due"
            help_ = "compare it with something" if expected == BOOLEAN else "change the declared type or the expression"
            self.report(typed.node, "expr.type", message, help_)


def _finite(typed: Typed | None) -> Typed | None:
    if typed is not None and isinstance(typed.value, float) and not math.isfinite(typed.value):
        message = f"the constant `{typed.shown}` has no finite value"
        raise Mismatch("expr.too-large", message, "use numbers that a double can hold, and do not divide by zero")
    return typed


def _after_quantity(tree: Expr, node: Name) -> bool:
    """Whether `node` stands right behind a quantity and an operator, as the `s` of ``5 m / s``."""
    before = tree.text[: node.at[0]].rstrip()
    return before[-1:] in {"*", "/"} and before[:-1].rstrip()[-1:].isalpha() and any(c.isdigit() for c in before)
