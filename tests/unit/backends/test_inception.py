"""The FID network under random weights: shapes, names, independence of rows, and the checks before a file is read."""

import hashlib

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from synthspec.backend.dataset import read_dataset, write_dataset
from synthspec.backend.protocol import Artifact, DataError
from synthspec.ir.families import Features
from synthspec.ir.ops import Embed
from synthspec_torch.features.embedding import embed
from synthspec_torch.features.inception import BlockE, Inception
from synthspec_torch.features.opening import open_network
from synthspec_torch.weights import save_weights


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """A file of random weights and its digest."""
    torch.manual_seed(0)
    network = Inception()
    for module in network.modules():
        if isinstance(module, torch.nn.Conv2d):
            torch.nn.init.kaiming_normal_(module.weight)
    path = tmp_path_factory.mktemp("weights") / "inception.safetensors"
    save_weights(path, {name: value for name, value in network.state_dict().items() if "num_batches" not in name})
    return path, hashlib.sha256(path.read_bytes()).hexdigest()


def named(weights):
    return Features(name="inception", weights=weights[0].name, sha256=weights[1])


def test_names_are_those_of_the_published_file():
    names = Inception().state_dict()
    assert len([name for name in names if name.endswith("conv.weight")]) == 94
    for name, shape in {
        "Conv2d_1a_3x3.conv.weight": (32, 3, 3, 3),
        "Mixed_5b.branch_pool.bn.running_var": (32,),
        "Mixed_6a.branch3x3dbl_3.conv.weight": (96, 96, 3, 3),
        "Mixed_6e.branch7x7dbl_5.conv.weight": (192, 192, 1, 7),
        "Mixed_7a.branch7x7x3_4.conv.weight": (192, 192, 3, 3),
        "Mixed_7c.branch3x3dbl_3b.conv.weight": (384, 384, 3, 1),
        "fc.weight": (1008, 2048),
    }.items():
        assert tuple(names[name].shape) == shape
    # The well-known 23,834,568 of 1000 classes without the auxiliary head; the graph has 1008.
    assert sum(weight.numel() for weight in Inception().parameters()) == 23_834_568 + 8 * 2049


def test_the_last_block_pools_by_maximum():
    x = torch.rand(1, 8, 5, 5, generator=torch.Generator().manual_seed(0))
    made = {}
    for maximum in (False, True):
        torch.manual_seed(1)
        made[maximum] = BlockE(8, maximum=maximum).eval()(x)
    assert torch.equal(made[False][:, :1856], made[True][:, :1856])
    assert not torch.equal(made[False][:, 1856:], made[True][:, 1856:])


def test_mean_pools_leave_the_padding_out():
    from synthspec_torch.features import inception as module

    assert torch.equal(module._mean(torch.ones(1, 1, 4, 4)), torch.ones(1, 1, 4, 4))


def test_embedding_images(weights, tmp_path, schema, run, inputs):
    features = replace_root(weights, tmp_path)
    samples = tmp_path / "samples"
    samples.mkdir()
    real = read_dataset(inputs["data"].path("data.safetensors"))
    few = real.take(np.arange(3))
    write_dataset(samples, few)
    short = tmp_path / "short"
    short.mkdir()
    write_dataset(short, real.take(np.array([2, 0])))
    ports = {"data": Artifact(short, ("data.safetensors",)), "samples": Artifact(samples, ("data.safetensors",))}
    made = load_file(run(embed, Embed(schema=schema, features=features), ports, "out").path("features.safetensors"))
    assert {name: (value.shape, value.dtype) for name, value in made.items()} == {
        "data": ((2, 2048), np.float32),
        "samples": ((3, 2048), np.float32),
    }
    assert made["data"][0] == pytest.approx(made["samples"][2], rel=1e-3, abs=1e-3)
    assert np.abs(made["samples"][0] - made["samples"][1]).max() > 1e-2


def replace_root(weights, root):
    (root / weights[0].name).symlink_to(weights[0])
    return named(weights)


def test_grey_is_seen_as_rgb(weights):
    network = open_network(named(weights), weights[0].parent).network
    x = torch.rand(1, 1, 9, 9, generator=torch.Generator().manual_seed(0)) * 2 - 1
    with torch.inference_mode():
        assert torch.allclose(network(x), network(x.repeat(1, 3, 1, 1)), atol=1e-5)


def test_another_digest_is_refused_before_the_file_is_read(weights, monkeypatch):
    monkeypatch.setattr(
        "synthspec_torch.features.opening.parse_weights", lambda *a, **k: pytest.fail("the file was read")
    )
    with pytest.raises(DataError, match="has SHA-256") as caught:
        open_network(named(weights).model_copy(update={"sha256": "0" * 64}), weights[0].parent)
    assert caught.value.code == "data.digest"


def test_files_that_are_not_these_weights_are_refused(tmp_path):
    (tmp_path / "w.pth").write_bytes(b"PK\x03\x04 a pickle in a zip")
    digest = hashlib.sha256((tmp_path / "w.pth").read_bytes()).hexdigest()
    with pytest.raises(DataError, match="does not hold the weights") as caught:
        open_network(Features(name="inception", weights="w.pth", sha256=digest), tmp_path)
    assert caught.value.code == "weights.unfit"
    assert "opening it would run whatever is in it" in caught.value.message
    assert "safetensors" in caught.value.help
    with pytest.raises(DataError, match=r"cannot read none\.safetensors"):
        open_network(Features(name="inception", weights="none.safetensors", sha256=digest), tmp_path)


def test_missing_weights_are_named(weights, tmp_path):
    save_weights(tmp_path / "part.safetensors", {"fc.bias": torch.zeros(1008)})
    digest = hashlib.sha256((tmp_path / "part.safetensors").read_bytes()).hexdigest()
    with pytest.raises(DataError, match="missing weights"):
        open_network(Features(name="inception", weights="part.safetensors", sha256=digest), tmp_path)
