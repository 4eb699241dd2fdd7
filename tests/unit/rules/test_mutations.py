"""Single mistakes in the normative examples: one finding each, of the right code, underlining the right characters.

A row is an example, what is written there, what is written instead, and the code. Guillemets mark the characters that
the finding must underline; where they are not in the change, the row says `at` what.
"""

from datetime import date
from pathlib import Path
from typing import NamedTuple

import pytest

from synthspec.pipeline.front import Options, spot, validate
from synthspec.rules.documented import DOCUMENTED

OPTIONS = Options(today=date(2026, 6, 1))
DIGITS, CANCER, GAN, VAE, FIBER = "digits-diffusion", "cancer-dp-vae", "digits-gan", "digits-vae", "fiber-link-flow"


class Row(NamedTuple):
    """One mistake."""

    example: str
    old: str
    new: str
    code: str
    at: str = ""
    """What the finding underlines, with its line's text around it, where the change has no marks."""
    sref: bool = False
    """Whether the mistake is made in the SRef."""


def S(*columns, **options):  # noqa: N802 - a row of the table, in the SRef
    return Row(*columns, **options, sref=True)


# fmt: off
ROWS = [
    # -- syntax: what cannot be read ----------------------------------------------------------------------------------
    Row(DIGITS, "  ema: 0.995\n", "  ema: 0.995\n  «ema»: 0.9\n", "syntax.duplicate-key"),
    Row(DIGITS, "\nobjective:", "\n«data»: {source: a.csv}\nobjective:", "syntax.duplicate-key"),
    Row(DIGITS, "owner: imaging", "owner: «no»", "syntax.ambiguous-scalar"),
    Row(DIGITS, "batch_size: 128", "batch_size: «0128»", "syntax.ambiguous-scalar"),
    Row(DIGITS, "seed: 20261122", "seed: «2026_11_22»", "syntax.ambiguous-scalar"),
    Row(DIGITS, "seed: 20261122", "seed: «2026-11-22»", "syntax.ambiguous-scalar"),
    Row(DIGITS, "owner: imaging", "owner: «1:30»", "syntax.ambiguous-scalar"),
    Row(DIGITS, "tol_FID: 60.0", "tol_FID: «.inf»", "syntax.ambiguous-scalar"),
    Row(DIGITS, "epochs: 60", "epochs: «!!int» 60", "syntax.tag"),
    Row(DIGITS, "epochs: 60", "epochs: «&e» 60", "syntax.alias"),
    Row(DIGITS, "  ema: 0.995", "  «<<»: {ema: 0.995}", "syntax.alias"),
    Row(DIGITS, "owner: imaging", 'owner: «"imag\\u202eing"»', "syntax.encoding"),
    Row(DIGITS, "release:\n", "«---»\nrelease:\n", "syntax.multi-document"),
    Row(DIGITS, "training:\n  epochs", "training:\n«\t»epochs", "syntax.yaml"),
    # -- schema: what the models answer -------------------------------------------------------------------------------
    Row(DIGITS, "batch_size:", "«batchsize»:", "schema.unknown-key"),
    Row(DIGITS, "\nsampling:", "\n«sampeling»:", "schema.unknown-key"),
    Row(DIGITS, "tol_FID:", "«tol_fid»:", "schema.unknown-key"),
    Row(DIGITS, "cfg_max: 2.0, drop", "«cfgmax»: 2.0, drop", "schema.unknown-key"),
    Row(DIGITS, "simple, head: v", "simple, «training_by_sampling»: none, head: v", "schema.unknown-key"),
    Row(CANCER, "eps_budget: 4.0\n", "«epsilon»: 4.0\n  eps_budget: 4.0\n", "schema.unknown-key"),
    Row(FIBER, "gap: 60 s", "«gapp»: 60 s", "schema.unknown-key"),
    Row(DIGITS, "n: 512, ", "", "schema.missing-key", at="\n«sampling»: {"),
    Row(DIGITS, "  source: sklearn://digits\n", "", "schema.missing-key", at="\n«data»:"),
    Row(DIGITS, "sref: digits.sref.yaml\n", "", "schema.missing-key", at="«apiVersion»"),
    Row(DIGITS, ", train_steps: 1000", "", "schema.missing-key", at="«noise_schedule»"),
    Row(DIGITS, "  version: 1.0.0\n", "", "schema.missing-key", at="\n«metadata»:"),
    Row(DIGITS, "epochs: 60", 'epochs: «"60"»', "schema.wrong-type"),
    Row(DIGITS, "epochs: 60", "epochs: «60.5»", "schema.wrong-type"),
    Row(DIGITS, "epochs: 60", "epochs: «true»", "schema.wrong-type"),
    Row(DIGITS, "name: digits-diffusion", "name: «7»", "schema.wrong-type"),
    Row(DIGITS, "channels: [32, 64]", "channels: «32»", "schema.wrong-type"),
    Row(CANCER, "eps_budget: 4.0\n", 'eps_budget: «"4"»\n', "schema.wrong-type"),
    Row(GAN, "spectral_norm: false", "spectral_norm: «0»", "schema.wrong-type"),
    Row(DIGITS, "epochs: 60", "epochs: «0»", "schema.bad-value"),
    Row(DIGITS, "lr: 1.0e-3", "lr: «-1.0e-3»", "schema.bad-value"),
    Row(DIGITS, "ema: 0.995", "ema: «1.0»", "schema.bad-value"),
    Row(DIGITS, "version: 1.0.0", "version: «1.0»", "schema.wrong-type"),
    Row(DIGITS, "version: 1.0.0", "version: «v1»", "schema.bad-value"),
    Row(DIGITS, "family: diffusion", "family: «difusion»", "schema.bad-value"),
    Row(DIGITS, "family: diffusion", "family: «transformer»", "schema.bad-value"),
    Row(DIGITS, "name: adamw", "name: «adamx»", "schema.bad-value"),
    Row(DIGITS, "head: v", "head: «score»", "schema.bad-value"),
    Row(DIGITS, "action: rollback", "action: «panic»", "schema.bad-value"),
    Row(DIGITS, "covg, mode_drop", "«coverage», mode_drop", "schema.bad-value"),
    Row(DIGITS, "attention: [false, true]", "attention: [false, true, true]", "schema.bad-value", at="«attention»:"),
    Row(DIGITS, "  batch_size: 128\n", "  steps: «1000»\n  batch_size: 128\n", "schema.bad-value"),
    Row(DIGITS, "measure: l_simple", "measure: «l_simpel»", "schema.bad-value"),
    Row(DIGITS, "apiVersion: synthspec/v1", "apiVersion: «synthspec/v2»", "schema.version"),
    Row(DIGITS, "kind: EngineSpec", "kind: «EngineSpek»", "schema.bad-value"),
    Row(DIGITS, "sref: digits.sref.yaml", "sref: «digit.sref.yaml»", "schema.not-found"),
    Row(DIGITS, "sklearn://digits", "«sklearn://digitz»", "schema.not-found"),
    Row(FIBER, "source: fiber_link.csv", "source: «fiber_lnk.csv»", "schema.not-found"),
    Row(FIBER, "source: fiber_link.csv", "source: «../../../fiber_link.csv»", "schema.path-escape"),
    Row(DIGITS, "sref: digits.sref.yaml", "sref: «/etc/passwd»", "schema.path-escape"),
    Row(FIBER, "source: fiber_link.csv", "source: «https://example.org/fiber.csv»", "schema.path-escape"),
    Row(DIGITS, "recall, covg", "recall, «FID», covg", "schema.duplicate-name"),
    Row(DIGITS, "  batch_size: 128\n", "", "schema.missing-key", at="\n«training»:"),
    Row(DIGITS, "  epochs: 60\n", "", "schema.missing-key", at="\n«training»:"),
    # -- units ----------------------------------------------------------------------------------------------------------
    Row(DIGITS, "SLO_latency: 2000 ms", "SLO_latency: «2000»", "unit.bare-number"),
    Row(FIBER, "tol_Tarr: 10 ns", "tol_Tarr: «1.0e-8»", "unit.bare-number"),
    Row(DIGITS, "SLO_latency: 2000 ms", "SLO_latency: «2000 m»", "unit.dim-mismatch"),
    Row(FIBER, "J_max: 5 us", "J_max: «5 um»", "unit.dim-mismatch"),
    Row(VAE, "psnr_min: 18 dB", "psnr_min: «18 m»", "unit.dim-mismatch"),
    Row(DIGITS, "SLO_latency: 2000 ms", "SLO_latency: «2000 milis»", "unit.unknown"),
    Row(DIGITS, "tol_FID: 60.0", "tol_FID: «60 ms»", "unit.on-dimensionless"),
    Row(DIGITS, "n: 512", "n: «512 records»", "unit.on-dimensionless"),
    Row(DIGITS, "SLO_latency: 2000 ms", "SLO_latency: «1e999 ms»", "unit.nonfinite"),
    S(CANCER, "unit: mm^2", "unit: «mmm»^2", "unit.unknown"),
    S(CANCER, "unit: mm,   range: [0, 60]", 'unit: mm, dim: «"[T]"», range: [0, 60]', "unit.unit-dim-disagree"),
    S(FIBER, "expr: loss <= 40 dB", "expr: «temp * 2» > 30 K", "unit.offset-product"),
    S(FIBER, "c_ref0: 299792458 m/s", "c_ref0: «299792458»", "unit.bare-number"),
    S(FIBER, "c_ref0: 299792458 m/s", "c_ref0: «299792458 s»", "unit.dim-mismatch"),
    S(FIBER, "window: 600 s", "window: «600 m»", "unit.dim-mismatch"),
    # -- expressions ----------------------------------------------------------------------------------------------------
    S(FIBER, "expr: loss <= 40 dB", "expr: «<=» 40 dB", "expr.syntax"),
    Row(DIGITS, "trip: grad_norm > 50", "trip: «grad_nrm» > 50", "expr.unknown-name"),
    Row(DIGITS, "trip: grad_norm > 50", "trip: «grad_norm»", "expr.type"),
    S(FIBER, "expr: power_out <= power_in", "expr: «power_outt» <= power_in", "expr.unknown-name"),
    S(FIBER, "expr: loss <= 40 dB", "expr: «loss»", "expr.type"),
    S(CANCER, "mean_radius^2)", "«mean_radius^2000»)", "expr.too-large"),
    S(FIBER, "expr: loss <= 40 dB", "expr: «mean(loss)» <= 40 dB", "expr.type"),
    # -- SRef -----------------------------------------------------------------------------------------------------------
    S(CANCER, "keys: {pk: [rid]}\n", "", "sref.pk-missing", at="«apiVersion»"),
    S(CANCER, "pk: [rid]", "pk: [«id»]", "sref.pk-unknown"),
    S(CANCER, "pk: [rid]}", "pk: [rid], fk: {rid: «hospitals»}}", "sref.fk-target"),
    S(DIGITS, "alias_map:", "policy: {orphans: {digit: «drop»}}\nalias_map:", "sref.policy-unknown"),
    S(DIGITS, "alias_map:", "policy: {enums: {digit: {into: «11»}}}\nalias_map:", "sref.policy-unknown"),
    S(DIGITS, "alias_map:", "policy: {nulls: {rid: «impute»}}\nalias_map:", "sref.policy-unknown"),
    S(DIGITS, "  - {name: digit, ", "  - {name: «rid», role: key, dtype: int64}\n  - {name: digit, ",
        "sref.field-duplicate"),
    S(CANCER, "range: [0, 400]", "range: [400, 0]", "sref.range-empty", at="mm,   «range»: [400, 0]"),
    S(DIGITS, "enum: [0, 1, 2,", "enum: [0, 1, «1», 2,", "sref.enum-duplicate"),
    S(DIGITS, "{images: pixels, target: digit}", "{images: pixels, image: «pixels», target: digit}",
        "sref.alias-conflict"),
    S(DIGITS, "target: digit}", "target: «digits»}", "sref.alias-unknown"),
    S(FIBER, "dtype: float32, unit: mW, range: [0.01, 20]", "dtype: float32, range: [0.01, 20]", "sref.unit-missing",
        at="«{name: power_in,  role: content,   dtype: float32, range: [0.01, 20]}»"),
    S(FIBER, ", expr: 10 dB * log10(power_in / power_out)", "", "sref.derived-without-expr",
        at="«{name: loss,      role: derived,   dtype: float32, unit: dB}»"),
    S(FIBER, "expr: 10 dB * log10(power_in / power_out)", "expr: «2 * loss»", "sref.derived-cycle"),
    S(DIGITS, " shape: [1, 8, 8],", "", "sref.shape-missing",
        at="«{name: pixels, role: content,   dtype: float32, unit: dimensionless, range: [0, 16], resolution: 1}»"),
    S(DIGITS, "dtype: categorical, enum", "dtype: categorical, unit: «mm», enum", "sref.dtype-unit"),
    S(DIGITS, "dtype: categorical, enum", "dtype: categorical, «range»: [0, 9], enum", "sref.dtype-limits"),
    S(DIGITS, "dtype: categorical, enum", "dtype: categorical, resolution: «1», enum", "sref.dtype-limits"),
    S(CANCER, "  - {name: diagnosis,",
        "  - {name: two, role: derived, dtype: float32, unit: mm, «shape»: [2], expr: 2 * mean_radius}\n  - {name: diagnosis,",
        "sref.dtype-limits"),
    S(CANCER, "dtype: categorical, enum: [0, 1]", "dtype: uint8, unit: dimensionless, enum: [0, «'1'»]", "sref.dtype-limits"),
    S(FIBER, "role: time,      dtype: timestamp", "role: time,      dtype: timestamp, «range»: [0, 9]", "sref.dtype-limits"),
    S(DIGITS, "  - {name: digit,", "  - {name: seen, role: content, dtype: bool, «enum»: [true]}\n  - {name: digit,",
        "sref.dtype-limits"),
    S(CANCER, "  - {name: diagnosis,",
        "  - {name: «n», role: content, dtype: float32, unit: 1/mm^3, range: [0, 1]}\n  - {name: diagnosis,",
        "sref.name-collision"),
    S(FIBER, "unit: mW, range: [0.01, 20]}", "unit: mW}", "sref.range-missing",
        at="«{name: power_in,  role: content,   dtype: float32, unit: mW}»"),
    S(CANCER, ", unit: dimensionless, range: [0, 1]", ", unit: dimensionless", "P405-4.data-dependent-bounds",
        at="bounds: «sref»"),
    # -- P405-1 ---------------------------------------------------------------------------------------------------------
    Row(DIGITS, "objective: {measure: l_simple, head: v}", "", "P405-1.measure-missing", at="«apiVersion»"),
    Row(VAE, "measure: elbo_beta, beta: 1.0,", "measure: elbo_beta,", "P405-1.beta-invalid", at="\n«objective»:"),
    Row(VAE, "beta: 1.0", "beta: «0.0»", "P405-1.beta-invalid"),
    Row(DIGITS, "measure: l_simple, head: v", "measure: «nll»", "P405-1.measure-family-mismatch"),
    Row(FIBER, "measure: nll", "measure: «elbo»", "P405-1.measure-family-mismatch"),
    Row(GAN, "measure: wgan_gp, lambda_gp: 10.0, critic_steps: 5, augmentation: [translate]", "measure: «FID»",
        "P405-1.heuristic-only"),
    Row(VAE, "likelihood: discretized_logistic", "likelihood: «bernoulli»", "P405-1.likelihood-mismatch"),
    # -- P405-2 ---------------------------------------------------------------------------------------------------------
    Row(DIGITS, "    digit: {interface", "    «digits»: {interface", "P405-2.condition-not-in-sref"),
    Row(DIGITS, "interface: categorical", "interface: «continuous»", "P405-2.condition-not-in-sref"),
    Row(CANCER, "{0: 0.4, 1: 0.6}", "{0: 0.4, 1: 0.7}", "P405-2.distribution-invalid", at="«distribution»"),
    Row(CANCER, "{0: 0.4, 1: 0.6}", "{0: 0.4, 2: 0.6}", "P405-2.distribution-invalid", at="«distribution»"),
    Row(CANCER, "sampling: {n: 400,", "sampling: {condition: {diagnosis: «2»}, n: 400,", "P405-2.distribution-invalid"),
    Row(CANCER, "sampling: {n: 400,", "sampling: {condition: {diagnosis: «true»}, n: 400,", "P405-2.distribution-invalid"),
    Row(FIBER, "sampling: {n: 2000,", "sampling: {condition: {temp: «90»}, n: 2000,", "P405-2.distribution-invalid"),
    Row(FIBER, "sampling: {n: 2000,", "sampling: {condition: {temp: «warm»}, n: 2000,", "P405-2.distribution-invalid"),
    Row(FIBER, "sampling: {n: 2000,", "sampling: {condition: {temp: «500 K»}, n: 2000,", "P405-2.distribution-invalid"),
    Row(FIBER, "sampling: {n: 2000,", "sampling: {condition: {temp: «5 m»}, n: 2000,", "P405-2.distribution-invalid"),
    Row(DIGITS, ", coverage_min: 1.0", "", "P405-2.coverage-missing", at="«digit»: {interface"),
    Row(DIGITS, "w_cfg: 0.5", "w_cfg: «2.5»", "P405-2.w-cfg-over-max"),
    Row(DIGITS, ", drop_rate: 0.1", "", "P405-2.guidance-without-dropout", at="«guidance»"),
    Row(DIGITS, "drop_rate: 0.1", "drop_rate: «0.0»", "P405-2.guidance-without-dropout"),
    Row(DIGITS, "rejection: {max_attempts: 4}", "«rejection»: {}", "P405-2.rejection-uncapped"),
    # -- P405-3 ---------------------------------------------------------------------------------------------------------
    Row(DIGITS, "  convergence: {signal: loss_val, patience: 10, min_delta: 1.0e-4}\n", "", "P405-3.no-convergence",
        at="\n«stability»:"),
    Row(DIGITS, "  rollback: {to: best, lr_factor: 0.5, max_rollbacks: 2}\n", "", "P405-3.no-rollback",
        at="\n«stability»:"),
    Row(GAN, "convergence: {signal: KID_val", "convergence: {signal: «KID_vall»", "P405-3.signal-unknown"),
    Row(GAN, "convergence: {signal: KID_val", "convergence: {signal: «elbo_val»", "P405-3.signal-wrong-family"),
    Row(FIBER, "monitors: [{signal: bpd_val, trip: bpd_val > best(bpd_val) + 1, window: 3, action: rollback}]",
        "monitors: []", "P405-3.no-monitor", at="monitors: «[]»"),
    # -- P405-4 ---------------------------------------------------------------------------------------------------------
    Row(DIGITS, "privacy: {mechanism: none} ", "", "P405-4.mechanism-unstated", at="«apiVersion»"),
    Row(DIGITS, "privacy: {mechanism: none}", "«privacy»: {}", "P405-4.mechanism-unstated"),
    Row(CANCER, "  steps: 400\n", "", "P405-4.incomplete", at="\n«privacy»:"),
    Row(CANCER, "  accountant: pld\n", "", "P405-4.incomplete", at="\n«privacy»:"),
    Row(CANCER, "  eps_budget: 4.0\n", "", "P405-4.budget-missing", at="\n«privacy»:"),
    Row(CANCER, "  delta: 1.0e-5\n", "", "P405-4.delta-missing", at="\n«privacy»:"),
    Row(CANCER, "  unit: record\n", "", "P405-4.unit-missing", at="\n«privacy»:"),
    Row(CANCER, "  adjacency: zero_out ", "  # adjacency ", "P405-4.adjacency-missing", at="\n«privacy»:"),
    Row(CANCER, "multiplier: auto", "multiplier: «1.0»", "P405-4.budget-exceeded", at="eps_budget: «4.0»\n"),
    Row(CANCER, "delta_budget: 1.0e-5", "delta_budget: «1.0e-6»", "C40.threshold-impossible"),
    Row(CANCER, "scheme: poisson", "scheme: «shuffle»", "P405-4.sampler-mismatch"),
    Row(CANCER, "scheme: poisson", "scheme: «weighted»", "P405-4.weighted-sampler"),
    Row(CANCER, "accountant: pld", "accountant: «gdp»", "P405-4.accountant-unknown"),
    Row(CANCER, "accountant: pld", "accountant: {kind: pld, neighbours: «replace_one»}", "P405-4.adjacency-mismatch"),
    Row(CANCER, "adjacency: zero_out ", "adjacency: add_remove ", "P405-4.private-size-used", at="public: «true»"),
    Row(CANCER, "normalizer: 64", "normalizer: «realised_batch»", "P405-4.normalizer-private"),
    Row(CANCER, "on_empty: noise_only", "on_empty: «skip»", "P405-4.on-empty"),
    Row(CANCER, "  clip: {norm: 1.0, per: record, scope: flat, nonfinite: zero}\n", "", "P405-4.clip-missing",
        at="\n«privacy»:"),
    Row(CANCER, "per: record", "per: «batch»", "P405-4.clip-scope"),
    Row(CANCER, "norm: 1.0", "norm: «0.0»", "P405-4.clip-invalid"),
    Row(CANCER, "norm: 1.0", "norm: «auto»", "P405-4.clip-invalid"),
    Row(CANCER, "multiplier: auto", "multiplier: «-1.0»", "P405-4.noise-invalid"),
    Row(CANCER, "rng: secret_csprng", "rng: secret_csprng, seed: «42»", "P405-4.public-noise-seed"),
    Row(CANCER, "rng: secret_csprng", "rng: secret_csprng, per: «microbatch»", "P405-4.noise-per-microbatch"),
    Row(CANCER, "bounds: sref", "bounds: «data»", "P405-4.data-dependent-bounds"),
    Row(CANCER, "distribution: {0: 0.4, 1: 0.6}", "distribution: «empirical»", "P405-4.empirical-condition"),
    Row(CANCER, "disclosure: restricted", "disclosure: «public»", "P405-4.private-metric-published"),
    Row(CANCER, "  disclosure: restricted ", "  # ", "P405-4.private-metric-published", at="\n«evaluation»:"),
    Row(CANCER, "mi_max: 0.40", "mi_max: 0.40, publish: «mi_value»", "P405-4.mi-published"),
    Row(CANCER, "mi_max: 0.40", "mi_max: «0.97»", "P405-4.mi-bound-inconsistent"),
    Row(CANCER, "convergence: {signal: step, max: budget}", "convergence: {signal: «elbo_val», patience: 5}",
        "P405-4.private-monitor"),
    Row(CANCER, "to: last", "to: «best»", "P405-4.selection-unaccounted"),
    Row(CANCER, "  ledger: breast-cancer-demo\n", "", "P405-4.ledger-missing", at="\n«privacy»:"),
    Row(CANCER, "  source: sklearn://breast_cancer\n",
        "  source: sklearn://breast_cancer\n  sha256: «" + "ab" * 32 + "»\n", "P405-4.private-digest"),
    Row(CANCER, "  bounds: sref", "  multiplicity: {k: 16, clip: «each»}\n  bounds: sref",
        "P405-4.multiplicity-clipped-each"),
    Row(CANCER, "likelihood: mixed", "likelihood: mixed, norm: «batch»", "P405-4.cross-example-layer"),
    Row(CANCER, "\nengine:", "\n  impute: «median»\nengine:", "P405-4.data-dependent-transform"),
    Row(CANCER, "seed: 3}", "seed: 3, on_divergence: «restart»}", "P405-4.retries-unbounded"),
    Row(CANCER, "seed: 3}", "seed: 3, init_from: {weights: spec.yaml, sha256: " + "ab" * 32 + ", provenance: «private»}}",
        "P405-4.pretrained-private"),
    Row(CANCER, "\ncontracts:", "\nrelease: {«near_copies»: {tau_nn: 0.1, action: remove}}\ncontracts:",
        "P405-4.postprocess-reads-data"),
    Row(CANCER, "mi_max: 0.40}", "mi_max: 0.40, severity: «warn»}", "C40.severity"),
    # -- P405-5, P405-6 -------------------------------------------------------------------------------------------------
    Row(FIBER, "timebase: {train_on: tau_mono, publish_on: ts, fit: {method: least_squares, window: 600 s}} ", "",
        "P405-5.timebase-missing", at="«apiVersion»"),
    Row(FIBER, "train_on: tau_mono", "train_on: «ts»", "P405-5.wrong-base"),
    Row(FIBER, "train_on: tau_mono", "train_on: «tau»", "P405-5.wrong-base"),
    S(FIBER, "time: {tau_mono: tau_mono, ts: ts, timezone: UTC, window: 600 s}\n", "", "P405-5.tau-mono-missing",
        at="«apiVersion»"),
    S(FIBER, "tau_mono,  role: time,      dtype: float64, unit: s",
        "tau_mono,  role: time,      dtype: float64, unit: «m»", "P405-5.unit-not-time"),
    S(FIBER, ", timezone: UTC", "", "P405-5.timezone-missing", at="\n«time»:"),
    Row(FIBER, "forms: both", "forms: «form1»", "P405-6.one-form"),
    Row(FIBER, "arrival: {forms: both, quadrature: gauss_kronrod} ", "", "P405-6.one-form", at="«apiVersion»"),
    Row(FIBER, ", quadrature: gauss_kronrod", "", "P405-6.quadrature-missing", at="«arrival»"),
    Row(FIBER, ", tol_Tarr: 10 ns", "", "P405-6.tolerance-missing", at="«C40-517»"),
    S(FIBER, "  c_ref0: 299792458 m/s\n", "", "P405-6.c-ref-missing", at="\n«path»:"),
    S(FIBER, "    - {name: c_ref, dtype: float64, unit: m/s}\n", "", "P405-6.c-ref-missing",
        at="«fields»:\n    - {name: ell"),
    S(FIBER, "name: n_eff, ", "name: index, ", "P405-6.path-missing", at="«fields»:\n    - {name: ell"),
    S(FIBER, "unit: m/s}", "unit: m/s, «range»: [3e8, 3e8]}", "P405-6.constant-c-ref"),
    # -- P405-7 ---------------------------------------------------------------------------------------------------------
    S(FIBER, "expr: power_out <= power_in", "expr: «power_out <= temp»", "P405-7.dimension-mismatch"),
    S(CANCER, "0.5 * mean_area + 100 mm^2", "«0.5 * mean_area + 100 mm»", "P405-7.dimension-mismatch"),
    S(CANCER, "pi * mean_radius^2)", "pi * mean_radius)", "P405-7.dimension-mismatch",
        at="abs(«mean_area - pi * mean_radius»)"),
    S(FIBER, "expr: 10 dB * log10(power_in / power_out)", "expr: «10 W * log10(power_in / power_out)»",
        "P405-7.dimension-mismatch"),
    S(FIBER, "log10(power_in / power_out)", "«log10(power_in)»", "P405-7.dimension-mismatch"),
    S(CANCER, "expr: mean_perimeter >= 2 * pi * mean_radius * 0.8", "expr: «rid >= 0»",
        "P405-7.constraint-undimensioned"),
    Row(CANCER, "\nengine:", "\n  transform: {mean_smoothness: «log»}\nengine:", "P405-7.irreversible-transform"),
    S(FIBER, "power_out, role: content,   dtype: float32", "power_out, role: content,   dtype: «int8»",
        "P405-7.irreversible-transform"),
    # -- P405-8 ---------------------------------------------------------------------------------------------------------
    Row(DIGITS, "  seed: 20261122\n", "", "P405-8.seed-missing", at="\n«training»:"),
    Row(DIGITS, "seed: 7, ", "", "P405-8.seed-missing", at="\n«sampling»:"),
    Row(GAN, ", rng: philox", "", "P405-8.rng-unstated", at="\n«sampling»:"),
    Row(DIGITS, ", solver: dpmsolver++", "", "P405-8.solver-missing", at="\n«sampling»:"),
    Row(DIGITS, ", NFE: 40}", "}", "P405-8.nfe-missing", at="\n«sampling»:"),
    Row(DIGITS, "NFE: 40}", "NFE: «39»}", "P405-8.nfe-not-reachable"),
    # -- P405-9 ---------------------------------------------------------------------------------------------------------
    Row(DIGITS, "  split: {method: hash, key: rid, train: 0.70, val: 0.15, test: 0.15, seed: 11}\n", "",
        "P405-9.split-missing", at="\n«data»:"),
    Row(DIGITS, "test: 0.15", "test: 0.25", "P405-9.split-sum", at="«split»"),
    Row(DIGITS, "reference: test", "reference: «train»", "P405-9.reference-not-test"),
    Row(DIGITS, "  reference: test\n", "", "P405-9.reference-not-test", at="\n«evaluation»:"),
    Row(DIGITS, "convergence: {signal: loss_val", "convergence: {signal: «loss_test»", "P405-9.monitor-on-test"),
    Row(DIGITS, "non_members: val", "non_members: «train»", "P405-9.attack-sets"),
    Row(FIBER, "{method: time, key: tau_mono, train: 0.70, val: 0.15, test: 0.15, gap: 60 s}",
        "{method: «random», seed: 1, train: 0.70, val: 0.15, test: 0.15}", "P405-9.random-split-on-time"),
    # -- P405-10 --------------------------------------------------------------------------------------------------------
    Row(DIGITS, "\nevaluation:", "\nacceleration: [{kind: quantize, dtype: int8, reevaluate: «false»}]\nevaluation:",
        "P405-10.no-reevaluation"),
    Row(GAN, "\nevaluation:", "\nacceleration: [{kind: «quantize», dtype: int8}]\nevaluation:",
        "P405-10.quantised-unjudged"),
    Row(GAN, "\nevaluation:", "\nacceleration: [{kind: «distill», method: consistency, NFE: 4}]\nevaluation:",
        "P405-10.teacher-missing"),
    Row(DIGITS, "\nevaluation:", "\nacceleration: [{kind: distill, method: consistency, NFE: «40»}]\nevaluation:",
        "P405-10.teacher-missing"),
    # -- contracts ------------------------------------------------------------------------------------------------------
    Row(DIGITS, "  C40-515: {covg_min: 0.50, tol_mode_drop: 0.0}\n", "", "C40.missing", at="\n«contracts»:"),
    Row(DIGITS, "  C40-519: {}\n", "", "C40.missing", at="\n«contracts»:"),
    Row(DIGITS, ", recall_min: 0.30", "", "C40.threshold-missing", at="«C40-511»"),
    Row(DIGITS, "{mi_max: 0.30}", "{}", "C40.threshold-missing", at="«C40-516»"),
    Row(DIGITS, "covg_min: 0.50", "covg_min: «0.99»", "C40.threshold-impossible"),
    Row(DIGITS, "NFE_max: 40", "NFE_max: «20»", "C40.threshold-impossible"),
    Row(FIBER, "J_max: 5 us", "J_max: «-5 us»", "C40.threshold-impossible"),
    Row(FIBER, "tol_Tarr: 10 ns", "tol_Tarr: «-1 ns»", "C40.threshold-impossible"),
    Row(DIGITS, "recall, covg", "covg", "C40.metric-not-evaluated", at="recall_min: «0.30»"),
    Row(DIGITS, "tol_mode_drop: 0.0", "tol_mode_drop: 0.0, severity: «critical»", "C40.severity"),
    # -- waivers --------------------------------------------------------------------------------------------------------
    Row(DIGITS, "\nrelease:",
        '\nwaivers: [{id: «P405-9.split-sum», reason: a, approver: b, expires: "2999-01-01"}]\nrelease:',
        "waiver.not-waivable"),
    Row(DIGITS, "\nrelease:",
        '\nwaivers: [{id: «P405-8.nfe-missing», reason: a, approver: b, expires: "2999-01-01"}]\nrelease:',
        "waiver.unused"),
    Row(DIGITS, "\nrelease:",
        '\nwaivers: [{id: P405-8.nfe-missing, reason: a, approver: b, expires: «"2001-01-01"»}]\nrelease:',
        "waiver.expired"),
    Row(DIGITS, "\nrelease:", '\nwaivers: [{id: C40-511, reason: «" "», approver: b, expires: "2999-01-01"}]\nrelease:',
        "waiver.reason-missing"),
    # -- whole sections -------------------------------------------------------------------------------------------------
    Row(CANCER,
        "conditioning:\n  variables: {diagnosis: {interface: categorical, "
        "distribution: {0: 0.4, 1: 0.6}, coverage_min: 1.0}}\n",
        "", "P405-2.condition-unregistered", at="«apiVersion»"),
    Row(DIGITS, "\ndata:\n", "\n«dta»:\n", "schema.unknown-key"),
    # -- the other half of each rule ------------------------------------------------------------------------------------
    Row(DIGITS, "metrics: [FID, KID, precision, recall, covg, mode_drop, latency_ms_p99, MI]", "metrics: «[]»",
        "C40.metric-not-evaluated"),
    Row(DIGITS, "architecture: {name: unet2d, channels", "«architecture»: {channels", "engine.arch-unknown"),
    Row(DIGITS, "\nevaluation:", "\nacceleration: [{kind: distill, method: consistency, NFE: 4, solver: «dpm»}]\nevaluation:",
        "engine.solver-unknown"),
    Row(VAE, "name: linear, epochs: 10", "name: linear, epochs: «100»", "P405-1.beta-invalid"),
    Row(VAE, "beta: 1.0", "beta: «-1.0»", "P405-1.beta-invalid"),
    Row(DIGITS, "\n  guidance:", "\n    «pixels»: {interface: mask, distribution: empirical, coverage_min: 1.0}\n  guidance:",
        "P405-2.condition-not-in-sref"),
    Row(DIGITS, "NFE: 40}", "NFE: 40, condition: {digits: «3»}}", "P405-2.condition-not-in-sref"),
    S(FIBER, "degC, range: [-40, 85]}", "degC}", "sref.range-missing",
        at="«{name: temp,      role: condition, dtype: float32, unit: degC}»"),
    Row(FIBER, "interface: continuous, distribution: empirical", "interface: continuous, «distribution»: {a: 1.0}",
        "P405-2.distribution-invalid"),
    Row(DIGITS, "{signal: grad_norm, trip: grad_norm > 50", "{signal: «eps_spent», trip: eps_spent > 50",
        "P405-3.signal-wrong-family"),
    Row(CANCER, "  delta: 1.0e-5", "  delta: «0.0»", "P405-4.delta-missing"),
    Row(CANCER, "  noise: {multiplier: auto, rng: secret_csprng, dtype: float64} ", "  # ", "P405-4.incomplete",
        at="\n«privacy»:"),
    Row(CANCER, "  normalizer: 64\n", "", "P405-4.incomplete", at="\n«privacy»:"),
    Row(CANCER, "  dataset_size: {public: true, value: 398}\n", "", "P405-4.incomplete", at="\n«privacy»:"),
    Row(CANCER, "  sampling: {scheme: poisson, rate: 0.16, on_empty: noise_only}\n", "", "P405-4.incomplete",
        at="\n«privacy»:"),
    Row(CANCER, "rate: 0.16, ", "", "P405-4.incomplete", at="  «sampling»:"),
    Row(CANCER, "value: 398", "value: «90»", "P405-4.mi-bound-inconsistent", at="mi_max: «0.40»"),
    Row(CANCER, "seed: 3}", "seed: 3, «init_from»: {weights: spec.yaml, sha256: " + "ab" * 32 + ", provenance: public}}",
        "P405-4.pretrained-private"),
    Row(CANCER, "seed: 3}", "seed: 3, batch_size: «64»}", "schema.bad-value"),
    Row(CANCER, "\nengine:", "\n  transform: {diagnosis: «log»}\nengine:", "schema.bad-value"),
    Row(CANCER, "\nengine:", "\n  transform: {mean_radis: «linear»}\nengine:", "schema.bad-value"),
    S(FIBER, "tau_mono,  role: time,      dtype: float64, unit: s", "tau_mono,  role: time,      dtype: «timestamp»",
        "P405-5.unit-not-time"),
    Row(DIGITS, "  membership_attack: {members: train, non_members: val}\n", "", "P405-9.attack-sets",
        at="\n«evaluation»:"),
    Row(DIGITS, "members: train, non", "members: «test», non", "P405-9.attack-sets"),
    Row(DIGITS, "train: 0.70, val: 0.15, test: 0.15", "train: 0.85, val: «0.0», test: 0.15", "P405-9.split-missing"),
    Row(DIGITS, "key: rid", "key: «row»", "P405-9.split-missing"),
    Row(DIGITS, "{method: hash, key: rid, train: 0.70, val: 0.15, test: 0.15, seed: 11}",
        "{method: column, column: «part»}", "P405-9.split-missing"),
    Row(DIGITS, "{method: hash, key: rid, train: 0.70, val: 0.15, test: 0.15, seed: 11}",
        "{method: column, column: «digit»}", "P405-9.split-missing"),
    Row(DIGITS, "{method: hash, key: rid, train: 0.70, val: 0.15, test: 0.15, seed: 11}",
        "{method: column, column: «rid»}", "P405-9.split-missing"),
    S(DIGITS, "{images: pixels, target: digit}", "{rid: «pixels», target: digit}", "sref.alias-conflict"),
    S(CANCER, "  - {name: diagnosis,", "  - {name: «T_fil», role: content, dtype: float32, unit: mm, range: [0, 1]}\n"
        "  - {name: diagnosis,", "sref.name-collision"),
    S(FIBER, "{name: n_eff, dtype: float64, unit: dimensionless", "{name: «n_eff», dtype: float64, unit: m",
        "sref.name-collision"),
    S(FIBER, "{name: ell,   dtype: float64, unit: km}", "{name: ell,   dtype: float64, unit: «s»}", "unit.dim-mismatch"),
    S(FIBER, "{name: ell,   dtype: float64, unit: km}", "{name: ell,   dtype: float64, unit: «kmm»}", "unit.unknown"),
    S(FIBER, "{name: c_ref, dtype: float64, unit: m/s}", "«{name: c_ref, dtype: float64}»", "sref.unit-missing"),
    S(FIBER, "range: [1, 2]", "«range»: [2, 1]", "sref.range-empty"),
    Row(FIBER, "tol_Tarr: 10 ns", "tol_Tarr: «[10]»", "schema.wrong-type"),
    Row(DIGITS, "{name: embedded}", "{name: inception, sha256: " + "ab" * 32 + "}", "schema.missing-key", at="«features»"),
    Row(DIGITS, "{name: embedded}", "{name: module, weights: spec.yaml, sha256: " + "ab" * 32 + "}", "schema.missing-key",
        at="«features»"),
    Row(DIGITS, "{name: embedded}", "{name: embedded, weights: «spec.yaml»}", "schema.bad-value"),
    Row(DIGITS, "{name: embedded}", "{name: inception, entry: «acme», weights: spec.yaml, sha256: " + "ab" * 32 + "}",
        "schema.bad-value"),
    Row(DIGITS, "  ema: 0.995", "  ema: 0.995\n  max_attempts: «3»", "schema.bad-value"),
    Row(DIGITS, "  ema: 0.995", "  ema: 0.995\n  on_divergence: restart", "schema.missing-key", at="\n«training»:"),
    Row(DIGITS, "  ema: 0.995", "  ema: 0.995\n  init_from: {weights: spec.yaml}", "schema.missing-key",
        at="  «init_from»"),
    Row(CANCER, "\n  membership_attack:", "\n  features: {name: module, entry: acme, weights: spec.yaml, sha256: "
        + "ab" * 32 + ", provenance: «private»}\n  membership_attack:", "P405-4.pretrained-private"),
    # -- engine ---------------------------------------------------------------------------------------------------------
    Row(DIGITS, "{name: unet2d, channels: [32, 64], layers_per_block: 1, attention: [false, true]}", "{name: «resnet»}",
        "engine.arch-unknown"),
    Row(CANCER, "{name: mlp, hidden: [64, 64], latent_dim: 4, likelihood: mixed}",
        "{name: «conv», channels: [8], latent_dim: 4, likelihood: mixed}", "engine.arch-modality"),
    Row(DIGITS, "solver: dpmsolver++", "solver: «dpm»", "engine.solver-unknown"),
    Row(GAN, "rng: philox}", "rng: philox, solver: «ddim»}", "engine.solver-unknown"),
    Row(VAE, "likelihood: discretized_logistic", "likelihood: «mixd»", "schema.bad-value"),
]
# fmt: on


