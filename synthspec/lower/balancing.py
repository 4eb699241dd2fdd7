"""What a training by sampling can draw by: members of categorical and bool fields of a table (Xu et al. 2019)."""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.resolved import ResolvedSpec
from synthspec.ir.schema import Field
from synthspec.spec.objective import Adversarial, Hinge, Relativistic, WganGp


def unbalanced(resolved: ResolvedSpec) -> Iterator[tuple[str, str]]:
    """Why the records of `resolved` cannot be drawn by their members as it says, and what to do."""
    objective, schema = resolved.spec.objective, resolved.schema
    if not isinstance(objective, Adversarial | WganGp | Hinge | Relativistic):
        return
    if objective.training_by_sampling == "none":
        return
    if schema.modality != "tabular":
        message = (
            f"records are drawn by members of the fields of a table, and the SRef is of modality {schema.modality}"
        )
        yield message, "leave it out"
        return
    conditions = schema.with_role("condition")
    for field in conditions:
        if not _has_members(field):
            message = f"the condition {field.name} is a number, and records are released by the shares of its members"
            yield message, "give it an enum, or leave training_by_sampling out"
    if not any(map(_has_members, (*conditions, *schema.with_role("content")))):
        yield "no field of the SRef is categorical or bool, so there is nothing to draw by", "leave it out"


def _has_members(field: Field) -> bool:
    if field.role == "condition" and field.enum:
        return True
    return field.dtype in ("categorical", "bool")
