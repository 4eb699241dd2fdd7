"""Augmentations that gradients pass through, drawn anew for each record, for real and generated ones alike.

After Zhao et al. 2020: what only real records went through would leak into what is generated, and what has no gradient would
leave the generator without one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch

Transform = Callable[[torch.Tensor, torch.Generator], torch.Tensor]
ORDER = ("brightness", "contrast", "flip", "translate", "cutout")
"""They are applied in this order, however they are listed."""
REACH = 0.125
"""The largest translation, as a share of a side."""
HOLE = 0.5
"""The side of what is cut out, as a share of a side."""


def augment(x: torch.Tensor, names: tuple[str, ...], draws: torch.Generator) -> torch.Tensor:
    """Images [n, C, H, W] in [-1, 1] through the augmentations `names`."""
    for name in ORDER:
        if name in names:
            x = TRANSFORMS[name](x, draws)
    return x


def _brightness(x: torch.Tensor, draws: torch.Generator) -> torch.Tensor:
    """A quarter of the range brighter or darker, at most."""
    return x + (_per_record(x, draws) - 0.5)


def _contrast(x: torch.Tensor, draws: torch.Generator) -> torch.Tensor:
    """Half to one and a half of each record's deviation from its mean."""
    mean = x.mean(dim=(1, 2, 3), keepdim=True)
    return (x - mean) * (_per_record(x, draws) + 0.5) + mean


def _flip(x: torch.Tensor, draws: torch.Generator) -> torch.Tensor:
    """Left and right exchanged in half of the records."""
    return torch.where(_per_record(x, draws) < 0.5, x.flip(3), x)


def _translate(x: torch.Tensor, draws: torch.Generator) -> torch.Tensor:
    """Moved by up to `REACH` of each side; what comes in from outside repeats the edge."""
    rows, columns = (_shifts(len(x), size, draws, x) for size in x.shape[2:])
    return rows[:, None] @ x @ columns[:, None].transpose(2, 3)


def _shifts(count: int, size: int, draws: torch.Generator, like: torch.Tensor) -> torch.Tensor:
    """[count, size, size]: matrices of ones and zeros, each of which moves what it is applied to by its own distance."""
    reach = max(1, round(size * REACH))
    by = torch.randint(-reach, reach + 1, (count, 1), generator=draws)
    source = (torch.arange(size) + by).clamp(0, size - 1)
    return torch.nn.functional.one_hot(source, size).to(like.dtype)


def _cutout(x: torch.Tensor, draws: torch.Generator) -> torch.Tensor:
    """A rectangle of half the sides, anywhere, at the middle of the range."""
    rows, columns = (_hole(len(x), size, draws) for size in x.shape[2:])
    return x.masked_fill((rows[:, :, None] & columns[:, None, :])[:, None], 0.0)


def _hole(count: int, size: int, draws: torch.Generator) -> torch.Tensor:
    length = max(1, round(size * HOLE))
    centre = torch.randint(0, size, (count, 1), generator=draws)
    places = torch.arange(size)
    return (places >= centre - length // 2) & (places < centre - length // 2 + length)


def _per_record(x: torch.Tensor, draws: torch.Generator) -> torch.Tensor:
    return torch.rand((len(x), 1, 1, 1), generator=draws)


TRANSFORMS: Mapping[str, Transform] = {
    "brightness": _brightness,
    "contrast": _contrast,
    "flip": _flip,
    "translate": _translate,
    "cutout": _cutout,
}
