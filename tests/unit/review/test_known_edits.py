"""Edits of the normative examples with what a careful reviewer says of each, written before the directions were.

(example, file, what stands there, what is written instead, direction, pointer of one change that has it)
"""

import pytest

from synthspec.accounting import available

DIGITS, CANCER, FIBER, GAN = "digits-diffusion", "cancer-dp-vae", "fiber-link-flow", "digits-gan"
SPEC = "spec.yaml"
LOOSENED, TIGHTENED, BOTH, UNKNOWN, NEUTRAL = "loosened", "tightened", "both", "unknown", "neutral"

IGNORE = '    # synthspec: ignore[P405-2.coverage-missing] reason="pilot" expires=2999-01-31\n'

EDITS = (
    # contracts
    (DIGITS, SPEC, "tol_FID: 60.0", "tol_FID: 90.0", LOOSENED, "/contracts/C40-511/tol_FID"),
    (DIGITS, SPEC, "tol_FID: 60.0", "tol_FID: 40.0", TIGHTENED, "/contracts/C40-511/tol_FID"),
    (DIGITS, SPEC, "tol_KID: 0.05, ", "", LOOSENED, "/contracts/C40-511/tol_KID"),
    (DIGITS, SPEC, "recall_min: 0.30", "recall_min: 0.10", LOOSENED, "/contracts/C40-511/recall_min"),
    (DIGITS, SPEC, "NFE_max: 40", "NFE_max: 80", LOOSENED, "/contracts/C40-514/NFE_max"),
    (DIGITS, SPEC, "SLO_latency: 2000 ms", "SLO_latency: 3 s", LOOSENED, "/contracts/C40-514/SLO_latency"),
    (DIGITS, SPEC, "SLO_latency: 2000 ms, cfg_max: 2.0", "SLO_latency: 2000 ms, cfg_max: 1.0", TIGHTENED,
     "/contracts/C40-514/cfg_max"),
    (DIGITS, SPEC, "{covg_min: 0.50,", "{severity: warn, covg_min: 0.50,", LOOSENED, "/contracts/C40-515/severity"),
    (DIGITS, SPEC, "tol_mode_drop: 0.0", "tol_mode_drop: 0.2", LOOSENED, "/contracts/C40-515/tol_mode_drop"),
    (DIGITS, SPEC, "mi_max: 0.30", "mi_max: 0.20", TIGHTENED, "/contracts/C40-516/mi_max"),
    (DIGITS, SPEC, "  C40-516: {mi_max: 0.30}\n", "", LOOSENED, "/contracts/C40-516"),
    (FIBER, SPEC, "J_max: 5 us", "J_max: 9 us", LOOSENED, "/contracts/C40-517/J_max"),
    (FIBER, SPEC, "tol_Tarr: 10 ns", "tol_Tarr: 1 ns", TIGHTENED, "/contracts/C40-517/tol_Tarr"),
    (FIBER, SPEC, "tol_bpd: 8.0", "tol_bpd: 9.5", LOOSENED, "/contracts/C40-512/tol_bpd"),
    ("digits-vae", SPEC, "psnr_min: 18 dB", "psnr_min: 12 dB", LOOSENED, "/contracts/C40-513/psnr_min"),
    # what is measured, and on what
    (DIGITS, SPEC, ", latency_ms_p99, MI]", ", MI]", LOOSENED, "/evaluation/metrics"),
    (DIGITS, SPEC, "  reference: test", "  reference: train", LOOSENED, "/evaluation/reference"),
    (CANCER, SPEC, "disclosure: restricted", "disclosure: public", LOOSENED, "/evaluation/disclosure"),
    (DIGITS, SPEC, "method: hash, key: rid,", "method: random,", UNKNOWN, "/data/split"),
    (DIGITS, SPEC, "val: 0.15, test: 0.15, seed: 11", "val: 0.20, test: 0.10, seed: 11", LOOSENED, "/data/split/test"),
    (DIGITS, SPEC, "seed: 11}", "seed: 12}", UNKNOWN, "/data/split/seed"),
    (FIBER, SPEC, "gap: 60 s", "gap: 0.5 s", LOOSENED, "/data/split/gap"),
    (DIGITS, SPEC, "sklearn://digits", "sklearn://wine", UNKNOWN, "/data/source"),
    # privacy
    (CANCER, SPEC, "  eps_budget: 4.0\n", "  eps_budget: 9.0\n", LOOSENED, "/privacy/eps_budget"),
    (CANCER, SPEC, "  delta: 1.0e-5", "  delta: 1.0e-4", LOOSENED, "/privacy/delta"),
    (CANCER, SPEC, "multiplier: auto", "multiplier: 5.0", TIGHTENED, "/privacy/noise/multiplier"),
    (CANCER, SPEC, "multiplier: auto", "multiplier: 0.4", LOOSENED, "/privacy/noise/multiplier"),
    (CANCER, SPEC, "steps: 400", "steps: 900", LOOSENED, "/privacy/steps"),
    (CANCER, SPEC, "rate: 0.16", "rate: 0.08", TIGHTENED, "/privacy/sampling/rate"),
    (CANCER, SPEC, "norm: 1.0, per: record", "norm: 1.0, per: batch", LOOSENED, "/privacy/clip/per"),
    (CANCER, SPEC, "bounds: sref", "bounds: data", LOOSENED, "/privacy/bounds"),
    (CANCER, SPEC, "ledger: breast-cancer-demo", "ledger: breast-cancer-fresh", UNKNOWN, "/privacy/ledger"),
    (CANCER, SPEC, "delta_budget: 1.0e-5", "delta_budget: 1.0e-3", LOOSENED, "/contracts/C40-516/delta_budget"),
    # conditions, guidance, screens
    (DIGITS, SPEC, "coverage_min: 1.0", "coverage_min: 0.8", LOOSENED, "/conditioning/variables/digit/coverage_min"),
    (DIGITS, SPEC, "w_cfg: 0.5, cfg_max: 2.0", "w_cfg: 0.5, cfg_max: 6.0", LOOSENED, "/conditioning/guidance/cfg_max"),
    (DIGITS, SPEC, "max_attempts: 4", "max_attempts: 40", LOOSENED, "/conditioning/rejection/max_attempts"),
    (DIGITS, SPEC, "  rejection: {max_attempts: 4}\n", "", LOOSENED, "/conditioning/rejection"),
    (CANCER, SPEC, "{0: 0.4, 1: 0.6}", "{0: 0.4, 1: 0.5, 2: 0.1}", LOOSENED,
     "/conditioning/variables/diagnosis/distribution"),
    (CANCER, SPEC, "distribution: {0: 0.4, 1: 0.6}", "distribution: empirical", LOOSENED,
     "/conditioning/variables/diagnosis/distribution"),
    (DIGITS, SPEC, "tau_nn: 0.02", "tau_nn: 0.01", LOOSENED, "/release/near_copies/tau_nn"),
    (DIGITS, SPEC, "action: resample}", "action: report}", LOOSENED, "/release/near_copies/action"),
    (DIGITS, SPEC, "  near_copies: {tau_nn: 0.02, action: resample}\n", "", LOOSENED, "/release/near_copies"),
    # stability
    (DIGITS, SPEC, "    - {signal: grad_norm, trip: grad_norm > 50, window: 20, action: rollback}\n", "", LOOSENED,
     "/stability/monitors/0"),
    (DIGITS, SPEC, "trip: grad_norm > 50", "trip: grad_norm > 500", LOOSENED, "/stability/monitors/0/trip"),
    (DIGITS, SPEC, "trip: grad_norm > 50, window: 20", "trip: grad_norm > 50, window: 5", TIGHTENED,
     "/stability/monitors/0/window"),
    (DIGITS, SPEC, "max_rollbacks: 2", "max_rollbacks: 9", LOOSENED, "/stability/rollback/max_rollbacks"),
    # reproducibility
    (DIGITS, SPEC, "sampling: {n: 512, seed: 7", "sampling: {n: 512, seed: 8", UNKNOWN, "/sampling/seed"),
    (DIGITS, SPEC, "solver: dpmsolver++", "solver: ddim", UNKNOWN, "/sampling/solver"),
    # waivers
    (DIGITS, SPEC, "release:\n",
     'waivers: [{id: C40-515, reason: pilot, approver: q.a, expires: "2999-01-31"}]\nrelease:\n', LOOSENED, "/waivers/0"),
    (DIGITS, SPEC, "    digit: {interface: categorical, distribution: empirical, coverage_min: 1.0}\n",
     IGNORE + "    digit: {interface: categorical, distribution: empirical, coverage_min: 1.0}\n", LOOSENED, ""),
    # the SRef
    (DIGITS, "digits.sref.yaml", "range: [0, 16]", "range: [0, 32]", LOOSENED, "/fields/1/range"),
    (DIGITS, "digits.sref.yaml", "range: [0, 16]", "range: [1, 17]", BOTH, "/fields/1/range"),
    (DIGITS, "digits.sref.yaml", "7, 8, 9]", "7, 8, 9, 10]", LOOSENED, "/fields/2/enum"),
    (CANCER, "cancer.sref.yaml", "100 mm^2, severity: block", "100 mm^2, severity: info", LOOSENED,
     "/constraints/1/severity"),
    (CANCER, "cancer.sref.yaml", "0.5 * mean_area + 100 mm^2", "0.5 * mean_area + 900 mm^2", LOOSENED,
     "/constraints/1/expr"),
    (CANCER, "cancer.sref.yaml",
     "  - {id: disc_area, expr: abs(mean_area - pi * mean_radius^2) <= 0.5 * mean_area + 100 mm^2, severity: block}\n", "",
     LOOSENED, "/constraints/1"),
    (FIBER, "fiber_link.sref.yaml", "loss <= 40 dB", "loss <= 30 dB", TIGHTENED, "/constraints/1/expr"),
    (CANCER, "cancer.sref.yaml", "dtype: int64}", "dtype: int64, nullable: true}", LOOSENED, "/fields/0/nullable"),
)  # fmt: skip

