"""P405-6 as a node: the table of the path read with its units, refused by row, integrated, and told with its digits."""

from __future__ import annotations

import numpy as np
import pytest

from synthspec.backend.artifacts import FIGURES, read_figures, read_report
from synthspec.backend.protocol import Context, DataError
from synthspec.backend.timepath import ARRIVE_REPORT, ArriveReport
from synthspec.execute.core.arrive import arrive
from synthspec.execute.core.timed import arrive_reasons
from synthspec.ir.ops import Arrive
from synthspec.ir.schema import Field
from synthspec.spec.sampling import Arrival

C = 299792458.0
ELL = Field(name="ell", role="content", dtype="float64", unit="km")
N_EFF = Field(name="n_eff", role="content", dtype="float64", unit="dimensionless", range=(0.1, 3))
C_REF = Field(name="c_ref", role="content", dtype="float64", unit="m/s")
POINTS = tuple(Field(name=name, role="content", dtype="float64", unit="m") for name in "xyz")


def op(
    *columns: Field, quadrature: str | None = "gauss_kronrod", path: str = "path.csv", forms: str = "both"
) -> Arrive:
    arrival = Arrival(forms=forms, quadrature=quadrature)
    return Arrive(arrival=arrival, path=path, columns=columns or (ELL, N_EFF, C_REF), c_ref0=C)


@pytest.fixture
def run(tmp_path):
    def arrived(text: str, asked: Arrive | None = None) -> tuple[ArriveReport, dict]:
        (tmp_path / "path.csv").write_text(text)
        out = tmp_path / f"out{len(list(tmp_path.glob('out*')))}"
        out.mkdir()
        arrive(asked or op(), {}, Context(out=out, root=tmp_path, workers=1, progress=None))
        figures = {figure.name: figure for figure in read_figures(out / FIGURES)}
        return read_report(out / ARRIVE_REPORT, ArriveReport), figures

    return arrived


LINK = "ell,n_eff,c_ref\n0,1.4,299792458\n1,1.5,299792458\n3,1.5,299800000\n"


@pytest.mark.parametrize("quadrature", ["gauss_kronrod", "simpson"])
def test_units_are_those_of_the_sref(run, quadrature):
    report, figures = run(LINK, op(quadrature=quadrature))
    assert report.L_gamma == pytest.approx(3000, rel=1e-15)
    assert report.T_arr_form1 == pytest.approx((1450 + 3000) / C, rel=1e-14)
    drift = 299800000 / C - 1
    assert report.T_arr_form2 == pytest.approx((1450 + 3000 / drift * np.log1p(drift)) / C, rel=1e-11)
    assert figures["delta_form"].value == report.delta_form == abs(report.T_arr_form1 - report.T_arr_form2)
    assert figures["delta_form"].upper > figures["delta_form"].value
    assert sum(report.delta_local) == pytest.approx(report.delta_form, rel=1e-6)
    assert all(check.ok for check in report.dim_checks)
    assert figures["T_arr_form2"].u > 0
    assert "derived" in dict(figures["delta_form"].details)["tol_Tarr_derived_how"]


def test_points_become_arc_length(run):
    asked = op(*POINTS, N_EFF, C_REF)
    text = "x,y,z,n_eff,c_ref\n0,0,0,1.5,299792458\n3,4,0,1.5,299792458\n3,4,12,1.5,299792458\n"
    report, _ = run(text, asked)
    assert report.L_gamma == pytest.approx(17.0, rel=1e-15)
    assert "chords of x, y, z" in report.interpolation


def test_a_constant_speed_carries_its_warning(run):
    report, figures = run("ell,n_eff,c_ref\n0,1.4,299792458\n1,1.5,299792458\n")
    assert report.constant_c_ref
    assert report.delta_form < 1e-20
    assert "round-off" in dict(figures["delta_form"].details)["warning"]
    assert "warning" not in dict(run(LINK)[1]["delta_form"].details)


