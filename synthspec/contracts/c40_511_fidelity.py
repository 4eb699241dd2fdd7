"""C40-511: fidelity thresholds against the held-out test split.

`KID_mean ± se <= tol_KID` is judged at KID + se, z = 1 (language.md section 4). Images and clips owe FID, KID and
recall; everything else owes at least one declared divergence (P402-2: fidelity is a divergence, never a heuristic).
"""

from __future__ import annotations

from synthspec.contracts.form import Contract, Term

CONTRACT = Contract(
    id="C40-511",
    name="Fidelity Thresholds",
    expr="FID ≤ tol_FID, KID_mean ± se ≤ tol_KID, PR_recall ≥ recall_min",
    terms=(
        Term(metric="FID", relation="<=", at="upper", symbol="tol_FID", split="test", when="pictures"),
        Term(metric="KID", relation="<=", at="value+u", symbol="tol_KID", split="test", when="pictures"),
        Term(metric="recall", relation=">=", at="lower", symbol="recall_min", split="test", when="pictures"),
        Term(metric="W1", relation="<=", at="upper", symbol="tol_W1", split="test", when="optional"),
        Term(metric="MMD", relation="<=", at="upper", symbol="tol_MMD", split="test", when="optional"),
    ),
    one_of=("tol_W1", "tol_MMD", "tol_FID", "tol_KID"),
)
