"""Which of the two engines a network is trained by, and which networks are trained by none."""

from __future__ import annotations

from torch import nn

from synthspec_torch.privacy.bookkeeping import BookKeeping
from synthspec_torch.privacy.gradients import Losses, OneByOne, PerRecord


def engine_of(network: nn.Module, losses: Losses, *, penalised: bool) -> PerRecord:
    """Book-keeping where every layer has a book; one record at a time where not, or where a loss has a gradient in it.

    Raises TypeError, naming the layer, for one that mixes records or draws from a generator that no one holds.
    """
    for name, layer in network.named_modules():
        if reason := mixes(layer):
            raise TypeError(f"{name or 'the network'} ({type(layer).__name__}) {reason}")
    if penalised:
        return OneByOne(network, losses)
    try:
        return BookKeeping(network, losses)
    except TypeError:
        return OneByOne(network, losses)


def mixes(layer: nn.Module) -> str:
    """Why no bound on one record's part in the gradient holds behind `layer`; empty when one does."""
    if isinstance(layer, nn.modules.batchnorm._BatchNorm):  # noqa: SLF001 - the base of all of them
        return "normalises over the records of a batch, so one record changes the gradients of all"
    if isinstance(layer, nn.modules.instancenorm._InstanceNorm) and layer.track_running_stats:  # noqa: SLF001
        return "keeps statistics of the records that passed, outside clip and noise"
    if isinstance(layer, nn.modules.dropout._DropoutNd) and layer.p > 0:  # noqa: SLF001
        return "drops by draws that depend on which other records are in the batch"
    return ""