UNCHANGED = (
    (DIGITS, SPEC, "SLO_latency: 2000 ms", "SLO_latency: 2 s"),
    (DIGITS, SPEC, "lr: 1.0e-3", "lr: 0.001"),
    (DIGITS, SPEC, "optimizer: {name: adamw, lr: 1.0e-3}", "optimizer: {lr: 1.0e-3, name: adamw}"),
    (DIGITS, SPEC, "  C40-516: {mi_max: 0.30}", "  # a note\n  C40-516: {severity: block, mi_max: 0.3}"),
    (DIGITS, SPEC, "epochs: 60\n", "epochs: 60\n  threads: 1\n"),
    (FIBER, SPEC, "J_max: 5 us", "J_max: 0.005 ms"),
    (FIBER, SPEC, "gap: 60 s", "gap: 1 min"),
    (FIBER, "fiber_link.sref.yaml", "loss <= 40 dB", "loss<=40.0 dB"),
    (CANCER, "cancer.sref.yaml", "unit: mm,   range: [0, 60]", "unit: millimetre, range: [0.0, 60]"),
    (CANCER, SPEC, "accountant: pld", "accountant: {kind: pld}"),
    (CANCER, SPEC, "normalizer: 64", "normalizer: {public_constant: 64}"),
)
"""Edits of layout, comments, spelling and units that change no meaning."""


