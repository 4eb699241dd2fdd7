"""The drafted SRef as text: one line a field, above it what was seen and what to ask of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from synthspec.draft.deciding import LeftOut, Proposal
from synthspec.ir.emit import emit

_HEAD = """\
# Drafted by `synthspec init --from`: what {records:,} records of {source} seem to be. Correct it; `synthspec validate` names
# what only you can say:
#   unit         of every number. None is guessed: a count, a share or a ratio says `unit: dimensionless`.
#   range, enum  what can be. A run refuses records outside, and makes none outside.
# PRIVACY: ranges, enums and what was `seen` are read off the records, and tell of single ones. Delete what was seen before
# you hand this on. Under a privacy mechanism bounds and members count as public (P405-4), and nothing can check where they
# are from: before you choose one, write every range and enum anew, from an instrument, a code book, a law.
"""


def sref_text(
    name: str, source: str, records: int, key: Proposal, fields: Sequence[Proposal], left_out: Sequence[LeftOut]
) -> str:
    """The SRef of these fields. `source` is how the table is called in its comments."""
    return "\n".join(
        [
            _HEAD.format(records=records, source=_comment(source)) + "apiVersion: synthspec/v1",
            "kind: SRef",
            f"metadata: {{name: {name}-data, version: 0.1.0}}",
            "modality: tabular",
            "fields:",
            *(line for field in (key, *fields) for line in _field(field)),
            *(f"  # {_quoted(each.column)} is left out: {_comment(each.why)}." for each in left_out),
            f"keys: {{pk: [{key.heading.name}]}}",
            *_aliases((key, *fields)),
            *_policy(fields),
            "",
        ]
    )


def scalar(value: str | float | bool) -> str:  # noqa: FBT001 - a value like others
    """`value` as it stands in a document."""
    return emit(value).rstrip("\n")


def _field(field: Proposal) -> Iterator[str]:
    yield from (f"  # {_comment(words)}" for words in field.says)
    entries = [f"name: {field.heading.name}", f"role: {field.role}", f"dtype: {field.dtype}"]
    if field.enum:
        entries.append(f"enum: [{', '.join(map(scalar, field.enum))}]")
    if field.range is not None:
        entries.append(f"range: [{', '.join(map(scalar, field.range))}]")
    if field.resolution is not None:
        entries.append(f"resolution: {field.resolution}")
    if field.nullable:
        entries.append("nullable: true")
    yield f"  - {{{', '.join(entries)}}}"


def _aliases(fields: Sequence[Proposal]) -> Iterator[str]:
    renamed = [field.heading for field in fields if field.heading.column not in {"", field.heading.name}]
    if renamed:
        yield "alias_map:      # headers that cannot stand in expressions, and what their fields are called"
        yield from (f"  {scalar(heading.column)}: {heading.name}" for heading in renamed)


def _policy(fields: Sequence[Proposal]) -> Iterator[str]:
    dropped = [field.heading.name for field in fields if field.drops]
    if dropped:
        yield "policy:"
        yield f"  nulls: {{{', '.join(f'{name}: drop' for name in dropped)}}}"


def _quoted(text: str) -> str:
    return f"'{_comment(text)}'"


def _comment(text: str) -> str:
    """`text` on one line, without what cannot be seen, and not too long."""
    # A header is data: it must not read as a comment that excuses findings.
    shown = "".join(char if char.isprintable() else " " for char in text).replace("synthspec:", "synthspec ")
    return shown if len(shown) <= 300 else shown[:297] + "..."