REFUSED = {
    "line 4, column 'ell': the step from the node before is 0 m": (
        "P405-6.path-step",
        "ell,n_eff,c_ref\n0,1.4,299792458\n1,1.5,299792458\n1,1.5,299792458\n",
    ),
    "line 3, column 'ell': the step from the node before is -500 m (and 1 more)": (
        "P405-6.path-step",
        "ell,n_eff,c_ref\n1,1.4,299792458\n0.5,1.5,299792458\n0.2,1.5,299792458\n",
    ),
    "line 3, column 'c_ref': a speed of reference is positive": (
        "schema.bad-value",
        "ell,n_eff,c_ref\n0,1.4,299792458\n1,1.5,0\n",
    ),
    "line 3, column 'n_eff': '15' is outside the range": (
        "schema.bad-value",
        "ell,n_eff,c_ref\n0,1.4,299792458\n1,15,299792458\n",
    ),
    "T_arr_form1 is 3.00207686e-06 s, earlier than the 3.33564095e-06 s": (
        "P405-6.below-floor",
        "ell,n_eff,c_ref\n0,0.9,299792458\n1,0.9,299792458\n",
    ),
    "has 1 node": ("schema.bad-value", "ell,n_eff,c_ref\n0,1.4,299792458\n"),
    "has no column 'c_ref'": ("schema.not-found", "ell,n_eff\n0,1.4\n1,1.4\n"),
}


@pytest.mark.parametrize("message", REFUSED)
def test_a_bad_table_is_refused_by_row(run, message):
    code, text = REFUSED[message]
    with pytest.raises(DataError) as refused:
        run(text)
    assert refused.value.code == code
    assert message in refused.value.message


def test_a_point_twice_is_a_zero_step(run):
    text = "x,y,z,n_eff,c_ref\n0,0,0,1.5,299792458\n3,4,0,1.5,299792458\n3,4,0,1.5,299792458\n"
    with pytest.raises(DataError, match="line 4, column 'x': the point is the one before it") as refused:
        run(text, op(*POINTS, N_EFF, C_REF))
    assert refused.value.code == "P405-6.path-step"


def test_the_digits_of_the_table_are_its_resolution(run):
    coarse = run(LINK)[0]
    fine = run("ell,n_eff,c_ref\n0.000,1.40000,299792458.0\n1.000,1.50000,299792458.0\n3.000,1.50000,299800000.0\n")[0]
    assert coarse.T_arr_form1 == fine.T_arr_form1
    assert coarse.u_form1 > 100 * fine.u_form1
    assert fine.derived_tolerance >= 2 * fine.u_disc


def test_what_cannot_be_integrated_is_refused_before_anything_runs():
    assert list(arrive_reasons(op())) == []
    assert list(arrive_reasons(op(*POINTS[:2], N_EFF, C_REF))) == []
    for asked, word in (
        (op(N_EFF, C_REF), "neither a column ell nor points"),
        (op(POINTS[0], POINTS[2], N_EFF, C_REF), "neither a column ell nor points"),
        (op(ELL, C_REF), "no column n_eff"),
        (op(quadrature=None), "no quadrature"),
        (op(forms="form1"), "both forms"),
        (op(path="path.txt"), "path.txt"),
    ):
        (reason,) = arrive_reasons(asked)
        assert word in reason


def test_the_resolution_of_a_length_does_not_depend_on_its_unit(run):
    metres = Field(name="ell", role="content", dtype="float64", unit="m")
    one = run("ell,n_eff,c_ref\n0.000,1.40,299792458\n1.000,1.50,299792458\n")[0]
    other = run("ell,n_eff,c_ref\n0,1.40,299792458\n1000,1.50,299792458\n", op(metres, N_EFF, C_REF))[0]
    assert other.u_form1 == pytest.approx(one.u_form1, rel=1e-12)