def told(review):
    return [change for change in review.changes if change.direction.value != NEUTRAL]


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: f"{edit[0]} {edit[5]} {edit[3]}"[:60])
def test_an_edit_is_told_with_its_direction(edit, sides, answer):
    example, file, before, after, direction, pointer = edit
    assert available()
    review = answer(*sides(example, file, before, after))
    found = [change for change in told(review) if change.pointer.startswith(pointer)]
    assert direction in [change.direction.value for change in found]
    assert {change.direction.value for change in told(review)} <= {direction, TIGHTENED}
    assert review.passed == (direction not in (LOOSENED, BOTH))
    for change in found:
        assert change.span is not None
        assert change.span.source.name.endswith(file)


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: f"{edit[0]} {edit[5]} {edit[3]}"[:60])
def test_the_opposite_edit_gives_the_mirrored_answer(edit, sides, answer):
    old, new = sides(*edit[:4])
    there, back = answer(old, new), answer(new, old)
    assert sorted((change.name, change.direction.value) for change in there.changes) == sorted(
        (change.name, change.direction.mirrored.value) for change in back.changes
    )
    assert there.guards == back.guards


@pytest.mark.parametrize("edit", UNCHANGED, ids=lambda edit: f"{edit[0]} {edit[3]}"[:60])
def test_another_spelling_is_no_change(edit, sides, answer):
    review = answer(*sides(*edit))
    assert review.changes == ()
    assert review.passed
    assert review.guards > 30


def test_at_least_forty_edits_and_every_direction():
    assert len(EDITS) >= 40
    assert {edit[4] for edit in EDITS} == {LOOSENED, TIGHTENED, BOTH, UNKNOWN}
