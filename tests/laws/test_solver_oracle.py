"""Our solvers beside those of diffusers, where diffusers' own rounding of times agrees (the steps divide T)."""

import numpy as np
import pytest
import torch

from synthspec.backend.schedules import betas
from synthspec.ir.families import CosineSchedule, LinearSchedule
from synthspec_diffusers.schedule import Grid, Levels
from synthspec_diffusers.solvers import fresh_solver

SCHEDULES = [LinearSchedule(name="linear", train_steps=1000), CosineSchedule(name="cosine", train_steps=1000)]


@pytest.fixture(scope="module")
def theirs():
    diffusers = pytest.importorskip("diffusers")
    common = {"prediction_type": "sample", "timestep_spacing": "trailing"}
    return {
        "ddim": lambda b: diffusers.DDIMScheduler(trained_betas=b, clip_sample=False, **common),
        "ddpm": lambda b: diffusers.DDIMScheduler(trained_betas=b, clip_sample=False, **common),
        "dpmsolver++": lambda b: diffusers.DPMSolverMultistepScheduler(trained_betas=b, **common),
        "unipc": lambda b: diffusers.UniPCMultistepScheduler(trained_betas=b, **common),
    }


@pytest.mark.parametrize("solver", ["ddim", "ddpm", "dpmsolver++", "unipc"])
@pytest.mark.parametrize("schedule", SCHEDULES, ids=lambda s: s.name)
@pytest.mark.parametrize("steps", [4, 20])
def test_steps_agree_with_diffusers(theirs, solver, schedule, steps):
    grid = Grid.of(Levels.of(schedule), steps)
    scheduler = theirs[solver](betas(schedule).tolist())
    scheduler.set_timesteps(steps)
    assert tuple(scheduler.timesteps.tolist()) == grid.times
    x = y = torch.randn(3, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    mine = fresh_solver(solver, grid)
    draws = torch.randn(steps, *x.shape, generator=torch.Generator().manual_seed(1))
    extra = {"eta": 1.0} if solver == "ddpm" else {}
    for i, t in enumerate(scheduler.timesteps):
        # Any function of x and t serves as an estimate of x_0.
        m = torch.tanh(x) * (1 - 0.3 * i / steps)
        x = mine.step(i, x, m, lambda k: draws[k])
        theirs_m = torch.tanh(y) * (1 - 0.3 * i / steps)
        noise = {"variance_noise": draws[i]} if extra else {}
        y = scheduler.step(theirs_m, t, y, return_dict=False, **extra, **noise)[0]
    # diffusers keeps alpha_bar in float32.
    assert torch.allclose(x, y, atol=5e-4), np.abs((x - y).numpy()).max()
