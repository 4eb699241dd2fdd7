"""From what was seen of a column to the field that it could be, with the words that tell a person what to look at."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from synthspec.draft.naming import Heading, invisible
from synthspec.draft.rounding import outward
from synthspec.draft.seen import MOST_MEMBERS, Seen
from synthspec.ir.members import Value
from synthspec.spec.sref import Dtype, Role

FEW = 20
"""So many different values are choices however few records there are, and may be codes where they are whole numbers."""
_INT32 = 2**31
_OPEN = "write what can be, not what was"
_POINTING = ("id", "rid", "key", "uuid", "guid")
_KEY_ENDS = (*_POINTING, "index", "number", "nr", "no")
"""What names of keys end in; unless a column is unique, the last four may mean anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A field of the draft."""

    heading: Heading
    role: Role
    dtype: Dtype
    nullable: bool = False
    enum: tuple[Value, ...] = ()
    range: tuple[int | float, int | float] | None = None
    resolution: int | None = None
    drops: bool = False
    """Whether records without a value are left out: the dtype cannot say that there is none."""
    says: tuple[str, ...] = ()
    """What stands above the field."""

    @property
    def measured(self) -> bool:
        """Whether it is a number, whose unit somebody has to state."""
        return self.role == "content" and self.range is not None

    @property
    def mixed(self) -> bool:
        """Whether a table with it has columns of mixed types."""
        return self.role == "content" and (self.range is None or self.nullable)


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A column of which there is no field, and why."""

    column: str
    why: str
    """Without a value of any record: it stands in the file."""
    example: str = ""
    """The first record that shows it; for the terminal alone."""


def decide(heading: Heading, seen: Seen, *, target: bool) -> Proposal | LeftOut:
    """The field that a column which is not the key becomes; `target`: it is what models are to predict."""
    kind = seen.kind
    why, example = _unlearned(heading, seen, target=target), ""
    if not why and kind == "text":
        why, example = _wordy(seen)
    if why:
        return LeftOut(column=heading.column, why=why, example=example)
    made = _MADE[kind](heading, seen, target)
    return replace(made, says=(*made.says, *_unit(made), *_gaps(seen, made)))


def key_field(heading: Heading, seen: Seen) -> Proposal:
    """The primary key."""
    says = ("names the record and is not learned: records that are made get fresh keys",)
    return Proposal(heading=heading, role="key", dtype="int64" if seen.kind == "whole" else "string", says=says)


def can_name(seen: Seen) -> str:
    """Why the values of a column cannot name its records; empty when they can."""
    if seen.kind not in {"whole", "text"} or (seen.kind == "text" and not seen.takes("string")):
        return "a key is a whole number or a short text"
    if seen.gaps:
        return f"{seen.gaps:,} records have none" if seen.gaps > 1 else "1 record has none"
    return "" if seen.unique else "two records have the same value"


def find_key(columns: Sequence[tuple[Heading, Seen]]) -> tuple[Heading, Seen] | None:
    """The column that names the records; None where none does.

    Of those that are different in every record: one that is called like a key, one that counts up one by one, a text.
    """
    able = [(heading, seen) for heading, seen in columns if not can_name(seen)]
    called = (each for each in able if _called(each[0], _KEY_ENDS))
    running = (each for each in able if _runs(each[1]))
    texts = (each for each in able if each[1].kind == "text" and not (each[1].dated or each[1].mostly_numbers))
    return next(iter((*called, *running, *texts)), None)


def _called(heading: Heading, ends: tuple[str, ...]) -> bool:
    """Whether the name ends in one of these words."""
    return heading.name.casefold().rpartition("_")[2] in ends or heading.name.endswith(("Id", "ID"))


def _runs(seen: Seen) -> bool:
    return seen.low is not None and seen.high is not None and seen.high - seen.low == seen.records - 1


def _unlearned(heading: Heading, seen: Seen, *, target: bool) -> str:
    """Why a column is left out; empty when it is a field."""
    if seen.kind == "array":
        size = ", ".join(map(str, seen.shape))
        return f"each record holds an array; a field with dtype, unit, range and shape: [{size}] would read it"
    if seen.kind == "unfit":
        return "numbers, truth values, instants and text are read, and it holds something else"
    if seen.kind == "empty":
        return "no record has a value"
    if seen.constant:
        return "every record that has a value has the same, so there is nothing to learn"
    if seen.kind == "whole" and not target and seen.unique and (_runs(seen) or _called(heading, _KEY_ENDS)):
        return "it numbers the records: that names them, and is not learned"
    if seen.kind in {"whole", "text"} and not target and not seen.few(FEW) and _called(heading, _POINTING):
        return "called like a key, and not unique: it may point to another table (role: key, keys.fk)"
    return ""


def _wordy(seen: Seen) -> tuple[str, str]:
    """Why a text is no category, and an example; empty when it is one."""
    if seen.dated:
        return _dates(seen), seen.refused["timestamp"]
    values = seen.records - seen.gaps
    if seen.mostly_numbers and not seen.few(FEW):
        why = "most of its values are numbers, and some are not: leave a cell without a number empty"
        return why, seen.refused["float64"]
    if seen.unique:
        return "every record has another text: it names the records, and is not learned", ""
    if any(map(invisible, seen.texts or ())):
        return "some of its texts have invisible characters, which no document holds", ""
    if seen.few(FEW) or (seen.texts is not None and 2 * len(seen.texts) <= values):
        return "", ""
    many = f"over {MOST_MEMBERS} different ones, or long" if seen.texts is None else f"{len(seen.texts)} different ones"
    return f"free text is not learned ({many} in {values:,} records): make categories of it", ""


