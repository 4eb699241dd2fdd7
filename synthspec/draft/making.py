"""From a table to the two texts of a draft. Nothing is written here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from synthspec.backend.protocol import DataError
from synthspec.diag import Diagnostic, Outcome, did_you_mean, failure
from synthspec.draft.deciding import LeftOut, Proposal, can_name, decide, find_key, key_field
from synthspec.draft.looking import look
from synthspec.draft.naming import Heading, headings
from synthspec.draft.seen import Seen
from synthspec.draft.spec_text import spec_text
from synthspec.draft.sref_text import sref_text
from synthspec.parse import compose, read_source
from synthspec.spec.engine import Family

FEWEST_RECORDS = 20
"""Of fewer, one of the three splits can come out empty."""
SPEC, SREF = "spec.yaml", "data.sref.yaml"
Column = tuple[Heading, Seen]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is drafted, and from what."""

    name: str
    table: str
    """The table as the user named it: a file, or ``sklearn://NAME``."""
    source: str
    """As the spec is to name it."""
    family: Family = "flow"
    target: str = ""
    """The column, or the field, that models are to predict; empty for none."""
    key: str = ""
    """The column that names the records; empty to find one, or to number them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """The texts by the names of their files, and what became of the columns."""

    files: Mapping[str, str]
    records: int
    key: Proposal
    fields: tuple[Proposal, ...]
    left_out: tuple[LeftOut, ...]


def draft(asked: Asked) -> Outcome[Draft]:
    """The two files for a table. What none can be drafted from is a finding."""
    try:
        made = _drafted(asked)
    except DataError as fault:
        return failure([Diagnostic(code=fault.code, message=fault.message, help=fault.help)])
    for name, text in made.files.items():
        composed = read_source(text.encode(), name).then(compose)
        if composed.value is None:
            return failure([_unwritable(asked.table, made, composed.diagnostics)])
    return Outcome(made)


def _unwritable(table: str, made: Draft, why: Sequence[Diagnostic]) -> Diagnostic:
    """A document of ours that is refused: it has the limits of all documents."""
    members = sum(len(field.enum) for field in made.fields)
    message = f"{table}: {len(made.fields):,} fields with {members:,} members of enums make no SRef ({why[0].message})"
    return Diagnostic(
        code=why[0].code, message=message, help="keep the columns that are to be learned, and short headers"
    )


def _drafted(asked: Asked) -> Draft:
    seen = look(asked.table, Path(asked.table))
    columns = tuple(zip(headings([each.name for each in seen]), seen, strict=True))
    records = _enough(asked.table, seen)
    key, rest = _key(asked, columns)
    target = _chosen(asked.table, "--target", asked.target, rest) if asked.target else None
    made = [decide(*column, target=target is not None and column[0] == target[0]) for column in rest]
    fields = tuple(each for each in made if isinstance(each, Proposal))
    left_out = tuple(each for each in made if isinstance(each, LeftOut))
    _learnable(asked, fields, left_out, target)
    name = "" if target is None else target[0].name
    return Draft(
        files={
            SREF: sref_text(asked.name, asked.table, records, key, fields, left_out),
            SPEC: spec_text(asked.name, asked.source, records, key.heading.name, fields, asked.family, name),
        },
        records=records,
        key=key,
        fields=fields,
        left_out=left_out,
    )


def _enough(table: str, seen: Sequence[Seen]) -> int:
    records = seen[0].records if seen else 0
    if records < FEWEST_RECORDS:
        count = {0: "no records", 1: "one record"}.get(records, f"{records} records")
        message = f"{table} has {count}; a draft takes at least {FEWEST_RECORDS}"
        raise DataError("schema.bad-value", message, "an engine learns from many records, which three splits share")
    return records


def _key(asked: Asked, columns: Sequence[Column]) -> tuple[Proposal, list[Column]]:
    """The field that names the records, and the other columns."""
    if asked.key:
        named = _chosen(asked.table, "--key", asked.key, columns)
        why = can_name(named[1])
        if why:
            message = f"{asked.table}: {asked.key!r} cannot be the key: {why}"
            raise DataError(
                "schema.bad-value", message, "choose another, or leave --key out: then records are numbered"
            )
    else:
        found = find_key(columns)
        if found is None:
            return _numbered(columns), list(columns)
        named = found
    return key_field(*named), [column for column in columns if column[0] != named[0]]


def _numbered(columns: Sequence[Column]) -> Proposal:
    """A key that the table does not have: its records are numbered when they are bound."""
    names = {heading.name for heading, _ in columns}
    name = next(
        name for name in ("rid", "record_number", *(f"rid_{n}" for n in range(len(names) + 1))) if name not in names
    )
    says = ("no column names the records, so they are numbered; --key would say which one does",)
    return Proposal(heading=Heading(column=name, name=name), role="key", dtype="int64", says=says)


def _chosen(table: str, option: str, name: str, columns: Sequence[Column]) -> Column:
    """The column that is called `name`, there or in the draft. Raises DataError when there is none."""
    for column in columns:
        if name in {column[0].column, column[0].name}:
            return column
    advice = did_you_mean(name, [heading.column for heading, _ in columns])
    raise DataError("schema.not-found", f"{table} has no column {name!r}, which {option} names", advice)


def _learnable(asked: Asked, fields: Sequence[Proposal], left_out: Sequence[LeftOut], target: Column | None) -> None:
    if not fields:
        shown = "; ".join(f"{each.column!r}: {each.why}" for each in left_out[:3])
        raise DataError(
            "schema.bad-value",
            f"{asked.table} has no column to learn ({shown or 'there is one, the key'})",
            "give values to learn",
        )
    if target is None:
        return
    why = next((each.why for each in left_out if each.column == target[0].column), "")
    if why or len(fields) < 2:
        message = f"{asked.table}: {asked.target!r} cannot be the target: {why or 'no other field is there to predict it from'}"
        raise DataError("schema.bad-value", message, "choose another, or leave --target out")
