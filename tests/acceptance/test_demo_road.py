"""The demo's road with its own backend, small: trained, killed in the middle of it, run again, and the bytes are the same."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = "import sys; from synthspec.cli.main import run; sys.argv[0] = 'synthspec'; run()"
SMALL = (
    "training.epochs=1",
    "sampling.n=16",
    "sampling.NFE=4",
    "engine.architecture.channels=[8, 8]",
    "engine.architecture.attention=[false, false]",
    "evaluation.metrics=[FID, KID, recall, covg, mode_drop, latency_ms_p99, MI]",
)


def words(spec: Path, folder: Path) -> list[str]:
    changes = [word for change in SMALL for word in ("--set", change)]
    return ["run", str(spec), *changes, "--store", str(folder / "store"), "--out", str(folder / "run")]


@pytest.fixture(scope="module")
def demo(cli, examples, tmp_path_factory):
    """The small run that nothing disturbed."""
    folder = tmp_path_factory.mktemp("demo")
    return folder / "run", cli(*words(examples / "digits-diffusion" / "spec.yaml", folder), cwd=folder)


def results(folder: Path) -> dict[str, str]:
    kept = [*folder.glob("samples.*"), *folder.glob("weights/*")]
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in kept}


def test_the_demo_trains_samples_judges_and_signs(cli, demo):
    folder, answer = demo
    assert answer.code == 1, "sixteen pictures prove nothing: unproven is never a pass"
    assert set(results(folder)) == {"samples.npz", "samples.png", "denoiser.safetensors"}
    manifest = json.loads((folder / "manifest.json").read_bytes())
    assert manifest["verdict"] == "FAIL"
    deep = manifest["deep"]
    assert deep["net_evals_per_sample"] == 4
    assert (deep["nominal_steps"], deep["w_cfg"]) == (2, 0.5)
    assert deep["noise_schedule"] == {"name": "cosine", "train_steps": 1000, "zero_terminal_snr": False}
    held = {entry["id"]: entry["result"] for entry in manifest["contracts"]}
    assert {held[name] for name in ("C40-511", "C40-516")} == {"unproven"}
    assert {held[name] for name in ("C40-514", "C40-518", "C40-519")} == {"held"}
    log = [json.loads(line) for line in (folder / "training.jsonl").read_text(encoding="utf-8").splitlines()]
    assert log
    assert (folder / "samples.png").read_bytes().startswith(b"\x89PNG")
    assert cli("verify", folder, "--format", "json", cwd=folder).json["authentic"]


def test_killed_while_it_trains_it_ends_with_the_same_bytes(cli, demo, examples, tmp_path):
    spec = examples / "digits-diffusion" / "spec.yaml"
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *words(spec, tmp_path)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stderr is not None
        heard = next((line for line in process.stderr if line.startswith("training: ")), "")
        process.kill()
    assert heard
    assert process.returncode == -signal.SIGKILL
    assert not (tmp_path / "run").exists()
    after = cli(*words(spec, tmp_path), cwd=tmp_path)
    assert [line for line in after.err.splitlines() if line.endswith("reused")] == ["bind: reused", "split: reused"]
    assert results(tmp_path / "run") == results(demo[0])
    again = cli(*words(spec, tmp_path), cwd=tmp_path)
    assert len([line for line in again.err.splitlines() if line.endswith("reused")]) == 10
