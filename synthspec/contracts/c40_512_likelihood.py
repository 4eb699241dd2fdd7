"""C40-512: likelihood and invertibility of a flow.

bpd is in bits per dimension of the original data (S405-3 with dequantisation and every log-determinant of the
preprocessing); inv_error covers data, prior samples and out-of-range inputs, so it belongs to no single split.
"""

from __future__ import annotations

from synthspec.contracts.form import Contract, Term

CONTRACT = Contract(
    id="C40-512",
    name="Likelihood/Invertibility – Flow",
    expr="bpd ≤ tol_bpd, inv_error ≤ tol_inv",
    terms=(
        Term(metric="bpd", relation="<=", at="upper", symbol="tol_bpd", split="test"),
        Term(metric="inv_error", relation="<=", at="upper", symbol="tol_inv"),
    ),
    families=frozenset({"flow"}),
)
