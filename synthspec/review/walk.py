"""Two models side by side: every field that differs as a change, with its direction and its place on both sides."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import cast

from pydantic import BaseModel

from synthspec.ir.change import CODE, Change, Direction, Risk
from synthspec.review.compare import BOTH, UNKNOWN, Pair, absence, step
from synthspec.review.laws import direction
from synthspec.review.pairs import Item, matched
from synthspec.review.wording import difference, presence
from synthspec.spec.conditioning import Variable
from synthspec.spec.guards import Guard, guard_of
from synthspec.spec.sref import SRefField
from synthspec.text import Path, Places, Span

NESTED = frozenset({"section", "items", "entries"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What stands around two documents that are compared; a side without places was not written."""

    document: str
    file: str
    old_places: Places | None
    new_places: Places | None
    multipliers: Callable[[], tuple[float | None, float | None]] = lambda: (None, None)
    non_negative: Callable[[str], bool] = lambda _: False
    schemas: bool = False


@dataclass(frozen=True, slots=True)
class At:
    """One place: its path in the old document, in the new one, and with items by what they are called."""

    old: Path = ()
    new: Path = ()
    name: Path = ()

    def down(self, key: str) -> At:
        return At((*self.old, key), (*self.new, key), (*self.name, key))

    def item(self, old: int | None, new: int | None, called: str) -> At:
        """One item of a list. Where a side has none, its path stays at the list."""
        return At(
            self.old if old is None else (*self.old, old),
            self.new if new is None else (*self.new, new),
            (*self.name, called),
        )


