"""Features by a network of one's own: an installed distribution offers it, the plan says which, and a file has its weights."""

import hashlib
import importlib
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.numpy import load_file

from synthspec.backend.dataset import Dataset, write_dataset
from synthspec.backend.extractors import UnknownModuleError, feature_module
from synthspec.backend.protocol import Artifact, DataError
from synthspec.ir.families import Features
from synthspec.ir.ops import Embed
from synthspec.ir.schema import Field, Schema
from synthspec.lower.features import provided, unoffered
from synthspec_torch.features.embedding import embed, seen
from synthspec_torch.features.opening import open_network
from synthspec_torch.plugin import BACKEND
from synthspec_torch.weights import save_weights

CODE = '''
import torch


class Means(torch.nn.Module):
    """The mean of each channel, of pictures and of clips, mixed."""

    def __init__(self, channels=2):
        super().__init__()
        self.mix = torch.nn.Linear(channels, 3)

    def forward(self, x):
        return self.mix(x.mean(dim=(-1, -2)).flatten(1))


class Flat(Means):
    def forward(self, x):
        return x


class Endless(Means):
    def forward(self, x):
        return super().forward(x) / 0


def clips():
    return Means(8)


def nothing():
    return "no network"


def broken():
    raise RuntimeError("no memory left")
'''
ENTRIES = "[synthspec.features]\n" + "\n".join(
    f"{name} = ours_features:{value}"
    for name, value in {
        "ours": "Means", "ours-clips": "clips", "ours-flat": "Flat", "ours-endless": "Endless", "ours-nothing": "nothing",
        "ours-broken": "broken",
    }.items()
)  # fmt: skip


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A folder of installed distributions; `install` adds one."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    (folder / "ours_features.py").write_text(CODE)
    install(folder, "ours-features", "1.2.0")
    yield folder
    sys.modules.pop("ours_features", None)


def install(folder, name, version, entries=ENTRIES):
    info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    (info / "entry_points.txt").write_text(entries)
    importlib.invalidate_caches()


def weighed(folder, channels=2, **extra):
    """A file of weights: features are 1, 2 and 3 times the sum of the channels' means."""
    mix = torch.arange(1.0, 4.0)[:, None].expand(3, channels).contiguous()
    state = {"mix.weight": mix, "mix.bias": torch.zeros(3), **extra}
    save_weights(folder / "ours.safetensors", state)
    return hashlib.sha256((folder / "ours.safetensors").read_bytes()).hexdigest()


def asked(folder, entry="ours", channels=2):
    return Features(name="module", entry=entry, weights="ours.safetensors", sha256=weighed(folder, channels))


def op_of(features, shape=(2, 4, 4), modality="image"):
    pixels = Field(name="x", role="content", dtype="uint8", shape=shape, range=(0, 8))
    return Embed(schema=Schema(modality=modality, fields=(pixels,)), features=features, module=provided(features))


def test_the_plan_says_which_distribution_offers_it(site):
    assert provided(asked(site)) == "ours-features 1.2.0 (ours_features:Means)"
    assert list(unoffered(asked(site))) == []
    assert provided(Features()) == ""


def test_what_no_distribution_offers_is_refused_with_what_there_is(site):
    ((message, advice),) = unoffered(asked(site, "theirs"))
    assert "no installed distribution offers the features 'theirs'" in message
    assert "ours-flat" in message
    assert "synthspec.features" in advice
    assert provided(asked(site, "theirs")) == ""


def test_a_name_that_two_distributions_claim_is_no_name(site):
    install(site, "other-features", "0.1", "[synthspec.features]\nours = ours_features:Flat\n")
    with pytest.raises(UnknownModuleError, match=r"more than once: other-features 0\.1") as caught:
        feature_module("ours")
    assert "uninstall" in caught.value.help


