"""From the features that a spec names to a network with its weights: what is not what was named is never opened."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from torch import nn

from synthspec.backend.extractors import UnknownModuleError, feature_module
from synthspec.backend.protocol import DataError
from synthspec.ir.families import Features
from synthspec_torch.features.dinov2 import BASE, LARGE, SMALL, Dinov2, Size, published_names
from synthspec_torch.features.inception import SIDE, Inception
from synthspec_torch.features.pictures import IMAGENET, Looking, Preprocessing
from synthspec_torch.training.seeding import initial_weights
from synthspec_torch.weights import UNFIT, WeightsError, parse_weights, read_pinned

_COUNTER = "num_batches_tracked"
"""Batch norm's counters: inference never reads them, and conversions differ in whether they are in the file."""
_SIDE = 224

State = Mapping[str, torch.Tensor]


@dataclass(frozen=True, slots=True)
class Published:
    """A network whose layout is known: how it is built, what it sees, and the names that its weights go by."""

    build: Callable[[], nn.Module]
    preprocessing: Preprocessing
    renamed: Callable[[State], dict[str, torch.Tensor]] = dict


def _dinov2(size: Size) -> Published:
    mean, std = IMAGENET
    seen = Preprocessing(side=_SIDE, resize="bicubic", mean=mean, std=std, normalised=True)
    return Published(partial(Dinov2, size), seen, published_names)


PUBLISHED: Mapping[str, Published] = {
    "inception": Published(Inception, Preprocessing(side=SIDE, resize="bilinear")),
    "dinov2-vits14": _dinov2(SMALL),
    "dinov2-vitb14": _dinov2(BASE),
    "dinov2-vitl14": _dinov2(LARGE),
}


@dataclass(frozen=True, slots=True)
class Opened:
    """A network with its weights, for content in [-1, 1], and in words what it does to content first."""

    network: nn.Module
    input: str


def open_network(features: Features, root: Path, module: str = "") -> Opened:
    """The network that `features` names, with the weights in its file; `module` is what the plan says offers it.

    Raises DataError: ``data.digest`` for another content of the file, which is not opened then; ``weights.unfit`` for a
    file that is no safetensors file, or not of these weights; ``weights.module`` for a network that is not installed, is
    another one than in the plan, or cannot be built.
    """
    data = read_pinned(root / (features.weights or ""), features.weights or "", features.sha256 or "")
    # The first weights are replaced at once; building them must not draw from the global generator.
    with initial_weights(0):
        network, renamed, words = _built(features, module)
    network.requires_grad_(requires_grad=False).eval()
    try:
        like = {name: value for name, value in network.state_dict().items() if not name.endswith(_COUNTER)}
        weights = parse_weights(data, like, unread=_COUNTER, renamed=renamed)
    except WeightsError as error:
        raise DataError(
            UNFIT,
            f"{features.weights} does not hold the weights of {features.label}: {error}",
            "convert the published state dict to safetensors, under its own names and in float32",
        ) from error
    network.load_state_dict(weights, strict=False)
    published = PUBLISHED.get(features.name)
    return Opened(network if published is None else Looking(published.preprocessing, network), words)


def _built(features: Features, module: str) -> tuple[nn.Module, Callable[[State], dict[str, torch.Tensor]], str]:
    published = PUBLISHED.get(features.name)
    if published is not None:
        return published.build(), published.renamed, published.preprocessing.words
    return _module(features.entry or "", module), dict, f"content in [-1, 1]; {module}"


def _module(entry: str, planned: str) -> nn.Module:
    try:
        found = feature_module(entry)
    except UnknownModuleError as error:
        raise DataError("weights.module", error.message, error.help) from None
    if found.provided != planned:
        message = f"the plan was made with {planned}, and installed is {found.provided}"
        raise DataError("weights.module", message, "compile the spec again, or install what the plan names")
    try:
        network = found.point.load()()
    except Exception as error:  # a stranger's code may raise anything
        message = f"{found.provided} gives no network: {type(error).__name__}: {error}"
        raise DataError("weights.module", message, "correct it: it is called without arguments") from error
    if not isinstance(network, nn.Module):
        message = f"{found.provided} gives {type(network).__name__}, which is no torch.nn.Module"
        raise DataError("weights.module", message, "return the network, without its weights")
    return network
