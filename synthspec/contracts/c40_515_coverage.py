"""C40-515: the whole of the data law is covered.

covg is the coverage of Naeem et al. (2020), whose ceiling is about 1 - 2^-k. mode_drop is judged at its value, which
already counts a mode as present only where a binomial confidence bound says so.
"""

from __future__ import annotations

from synthspec.contracts.form import Contract, Term

CONTRACT = Contract(
    id="C40-515",
    name="Distribution Coverage",
    expr="coverage ≥ covg_min, mode_drop ≤ tol_mode_drop",
    terms=(
        Term(metric="covg", relation=">=", at="lower", symbol="covg_min", split="test"),
        Term(metric="mode_drop", relation="<=", at="value", symbol="tol_mode_drop", split="test"),
    ),
    kept=(Term(metric="covg_delta", relation=">=", at="lower", symbol="keep.covg_delta", when="optional"),),
)
