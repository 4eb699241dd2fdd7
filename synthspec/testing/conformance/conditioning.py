"""Laws of conditioning: records come under the conditions asked for, and guidance 0 is the plain conditional model."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from synthspec.backend.artifacts import DATA
from synthspec.backend.blocks import unequal_records
from synthspec.backend.columns import member_index, spelled, stored_members
from synthspec.backend.dataset import Dataset, read_dataset
from synthspec.ir.schema import Field
from synthspec.ir.solvers import SOLVERS, evaluations
from synthspec.spec.conditioning import Variable
from synthspec.testing.conformance.trial import Trial, require

SIGMAS = 5.0
"""How many binomial standard deviations a share may lie off: the seeds are fixed, so a failure stays one."""


def held_conditions_are_honoured(trial: Trial) -> None:
    """A condition held at a value has that value in every record."""
    for field in _conditions(trial):
        value = field.enum[-1] if field.enum else (sum(field.range) / 2 if field.range else 1.0)
        drawn = trial.records(condition=((field.name, value),))
        if drawn is None:
            continue
        index = member_index(field, value)
        stored = value if index is None else stored_members(field)[index]
        column = drawn[field.name]
        require((column == np.asarray(stored, dtype=column.dtype)).all(), f"{field.name} is held at {value!r}", column)


def empirical_conditions_come_from_training(trial: Trial) -> None:
    """Empirical conditions have values, and shares, of the training rows."""
    for field in _conditions(trial):
        drawn = trial.records(condition=(), variables=_variables(trial, field, "empirical"))
        if drawn is None:
            continue
        training = trial.dataset[field.name][trial.rows.train]
        strange = np.setdiff1d(drawn[field.name], training)
        require(not len(strange), f"{field.name} takes values of the training rows", strange)
        if field.enum:
            shares = np.array([(training == stored).mean() for stored in stored_members(field)])
            _shares_agree(field, drawn, shares)


def declared_shares_are_honoured(trial: Trial) -> None:
    """A uniform condition takes its members equally often; a table's shares are kept, and a share of 0 never comes."""
    for field in (field for field in _conditions(trial) if len(field.enum) > 1):
        even = trial.records(condition=(), variables=_variables(trial, field, "uniform"))
        if even is not None:
            _shares_agree(field, even, np.full(len(field.enum), 1 / len(field.enum)))
        table = {spelled(field.enum[0]): 0.25, spelled(field.enum[-1]): 0.75}
        uneven = trial.records(condition=(), variables=_variables(trial, field, table))
        if uneven is not None:
            _shares_agree(field, uneven, np.array([table.get(spelled(member), 0.0) for member in field.enum]))


def no_guidance_is_the_conditional_model(trial: Trial) -> None:
    """w_cfg 0 is the limit of small guidance, on the S405-6 scale; and guidance that is not small changes records."""
    plain, slight, strong = (_guided(trial, w_cfg) for w_cfg in (0.0, 1e-6, 2.0))
    if plain is None or slight is None or strong is None:
        return
    for field in trial.op.fit.schema.with_role("content"):
        if field.enum or field.dtype in ("bool", "categorical"):
            continue
        low, high = field.range or (float(plain[field.name].min()), float(plain[field.name].max()))
        one, other = (each[field.name].astype(np.float64) for each in (plain, slight))
        off = float(np.abs(one - other).mean()) / (high - low)
        require(off < 1e-3, f"{field.name}: w_cfg 1e-6 is next to w_cfg 0", f"{off:.2e} of the range apart")
    if trial.has_network:
        require(unequal_records(plain, strong), "w_cfg 2 gives other records than w_cfg 0")


def _guided(trial: Trial, w_cfg: float) -> Dataset | None:
    solver = trial.op.solver
    if solver is None or not trial.op.fit.conditions:
        return None
    planned = replace(solver, NFE=evaluations(SOLVERS[solver.name], solver.steps, guided=w_cfg > 0))
    op = replace(trial.op, w_cfg=w_cfg, solver=planned)
    return None if trial.backend.supports(op) else read_dataset(trial.sample(op).path(DATA))


def _conditions(trial: Trial) -> list[Field]:
    return [trial.op.fit.schema.field(name) for name in trial.op.fit.conditions]


def _variables(trial: Trial, field: Field, law: str | dict[str, float]) -> tuple[tuple[str, Variable], ...]:
    """The variables of the case with the distribution of `field` replaced by `law`."""
    interface = "categorical" if field.enum else "continuous"
    changed = Variable.model_validate({"interface": interface, "distribution": law})
    return tuple((name, changed if name == field.name else variable) for name, variable in trial.op.variables)


def _shares_agree(field: Field, drawn: Dataset, shares: NDArray[np.float64]) -> None:
    n = len(drawn)
    for stored, member, share in zip(stored_members(field), field.enum, shares, strict=True):
        seen = float((drawn[field.name] == stored).mean())
        allowed = SIGMAS * float(np.sqrt(share * (1 - share) / n))
        require(abs(seen - share) <= allowed, f"{field.name} = {member!r} has the share {share:.3f}", f"{seen:.3f}")
