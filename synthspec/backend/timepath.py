"""The reports of the time base and of the arrival times: what is recorded beside offset, skew, J and delta_form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from synthspec.backend.artifacts import DimCheck

ALIGN_REPORT = "align.json"
ARRIVE_REPORT = "arrive.json"
LEAP_SECONDS = "days of 86400 s (POSIX): an instant within a leap second is refused where it is read"


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A number with its standard uncertainty and its two-sided 95 % interval."""

    value: float
    u: float
    lower: float
    upper: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Residual:
    """J over some readings, in s."""

    n: int
    rms: float
    p50: float
    p95: float
    peak_to_peak: float


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowRecord:
    """The line over ``[begin, end)`` of tau_mono (s): the error at `begin`, and the skew."""

    begin: float
    end: float
    offset: Known
    skew: Known
    J: Residual


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRecord:
    """The clock jumped by `size` s between two readings, at `before` and `after` s of tau_mono."""

    before: float
    after: float
    size: float
    u: float


@dataclass(frozen=True, slots=True, kw_only=True)
class GapRecord:
    """No reading between `before` and `after` s of tau_mono."""

    before: float
    after: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AlignReport:
    """P405-5: ``ts = t_ref + offset + (1 + skew) * (tau_mono - tau_ref)`` and how well it holds; times in s of tau_mono."""

    timezone: str
    leap_seconds: str
    t_ref: str
    """The instant that an ideal clock has at tau_ref."""
    tau_ref: float
    method: str
    strategy: Literal["bias", "slope", "jitter"]
    window: float
    tol_skew_lo: float
    """Derived: a skew below it is not told from zero."""
    tol_jitter_lo: float
    """Derived: the drift over a window; J above it dominates."""
    offset: Known
    """Of what is published by, at tau_ref."""
    skew: Known
    fitted_skew: Known
    """Of the line over the stretch, whether or not it is used."""
    robust_skew: Known
    """The same by the other method: Theil-Sen where least squares is declared, least squares where it is not."""
    J: Residual
    J_u: float
    J_upper: float
    begin: float
    end: float
    """The stretch without a break that is published by."""
    windows: tuple[WindowRecord, ...]
    largest_seam: float
    steps: tuple[StepRecord, ...]
    gaps: tuple[GapRecord, ...]
    unfitted: int
    """Readings between breaks so close that nothing was fitted there."""
    readings: int
    real_records: int
    real_decreases: int
    made_records: int
    made_decreases: int
    not_recovered: int
    """Published records whose tau_mono the inverse map does not give back."""
    quantum: int
    """ns: the grid of the made tau_mono."""
    spacings: int
    """Spacings of neighbouring training records that those of the made records are drawn from."""
    dim_checks: tuple[DimCheck, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ArriveReport:
    """P405-6: both forms of T_arr in s, on the same nodes with the same weights."""

    path: str
    quadrature: str
    interpolation: str
    path_nodes: int
    quadrature_nodes: int
    L_gamma: float
    c_ref0: float
    constant_c_ref: bool
    T_arr_form1: float
    T_arr_form2: float
    delta_form: float
    floor: float
    """The integral of d ell / c_ref."""
    segment_form1: tuple[float, ...]
    segment_form2: tuple[float, ...]
    delta_local: tuple[float, ...]
    u_form1: float
    u_form2: float
    u_disc: float
    u_delta: float
    derived_tolerance: float
    tol_source: str
    dim_checks: tuple[DimCheck, ...]
