"""Where a training's randomness comes from: one generator a purpose, none of them the global one (P405-8)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice

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
    """int64, at most the batch size; of the last of `draws`."""
    ends_epoch: bool
    draws: tuple[torch.Tensor, ...] = ()
    """The rows of each batch that the step takes, in order: one, but for a round that updates a critic several times."""


def batches(records: int, batch_size: int, steps: int, seed: int, a_step: int = 1, after: int = 0) -> Iterator[Batch]:
    """`steps` steps of `a_step` batches each, over fresh permutations of `records` rows; those after step `after`.

    The last batch of an epoch may be smaller. A step that begins in one epoch and ends in the next counts to the first, and
    ends it.
    """
    source = _epochs(records, batch_size, torch_generator(seed, Stream.ORDER))
    for step in range(1, steps + 1):
        parts = list(islice(source, a_step))
        if step <= after:
            continue
        ends_epoch = step == steps or any(ends for _, _, ends in parts)
        draws = tuple(rows for _, rows, _ in parts)
        yield Batch(step, parts[0][0], draws[-1], ends_epoch, draws)


def _epochs(records: int, batch_size: int, order: torch.Generator) -> Iterator[tuple[int, torch.Tensor, bool]]:
    """Without end: the epoch of a batch, its rows, and whether it is the last of its epoch."""
    epoch = 0
    while True:
        epoch += 1
        parts = torch.split(torch.randperm(records, generator=order), batch_size)
        for number, rows in enumerate(parts, start=1):
            yield epoch, rows, number == len(parts)