def unmarked(text):
    """`text` without its guillemets, and the offsets between which they stood."""
    start, end = text.index("«"), text.index("»") - 1
    return text.replace("«", "").replace("»", ""), (start, end)


def marked_in(row, changed, shown):
    """The offsets that the finding of `row` must have in the text `shown`; `changed` holds the mistake."""
    marks, text = (row.at, shown) if row.at else (row.new, changed)
    plain, (start, end) = unmarked(marks)
    assert text.count(plain) == 1, plain
    first = text.index(plain)
    return first + start, first + end


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.code}-{row.example}-{row.new[:24]!r}")
def test_a_mistake_is_one_finding_at_its_place(row, edited):
    spec, target = edited(row.example, row.old, row.new.replace("«", "").replace("»", ""), sref=row.sref)
    found = validate(spot(spec), OPTIONS).diagnostics
    shown = [(each.code, each.span and each.span.text, each.message) for each in found]
    assert [each.code for each in found] == [row.code], shown
    span = found[0].span
    text = Path(span.source.name).read_text()
    assert (span.start, span.end) == marked_in(row, target.read_text(), text), shown
    assert found[0].help


OF_THE_SCHEMA = ("syntax.", "schema.", "unit.", "expr.", "sref.", "P405-5.", "P405-7.")


