"""C40-511..519 as data: the table that the resolver binds and the judge reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synthspec.contracts import (
    c40_511_fidelity,
    c40_512_likelihood,
    c40_513_vae_calibration,
    c40_514_latency,
    c40_515_coverage,
    c40_516_privacy,
    c40_517_time,
    c40_518_dimensions,
    c40_519_reproducibility,
)
from synthspec.contracts.form import Contract, Setting, Term, When
from synthspec.contracts.stated import limits, setting

if TYPE_CHECKING:
    from synthspec.ir.verdict import ContractId

CONTRACTS: tuple[Contract, ...] = (
    c40_511_fidelity.CONTRACT,
    c40_512_likelihood.CONTRACT,
    c40_513_vae_calibration.CONTRACT,
    c40_514_latency.CONTRACT,
    c40_515_coverage.CONTRACT,
    c40_516_privacy.CONTRACT,
    c40_517_time.CONTRACT,
    c40_518_dimensions.CONTRACT,
    c40_519_reproducibility.CONTRACT,
)

_BY_ID = {contract.id: contract for contract in CONTRACTS}


def contract(name: ContractId) -> Contract:
    """The contract called `name`.

    Raises:
        KeyError: the standard has no such contract.

    """
    return _BY_ID[name]


__all__ = ["CONTRACTS", "Contract", "Setting", "Term", "When", "contract", "limits", "setting"]
