"""C40-516: privacy that was spent, and what an attacker gains.

The standard's formula leaves delta out; App B asks for it, so both are enforced under a mechanism. MI is the membership
advantage Adv_MI, judged at its upper 95 % bound; it needs members and non-members, so it belongs to no single split. An
attack whose lower limit lies beyond what eps and delta allow shows that the mechanism is not what it claims, whatever
mi_max says. An accelerated engine must not be shown to tell its members, as a set, better than its teacher (P405-10).
"""

from __future__ import annotations

from synthspec.contracts.form import Contract, Term

CONTRACT = Contract(
    id="C40-516",
    name="Privacy",
    expr="eps_total ≤ eps_budget, MI ≤ mi_max",
    terms=(
        Term(metric="eps_total", relation="<=", at="value", symbol="eps_budget", when="mechanism"),
        Term(metric="delta_total", relation="<=", at="value", symbol="delta_budget", when="mechanism"),
        Term(metric="MI", relation="<=", at="upper", symbol="mi_max"),
        Term(metric="dp_violations", relation="<=", at="value", constant=0.0, when="mechanism"),
        Term(metric="student_violations", relation="<=", at="value", constant=0.0, when="accelerated"),
    ),
)
