"""C40-518: every expression is dimensionally sound, counted as failures that must be zero."""

from __future__ import annotations

from synthspec.contracts.form import Contract, Term

CONTRACT = Contract(
    id="C40-518",
    name="Dimensions",
    expr="all check_dim(expr)=true",
    terms=(Term(metric="check_dim_failures", relation="<=", at="value", constant=0.0),),
)
