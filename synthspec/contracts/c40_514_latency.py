"""C40-514: what a sample of a diffusion model costs.

NFE is the number of network evaluations per sample as a hook counted them; latency is judged at the distribution-free
upper bound of its 99th percentile; w_cfg is on the scale of S405-6 (0 is plain conditional).
"""

from __future__ import annotations

from synthspec.contracts.form import Contract, Term

CONTRACT = Contract(
    id="C40-514",
    name="Diffusion Latency",
    expr="NFE ≤ NFE_max, latency_ms_p99 ≤ SLO_latency, w_cfg ≤ cfg_max",
    terms=(
        Term(metric="NFE", relation="<=", at="value", symbol="NFE_max"),
        Term(metric="latency_ms_p99", relation="<=", at="upper", symbol="SLO_latency", unit="ms"),
        Term(metric="w_cfg", relation="<=", at="value", symbol="cfg_max"),
    ),
    families=frozenset({"diffusion"}),
)
