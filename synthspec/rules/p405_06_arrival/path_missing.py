"""There is no path to integrate along.

Why: both forms of T_arr are integrals of n_eff along gamma(ell). Without the path, its nodes and its index n_eff, there is
    nothing to integrate. The nodes have an arc length ell, or points x, y (and z) whose chords are added up.

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
    have = {column.name for column in path.fields}
    if "ell" not in have and not {"x", "y"} <= have:
        advice = "add the column ell to path.fields, or the points x, y"
        yield Finding(at_sref("path", "fields"), "the path has no column 'ell'", advice, because)
    if "n_eff" not in have:
        advice = "add the column n_eff to path.fields"
        yield Finding(at_sref("path", "fields"), "the path has no column 'n_eff'", advice, because)