def made(op, site, tmp_path, run, columns):
    ports = {}
    for port, column in columns.items():
        (tmp_path / port).mkdir()
        write_dataset(tmp_path / port, Dataset({"x": column}))
        ports[port] = Artifact(tmp_path / port, ("data.safetensors",))
    for file in site.glob("*.safetensors"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    return run(embed, op, ports, "out").path("features.safetensors")


def test_features_are_what_the_network_makes_of_content(site, tmp_path, run):
    real = np.random.default_rng(0).integers(0, 9, (5, 2, 4, 4)).astype(np.uint8)
    op = op_of(asked(site))
    assert BACKEND.supports(op) == ()
    path = made(op, site, tmp_path, run, {"data": real, "samples": real[::-1].copy()})
    means = (real / 4.0 - 1.0).mean(axis=(2, 3)).sum(axis=1)
    found = load_file(path)
    assert found["data"] == pytest.approx(means[:, None] * np.arange(1, 4), abs=1e-6)
    assert np.array_equal(found["samples"], found["data"][::-1])
    with safe_open(path, framework="numpy") as file:
        said = file.metadata()
    assert said == {"input": "content in [-1, 1]; ours-features 1.2.0 (ours_features:Means)"}


def test_clips_are_seen_frame_by_frame_in_their_order(site, tmp_path, run):
    real = np.random.default_rng(0).integers(0, 9, (3, 4, 2, 4, 4)).astype(np.uint8)
    op = op_of(asked(site, "ours-clips", 8), (4, 2, 4, 4), "video")
    assert BACKEND.supports(op) == ()
    found = load_file(made(op, site, tmp_path, run, {"data": real, "samples": real}))
    means = (real / 4.0 - 1.0).mean(axis=(3, 4)).reshape(3, 8).sum(axis=1)
    assert found["data"] == pytest.approx(means[:, None] * np.arange(1, 4), abs=1e-5)
    clips = seen(op.schema.field("x"), real)
    assert torch.equal(clips[1, 2], seen(replace(op.schema.field("x"), shape=(2, 4, 4)), real[1])[2])


def test_published_networks_see_pictures_alone(site):
    features = Features(name="inception", weights="w", sha256="0" * 64)
    (reason,) = BACKEND.supports(op_of(features, (4, 1, 4, 4), "video"))
    assert "video" in reason


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("ours-nothing", "gives str, which is no torch.nn.Module"),
        ("ours-broken", "gives no network: RuntimeError: no memory left"),
    ],
)
def test_what_gives_no_network_is_refused(site, entry, said):
    op = op_of(asked(site, entry))
    with pytest.raises(DataError, match=said) as caught:
        BACKEND.inspect(op, site)
    assert caught.value.code == "weights.module"


@pytest.mark.parametrize(
    ("entry", "said"), [("ours-flat", r"\[5, 2, 4, 4\] of 5 records"), ("ours-endless", "not finite")]
)
def test_what_gives_no_features_is_refused(site, tmp_path, run, entry, said):
    real = np.ones((5, 2, 4, 4), np.uint8)
    with pytest.raises(DataError, match=said):
        made(op_of(asked(site, entry)), site, tmp_path, run, {"data": real, "samples": real})


def test_another_version_than_in_the_plan_is_another_network(site):
    op = replace(op_of(asked(site)), module="ours-features 1.1.9 (ours_features:Means)")
    with pytest.raises(DataError, match=r"made with ours-features 1\.1\.9 .* installed is ours-features 1\.2\.0"):
        BACKEND.inspect(op, site)


def test_the_content_of_the_file_is_checked_before_any_code_is_loaded(site, monkeypatch):
    op = op_of(asked(site))
    weighed(site, more=torch.zeros(1))
    monkeypatch.setattr("synthspec_torch.features.opening.feature_module", lambda name: pytest.fail("code was loaded"))
    with pytest.raises(DataError) as caught:
        open_network(op.features, site, op.module)
    assert caught.value.code == "data.digest"


def test_weights_of_another_network_are_refused_by_name_and_shape(site):
    surplus = Features(
        name="module", entry="ours", weights="ours.safetensors", sha256=weighed(site, more=torch.zeros(1))
    )
    with pytest.raises(DataError, match=r"unknown weights \['more'\]"):
        BACKEND.inspect(op_of(surplus), site)
    with pytest.raises(
        DataError, match=r"mix.weight is torch.float32 \(3, 5\), the network has torch.float32 \(3, 2\)"
    ):
        BACKEND.inspect(op_of(asked(site, channels=5)), site)
