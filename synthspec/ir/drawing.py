"""How candidates fall into blocks, and how many to draw next where too few passed."""

from __future__ import annotations

import math

LEAST_GROWTH, GROWTH = 1.25, 4.0
"""By so much, at least and at most, candidates grow at a time: few rounds, and no round that a poor estimate makes huge."""
DEVIATIONS = 3.0
"""Standard deviations of what passes that the next number has in hand."""


def block_count(records: int, block: int) -> int:
    """Blocks of `block` records that `records` take.

    >>> block_count(129, 64)
    3
    """
    return -(-records // block)


def batches(records: int, block: int, batch: int | None = None) -> tuple[range, ...]:
    """The blocks of `records`, so many at a time as make `batch` records, the last time maybe fewer; None: one at a time.

    Raises ValueError where `batch` is no multiple of `block`: a block is never cut.

    >>> batches(300, 64, 128)
    (range(0, 2), range(2, 4), range(4, 5))
    """
    each = 1 if batch is None else batch // block
    if each < 1 or (batch is not None and batch % block):
        raise ValueError(f"a batch of {batch} records is no multiple of a block of {block}")
    total = block_count(records, block)
    return tuple(range(first, min(first + each, total)) for first in range(0, total, each))


def spread_blocks(seed: int, chosen: int, blocks: int) -> tuple[int, ...]:
    """`chosen` of `blocks` blocks, spread evenly from a place that `seed` gives.

    >>> spread_blocks(1, 2, 8)
    (1, 5)
    """
    return tuple(sorted({(seed + index * blocks // chosen) % blocks for index in range(chosen)}))


def candidates_for(n: int, drawn: int, accepted: int, most: int) -> int:
    """How many candidates to draw in all for n accepted ones, when `accepted` of `drawn` were; at most `most`.

    n / rate, plus what the number of accepted ones may vary by, but within `LEAST_GROWTH` and `GROWTH` times `drawn`.

    >>> candidates_for(400, 464, 232, 4000), candidates_for(10, 20, 0, 1000), candidates_for(10, 20, 0, 50)
    (885, 80, 50)
    """
    rate = accepted / drawn if drawn else 0.0
    needed = (n + DEVIATIONS * math.sqrt(n * (1.0 - rate))) / rate if rate else math.inf
    return min(most, math.ceil(max(LEAST_GROWTH * drawn, 1.0, min(needed, GROWTH * drawn or n))))
