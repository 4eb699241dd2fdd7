"""C40-519: what a replay needs was written down, and a replay gave the same digests; both counted, both zero."""

from __future__ import annotations

from synthspec.contracts.form import Contract, Term

CONTRACT = Contract(
    id="C40-519",
    name="Reproducibility",
    expr="seed/rng/solver/NFE persisted and replayable",
    terms=(
        Term(metric="unpersisted", relation="<=", at="value", constant=0.0),
        Term(metric="replay_mismatches", relation="<=", at="value", constant=0.0),
    ),
)
