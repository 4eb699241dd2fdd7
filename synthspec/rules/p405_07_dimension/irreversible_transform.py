"""What is done to a field before training cannot be undone.

Why: records are put into the units of the network and brought back after sampling; units and ranges are conserved only where
    the way back exists. A logarithm has none from zero on, and a dtype that cannot hold the range cuts values off.

Refs: P405-7; C40-518

Bad on cancer-dp-vae:
    data.transform: {mean_radius: log}

Good:
    fields.mean_radius.range: [1, 60]
    data.transform: {mean_radius: log}
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.field_types import INTEGERS, NUMBERS
from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, Note, at, at_sref, rule
from synthspec.rules.subject import at_field, by_name
from synthspec.spec.sref import SRef


def held(dtype: str) -> tuple[int, int]:
    """The least and the greatest value of an integer dtype.

    >>> held("uint8")
    (0, 255)
    """
    bits = int(dtype.lstrip("uint"))
    return (0, 2**bits - 1) if dtype.startswith("u") else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


def casts(sref: SRef) -> Iterator[Finding]:
    """Fields whose dtype cannot hold what their range allows."""
    for number, field in enumerate(sref.fields):
        if field.dtype not in INTEGERS or field.range is None:
            continue
        least, greatest = held(field.dtype)
        if field.range[0] < least or field.range[1] > greatest:
            yield Finding(
                at_sref("fields", number, "dtype"),
                f"{field.dtype} holds {least} to {greatest}, and the range of {field.name!r} goes beyond",
                "choose a wider dtype, or a narrower range",
                (Note("the range", at_sref("fields", number, "range")),),
            )


@rule(code="P405-7.irreversible-transform", sref_check=casts)
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    yield from casts(resolved.sref)
    known = by_name(resolved.sref)
    for name, kind in resolved.spec.data.transform.items():
        field = known.get(name)
        if field is None or field.dtype not in NUMBERS or kind != "log":
            continue
        if field.range is not None and field.range[0] > 0:
            continue
        yield Finding(
            at("data", "transform", name),
            f"{name!r} may be 0 or less, where log has no value to come back from"
            if field.range is not None
            else f"{name!r} has no range, so log may meet values that it has no way back from",
            "write linear, or a range that begins above 0 in the SRef",
            (Note("the field", at_field(resolved, field, "range" if field.range is not None else "name")),),
        )
