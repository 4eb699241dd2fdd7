"""Where a training's randomness comes from: one generator a purpose, none of them the global one (P405-8)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch

from synthspec.backend.draws import Stream, generator


def torch_generator(seed: int, stream: Stream) -> torch.Generator:
    """A torch generator for one purpose of one run."""
    derived = int(generator(seed, stream, 0).integers(2**63))
    return torch.Generator().manual_seed(derived)


@contextmanager
def initial_weights(seed: int) -> Iterator[None]:
    """Networks built inside get weights that depend on `seed` alone; the global generator is left as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.set_rng_state(torch_generator(seed, Stream.INIT).get_state())
        yield


@contextmanager
def intra_op_threads(count: int) -> Iterator[None]:
    """Run with `count` threads inside an operation: the bytes depend on it. The number before is put back."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def settle_threads(count: int) -> None:
    """Compute with `count` threads inside an operation from here on, in the calling thread.

    Each worker thread has a number of its own, and the last bits depend on it.
    """
    if torch.get_num_threads() != count:
        torch.set_num_threads(count)


@dataclass(frozen=True, slots=True)
class Batch:
    """One step's rows, and where it stands."""

    step: int
    """From 1."""
    epoch: int
    """From 1."""
    rows: torch.Tensor
    """int64, at most the batch size."""
    ends_epoch: bool


def batches(records: int, batch_size: int, steps: int, seed: int) -> Iterator[Batch]:
    """`steps` batches over fresh permutations of `records` rows; the last batch of an epoch may be smaller."""
    order = torch_generator(seed, Stream.ORDER)
    step = epoch = 0
    while step < steps:
        epoch += 1
        parts = torch.split(torch.randperm(records, generator=order), batch_size)
        for number, rows in enumerate(parts[: steps - step], start=1):
            step += 1
            yield Batch(step, epoch, rows, ends_epoch=number == len(parts) or step == steps)
