"""The data of a spec as ops: the source with its policies, what fills its gaps, and the tables that it refers to."""

from __future__ import annotations

from synthspec.ir.ops import Bind, Impute, Refer, Referred
from synthspec.ir.resolved import ResolvedSpec
from synthspec.spec.data import Constant, Statistic
from synthspec.spec.privacy import NoMechanism


def bind_op(resolved: ResolvedSpec) -> Bind:
    """The `Bind` of a spec."""
    data = resolved.spec.data
    return Bind(
        source=data.source,
        sha256=data.sha256 or "",
        schema=resolved.schema,
        policy=resolved.sref.policy,
        references=references(resolved),
        filled=resolved.filled,
    )


def references(resolved: ResolvedSpec) -> tuple[Referred, ...]:
    """The foreign keys of the SRef whose tables the spec gives, in the order of `keys.fk`.

    Under a mechanism no record tells which keys are used, or how often: a made one has any with the same chance.
    """
    keys, tables = resolved.sref.keys, resolved.spec.data.references or {}
    private = not isinstance(resolved.spec.privacy, NoMechanism)
    found = []
    for field, target in () if keys is None else keys.fk.items():
        table, _, column = target.partition(".")
        if table in tables:
            each = Referred(
                field=field,
                table=table,
                column=column,
                source=tables[table].source,
                sha256=tables[table].sha256 or "",
                fan_out="uniform" if private else "train",
            )
            found.append(each)
    return tuple(found)


def impute_op(resolved: ResolvedSpec) -> Impute | None:
    """What fills the gaps of a spec; None where nothing does."""
    how = resolved.spec.data.impute
    if how is None or not resolved.filled:
        return None
    fill: tuple[tuple[str, Statistic | Constant], ...]
    fill = tuple((name, how[name] if isinstance(how, dict) else how) for name in resolved.filled)
    return Impute(schema=resolved.schema, fill=fill)


def refer_op(resolved: ResolvedSpec, seed: int) -> Refer | None:
    """What gives made records their foreign keys; None where there is none that is not learned."""
    made = tuple(each for each in references(resolved) if resolved.schema.field(each.field).role == "key")
    return Refer(schema=resolved.schema, references=made, seed=seed) if made else None
