"""Single mistakes in the normative examples, and the same specs in other words, written down without a look at the rules.

What is wrong is named by the language alone: its code, and the line somebody would have to change. A case is one call of the
program on one changed file.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import yaml

DIGITS, CANCER, GAN, VAE, FIBER = "digits-diffusion", "cancer-dp-vae", "digits-gan", "digits-vae", "fiber-link-flow"
SREF = {
    DIGITS: "digits-diffusion/digits.sref.yaml",
    CANCER: "cancer-dp-vae/cancer.sref.yaml",
    FIBER: "fiber-link-flow/fiber_link.sref.yaml",
}

# fmt: off
# (what is written, what is written instead, the code, and where it is not the changed one: what stands in the line)
MISTAKES = {
    (DIGITS, "spec"): [
        ("synthspec/v1\n", "synthspec/v1beta\n", "schema.version"),
        ("kind: EngineSpec", "kind: engineSpec", "schema.bad-value"),
        ("name: digits-diffusion", "name: digits diffusion", "schema.bad-value"),
        ("version: 1.0.0", "version: 1.0.0.0", "schema.bad-value"),
        ("version: 1.0.0", "version: !!str 1.0.0", "syntax.tag"),
        ("owner: imaging", "ownr: imaging", "schema.unknown-key"),
        ("owner: imaging", "owner: yes", "syntax.ambiguous-scalar"),
        ("owner: imaging", 'owner: "imaging', "syntax.yaml"),
        ("sref: digits.sref.yaml", "sref: ../../../etc/hosts", "schema.path-escape"),
        ("sref: digits.sref.yaml", "sref: digits.sref.yml", "schema.not-found"),
        ("sref: digits.sref.yaml", "sref: [digits.sref.yaml]", "schema.wrong-type"),
        ("sklearn://digits", "sklearn://mnist", "schema.not-found"),
        ("sklearn://digits", "digits.csv", "schema.not-found"),
        ("method: hash", "method: hashed", "schema.bad-value"),
        ("train: 0.70", "train: 70", "schema.bad-value"),
        ("train: 0.70", "train: 70 %", "unit.on-dimensionless"),
        ("train: 0.70", "train: 0.60", "P405-9.split-sum"),
        ("val: 0.15, ", "", "schema.missing-key", "  split:"),
        ("seed: 11", "seed: -11", "schema.bad-value"),
        ("seed: 11", "seed: 11.5", "schema.wrong-type"),
        ("  family: diffusion\n", "", "schema.missing-key", "engine:"),
        ("family: diffusion", "family: diffussion", "schema.bad-value"),
        ("channels: [32, 64]", "channels: [32, -64]", "schema.bad-value"),
        ("channels: [32, 64]", "channel: [32, 64]", "schema.unknown-key"),
        ("layers_per_block: 1", "layers_per_block: one", "schema.wrong-type"),
        ("name: cosine", "name: cosin", "schema.bad-value"),
        ("train_steps: 1000", "train_steps: 0", "schema.bad-value"),
        ("measure: l_simple", "measure: elbo", "P405-1.measure-family-mismatch"),
        ("measure: l_simple, ", "", "P405-1.measure-missing", "objective:"),
        ("measure: l_simple", "measure: KID", "P405-1.heuristic-only"),
        ("head: v", "head: w", "schema.bad-value"),
        ("  epochs: 60", "\tepochs: 60", "syntax.yaml"),
        ("epochs: 60", "epochs: sixty", "schema.wrong-type"),
        ("epochs: 60", "epochs: 1e999", "schema.bad-value"),
        ("epochs: 60", "epochs: *e", "syntax.alias"),
        ("epochs: 60", "epochs:", "syntax.ambiguous-scalar"),
        ("batch_size: 128", "batch_size: 0", "schema.bad-value"),
        ("lr: 1.0e-3", "lr: 0", "schema.bad-value"),
        ("lr: 1.0e-3", "learning_rate: 1.0e-3", "schema.unknown-key"),
        ("ema: 0.995", "ema: 1.5", "schema.bad-value"),
        ("  seed: 20261122\n", "  seed: 20261122\n  seed: 3\n", "syntax.duplicate-key", "  seed: 3"),
        ("digit: {interface", "digti: {interface", "P405-2.condition-not-in-sref"),
        ("interface: categorical", "interface: category", "schema.bad-value"),
        ("coverage_min: 1.0", "coverage_min: 1.2", "schema.bad-value"),
        ("coverage_min: 1.0", "coverage: 1.0", "schema.unknown-key"),
        ("cfg_max: 2.0, drop", "cfg_max: 0.4, drop", "P405-2.w-cfg-over-max"),
        ("w_cfg: 0.5", "w_cfg: -0.5", "schema.bad-value"),
        ("drop_rate: 0.1", "drop_rate: 1.0", "schema.bad-value"),
        ("max_attempts: 4", "max_attempts: 0", "schema.bad-value"),
        ("{signal: grad_norm,", "{signal: gradnorm,", "P405-3.signal-unknown"),
        ("grad_norm > 50,", "grad_norm >,", "expr.syntax"),
        ("grad_norm > 50,", "grad_norm >> 50,", "expr.syntax"),
        ("grad_norm > 50,", "grad_norm > 50 s,", "unit.dim-mismatch"),
        ("best(loss_val)", "beste(loss_val)", "expr.unknown-name"),
        ("window: 3", "window: 0", "schema.bad-value"),
        ("action: stop", "action: halt", "schema.bad-value"),
        ("patience: 10", "patience: ten", "schema.wrong-type"),
        ("signal: loss_val, patience", "signal: bpd_val, patience", "P405-3.signal-wrong-family"),
        ("to: best", "to: bset", "schema.bad-value"),
        ("mechanism: none}", "mechanism: None}", "schema.bad-value"),
        ("mechanism: none}", "mechanism: nothing}", "schema.bad-value"),
        ("mechanism: none}", "mechanism: none", "syntax.yaml"),
        ("n: 512", "n: 0", "schema.bad-value", "sampling:"),
        ("seed: 7", "seed: 7_000", "syntax.ambiguous-scalar"),
        ("rng: philox", "rng: mersenne", "schema.bad-value"),
        ("NFE: 40}", "NFE: 7}", "P405-8.nfe-not-reachable"),
        ("NFE: 40}", "NFE: 400}", "C40.threshold-impossible", "NFE_max: 40"),
        ("dpmsolver++", "dpm_solver", "engine.solver-unknown"),
        ("reference: test", "reference: tset", "schema.bad-value"),
        ("name: embedded", "name: embeded", "schema.bad-value"),
        ("metrics: [FID", "metrics: [fid", "schema.bad-value"),
        (", MI]", "]", "C40.metric-not-evaluated", "mi_max"),
        ("[FID, KID", "[KID", "C40.metric-not-evaluated", "tol_FID"),
        ("members: train, ", "", "schema.missing-key", "membership_attack"),
        ("tol_KID: 0.05", "tol_KID: low", "schema.wrong-type"),
        ("recall_min: 0.30", "recall_min: 30", "schema.bad-value"),
        ("2000 ms", "2000 Hz", "unit.dim-mismatch"),
        ("2000 ms", "2000 mss", "unit.unknown"),
        ("covg_min: 0.50", "covg_min: 0.97", "C40.threshold-impossible"),
        (", SLO_latency: 2000 ms", "", "C40.threshold-missing", "C40-514"),
        ("  C40-516: {mi_max: 0.30}\n", "", "C40.missing", "contracts:"),
        ("C40-518", "C40-581", "schema.unknown-key"),
        ("tau_nn: 0.02", "tau_nn: -1", "schema.bad-value"),
        ("licence:", "license:", "schema.unknown-key"),
        ("action: resample", "action: redo", "schema.bad-value"),
    ],
    (DIGITS, "sref"): [
        ("dtype: int64", "dtype: int63", "schema.bad-value"),
        ("role: content", "role: contents", "schema.bad-value"),
        ("[1, 8, 8]", "[1, 8, 0]", "schema.bad-value"),
        ("unit: dimensionless", "unit: dimensionles", "unit.unknown"),
        ("range: [0, 16]", "range: [16]", "schema.bad-value"),
        ("range: [0, 16]", "range: [16, 0]", "sref.range-empty"),
        ("resolution: 1", "resolution: -1", "schema.bad-value"),
        ("name: digit, ", "name: 5digit, ", "schema.bad-value", "role: condition"),
        ("pk: [rid]", "pk: []", "sref.pk-missing"),
        ("modality: image", "modality: picture", "schema.bad-value"),
        ("images: pixels", "images: pixel", "sref.alias-unknown"),
        ("kind: SRef", "kind: SRefs", "schema.bad-value"),
    ],
    (FIBER, "spec"): [
        ("gap: 60 s", "gap: 60", "unit.bare-number"),
        ("gap: 60 s", "gap: 60 m", "unit.dim-mismatch"),
        ("measure: nll", "measure: nlll", "schema.bad-value"),
        ("transforms: 6", "transforms: six", "schema.wrong-type"),
        ("base_dist: normal", "base_dist: gaussian", "schema.bad-value"),
        ("publish_on: ts", "publish_on: tau_mono", "P405-5.wrong-base"),
        ("least_squares", "lsq", "schema.bad-value"),
        ("forms: both", "forms: form2", "P405-6.one-form"),
        ("gauss_kronrod", "gauss-kronrod", "schema.bad-value"),
        ("J_max: 5 us", "J_max: 5", "unit.bare-number"),
        ("tol_Tarr: 10 ns", "tol_Tarr: 10 nm", "unit.dim-mismatch"),
        ("tol_bpd: 8.0, ", "", "C40.threshold-missing", "C40-512"),
        ("W1, MMD", "MMD", "C40.metric-not-evaluated", "tol_W1"),
    ],
    (FIBER, "sref"): [
        ("power_out <= power_in", "power_out <= loss", "P405-7.dimension-mismatch"),
        ("loss <= 40 dB", "loss <= 40 mW", "P405-7.dimension-mismatch"),
        ("unit: uW", "unit: uWat", "unit.unknown"),
        ("tau_mono: tau_mono,", "tau_mono: tau,", "P405-5.tau-mono-missing"),
        ("fiber_path.csv", "fiber_paths.csv", "schema.not-found"),
        ("c_ref0: 299792458 m/s", "c_ref0: 299792458 m", "unit.dim-mismatch"),
        ("unit: km", "unit: kg", "unit.dim-mismatch"),
        ("[-40, 85]", "[-40, .inf]", "syntax.ambiguous-scalar"),
        ("[-40, 85]", "[-40, 85, 90]", "schema.bad-value"),
        ("unit: dB,", "unit: dB, units: dB,", "schema.unknown-key"),
    ],
    (CANCER, "spec"): [
        ("scheme: poisson", "scheme: possion", "schema.bad-value"),
        ("rate: 0.16", "rate: 1.6", "schema.bad-value"),
        ("rate: 0.16", "rate: 16 %", "unit.on-dimensionless"),
        ("per: record", "per: sample", "schema.bad-value"),
        ("multiplier: auto", "multiplier: 0.6", "P405-4.budget-exceeded", "  eps_budget: 4.0"),
        ("accountant: pld", "accountant: moments", "P405-4.accountant-unknown"),
        ("  eps_budget: 4.0\n", "  eps_budget: four\n", "schema.wrong-type"),
        ("bounds: sref", "bounds: data", "P405-4.data-dependent-bounds"),
        ("{0: 0.4, 1: 0.6}", "{0: 0.4, 1: 0.4}", "P405-2.distribution-invalid"),
        ("disclosure: restricted", "disclosure: public", "P405-4.private-metric-published"),
        ("{signal: grad_norm_released,", "{signal: grad_norm,", "P405-4.private-monitor"),
        ("value: 398", "value: 398.5", "schema.wrong-type"),
        ("mechanism: dp-sgd", "mechanism: dpsgd", "schema.bad-value"),
        ("adjacency: zero_out", "adjacency: zero-out", "schema.bad-value"),
    ],
    (CANCER, "sref"): [
        ("unit: mm^2", "unit: mm^3", "P405-7.dimension-mismatch", "disc_area"),
        ("2 * pi *", "2 * pie *", "expr.unknown-name"),
        ("severity: warn", "severity: warning", "schema.bad-value"),
        ("abs(mean_area", "abs((mean_area", "expr.syntax"),
        ("100 mm^2", "100 s^2", "P405-7.dimension-mismatch"),
    ],
    (VAE, "spec"): [
        ("beta: 1.0", "beta: one", "schema.wrong-type"),
        ("psnr_min: 18 dB", "psnr_min: 18", "unit.bare-number"),
        ("free_bits: 0.05", "free_bits: -1", "schema.bad-value"),
        ("raise_free_bits", "raise_freebits", "schema.bad-value"),
        ("signal: elbo_val", "signal: elbo_vla", "P405-3.signal-unknown"),
        ("tol_collapse: 0.5", "tol_collapse: 5", "schema.bad-value"),
    ],
    (GAN, "spec"): [
        ("critic_steps: 5", "critic_steps: 0", "schema.bad-value"),
        ("lambda_gp: 10.0", "lambda_gp: ten", "schema.wrong-type"),
        ("betas: [0.0, 0.9]", "betas: [0.9]", "schema.bad-value"),
        ("distribution: uniform", "distribution: even", "schema.bad-value"),
        ("abs(critic_drift) > 5", "abs(critic_drift > 5)", "expr.type"),
        ("{tol_FID: 80.0,", "{tol_FIDD: 80.0,", "schema.unknown-key"),
        ("to: best, ", "", "schema.missing-key", "  rollback:"),
    ],
}

REWRITES = {
    (DIGITS, "spec"): [
        ("2000 ms", "2 s"), ("2000 ms", "2e3 ms"), ("2000 ms", "'2000 ms'"),
        ("1.0e-3}", "1E-3}"), ("1.0e-4", "1E-4"), ("1.0e-4", "0.0001"), ("tol_FID: 60.0", "tol_FID: 6e1"),
        ("family: diffusion", "'family': 'diffusion'"), ("mechanism: none}", 'mechanism: "none"}'),
        ("kind: EngineSpec", 'kind: "EngineSpec"'), ("rng: philox", "'rng': philox"),
        ("apiVersion: synthspec/v1\nkind: EngineSpec\n", "kind: EngineSpec\napiVersion: synthspec/v1\n"),
        ("{measure: l_simple, head: v}", "{head: v, measure: l_simple}"),
        ("{mechanism: none}", "\n  mechanism: none"),
        ("rejection: {max_attempts: 4}", "rejection:\n    max_attempts: 4   # a cap"),
        ("  epochs: 60\n", "  # how long\n\n  epochs: 60\n"),
        ("[32, 64]", "\n    [\n      32,  # narrow\n      64,\n    ]"),
        ("metrics: [FID, KID,", "metrics:\n    [FID,\n     KID,"),
        ("sklearn://digits", '"sklearn://digits"'), ("description: Class", "description: >-\n    Class"),
    ],
    (FIBER, "spec"): [("10 ns", "0.01 us"), ("10 ns", "10 nanosecond"), ("5 us", "0.005 ms"), ("gap: 60 s", "gap: 1 min")],
    (FIBER, "sref"): [
        ("unit: degC", "unit: celsius"), ("unit: uW", "unit: microwatt"), ("loss <= 40 dB", "(loss) <= (40 dB)"),
        ("299792458 m/s", "2.99792458e8 m/s"), ("600 s", "10 minute"), ("unit: km", "unit: kilometer"),
    ],
    (CANCER, "spec"): [("rate: 0.16", "rate: 16e-2"), ("delta: 1.0e-5", "delta: 1E-5"), ("norm: 1.0", "norm: 1")],
    (CANCER, "sref"): [("unit: mm^2", "unit: mm*mm"), ("mean_radius^2", "(mean_radius^2)")],
    (VAE, "spec"): [("18 dB", "1.8e1 dB"), ("beta: 1.0", "beta: 1"), ("kl < 0.5", '"0.5 > kl"'), ("18 dB", '"18 decibel"')],
    (GAN, "spec"): [("betas: [0.0, 0.9]", "betas: [0, 9e-1]"), ("abs(critic_drift) > 5", '"5 < abs(critic_drift)"')],
}
# fmt: on


ROWS = [(where, *row) for where, rows in MISTAKES.items() for row in rows]
SAME = [(where, *row) for where, rows in REWRITES.items() for row in rows]


@pytest.fixture(scope="module")
def home(examples, tmp_path_factory):
    folder = tmp_path_factory.mktemp("held-out") / "examples"
    return shutil.copytree(examples, folder)


def file_of(where):
    example, which = where
    return SREF[example] if which == "sref" else f"{example}/spec.yaml"


@pytest.fixture
def checked(cli, home, examples):
    """Call it with an example, its file and the text of that: what the program answers about the spec."""
    written = []

    def check(where, text, encoding="utf-8"):
        written.append(file_of(where))
        (home / written[-1]).write_bytes(text.encode(encoding))
        return cli("validate", "spec.yaml", "--format", "json", cwd=home / where[0])

    yield check
    for name in written:
        shutil.copyfile(examples / name, home / name)


def text_of(examples, where, old="", new=""):
    text = (examples / file_of(where)).read_text(encoding="utf-8")
    assert old in text, old
    return text.replace(old, new, 1)


@pytest.mark.parametrize(("where", "old", "new", "code", "at"), [(*row, "")[:5] for row in ROWS], ids=repr)
def test_a_mistake_is_answered_by_its_code_at_its_line(where, old, new, code, at, checked, examples):
    text = text_of(examples, where, old, new)
    answer = checked(where, text)
    place = text.index(at or new) + (len(new) - len(new.lstrip()) if not at else 0)
    found = [(each["code"], each["range"]["start"]["line"]) for each in answer.json["findings"]]
    assert found == [(code, text.count("\n", 0, place) + 1)], answer.json["findings"]
    assert answer.code == 1
    assert Path(answer.json["findings"][0]["path"]).name == Path(file_of(where)).name


@pytest.mark.parametrize(("where", "old", "new"), SAME, ids=repr)
def test_the_same_in_other_words_is_clean(where, old, new, checked, examples):
    answer = checked(where, text_of(examples, where, old, new))
    assert (answer.code, answer.json["findings"]) == (0, [])


@pytest.mark.parametrize("where", [(name, "spec") for name in (DIGITS, CANCER, GAN, VAE, FIBER)], ids=repr)
def test_another_layout_is_clean(where, checked, examples):
    text = text_of(examples, where)
    tree = yaml.safe_load(text)
    for same, encoding in (
        (text.replace("\n", "\r\n"), "utf-8"),
        (text, "utf-8-sig"),
        (yaml.safe_dump(tree, sort_keys=True), "utf-8"),
        (yaml.safe_dump(tree, default_flow_style=False, sort_keys=False, indent=4), "utf-8"),
        (yaml.safe_dump(tree, default_flow_style=True, width=10**6), "utf-8"),
        (json.dumps(tree, indent=1), "utf-8"),
        ("\n".join(f"{line}   # as it was" if line else "# nothing" for line in text.split("\n")), "utf-8"),
    ):
        answer = checked(where, same, encoding)
        assert (answer.code, answer.json["findings"]) == (0, []), same


def test_there_are_enough_of_both():
    assert len(ROWS) >= 150
    assert len(SAME) >= 40
