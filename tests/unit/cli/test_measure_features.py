"""Features from a file, of records without a run: clips under a network of one's own, and what is refused."""

import hashlib
import importlib
import json
import sys

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from synthspec.cli.program import program
from synthspec_torch.weights import save_weights

SREF = """\
apiVersion: synthspec/v1
kind: SRef
metadata: {name: clips, version: 1.0.0}
modality: video
fields:
  - {name: rid, role: key, dtype: int64}
  - {name: clip, role: content, dtype: uint8, unit: dimensionless, shape: [3, 1, 4, 4], range: [0, 255]}
keys: {pk: [rid]}
"""
CODE = """
import torch


class Means(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.mix = torch.nn.Linear(1, 3)

    def forward(self, x):
        assert x.shape[1:] == (3, 1, 4, 4)
        return self.mix(x.mean(dim=(1, 2, 3, 4))[:, None])
"""


@pytest.fixture
def clips(tmp_path, monkeypatch):
    """Real clips, the same ones a fifth of the range brighter, and a network that reads 1, 2 and 3 times their mean."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "mean_features.py").write_text(CODE)
    info = tmp_path / "mean_features-2.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: mean-features\nVersion: 2.0\n")
    (info / "entry_points.txt").write_text("[synthspec.features]\nmeans = mean_features:Means\n")
    importlib.invalidate_caches()
    (tmp_path / "clips.sref.yaml").write_text(SREF)
    real = np.random.default_rng(0).integers(0, 205, (60, 3, 1, 4, 4)).astype(np.uint8)
    for name, clip in (("real", real), ("syn", real + 51)):
        np.savez(tmp_path / f"{name}.npz", rid=np.arange(60), clip=clip)
    save_weights(
        tmp_path / "m.safetensors", {"mix.weight": torch.arange(1.0, 4.0)[:, None], "mix.bias": torch.zeros(3)}
    )
    yield tmp_path
    sys.modules.pop("mean_features", None)


def measured(folder, *options, sha256=None):
    sha256 = sha256 or hashlib.sha256((folder / "m.safetensors").read_bytes()).hexdigest()
    files = ["--sref", "clips.sref.yaml", "--real", "real.npz", "--syn", "syn.npz", "--metrics", "FVD"]
    whole = ["measure", *files, "--weights", "m.safetensors", "--sha256", sha256, *options]
    return CliRunner().invoke(program(whole), whole)


def test_fvd_is_taken_in_the_space_of_the_named_network(clips):
    done = measured(clips, "--features", "module", "--entry", "means", "--format", "json")
    assert done.exit_code == 0, done.output
    (figure,) = json.loads(done.stdout)["metrics"]
    # The spread is the same, and the mean of each feature is 1, 2 and 3 times 2 / 5 away: 0.16 (1 + 4 + 9).
    assert figure["value"] == pytest.approx(0.16 * 14, rel=1e-4)
    digest = hashlib.sha256((clips / "m.safetensors").read_bytes()).hexdigest()
    assert figure["label"] == f"FVD[means@{digest[:8]}]"
    assert figure["details"]["extractor_input"] == "content in [-1, 1]; mean-features 2.0 (mean_features:Means)"


@pytest.mark.parametrize(
    ("options", "sha256", "said"),
    [
        (("--features", "module", "--entry", "median"), None, "no installed distribution offers the features 'median'"),
        (("--features", "module", "--entry", "means"), "ab" * 32, "m.safetensors has SHA-256"),
        (("--features", "inception"), None, "modality video is not supported: only image"),
        (("--features", "module"), None, "--entry: the features module need it"),
        (("--features", "inception", "--entry", "means"), None, "--entry: the features inception have none"),
        ((), None, "--weights: the features embedded have none"),
        (("--features", "resnet"), None, "--features: Input should be 'embedded', 'inception'"),
    ],
)
def test_what_cannot_be_taken_is_told_and_nothing_is_measured(clips, options, sha256, said):
    done = measured(clips, *options, sha256=sha256)
    assert done.exit_code == 2
    assert said in done.output