class Walk:
    """Collects the changes between two models of one context."""

    def __init__(self, context: Context) -> None:
        self.context = context

    def changes(self, old: BaseModel, new: BaseModel, at: At = At()) -> Iterator[Change]:
        """Every difference. Models of two classes share the fields that both have; the others count where they guard."""
        switch = self._switch(old, new, at)
        if switch is not None:
            yield switch
            return
        for name, key in _fields(old, new):
            owner = new if name in type(new).model_fields else old
            guard = guard_of(type(owner), name)
            before, after = getattr(old, name, None), getattr(new, name, None)
            if type(old) is not type(new) and None in (before, after) and _of_one_kind(guard):
                continue
            yield from self._field(guard, (before, after), (old, new), at.down(key))

    def _switch(self, old: BaseModel, new: BaseModel, at: At) -> Change | None:
        """Where one kind promises less than another as a whole (`mechanism: none`), that says all there is to say."""
        for name, key in _fields(old, new) if type(old) is not type(new) else ():
            guard = guard_of(type(new), name)
            values = (getattr(old, name, None), getattr(new, name, None))
            if guard.how == "scale" and name in type(old).model_fields and name in type(new).model_fields:
                found = direction(Pair(guard=guard, old=values[0], new=values[1]))
                if name == "mechanism" and found is not None and found is not UNKNOWN:
                    here = at.down(key)
                    return self.change(guard, found, values, here, difference(here.name, values, guard))
        return None

    def _field(
        self, guard: Guard, values: tuple[object, object], owners: tuple[BaseModel, BaseModel], at: At
    ) -> Iterator[Change]:
        old, new = values
        match guard.how:
            case "section":
                yield from self._section(guard, old, new, at)
            case "items":
                yield from self._items(
                    guard, cast("tuple[BaseModel, ...]", old), cast("tuple[BaseModel, ...]", new), at
                )
            case "entries":
                yield from self._entries(
                    guard, cast("Mapping[str, object]", old), cast("Mapping[str, object]", new), at
                )
            case _:
                yield from self._leaf(guard, values, owners, at)

    def _leaf(
        self, guard: Guard, values: tuple[object, object], owners: tuple[BaseModel, BaseModel], at: At
    ) -> Iterator[Change]:
        solved = self.context.multipliers() if guard.how == "multiplier" and values[0] != values[1] else (None, None)
        found = direction(
            Pair(
                guard=guard,
                old=values[0],
                new=values[1],
                old_owner=owners[0],
                new_owner=owners[1],
                multipliers=solved,
                non_negative=self.context.non_negative,
                schemas=self.context.schemas,
            )
        )
        if found is not None:
            yield self.change(guard, found, values, at, difference(at.name, values, guard))

    def _section(self, guard: Guard, old: object, new: object, at: At) -> Iterator[Change]:
        if old is None and new is None:
            return
        if guard.absent == "empty":
            old = type(cast("BaseModel", new))() if old is None else old
            new = type(cast("BaseModel", old))() if new is None else new
        if isinstance(old, BaseModel) and isinstance(new, BaseModel):
            yield from self.changes(old, new, at)
            return
        found = absence(Pair(guard=guard, old=old, new=new))
        yield self.change(guard, found, (old, new), at, presence(at.name, added=old is None))

    def _items(self, guard: Guard, old: tuple[BaseModel, ...], new: tuple[BaseModel, ...], at: At) -> Iterator[Change]:
        for before, after in matched(old or (), new or (), guard.key):
            either = cast("Item", after or before)
            here = at.item(_number(before), _number(after), either.called)
            if before is not None and after is not None:
                yield from self.changes(before.model, after.model, here)
            else:
                values = (None if before is None else before.model, None if after is None else after.model)
                yield self._presence(guard, values, here)

    def _entries(self, guard: Guard, old: Mapping[str, object], new: Mapping[str, object], at: At) -> Iterator[Change]:
        old, new = old or {}, new or {}
        for name in dict.fromkeys((*old, *new)):
            before, after = old.get(name), new.get(name)
            here = at.down(name)
            if guard.scale:
                yield from self._answer(guard, (before, after), here)
            elif before is None or after is None:
                yield self._presence(guard, (before, after), here)
            elif isinstance(before, BaseModel) and isinstance(after, BaseModel):
                yield from self.changes(before, after, here)
            elif (type(before), before) != (type(after), after):
                values = (before, after)
                yield self.change(guard, UNKNOWN, values, here, difference(here.name, values, guard))

    def _answer(self, guard: Guard, values: tuple[object, object], at: At) -> Iterator[Change]:
        """One entry of a mapping to words: one with parts of its own (`into: b`) goes by the name of its first part."""
        words = [
            guard.scale[0][0]
            if each is None
            else next(iter(type(each).model_fields))
            if isinstance(each, BaseModel)
            else each
            for each in values
        ]
        found = direction(Pair(guard=replace(guard, how="scale"), old=words[0], new=words[1]))
        if found is None and words[0] == words[1] and None not in values and values[0] != values[1]:
            found = UNKNOWN
        if found is not None:
            yield self.change(guard, found, values, at, difference(at.name, values, guard))

    def _presence(self, guard: Guard, values: tuple[object, object], at: At) -> Change:
        """Something with a name of its own came or went."""
        added = values[0] is None
        found = UNKNOWN if not guard.loosens else step(loosens=added == (guard.loosens == "more"))
        thing = values[1] if added else values[0]
        code = ""
        if isinstance(thing, Variable) and thing.coverage_min is not None:
            found, code = BOTH, "review.condition-widened"  # another condition, and what it owes
        if isinstance(thing, SRefField) and thing.role == "condition":
            found, code = step(loosens=added), "review.condition-widened" if added else ""
        return self.change(guard, found, values, at, presence(at.name, added=added), code)

    def change(
        self, guard: Guard, found: Direction, values: tuple[object, object], at: At, says: str, code: str = ""
    ) -> Change:
        """The change at one place."""
        context = self.context
        return Change(
            code=code or guard.kinds.get(found.value) or CODE[found],
            direction=found,
            risk=Risk(guard.risk) if guard.guards else Risk.LOW,
            says=says,
            document=context.document,
            file=context.file,
            path=at.new if values[1] is not None or len(at.new) == len(at.old) else at.old,
            name=at.name,
            old=values[0],
            new=values[1],
            span=_span(context.new_places, at.new),
            old_span=None if values[0] is None else _span(context.old_places, at.old),
        )


def guards(model: BaseModel, at: Path = ()) -> frozenset[Path]:
    """The places of every guard that `model` has, items by their names."""
    found: set[Path] = set()
    for name, key in _fields(model, model):
        guard, value, here = guard_of(type(model), name), getattr(model, name), (*at, key)
        if value is None or not guard.guards:
            continue
        if isinstance(value, BaseModel) and guard.how == "section":
            found |= guards(value, here)
        elif guard.how == "items":
            for item, _ in matched(value, (), guard.key):
                found |= {(*here, item.called)} | guards(item.model, (*here, item.called)) if item else set()
        elif guard.how == "entries":
            for called, each in value.items():
                found |= guards(each, (*here, called)) if isinstance(each, BaseModel) else {(*here, called)}
        else:
            found.add(here)
    return frozenset(found)


def _fields(old: BaseModel, new: BaseModel) -> Iterator[tuple[str, str]]:
    """The fields of both, in the order of the language: (attribute, key)."""
    known = {**type(new).model_fields, **type(old).model_fields}
    for name, info in known.items():
        yield name, info.alias or name


def _of_one_kind(guard: Guard) -> bool:
    """Whether a field that only one of two kinds has says nothing beside what the change of the kind says."""
    return guard.how in ("free", "review") or guard.absent == "review"


def _number(item: Item | None) -> int | None:
    return None if item is None else item.number


def _span(places: Places | None, path: Path) -> Span | None:
    if places is None:
        return None
    if not path:
        return places.source.span(0, 0)
    return places.value(path)
