"""P405-6, S405-7: the path read, both forms of T_arr integrated, and what they are known to."""

from __future__ import annotations

from collections.abc import Mapping

from synthspec.arrival import (
    GAUSS_KRONROD,
    SIMPSON,
    Arrival,
    Budget,
    NotConvergedError,
    along,
    budget,
)
from synthspec.backend.artifacts import FIGURES, DimCheck, write_report
from synthspec.backend.protocol import Artifact, Context, DataError
from synthspec.backend.timepath import ARRIVE_REPORT, ArriveReport
from synthspec.execute.core.arrive_path import Gamma, read_gamma
from synthspec.ir.evidence import Figure
from synthspec.ir.ops import Arrive
from synthspec.units import parse_unit

RULES = {"gauss_kronrod": GAUSS_KRONROD, "simpson": SIMPSON}
Z95 = 1.6448536269514722
"""The one-sided 95 % quantile of the normal law."""
DERIVED = "derived: k * sqrt(u_form1^2 + u_form2^2 + u_disc^2), k = 2 (inferred; S106-06 is not published)"
_SLACK = 1e-12


def arrive(op: Arrive, inputs: Mapping[str, Artifact], context: Context) -> None:
    """Write ``arrive.json`` and ``figures.json`` (delta_form, T_arr_form1, T_arr_form2).

    Raises DataError: `schema.*` for a table that is not what the SRef says, `P405-6.path-step` for nodes that do not lie
    one behind the other, `P405-6.below-floor` for an arrival before that in vacuum, `P405-6.not-integrable`.
    """
    del inputs
    if op.c_ref0 is None or op.arrival.quadrature is None:
        raise ValueError("an arrival without c_ref0 or quadrature is refused before anything runs")
    gamma, rule = read_gamma(op, context.root), RULES[op.arrival.quadrature]
    try:
        found = along(gamma.path, op.c_ref0, rule)
    except NotConvergedError as error:
        raise DataError("P405-6.not-integrable", f"{op.path}: {error}", "smooth or correct the table") from error
    _above_floor(op, found, op.c_ref0)
    known = budget(gamma.path, found, op.c_ref0, rule, gamma.resolution)
    report = _report(op, gamma, found, known)
    write_report(context.out, ARRIVE_REPORT, report)
    write_report(context.out, FIGURES, _figures(report))


def _above_floor(op: Arrive, found: Arrival, c_ref0: float) -> None:
    """``T_arr >= L / c``: nothing arrives before light does where n_eff is at least 1."""
    for name, value, least in (
        ("form1", found.form1, found.length / c_ref0),
        ("form2", found.form2, found.floor),
    ):
        if value < least * (1 - _SLACK):
            message = f"{op.path}: T_arr_{name} is {value:.9g} s, earlier than the {least:.9g} s that c_ref takes"
            raise DataError("P405-6.below-floor", message, "n_eff is at least 1: check the index and its unit")


def _report(op: Arrive, gamma: Gamma, found: Arrival, known: Budget) -> ArriveReport:
    return ArriveReport(
        path=op.path,
        quadrature=str(op.arrival.quadrature),
        interpolation=f"linear between nodes; ell {gamma.how}",
        path_nodes=len(gamma.path.ell),
        quadrature_nodes=found.nodes,
        L_gamma=found.length,
        c_ref0=float(op.c_ref0 or 0.0),
        constant_c_ref=gamma.path.constant_c_ref,
        T_arr_form1=found.form1,
        T_arr_form2=found.form2,
        delta_form=found.delta_form,
        floor=found.floor,
        segment_form1=tuple(found.segment_form1.tolist()),
        segment_form2=tuple(found.segment_form2.tolist()),
        delta_local=tuple(found.delta_local.tolist()),
        u_form1=known.u_form1,
        u_form2=known.u_form2,
        u_disc=known.u_disc,
        u_delta=known.u_delta,
        derived_tolerance=known.tol_derived,
        tol_source=DERIVED,
        dim_checks=_dim_checks(op),
    )


def _dim_checks(op: Arrive) -> tuple[DimCheck, ...]:
    """``check_dim`` of the measure, of both integrands and of their difference (M10-6 steps 2 and 6)."""
    units = {column.name: parse_unit(column.unit).dimension for column in op.columns}
    ell, n_eff, c_ref = units.get("ell", units.get("x")), units["n_eff"], units["c_ref"]
    length, speed, time = (parse_unit(unit).dimension for unit in ("m", "m/s", "s"))
    arrival = None if ell is None else n_eff * ell / c_ref
    return (
        DimCheck(expr="L_gamma - integral of 1 d ell", dimension=str(ell), ok=ell == length),
        DimCheck(expr="c_ref - c_ref0", dimension=str(c_ref), ok=c_ref == speed),
        DimCheck(expr="T_arr_form1 - T_arr_form2", dimension=str(arrival), ok=arrival == time),
    )


def _figures(report: ArriveReport) -> tuple[Figure, ...]:
    how = f"{report.quadrature},{report.path_nodes} nodes"
    worst = max(range(len(report.delta_local)), key=report.delta_local.__getitem__)
    note = (("warning", "P405-6.constant-c-ref: with one c_ref this is round-off"),) if report.constant_c_ref else ()
    delta = Figure(
        name="delta_form",
        label=f"delta_form[{how}]",
        value=report.delta_form,
        unit="s",
        u=report.u_delta,
        lower=max(report.delta_form - Z95 * report.u_delta, 0.0),
        upper=report.delta_form + Z95 * report.u_delta,
        method="analytic",
        details=(
            ("L_gamma_m", report.L_gamma),
            ("c_ref0_m_per_s", report.c_ref0),
            ("largest_local_s", report.delta_local[worst]),
            ("largest_local_segment", worst + 1),
            ("segments", len(report.delta_local)),
            ("quadrature_nodes", report.quadrature_nodes),
            ("tol_Tarr_derived_s", report.derived_tolerance),
            ("tol_Tarr_derived_how", report.tol_source),
            *note,
        ),
    )
    forms = (("T_arr_form1", report.T_arr_form1, report.u_form1), ("T_arr_form2", report.T_arr_form2, report.u_form2))
    return delta, *(_form(name, value, (u**2 + report.u_disc**2) ** 0.5, how) for name, value, u in forms)


def _form(name: str, value: float, u: float, how: str) -> Figure:
    return Figure(
        name=name,
        label=f"{name}[{how}]",
        value=value,
        unit="s",
        u=u,
        lower=value - Z95 * u,
        upper=value + Z95 * u,
        method="analytic",
    )