def _dates(seen: Seen) -> str:
    """Why dates are no timestamps, and how they become some: what zone they are in, only who wrote them knows."""
    if seen.days:
        return (
            "days are no instants: written with their zone, as 2026-01-31T00:00:00Z for 2026-01-31, they become a timestamp, "
            "and as days since a first one a number (unit: d)"
        )
    if seen.ordered:
        return (
            "not all of its times say their zone, which is not guessed: written as 2026-01-31T14:00Z, or with their zone as "
            "2026-01-31T14:00+01:00, they become a timestamp"
        )
    return (
        "which part of its dates is the day, which the month, and in which zone is not guessed: written as 2026-01-31T14:00Z, "
        "or with their zone as 2026-01-31T14:00+01:00, they become a timestamp"
    )


def _whole(heading: Heading, seen: Seen, target: bool) -> Proposal:  # noqa: FBT001 - one of a table of functions
    low, high = seen.bounds
    codes = seen.integers if seen.few(FEW) else ()
    two = len(codes) == 2 and high - low == 1
    if codes and (two or target):
        words = f"seen {', '.join(map(str, codes))}: taken as choices; if they are amounts, write dtype: int32, a range, a unit"
        return Proposal(
            heading=heading, role="content", dtype="categorical", enum=codes, nullable=bool(seen.gaps), says=(words,)
        )
    bounds = outward(low, high)
    says = [f"seen {low} to {high}: {_OPEN}"]
    if codes:
        says.append(
            f"if its {len(codes)} different numbers are codes: dtype: categorical, an enum, no range and no unit"
        )
    small = bounds[0] >= -_INT32 and bounds[1] < _INT32
    made = Proposal(
        heading=heading, role="content", dtype="int32" if small else "int64", range=bounds, says=tuple(says)
    )
    return replace(made, dtype="float64", resolution=1, nullable=True) if seen.gaps else made


def _real(heading: Heading, seen: Seen, target: bool) -> Proposal:  # noqa: FBT001
    del target
    low, high = seen.bounds
    words = f"seen {low:.4g} to {high:.4g}: {_OPEN}"
    bounds = outward(low, high)
    return Proposal(
        heading=heading, role="content", dtype="float64", range=bounds, nullable=bool(seen.gaps), says=(words,)
    )


def _truth(heading: Heading, seen: Seen, target: bool) -> Proposal:  # noqa: FBT001
    if seen.gaps:  # a truth value cannot be absent
        if seen.texts is None or not {text.lower() for text in seen.texts} <= {"true", "false"}:
            return _category(heading, seen, target)  # which of 0, 1 and true are one, no enum can say
        return Proposal(heading=heading, role="content", dtype="categorical", enum=(False, True), nullable=True)
    return Proposal(heading=heading, role="content", dtype="bool")


def _instant(heading: Heading, seen: Seen, target: bool) -> Proposal:  # noqa: FBT001
    del target
    words = (
        "an instant, learned as a value like others; for records in the order of time see role: time and split by time"
    )
    return Proposal(heading=heading, role="content", dtype="timestamp", drops=bool(seen.gaps), says=(words,))


def _category(heading: Heading, seen: Seen, target: bool) -> Proposal:  # noqa: FBT001
    del target
    members = tuple(sorted(seen.texts or ()))
    rare = sum(count < 5 for count in (seen.texts or {}).values())
    seldom = f", {rare} of them in fewer than 5 records" if rare else ""
    words = f"seen {len(members)} different{seldom}: {_OPEN}"
    return Proposal(
        heading=heading, role="content", dtype="categorical", enum=members, nullable=bool(seen.gaps), says=(words,)
    )


_MADE: Mapping[str, Callable[[Heading, Seen, bool], Proposal]] = {
    "whole": _whole,
    "real": _real,
    "truth": _truth,
    "instant": _instant,
    "text": _category,
}


def _gaps(seen: Seen, made: Proposal) -> Iterator[str]:
    if not seen.gaps:
        return
    share = f"{seen.gaps:,} of {seen.records:,} records {'has' if seen.gaps == 1 else 'have'} none"
    if made.drops:
        yield f"{share}, which an instant cannot say: policy.nulls leaves them out"
    else:
        yield f"{share}: nullable makes that a thing to learn; policy: {{nulls: {{{made.heading.name}: drop}}}} leaves them out"
    if made.resolution:
        yield "whole numbers, but an integer cannot say that there is none: float64 in steps of 1"


_DEGREES = {"C": ("coulomb", "degC"), "F": ("farad", "degF")}


def _unit(made: Proposal) -> Iterator[str]:
    unit = made.heading.unit
    if made.measured and unit:
        # Said of a temperature more often than of what the letter stands for: who pastes it has to be told.
        other = _DEGREES.get(unit)
        also = f" (that is the {other[0]}; degrees are unit: {other[1]})" if other else ""
        yield f"the header speaks of {unit}: if that is the unit, write unit: {unit}{also}"
