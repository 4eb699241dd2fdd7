"""Where a training starts: the weights that ``training.init_from`` names, in place of those that the seed gives."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import nn

from synthspec.backend.protocol import DataError
from synthspec.ir.ops import Fit
from synthspec_torch.weights import UNFIT, WeightsError, parse_weights, read_pinned, unpacked


def start_from(op: Fit, network: nn.Module, root: Path, *beside: str) -> None:
    """Give `network` the weights that `op` starts from; without any it keeps its own. Paths are relative to `root`.

    `beside`: what a family writes into the same file and this training has of its own, such as the scales of the records:
    names, or how they begin where they end in a dot. Weights in fewer bits start as the numbers that they stand for.
    Raises DataError: ``data.digest`` for another content of the file, which is not opened then, ``weights.unfit`` for
    weights of another network.
    """
    start = op.training.init_from
    if start is None:
        return
    data = read_pinned(root / start.path, start.path, start.sha256 or "")

    def own(state: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        return {name: value for name, value in unpacked(state).items() if not _told(name, beside)}

    try:
        network.load_state_dict(parse_weights(data, network.state_dict(), renamed=own))
    except WeightsError as error:
        name = op.engine.architecture.name
        raise DataError(
            UNFIT,
            f"training cannot start from {start.path}, which is not of this {op.engine.family} ({name}): {error}",
            "start from an engine of the same architecture over the same fields, or from none",
        ) from error


def _told(name: str, beside: tuple[str, ...]) -> bool:
    return any(name.startswith(each) if each.endswith(".") else name == each for each in beside)
