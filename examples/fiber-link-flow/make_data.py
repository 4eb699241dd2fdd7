"""Makes fiber_link.csv and fiber_path.csv, always the same bytes: python make_data.py

A laser is sent through 40 km of fibre and metered at both ends whenever a burst passes, at irregular times. The meter stamps
each burst with its own monotonic counter tau_mono and with the wall clock ts, which is 320 us ahead, gains 2.5 us a second and
reads with a jitter of 1 us.

    ts        = 2026-01-01T00:00:00Z + 320 us + (1 + 2.5e-6) tau_mono + N(0, 1 us)
    temp      = 18 degC + slow swings of the duct + 0.15 K of meter noise
    power_in  = 5 mW exp(-0.012 (temp - 18) + 0.3 N(0, 1))         a laser dims as it warms
    loss      = 8 dB + 0.08 (temp - 18) + 0.004 (temp - 18)^2      micro-bends grow away from the temperature of laying
                + 0.06 dB/mW power_in + 0.35 N(0, 1)               scattering grows with power, splices move
    power_out = power_in 10^(-loss / 10)

Along the path the index swings by 2e-4 about 1.4682, and the speed of reference drifts by 1e-6.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

RECORDS = 4000
SEED = 20260101
T0 = np.datetime64("2026-01-01T00:00:00", "ns")
OFFSET_S, SKEW, JITTER_S = 320e-6, 2.5e-6, 1e-6
MEAN_SPACING_S = 1.5

NODES, LENGTH_KM = 64, 40.0
N_EFF, N_SWING, SWING_KM = 1.4682, 2e-4, 44.0
C_REF_M_S, C_DRIFT = 299792458.0, 1e-6


def link(seed: int = SEED, records: int = RECORDS) -> str:
    """The table of bursts as CSV."""
    rng = np.random.default_rng(seed)
    tau = np.cumsum(rng.exponential(MEAN_SPACING_S, records)).round(9)
    error = OFFSET_S + SKEW * tau + JITTER_S * rng.standard_normal(records)
    ts = T0 + np.rint(tau * 1e9).astype(np.int64) + np.rint(error * 1e9).astype(np.int64)
    temp = (18.0 + _swings(tau) + 0.15 * rng.standard_normal(records)).round(3)
    power_in = (5.0 * np.exp(-0.012 * (temp - 18.0) + 0.3 * rng.standard_normal(records))).round(4)
    warm = temp - 18.0
    loss = 8.0 + 0.08 * warm + 0.004 * warm**2 + 0.06 * power_in + 0.35 * rng.standard_normal(records)
    power_out = (1e3 * power_in * 10.0 ** (-loss / 10.0)).round(3)
    rows = zip(range(records), tau, np.datetime_as_string(ts), temp, power_in, power_out, strict=True)
    lines = [f"{n},{t:.9f},{s}Z,{c:.3f},{i:.4f},{o:.3f}\n" for n, t, s, c, i, o in rows]
    return "rid,tau_mono,ts,temp,power_in,power_out\n" + "".join(lines)


def _swings(tau: NDArray[np.float64]) -> NDArray[np.float64]:
    """The duct: the sun in and out of clouds every quarter of an hour, pumps every few minutes; in K."""
    return np.asarray(6.0 * np.sin(2 * math.pi * tau / 900.0) + 2.0 * np.sin(2 * math.pi * tau / 217.0 + 1.0))


def path() -> str:
    """The table of gamma(ell) as CSV."""
    ell = np.linspace(0.0, LENGTH_KM, NODES)
    n_eff = N_EFF + N_SWING * np.sin(2 * math.pi * ell / SWING_KM)
    c_ref = C_REF_M_S * (1.0 + C_DRIFT * ell / LENGTH_KM)
    lines = [f"{place:.6f},{n:.9f},{c:.3f}\n" for place, n, c in zip(ell, n_eff, c_ref, strict=True)]
    return "ell,n_eff,c_ref\n" + "".join(lines)


def main() -> None:
    """Write both tables beside this file."""
    folder = Path(__file__).parent
    (folder / "fiber_link.csv").write_text(link(), encoding="utf-8", newline="\n")
    (folder / "fiber_path.csv").write_text(path(), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
