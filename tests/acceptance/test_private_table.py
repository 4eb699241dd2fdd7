"""The normative example under DP-SGD, as it stands: fresh noise every time, and every promise kept."""

import json
import shutil

import pytest

pytest.importorskip("torch")


@pytest.mark.slow
def test_the_private_example_keeps_its_promises(cli, examples, tmp_path, monkeypatch):
    monkeypatch.setenv("SYNTHSPEC_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("SYNTHSPEC_CONFIG_DIR", str(tmp_path / "config"))
    shutil.copytree(examples / "cancer-dp-vae", tmp_path / "spec")
    answer = cli("run", "spec.yaml", "--out", tmp_path / "run", "--store", tmp_path / "store", cwd=tmp_path / "spec")
    assert answer.code == 0, answer.err
    figures = {each["name"]: each for each in json.loads((tmp_path / "run" / "evidence.json").read_bytes())["figures"]}
    assert figures["W1"]["upper"] < 0.6
    assert figures["posterior_collapse_rate"]["value"] < 0.9
    assert figures["eps_total"]["value"] <= 4.0
    assert figures["acc_rate"]["value"] > 0.8
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_bytes())
    assert manifest["dataset"]["n_syn"] == 400
    controls = manifest["generation"]["controls"]
    assert controls["candidates"] >= 400
    assert controls["acc_rate"] == figures["acc_rate"]["value"]
