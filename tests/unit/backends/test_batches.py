"""Any number of workers and any batch of whole blocks: one sample, byte by byte, from an engine of each family."""

from __future__ import annotations

from dataclasses import replace

import pytest

from synthspec.testing import catalogue
from synthspec.testing.conformance.trial import Case, Trial, digests

TORCH, DIFFUSERS = "synthspec_torch.plugin:BACKEND", "synthspec_diffusers.plugin:BACKEND"
BLOCK, RECORDS = 16, 88
"""Five and a half blocks: no batch comes out even."""


def engine(family):
    """A tiny engine of images, and of a table by a flow; those without guidance drop no conditions."""
    fit = catalogue.fit(family, "tabular" if family == "flow" else "image")
    if family in ("gan", "flow"):
        fit = replace(fit, drop_rate=0.0)
    solver = {"solver": "dpmsolver++", "steps": 3} if family == "diffusion" else {}
    return catalogue.sample(fit, n=RECORDS, block=BLOCK, **solver)


@pytest.fixture(scope="module", params=["vae", "gan", "flow", "diffusion"])
def trial(request, tmp_path_factory):
    target = DIFFUSERS if request.param == "diffusion" else TORCH
    return Trial(Case(target=target, sample=engine(request.param)), tmp_path_factory.mktemp(request.param))


@pytest.mark.parametrize("workers", [1, 2, 4])
@pytest.mark.parametrize("blocks", [1, 2, 64])
def test_neither_workers_nor_batches_change_a_byte(trial, workers, blocks):
    drawn = trial.sample(workers=workers, batch=blocks * BLOCK)
    assert digests(drawn) == digests(trial.samples)


def test_a_batch_that_cuts_a_block_draws_nothing(trial):
    with pytest.raises(ValueError, match="no multiple of a block of 16"):
        trial.sample(batch=BLOCK + 1)
