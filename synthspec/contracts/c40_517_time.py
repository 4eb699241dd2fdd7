"""C40-517: time base and arrival.

`non_decreasing(tau_mono)` is a count of decreases that must be zero; J is the rms residual of the time base fit, and
delta_form the difference of the two forms of T_arr (S405-7), both in seconds.
"""

from __future__ import annotations

from synthspec.contracts.form import Contract, Term

CONTRACT = Contract(
    id="C40-517",
    name="Time/Arrival",
    expr="non_decreasing(tau_mono), J ≤ J_max, delta_form ≤ tol_Tarr",
    terms=(
        Term(metric="tau_mono_decreases", relation="<=", at="value", constant=0.0),
        Term(metric="J", relation="<=", at="upper", symbol="J_max", unit="s"),
        Term(metric="delta_form", relation="<=", at="upper", symbol="tol_Tarr", unit="s", when="arrival"),
    ),
    when="time",
)
