"""The same spec in other words and layouts: nothing is found."""

import json
from datetime import date

import pytest
import yaml

from synthspec.pipeline.front import Options, spot, validate

OPTIONS = Options(today=date(2026, 6, 1))
DIGITS, CANCER, GAN, VAE, FIBER = "digits-diffusion", "cancer-dp-vae", "digits-gan", "digits-vae", "fiber-link-flow"

REWRITES = [
    (DIGITS, "SLO_latency: 2000 ms", "SLO_latency: 2 s"),
    (DIGITS, "SLO_latency: 2000 ms", "SLO_latency: 2.0E3 ms"),
    (DIGITS, "SLO_latency: 2000 ms", 'SLO_latency: "2 second"'),
    (DIGITS, "min_delta: 1.0e-4", "min_delta: 1E-4"),
    (DIGITS, "min_delta: 1.0e-4", "min_delta: .0001"),
    (DIGITS, "tol_FID: 60.0", "tol_FID: 60"),
    (DIGITS, "train: 0.70", "train: 7.0e-1"),
    (DIGITS, "family: diffusion", 'family: "diffusion"'),
    (DIGITS, "  epochs: 60\n", "  'epochs': 60\n"),
    (DIGITS, "{w_cfg: 0.5, cfg_max: 2.0, drop_rate: 0.1}", "{drop_rate: 0.1, cfg_max: 2, w_cfg: 0.50}"),
    (DIGITS, "objective: {measure: l_simple, head: v} ", "objective:\n    head: v\n    measure: l_simple\n"),
    (DIGITS, "[32, 64]", "[ 32,64 ]"),
    (DIGITS, "privacy: {mechanism: none}", "privacy:   # stated\n  mechanism: none"),
    (DIGITS, "sref: digits.sref.yaml", "sref: ./digits.sref.yaml"),
    (DIGITS, "sref: digits.sref.yaml", "sref: ../digits-diffusion/digits.sref.yaml"),
    (FIBER, "tol_Tarr: 10 ns", "tol_Tarr: 1e-8 s"),
    (FIBER, "J_max: 5 us", "J_max: 5 µs"),
    (FIBER, "gap: 60 s", "gap: 1 min"),
    (VAE, "psnr_min: 18 dB", "psnr_min: 18.0 dB"),
    (CANCER, "normalizer: 64", "normalizer: {public_constant: 64.0}"),
    (CANCER, "accountant: pld", "accountant: {kind: pld, neighbours: zero_out}"),
    (CANCER, "{0: 0.4, 1: 0.6}", '{"0": 0.4, "1": 0.6}'),
    (CANCER, "bounds: sref ", "multiplicity: {k: 1, clip: after}\n  bounds: sref "),
]

SREF_REWRITES = [
    (FIBER, "expr: power_out <= power_in", "expr: power_in >= power_out"),
    (FIBER, "expr: power_out <= power_in", 'expr: "not (power_out > power_in)"'),
    (FIBER, "loss <= 40 dB", "40 dB >= loss"),
    (FIBER, "c_ref0: 299792458 m/s", "c_ref0: 299792.458 km/s"),
    (FIBER, "window: 600 s", "window: 10 min"),
    (FIBER, "dtype: float64, unit: s}", 'dtype: float64, unit: s, dim: "[T]"}'),
    (FIBER, "unit: mW,", 'unit: mW, dim: "[M] [L]^2 [T]^-3",'),
    (FIBER, "unit: mW,", "unit: milliwatt,"),
    (CANCER, "mean_radius^2", "mean_radius * mean_radius"),
    (CANCER, "+ 100 mm^2", "+ 1 cm^2"),
    (CANCER, "unit: mm^2", "unit: mm**2"),
    (CANCER, "name: rid, role: key, dtype: int64", "name: rid, role: key, dtype: int64, unit: dimensionless"),
    (DIGITS, "range: [0, 16]", "range: [0.0, 1.6e1]"),
]


@pytest.mark.parametrize(("example", "old", "new"), REWRITES)
def test_an_equivalent_spec_is_clean(example, old, new, edited):
    spec, _ = edited(example, old, new)
    assert validate(spot(spec), OPTIONS).diagnostics == ()


@pytest.mark.parametrize(("example", "old", "new"), SREF_REWRITES)
def test_an_equivalent_schema_is_clean(example, old, new, edited):
    spec, _ = edited(example, old, new, sref=True)
    assert validate(spot(spec), OPTIONS).diagnostics == ()


def as_json(text):
    return json.dumps(yaml.safe_load(text), indent=1)


def reversed_blocks(text):
    return yaml.safe_dump(dict(reversed(yaml.safe_load(text).items())), sort_keys=False, default_flow_style=False)


LAYOUTS = {
    "json": as_json,
    "sections reversed, block style": reversed_blocks,
    "windows line ends": lambda text: text.replace("\n", "\r\n"),
    "no line end at the end": lambda text: text.rstrip("\n"),
    "a comment after every line": lambda text: text.replace("\n", "   # seen\n"),
    "a byte-order mark in front": lambda text: "\ufeff" + text,
    "a document start": lambda text: "---\n" + text,
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("example", [DIGITS, CANCER, GAN, VAE, FIBER])
def test_another_layout_is_clean(example, layout, copy_of):
    spec, sref = copy_of(example)
    for target in (spec, sref):
        target.write_bytes(LAYOUTS[layout](target.read_text()).encode())
    assert validate(spot(spec), OPTIONS).diagnostics == ()
