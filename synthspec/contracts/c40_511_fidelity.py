"""C40-511: fidelity thresholds against the held-out test split.

`KID_mean ± se <= tol_KID` is judged at KID + se, z = 1 (language.md section 4). Images and clips owe FID, KID and
recall; everything else owes at least one declared divergence (P402-2: fidelity is a divergence, never a heuristic). The
AUC of a classifier that tells real from synthetic counts as one: it bounds the total variation between them from below.
TSTR, TRTR and memorisation are no divergences: a spec may promise them, and owes a divergence beside them.
"""

from __future__ import annotations

from synthspec.contracts.form import Contract, Term

_SERIES = frozenset({"timeseries", "audio"})

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
        Term(metric="sliced_W2", relation="<=", at="upper", symbol="tol_SW2", split="test", when="optional"),
        Term(metric="PSI", relation="<=", at="upper", symbol="tol_PSI", split="test", when="optional"),
        Term(
            metric="detection_AUC", relation="<=", at="upper", symbol="tol_detection_AUC", split="test", when="optional"
        ),
        Term(
            metric="ACF",
            relation="<=",
            at="upper",
            symbol="tol_ACF",
            split="test",
            when="optional",
            modalities=_SERIES,
        ),
        Term(
            metric="PSD",
            relation="<=",
            at="upper",
            symbol="tol_PSD",
            unit="dB",
            split="test",
            when="optional",
            modalities=_SERIES,
        ),
        Term(
            metric="FVD",
            relation="<=",
            at="upper",
            symbol="tol_FVD",
            split="test",
            when="optional",
            modalities=frozenset({"video"}),
        ),
        Term(metric="precision", relation=">=", at="lower", symbol="precision_min", split="test", when="optional"),
        Term(metric="density", relation=">=", at="lower", symbol="density_min", split="test", when="optional"),
        Term(metric="TSTR", relation=">=", at="lower", symbol="TSTR_min", split="test", when="optional"),
        Term(
            metric="memorisation", relation="<=", at="upper", symbol="tol_memorisation", split="test", when="optional"
        ),
    ),
    one_of=(
        *("tol_W1", "tol_MMD", "tol_FID", "tol_KID"),
        *("tol_SW2", "tol_PSI", "tol_detection_AUC", "tol_ACF", "tol_PSD", "tol_FVD"),
    ),
    kept=(
        Term(metric="FID_ratio", relation="<=", at="upper", symbol="keep.FID_ratio", when="optional"),
        Term(metric="KID_delta", relation="<=", at="upper", symbol="keep.KID_delta", when="optional"),
    ),
)