@pytest.mark.parametrize(
    "row",
    [row for row in ROWS if row.sref and row.code.startswith(OF_THE_SCHEMA)],
    ids=lambda row: f"{row.code}-{row.example}-{row.new[:24]!r}",
)
def test_a_mistake_in_a_schema_is_found_without_a_spec(row, edited):
    _, schema = edited(row.example, row.old, row.new.replace("«", "").replace("»", ""), sref=True)
    found = validate(spot(schema), OPTIONS).diagnostics
    shown = [(each.code, each.span and each.span.text, each.message) for each in found]
    assert [each.code for each in found] == [row.code], shown
    text = schema.read_text()
    assert (found[0].span.start, found[0].span.end) == marked_in(row, text, text), shown


ELSEWHERE = {"syntax.too-deep", "syntax.too-large", "unit.syntax", "unit.too-large", "schema.version"}
"""Codes that the tests of the reader and of the units provoke."""
STAGES = ("parse", "resolve", "check")


def test_every_code_of_validation_can_be_provoked():
    """A rule by its page; what another stage raises by a row."""
    raised = {
        entry.code for entry in DOCUMENTED if entry.raised_by.startswith(STAGES) and "internal." not in entry.code
    }
    assert raised - {row.code for row in ROWS} <= ELSEWHERE


def test_the_corpus_is_large_enough():
    assert len(ROWS) >= 120
