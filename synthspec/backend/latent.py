"""A law of records that has a mean embedding: a mixture whose expected features are known in closed form.

A component has a normal law of the numbers, with its own spreads and a few common factors, and shares of the members of each
category. What it is expected to be in a wave is its characteristic function there, so that the squared distance of embeddings
(MMD^2 of the kernel that the features are of) and its gradient need no samples. It is fitted until no more of a release is
unexplained than noise is expected to be: what lies below that is noise. Importing this imports numpy.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthspec.backend.cells import Codes, drawn_of
from synthspec.backend.embedding import Block, Features

Numbers = NDArray[np.float64]
Waves = NDArray[np.complex128]
FEWEST, MOST, EACH, FACTORS = 8, 32, 100, 2
"""Components of a law: one for so many records, within these bounds; and what is common to the numbers in one."""
STEPS, RATE = 500, 0.05
NARROW, BROAD = 0.004, 0.5
"""Least and greatest spread of a number in a component, in units of its range: a fifth of a cell, and half of all."""
_FIRST = 0.2
_MOVES = (1.0, 0.3, 1.0, 0.1)
"""How fast weights, centres, spreads and factors move; shares move as weights do."""


@dataclass(frozen=True, slots=True, eq=False)
class Mixture:
    """Components of one law: weights and shares by their logits, spreads by their logarithms."""

    weights: Numbers
    """Shape (components,)."""
    centres: Numbers
    spreads: Numbers
    """Shape (components, numbers)."""
    factors: Numbers
    """Shape (components, numbers, factors)."""
    shares: tuple[Numbers, ...]
    """Shape (components, members) for each category."""

    @classmethod
    def first(cls, features: Features, count: float, rng: np.random.Generator) -> Mixture:
        """Broad components of so many records, about the middle: what they miss first are slow waves, then faster ones."""
        parts = min(MOST, max(FEWEST, int(count / EACH)))
        shape = (parts, len(features.numbers))
        return cls(
            np.zeros(parts),
            np.clip(0.5 + 0.15 * rng.standard_normal(shape), 0.0, 1.0),
            np.full(shape, math.log(_FIRST)),
            0.02 * rng.standard_normal((*shape, FACTORS)),
            tuple(0.3 * rng.standard_normal((parts, members)) for members in features.members),
        )

    @property
    def parameters(self) -> tuple[Numbers, ...]:
        return (self.weights, self.centres, self.spreads, self.factors, *self.shares)

    @classmethod
    def within(cls, parameters: Sequence[Numbers]) -> Mixture:
        """The mixture of these, put back to where it is one of records: centres in the range, spreads in their bounds."""
        weights, centres, spreads, factors, *shares = parameters
        bounded = np.clip(spreads, math.log(NARROW), math.log(BROAD))
        return cls(weights, np.clip(centres, 0.0, 1.0), bounded, factors, tuple(shares))

    def sample(self, n: int, rng: np.random.Generator) -> tuple[Numbers, tuple[Codes, ...]]:
        """Places of `n` records, shape (n, numbers), and the member of each in every category.

        What falls beyond an end of a range comes back from there as far as it went.
        """
        of = rng.choice(len(self.weights), n, p=shares_of(self.weights))
        own = np.exp(self.spreads[of]) * rng.standard_normal((n, self.centres.shape[1]))
        common = np.einsum("npf,nf->np", self.factors[of], rng.standard_normal((n, self.factors.shape[2])))
        places = np.abs(self.centres[of] + own + common)
        members = tuple(drawn_of(shares_of(each)[of], rng) for each in self.shares)
        return np.clip(1.0 - np.abs(1.0 - places), 0.0, 1.0), members


def fitted(features: Features, block: Block, start: Mixture) -> Mixture:
    """The mixture nearest to what was released of `block`, from `start` on, as far as noise lets it be told (Adam)."""
    mixture = start
    moved = [np.zeros_like(each) for each in start.parameters]
    squared = [np.zeros_like(each) for each in start.parameters]
    for step in range(1, STEPS + 1):
        distance, slopes = compared(features, block, mixture)
        if distance <= block.noise:
            break
        rate, parameters = RATE * min(1.0, 2 * (1 - (step - 1) / STEPS)), []
        for i, (parameter, slope) in enumerate(zip(mixture.parameters, slopes, strict=True)):
            moved[i] = 0.9 * moved[i] + 0.1 * slope
            squared[i] = 0.99 * squared[i] + 0.01 * slope**2
            unit = (moved[i] / (1 - 0.9**step)) / (np.sqrt(squared[i] / (1 - 0.99**step)) + 1e-12)
            parameters.append(parameter - rate * (_MOVES[i] if i < len(_MOVES) else 1.0) * unit)
        mixture = Mixture.within(parameters)
    return mixture


def compared(features: Features, block: Block, mixture: Mixture) -> tuple[float, tuple[Numbers, ...]]:
    """The squared distance of the expected features of `mixture` from `block`, and its slope in each parameter."""
    length, member, _ = features.lengths
    weights, shares = shares_of(mixture.weights), [shares_of(each) for each in mixture.shares]
    numbers, across = _numbers(features, mixture)
    turned = [share @ turn for share, turn in zip(shares, features.turns, strict=True)]
    whole = numbers * _product(turned, numbers)
    missed = length * (weights @ whole - block.waves)
    short = [member * (weights @ share - known) for share, known in zip(shares, block.shares, strict=True)]
    distance = float((np.abs(missed) ** 2).sum()) + sum(float((each**2).sum()) for each in short)
    pull = 2 * length * np.conj(missed)
    slope = weights[:, None] * pull * whole
    gained = (pull * whole).real.sum(axis=1)
    gained += sum(
        (2 * member * share @ each for share, each in zip(shares, short, strict=True)), np.zeros(len(weights))
    )
    of_shares = []
    for i, (share, turn, missing) in enumerate(zip(shares, features.turns, short, strict=True)):
        others = pull * numbers * _product(turned[:i] + turned[i + 1 :], numbers)
        of_shares.append(_through(share, weights[:, None] * ((others @ turn.T).real + 2 * member * missing)))
    return distance, (
        _through(weights, gained),
        -slope.imag @ features.frequencies,
        -(slope.real @ features.frequencies**2) * np.exp(2 * mixture.spreads),
        -np.einsum("mw,wp,mwf->mpf", slope.real, features.frequencies, across, optimize=True),
        *of_shares,
    )


def _numbers(features: Features, mixture: Mixture) -> tuple[Waves, Numbers]:
    """The characteristic function of the numbers of each component in each wave, and how far factors reach there."""
    across = np.einsum("wp,mpf->mwf", features.frequencies, mixture.factors, optimize=True)
    squares = np.exp(2 * mixture.spreads) @ (features.frequencies**2).T + (across**2).sum(axis=2)
    return np.exp(1j * (mixture.centres @ features.frequencies.T) - squares / 2), across


def _product(turned: Sequence[Waves], like: Waves) -> Waves:
    whole = np.ones_like(like)
    for each in turned:
        whole = whole * each
    return whole


def shares_of(logits: Numbers) -> Numbers:
    """Rows that add up to 1."""
    raised = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=-1, keepdims=True))


def _through(shares: Numbers, slope: Numbers) -> Numbers:
    """The slope in the logits of `shares`, given that in the shares themselves."""
    return np.asarray(shares * (slope - (shares * slope).sum(axis=-1, keepdims=True)))
