"""A median under dp-sgd from spec to verified folder: released before any gap is filled, charged, and the same bytes again."""

from __future__ import annotations

import json

import numpy as np
import pytest
from safetensors.numpy import load_file

pytest.importorskip("torch")
pytest.importorskip("dp_accounting")

CHANGES = (
    ("source: sklearn://breast_cancer", "source: cancer.csv\n  impute: {mean_smoothness: median}"),
    ("  steps: 400\n", "  steps: 20\n"),
    ("  normalizer: 64\n", "  normalizer: 64\n  imputation: {multiplier: 20.0}\n"),
    ("mi_max: 0.40", "mi_max: 0.90"),
)


def cancer(folder, lost):
    from sklearn.datasets import load_breast_cancer

    frame = load_breast_cancer(as_frame=True).frame
    columns = [
        name for name in frame if name in ("mean radius", "mean perimeter", "mean area", "mean smoothness", "target")
    ]
    data = frame[columns].rename(columns=lambda name: name.replace(" ", "_").replace("target", "diagnosis"))
    data.insert(0, "rid", range(len(data)))
    data.loc[lost, "mean_smoothness"] = np.nan
    data.to_csv(folder / "cancer.csv", index=False)
    return data


@pytest.mark.slow
def test_a_median_is_released_charged_and_replayed(cli, examples, tmp_path, monkeypatch):
    monkeypatch.setenv("SYNTHSPEC_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("SYNTHSPEC_CONFIG_DIR", str(tmp_path / "config"))
    lost = np.random.default_rng(0).random(569) < 0.3
    data = cancer(tmp_path, lost)
    sref = (examples / "cancer-dp-vae" / "cancer.sref.yaml").read_text()
    sref = "".join(line + "\n" for line in sref.splitlines() if not line.startswith("alias_map"))
    (tmp_path / "cancer.sref.yaml").write_text(sref.replace("range: [0, 1]}", "range: [0, 1], nullable: true}"))
    text = (examples / "cancer-dp-vae" / "spec.yaml").read_text()
    for old, new in CHANGES:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    (tmp_path / "spec.yaml").write_text(text)
    folder, secret = tmp_path / "run", tmp_path / "run.secret"
    answer = cli("run", "spec.yaml", "--out", folder, "--store", tmp_path / "store", "--secret", secret, cwd=tmp_path)
    assert answer.code in (0, 1), answer.err  # twenty steps need not keep the promises of fidelity
    assert cli("verify", folder, "--format", "json", cwd=tmp_path).json["authentic"]
    spent = json.loads((folder / "manifest.public.json").read_bytes())["privacy"]["dp"]
    assert [(each["name"], each["parts"], each["sigma"]) for each in spent["statistics"]] == [("imputation", 1, 20.0)]
    assert spent["ledger"]["releases"] == 2
    assert 3.9 < spent["eps_total"] <= 4.0
    assert list(spent["accesses"].values()).count("ledger") == 2
    (filled,) = (json.loads(path.read_text())["values"] for path in (tmp_path / "store").rglob("fill.json"))
    assert filled["mean_smoothness"] == pytest.approx(data["mean_smoothness"].median(), abs=0.03)
    stored = [load_file(path) for path in (tmp_path / "store").rglob("data.safetensors")]
    tables = [each["mean_smoothness"] for each in stored if len(each.get("rid", ())) == 569]
    assert any((table[lost] == np.float32(filled["mean_smoothness"])).all() for table in tables)
    replayed = cli("replay", folder, "--secret", secret, cwd=tmp_path)
    assert "bitwise" in replayed.out, replayed.out + replayed.err
