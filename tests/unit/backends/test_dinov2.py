"""DINOv2 under random weights: published names and shapes, a second implementation in numpy, positions in closed form."""

import hashlib
import math

import numpy as np
import pytest
import torch
from scipy.special import erf

from synthspec.backend.protocol import DataError
from synthspec.ir.families import Features
from synthspec_torch.features.dinov2 import BASE, LARGE, SMALL, Dinov2, Size, published_names
from synthspec_torch.features.opening import open_network
from synthspec_torch.weights import save_weights

TINY = Size(dim=12, depth=2, heads=3, patch=4, grid=5)


def drawn(size, seed=0):
    """A network whose every weight is drawn, class token, scales and positions too."""
    network, generator = Dinov2(size), torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in network.parameters():
            weight.copy_(torch.randn(weight.shape, generator=generator) / math.sqrt(weight.shape[-1]))
    return network.eval().requires_grad_(requires_grad=False)


def theirs(state, depth):
    """`state` under the names of the transformers library."""
    named = {
        "embeddings.cls_token": state["cls_token"],
        "embeddings.mask_token": state["mask_token"],
        "embeddings.position_embeddings": state["pos_embed"],
        "embeddings.patch_embeddings.projection.weight": state["patch_embed.proj.weight"],
        "embeddings.patch_embeddings.projection.bias": state["patch_embed.proj.bias"],
        "layernorm.weight": state["norm.weight"],
        "layernorm.bias": state["norm.bias"],
    }
    for i in range(depth):
        ours, layer = f"blocks.{i}.", f"encoder.layer.{i}."
        for kind in ("weight", "bias"):
            for name, part in zip(("query", "key", "value"), state[f"{ours}attn.qkv.{kind}"].chunk(3), strict=True):
                named[f"{layer}attention.attention.{name}.{kind}"] = part
            named[f"{layer}attention.output.dense.{kind}"] = state[f"{ours}attn.proj.{kind}"]
            for name in ("norm1", "norm2", "mlp.fc1", "mlp.fc2"):
                named[f"{layer}{name}.{kind}"] = state[f"{ours}{name}.{kind}"]
        for name in ("1", "2"):
            named[f"{layer}layer_scale{name}.lambda1"] = state[f"{ours}ls{name}.gamma"]
    return named


@pytest.mark.parametrize(("size", "parameters"), [(SMALL, 22_056_576), (BASE, 86_580_480), (LARGE, 304_368_640)])
def test_names_and_shapes_are_those_of_the_published_files(size, parameters):
    with torch.device("meta"):
        state = Dinov2(size).state_dict()
    d = size.dim
    shapes = {
        "cls_token": (1, 1, d),
        "pos_embed": (1, 1370, d),
        "mask_token": (1, d),
        "patch_embed.proj.weight": (d, 3, 14, 14),
        "patch_embed.proj.bias": (d,),
        "norm.weight": (d,),
        "norm.bias": (d,),
    }
    for i in range(size.depth):
        shapes |= {f"blocks.{i}.{name}.{kind}": (d,) for name in ("norm1", "norm2") for kind in ("weight", "bias")}
        shapes |= {f"blocks.{i}.attn.qkv.weight": (3 * d, d), f"blocks.{i}.attn.qkv.bias": (3 * d,)}
        shapes |= {f"blocks.{i}.attn.proj.weight": (d, d), f"blocks.{i}.attn.proj.bias": (d,)}
        shapes |= {f"blocks.{i}.ls1.gamma": (d,), f"blocks.{i}.ls2.gamma": (d,)}
        shapes |= {f"blocks.{i}.mlp.fc1.weight": (4 * d, d), f"blocks.{i}.mlp.fc1.bias": (4 * d,)}
        shapes |= {f"blocks.{i}.mlp.fc2.weight": (d, 4 * d), f"blocks.{i}.mlp.fc2.bias": (d,)}
    assert {name: tuple(value.shape) for name, value in state.items()} == shapes
    assert sum(value.numel() for value in state.values()) == parameters


def test_the_names_of_transformers_are_read_as_the_published_ones():
    state = drawn(TINY).state_dict()
    again = published_names(theirs(state, TINY.depth))
    assert set(again) == set(state)
    assert all(torch.equal(again[name], state[name]) for name in state)
    assert published_names(state) == state


def test_a_part_of_the_names_of_transformers_is_no_whole():
    part = theirs(drawn(TINY).state_dict(), TINY.depth)
    del part["encoder.layer.1.attention.attention.key.bias"]
    assert "blocks.1.attn.qkv.bias" not in published_names(part)


def normalised(x, weight, bias):
    spread = np.sqrt(x.var(axis=-1, keepdims=True) + 1e-6)
    return (x - x.mean(axis=-1, keepdims=True)) / spread * weight + bias


