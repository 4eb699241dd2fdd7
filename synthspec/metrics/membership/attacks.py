"""Attacks: each scores candidates by how much like a training record they look (higher: a member).

The black-box ones know the synthetic records and a reference set of real records that were neither trained on nor are
candidates. Who has the weights as well, which a run releases, may ask the engine how likely it takes each record to be:
that is one attack more, where the engine can say it. No single attack dominates, so the suite is judged by its worst.

LiRA (`lira`), the strongest attack on single records, needs engines that were trained with a record and without it, each as
costly as the one that is judged. It is no part of the suite but an audit of its own; so a low figure here bounds these attacks
and no others, and what bounds all of them is differential privacy.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from scipy.spatial.distance import cdist
from scipy.special import logsumexp

from synthspec.metrics.membership.displacement import displaced
from synthspec.metrics.membership.logan import log_odds
from synthspec.metrics.membership.whitening import TINY, whitening
from synthspec.metrics.neighbours import nearest
from synthspec.metrics.request import Array


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Scene:
    """What an attacker has, all in one space (n, D)."""

    candidates: Array
    synthetic: Array
    reference: Array
    plain: Scene | None = None
    """The same records on their own scales, where the space above is not an affine image of them."""
    told: Array | None = None
    """How likely the engine takes each candidate to be, (n,); None where no engine is at hand or it says nothing."""


Attack = Callable[[Scene], Array]


def nearest_distance(scene: Scene) -> Array:
    """GAN-leaks (Chen et al. 2020): minus the distance to the nearest synthetic record."""
    return -nearest(scene.candidates, scene.synthetic)


def calibrated_distance(scene: Scene) -> Array:
    """The same against the distance to the nearest reference record: common records are not taken for members."""
    return np.asarray(
        np.log(nearest(scene.candidates, scene.reference) + TINY)
        - np.log(nearest(scene.candidates, scene.synthetic) + TINY)
    )


def monte_carlo(scene: Scene) -> Array:
    """Hilprecht et al. 2019: share of synthetic records within the median nearest distance of all candidates."""
    reach = float(np.median(nearest(scene.candidates, scene.synthetic)))
    return np.asarray((cdist(scene.candidates, scene.synthetic) <= reach).mean(axis=1))


def domias(scene: Scene) -> Array:
    """DOMIAS (van Breugel et al. 2023): log density ratio of synthetic to reference records in eight dimensions."""
    project = whitening(np.concatenate([scene.synthetic, scene.reference]))
    at = project(scene.candidates)
    return _log_density(at, project(scene.synthetic)) - _log_density(at, project(scene.reference))


def logan(scene: Scene) -> Array:
    """LOGAN (Hayes et al. 2019): log odds of a classifier of synthetic against reference records."""
    return log_odds(scene.candidates, scene.synthetic, scene.reference)


def displaced_copy(scene: Scene) -> Array:
    """Nearest distances once the synthetic records are moved back, whoever moved them all alike."""
    seen = scene.plain or scene
    return displaced(seen.candidates, seen.synthetic, seen.reference)


def engine_loss(scene: Scene) -> Array:
    """What the engine itself says of each candidate: what it was trained on, it takes for likelier than the rest.

    The likelihood of a flow (Yeom et al. 2018), the ELBO of a VAE, how little a denoiser moves it (Rao et al. 2025). What
    is no number counts as the least likely. Raises ValueError without an engine.
    """
    if scene.told is None:
        raise ValueError("no engine says anything of these records")
    return np.nan_to_num(scene.told, nan=-_MOST, posinf=_MOST, neginf=-_MOST)


SUITE: Mapping[str, Attack] = {
    "calibrated_distance": calibrated_distance,
    "displaced_copy": displaced_copy,
    "domias": domias,
    "logan": logan,
    "monte_carlo": monte_carlo,
    "nearest_distance": nearest_distance,
}
"""Those who see the synthetic records alone."""
ENGINE = "engine_loss"
_MOST = 1e300


def suite_of(scene: Scene) -> Mapping[str, Attack]:
    """Every attack that can be made with what `scene` has."""
    return SUITE if scene.told is None else {**SUITE, ENGINE: engine_loss}


def _log_density(at: Array, centres: Array) -> Array:
    """Log of a Gaussian kernel density with Scott's bandwidth n^(-1/(d+4)), up to a constant of d."""
    n, d = centres.shape
    bandwidth = n ** (-1.0 / (d + 4))
    squares = cdist(at, centres, "sqeuclidean") / (2 * bandwidth**2)
    return np.asarray(logsumexp(-squares, axis=1) - np.log(n) - d * np.log(bandwidth))
