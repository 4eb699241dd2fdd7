"""Random weights that are part of a definition: drawn from a hashed seed, never fitted, never stored."""

from __future__ import annotations

import hashlib
import json
import math
from typing import Any

import numpy as np

from synthspec.metrics.request import Array


def orthogonal(rng: np.random.Generator, rows: int, columns: int) -> Array:
    """A random matrix whose shorter side is orthonormal, scaled so that columns have unit length on average."""
    q, r = np.linalg.qr(rng.standard_normal((max(rows, columns), min(rows, columns))))
    q = q * np.sign(np.diag(r))
    return np.asarray(q if rows >= columns else q.T * math.sqrt(columns / rows))


def digest(definition: Any) -> str:  # noqa: ANN401 - whatever JSON can write
    """The SHA-256 of a definition as canonical JSON: it names the features in the label of every figure."""
    return hashlib.sha256(json.dumps(definition, sort_keys=True).encode()).hexdigest()
