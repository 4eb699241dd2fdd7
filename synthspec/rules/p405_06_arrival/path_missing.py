"""There is no path to integrate along.

Why: both forms of T_arr are integrals of n_eff along gamma(ell). Without the path, its nodes ell and its index n_eff, there is
    nothing to integrate.

Refs: P405-6; S405-7

Bad on fiber-link-flow without path:

Good:
    path:
      source: fiber_path.csv
      fields:
        - {name: ell, dtype: float64, unit: km}
        - {name: n_eff, dtype: float64, unit: dimensionless, range: [1, 2]}
        - {name: c_ref, dtype: float64, unit: m/s}
      c_ref0: 299792458 m/s
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, Note, at, at_sref, rule


@rule(code="P405-6.path-missing")
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    if resolved.spec.arrival is None:
        return
    path = resolved.sref.path
    because = (Note("arrival times are asked for", at("arrival")),)
    if path is None:
        advice = "describe gamma(ell) in the section `path` of the SRef: source, fields, c_ref0"
        yield Finding(at_sref("path"), "the SRef has no path", advice, because)
        return
    for name in ("ell", "n_eff"):
        if name not in {column.name for column in path.fields}:
            advice = f"add the column {name} to path.fields"
            yield Finding(at_sref("path", "fields"), f"the path has no column {name!r}", advice, because)
