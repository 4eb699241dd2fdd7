"""The ops of the torch backend. Importing it loads torch."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import save_file

from synthspec.backend.artifacts import DATA, FEATURES
from synthspec.backend.dataset import read_dataset
from synthspec.backend.protocol import Artifact, Context, DataError, Kernel
from synthspec.ir.families import Features
from synthspec.ir.ops import Embed, Op
from synthspec_torch.data.image import ImageCodec
from synthspec_torch.families import FAMILIES, FAMILY_OPS, fit_of
from synthspec_torch.features.inception import Inception
from synthspec_torch.training.seeding import initial_weights
from synthspec_torch.weights import WeightsError, parse_weights

_BATCH = 32
_COUNTER = "num_batches_tracked"
"""Batch norm's counters: inference never reads them, and conversions differ in whether they are in the file."""


def embed(op: Embed, inputs: Mapping[str, Artifact], context: Context) -> None:
    """P412-1: features of ``data`` and of ``samples``, float32 [n, 2048] each, by the name of their port."""
    network = inception(op.features, context.root)
    codec = ImageCodec.of(op.schema.with_role("content")[0])
    columns = {port: read_dataset(inputs[port].path(DATA))[codec.name] for port in ("data", "samples")}
    context.progress.start("embed", sum(map(len, columns.values())), "images")
    features = {port: _features(network, codec.encode(column), context) for port, column in columns.items()}
    save_file(features, str(context.out / FEATURES))


def inception(features: Features, root: Path) -> Inception:
    """The network with the weights that `features` names, their digest checked before they are read.

    Raises DataError for another digest, or for a file that does not hold these weights.
    """
    try:
        data = (root / (features.weights or "")).read_bytes()
    except OSError as error:
        raise DataError(
            "features.weights-missing", f"cannot read {features.weights}: {error.strerror}", "check the path"
        ) from error
    found = hashlib.sha256(data).hexdigest()
    if found != features.sha256:
        raise DataError(
            "features.digest",
            f"{features.weights} digests to {found}, the spec says {features.sha256}",
            "bring the file that the spec names, or correct evaluation.features.sha256",
        )
    # The first weights are replaced at once; building them must not draw from the global generator.
    with initial_weights(0):
        network = Inception().requires_grad_(requires_grad=False).eval()
    try:
        weights = parse_weights(data, _published(network), unread=_COUNTER)
    except WeightsError as error:
        raise DataError(
            "features.weights",
            f"{features.weights} does not hold the weights of the FID Inception: {error}",
            "convert the published state dict to safetensors, under its own names and in float32",
        ) from error
    network.load_state_dict(weights, strict=False)
    return network


def _published(network: Inception) -> dict[str, torch.Tensor]:
    return {name: value for name, value in network.state_dict().items() if not name.endswith(_COUNTER)}


@torch.inference_mode()
def _features(network: Inception, images: torch.Tensor, context: Context) -> NDArray[np.float32]:
    parts = []
    for batch in torch.split(images, _BATCH):
        parts.append(network(batch).numpy())
        context.progress.advance(len(batch))
    return np.concatenate(parts)


def _of_the_family(name: str) -> Kernel:
    """The kernel `name` of whichever family the op is of."""

    def kernel(op: Op, inputs: Mapping[str, Artifact], context: Context) -> None:
        fit = fit_of(op)
        if fit is None:
            raise TypeError(f"{op.op} is of no engine")
        kernels: Mapping[str, Kernel] = import_module(FAMILIES[fit.engine.family].kernels).KERNELS
        kernels[name](op, inputs, context)

    return kernel


KERNELS: Mapping[str, Kernel] = {"embed": embed, **{name: _of_the_family(name) for name in FAMILY_OPS}}
