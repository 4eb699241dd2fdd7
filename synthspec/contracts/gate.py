"""From bounds to a result, from results to the publication gate: one law for who judges and who verifies (Preface)."""

from __future__ import annotations

from synthspec.ir.verdict import BoundRecord, ContractRecord, Gate, Result

_FIDELITY = frozenset({"C40-511", "C40-512", "C40-513", "C40-514", "C40-515"})
_PRIVACY = frozenset({"C40-516"})
_CONTRACT = frozenset({"C40-517", "C40-518", "C40-519"})


def result_of(bounds: tuple[BoundRecord, ...]) -> Result:
    """Broken if one is broken, held if there are some and all are held, unproven otherwise."""
    results = {record.result for record in bounds}
    if "broken" in results:
        return "broken"
    return "held" if results == {"held"} else "unproven"


def gate_of(records: tuple[ContractRecord, ...]) -> Gate:
    """The gate is closed where a record of severity block is not held."""
    closed = {record.id for record in records if record.blocks}
    return Gate(
        fidelity_ok=not closed & _FIDELITY,
        privacy_ok=not closed & _PRIVACY,
        contract_ok=not closed & _CONTRACT,
    )
