"""dp-noise from spec to verified folder: any engine on drawn records, one charge, both bundles, the same bytes again."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from safetensors.numpy import load_file

pytest.importorskip("torch")

FLOW = (("epochs: 40", "epochs: 2"),)
VAE = (
    ("epochs: 40", "epochs: 2"),
    ("family: flow", "family: vae"),
    ("{name: autoregressive, transforms: 1, hidden: [64, 64], bins: 32}",
     "{name: mlp, hidden: [16], latent_dim: 2, likelihood: mixed}"),
    ("{measure: nll}", "{measure: elbo}"),
    (", grad_clip: 10.0", ""),
    ("{signal: bpd_val, trip: bpd_val > best(bpd_val) + 1, window: 3, action: rollback}",
     "{signal: elbo_val, trip: elbo_val < best(elbo_val) - 50, window: 3, action: rollback}"),
    ("{signal: bpd_val, patience", "{signal: elbo_val, patience"),
    ("[bpd, inv_error, W1", "[elbo, posterior_collapse_rate, W1"),
    ("C40-512: {tol_bpd: 8.0, tol_inv: 2.0e-3}", "C40-513: {tol_collapse: 1.0}"),
)  # fmt: skip


EMBEDDED = (
    ("[marginals]", "[mean_embedding]"),
    ("epochs: 40", "epochs: 2"),
    ("family: flow", "family: gan"),
    ("{name: autoregressive, transforms: 1, hidden: [64, 64], bins: 32}", "{name: mlp, hidden: [32, 32], latent_dim: 4}"),
    ("{measure: nll}", "{measure: gan}"),
    (", grad_clip: 10.0", ""),
    ("{signal: bpd_val, trip: bpd_val > best(bpd_val) + 1, window: 3, action: rollback}",
     "{signal: critic_accuracy, trip: critic_accuracy > 0.999, window: 3, action: rollback}"),
    ("{signal: bpd_val, patience", "{signal: mode_drop_val, patience"),
    ("[bpd, inv_error, W1", "[W1"),
    ("  C40-512: {tol_bpd: 8.0, tol_inv: 2.0e-3}\n", ""),
)  # fmt: skip


@pytest.fixture
def made(cli, examples, tmp_path, monkeypatch):
    """Runs the example with some of its text changed; the folder of the run, and the answer."""
    monkeypatch.setenv("SYNTHSPEC_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("SYNTHSPEC_CONFIG_DIR", str(tmp_path / "config"))
    (tmp_path / "cancer.sref.yaml").write_bytes((examples / "cancer-dp-marginals" / "cancer.sref.yaml").read_bytes())

    def run(name, *changes):
        text = (examples / "cancer-dp-marginals" / "spec.yaml").read_text()
        for old, new in changes:
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        (tmp_path / f"{name}.yaml").write_text(text)
        words = ("--out", tmp_path / name, "--store", tmp_path / "store", "--secret", tmp_path / f"{name}.secret")
        return tmp_path / name, cli("run", f"{name}.yaml", *words, cwd=tmp_path)

    return run


def figures(folder):
    return {each["name"]: each for each in json.loads((folder / "evidence.json").read_bytes())["figures"]}


@pytest.mark.slow
@pytest.mark.parametrize(("changes", "releases"), [(FLOW, 3), (VAE, 3), (EMBEDDED, 1)], ids=["flow", "vae", "gan"])
def test_any_engine_learns_from_noisy_statistics(made, cli, tmp_path, changes, releases):
    folder, answer = made("run", *changes)
    assert answer.code in (0, 1), answer.err  # two epochs need not keep the promises of fidelity
    verified = cli("verify", folder, "--format", "json", cwd=tmp_path)
    assert verified.json["authentic"], verified.out
    public = json.loads((folder / "manifest.public.json").read_bytes())
    spent, vectors = public["privacy"]["dp"], load_file(folder / "statistics.safetensors")
    assert public["privacy"]["mechanism"] == "dp-noise"
    assert 3.99 < spent["eps_total"] <= 4.0
    assert {each["name"]: each["size"] for each in spent["statistics"]} == {n: len(v) for n, v in vectors.items()}
    precision = math.fsum(1 / each["sigma"] ** 2 for each in spent["statistics"])
    assert 1 / math.sqrt(precision) == pytest.approx(spent["noise_multiplier"])
    assert "never saw a record" in public["privacy"]["statement"]
    assert list(spent["accesses"].values()).count("ledger") == releases
    assert figures(folder)["eps_total"]["value"] == spent["eps_total"]
    shown = cli("ledger", "show", cwd=tmp_path).out
    assert ", 1 release," in shown
    replayed = cli("replay", folder, "--secret", tmp_path / "run.secret", cwd=tmp_path)
    assert "bitwise" in replayed.out, replayed.out + replayed.err


@pytest.mark.slow
def test_the_example_keeps_its_promises(made, tmp_path):
    folder, answer = made("whole")
    assert answer.code == 0, answer.out + answer.err
    found = figures(folder)
    assert found["W1"]["upper"] < 0.6
    assert found["covg"]["lower"] > 0.2


@pytest.mark.slow
def test_no_number_of_a_record_is_drawn_or_published(made, tmp_path):
    """A value of the data to all its digits would be one that was copied: drawn ones lie anywhere in public cells."""
    from sklearn.datasets import load_breast_cancer

    folder, _ = made("run", *FLOW)
    real = load_breast_cancer(as_frame=True).frame["mean smoothness"].to_numpy().astype(np.float32)
    stored = [load_file(path) for path in (tmp_path / "store").rglob("data.safetensors")]
    tables = [each["mean_smoothness"] for each in stored if "mean_smoothness" in each and "rid" not in each]
    assert len(tables) >= 2, "drawn records, and samples"
    assert all(np.isin(table, real).mean() < 0.01 for table in tables)
    assert "mean_smoothness" in (folder / "samples.csv").read_text()[:200]