def by_hand(network, picture, size):
    """The class token of one picture, step by step in float64."""
    w = {name: value.double().numpy() for name, value in network.state_dict().items()}
    p, side = size.patch, picture.shape[1] // size.patch
    kernel = w["patch_embed.proj.weight"].reshape(size.dim, -1)
    tokens = [w["cls_token"][0, 0]]
    for row in range(side):
        for column in range(side):
            patch = picture[:, row * p : (row + 1) * p, column * p : (column + 1) * p].reshape(-1)
            tokens.append(kernel @ patch + w["patch_embed.proj.bias"])
    x = np.stack(tokens) + network.positions(side, side)[0].double().numpy()
    each = size.dim // size.heads
    for i in range(size.depth):
        b = f"blocks.{i}."
        h = normalised(x, w[b + "norm1.weight"], w[b + "norm1.bias"])
        qkv = h @ w[b + "attn.qkv.weight"].T + w[b + "attn.qkv.bias"]
        heads = []
        for head in range(size.heads):
            q, k, v = (qkv[:, part * size.dim + head * each :][:, :each] for part in range(3))
            score = np.exp(q @ k.T / math.sqrt(each))
            heads.append(score / score.sum(axis=1, keepdims=True) @ v)
        mixed = np.concatenate(heads, axis=1) @ w[b + "attn.proj.weight"].T + w[b + "attn.proj.bias"]
        x = x + mixed * w[b + "ls1.gamma"]
        h = normalised(x, w[b + "norm2.weight"], w[b + "norm2.bias"])
        h = h @ w[b + "mlp.fc1.weight"].T + w[b + "mlp.fc1.bias"]
        h = 0.5 * h * (1 + erf(h / math.sqrt(2)))
        x = x + (h @ w[b + "mlp.fc2.weight"].T + w[b + "mlp.fc2.bias"]) * w[b + "ls2.gamma"]
    return normalised(x[0], w["norm.weight"], w["norm.bias"])


@pytest.mark.parametrize("side", [5, 3])
def test_the_class_token_is_that_of_a_second_implementation(side):
    network = drawn(TINY)
    pictures = torch.randn(3, 3, side * 4, side * 4, generator=torch.Generator().manual_seed(1))
    made = network(pictures).numpy()
    for picture, features in zip(pictures.double().numpy(), made, strict=True):
        assert np.abs(by_hand(network, picture, TINY) - features).max() < 1e-5
    alone = torch.cat([network(picture[None]) for picture in pictures])
    assert np.abs(alone.numpy() - made).max() < 1e-5


def cubic(t, a=-0.75):
    t = abs(t)
    if t <= 1:
        return (a + 2) * t**3 - (a + 3) * t**2 + 1
    return a * t**3 - 5 * a * t**2 + 8 * a * t - 4 * a if t < 2 else 0.0


def read_at(learned, rows):
    """The matrix that reads `rows` places along an axis of `learned`: the cubic kernel, ends repeated, 0.1 patches wider."""
    weights = np.zeros((rows, learned))
    for row in range(rows):
        place = (row + 0.5) * learned / (rows + 0.1) - 0.5
        for tap in range(math.floor(place) - 1, math.floor(place) + 3):
            weights[row, min(max(tap, 0), learned - 1)] += cubic(place - tap)
    return weights


@pytest.mark.parametrize(("rows", "columns"), [(16, 16), (16, 9), (40, 37)])
def test_positions_are_read_by_the_cubic_kernel(rows, columns):
    size = Size(dim=3, depth=1, heads=1)
    network = drawn(size)
    learned = network.pos_embed[0, 1:].double().numpy().reshape(37, 37, 3)
    wanted = np.einsum("ri,cj,ijd->rcd", read_at(37, rows), read_at(37, columns), learned).reshape(-1, 3)
    made = network.positions(rows, columns)[0].numpy()
    assert made.shape == (1 + rows * columns, 3)
    assert np.abs(made[1:] - wanted).max() < 1e-5
    assert np.array_equal(made[0], network.pos_embed[0, 0].numpy())


def test_positions_of_the_learned_grid_are_the_learned_ones():
    network = drawn(TINY)
    assert network.positions(5, 5) is network.pos_embed


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """The small network and its files, under both conventions."""
    network, folder = drawn(SMALL), tmp_path_factory.mktemp("dinov2")
    save_weights(folder / "published.safetensors", network.state_dict())
    save_weights(folder / "transformers.safetensors", theirs(network.state_dict(), SMALL.depth))
    return network, folder


def named(path, name="dinov2-vits14"):
    return Features(name=name, weights=path.name, sha256=hashlib.sha256(path.read_bytes()).hexdigest())


def test_files_of_either_convention_give_the_features_of_the_network(small):
    network, folder = small
    x = torch.rand(1, 1, 9, 9, generator=torch.Generator().manual_seed(0)) * 2 - 1
    made = []
    for name in ("published", "transformers"):
        opened = open_network(named(folder / f"{name}.safetensors"), folder)
        with torch.inference_mode():
            made.append(opened.network(x))
        assert "224 x 224 bicubic, antialiased" in opened.input
    assert torch.equal(*made)
    assert made[0].shape == (1, 384)
    assert torch.equal(made[0], network(opened.network.seen(x)))


def test_the_file_of_another_size_is_refused_by_shape(small):
    _, folder = small
    with pytest.raises(DataError) as caught:
        open_network(named(folder / "published.safetensors", "dinov2-vitb14"), folder)
    assert caught.value.code == "weights.unfit"
    assert "published.safetensors does not hold the weights of dinov2-vitb14" in caught.value.message
    assert "torch.float32 (1, 1, 384), the network has torch.float32 (1, 1, 768)" in caught.value.message


def test_a_file_with_half_of_the_numbers_is_refused_by_type(small, tmp_path):
    network, _ = small
    save_weights(tmp_path / "half.safetensors", {name: w.half() for name, w in network.state_dict().items()})
    with pytest.raises(DataError, match=r"torch\.float16"):
        open_network(named(tmp_path / "half.safetensors"), tmp_path)
