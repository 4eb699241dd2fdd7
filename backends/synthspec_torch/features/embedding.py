"""The op `embed`: features of real and synthetic content, by a network whose weights the user brings (P412-1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import save_file

from synthspec.backend.artifacts import DATA, FEATURES, FEATURES_INPUT
from synthspec.backend.dataset import Column, read_dataset
from synthspec.backend.protocol import Artifact, Context, DataError
from synthspec.ir.ops import Embed
from synthspec.ir.schema import Field
from synthspec_torch.data.image import ImageCodec
from synthspec_torch.features.opening import Opened, open_network

_BATCH = 32


def embed(op: Embed, inputs: Mapping[str, Artifact], context: Context) -> None:
    """P412-1: features of ``data`` and of ``samples``, float32 [n, dim] each, by the name of their port.

    What the network does to content first stands in the header of the file.
    """
    opened = open_network(op.features, context.root, op.module)
    (field,) = op.schema.with_role("content")
    columns = {port: read_dataset(inputs[port].path(DATA))[field.name] for port in ("data", "samples")}
    context.progress.start("embed", sum(map(len, columns.values())), "records")
    features = {port: _features(opened, seen(field, column), op, context) for port, column in columns.items()}
    save_file(features, str(context.out / FEATURES), {FEATURES_INPUT: opened.input})


def seen(field: Field, column: Column) -> torch.Tensor:
    """Values of pictures or clips in the field's unit to float32 in [-1, 1], [n, C, H, W] or [n, T, C, H, W].

    Raises DataError for a value that is missing or outside the range.
    """
    if len(field.shape) < 4:
        return ImageCodec.of(field).encode(column)
    n, frames, *frame = column.shape
    codec = ImageCodec.of(replace(field, shape=tuple(frame)))
    return codec.encode(column.reshape(n * frames, *frame)).view(n, frames, *codec.shape)


@torch.inference_mode()
def _features(opened: Opened, content: torch.Tensor, op: Embed, context: Context) -> NDArray[np.float32]:
    parts = []
    for batch in torch.split(content, _BATCH):
        features = opened.network(batch)
        if not isinstance(features, torch.Tensor) or features.dim() != 2 or len(features) != len(batch):
            raise _bad(op, f"{_shape(features)} of {len(batch)} records, where [n, dim] was expected")
        if not bool(features.isfinite().all()):
            raise _bad(op, "numbers that are not finite")
        parts.append(features.float().numpy())
        context.progress.advance(len(batch))
    return np.concatenate(parts)


def _shape(features: object) -> str:
    return str(list(features.shape)) if isinstance(features, torch.Tensor) else type(features).__name__


def _bad(op: Embed, what: str) -> DataError:
    advice = "correct the network, or bring its weights as they were trained"
    return DataError("weights.module", f"the features {op.features.label} give {what}", advice)
