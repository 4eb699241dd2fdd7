"""One-hot blocks as posterior means: Bayes on corners, by hand; a network that adds the log-prior is exact."""

import math

import pytest
import torch

from synthspec.ir.families import EdmSchedule, FlowMatchingSchedule, LinearSchedule
from synthspec_diffusers.choices import Choices
from synthspec_diffusers.path import Path, integrate
from synthspec_diffusers.schedule import Grid, Process
from synthspec_diffusers.training import Corruption, Records

SCALE = 2.0
PRIOR = torch.tensor([0.7, 0.2, 0.1]).double()
CHOICES = Choices((slice(1, 4),), SCALE)
CORNERS = SCALE * (torch.eye(3).double() - 1 / 3)
SCHEDULES = {
    "edm": EdmSchedule(name="edm"),
    "flow": FlowMatchingSchedule(name="flow_matching"),
    "v": LinearSchedule(name="linear", train_steps=1000),
}


def log_prior(x, times, given):
    """A network that says nothing of the number before the choice, and the log-prior of the choice."""
    return torch.cat([torch.zeros(len(x), 1).double(), PRIOR.log().expand(len(x), 3)], 1)


@pytest.mark.parametrize(("a", "s"), [(1.0, 0.4), (1.0, 30.0), (0.6, 0.8), (0.3, 0.7)])
def test_the_estimate_is_the_posterior_mean_of_the_corners(a, s):
    x = torch.randn(6, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    likelihood = torch.exp(-(x[:, None, 1:] - a * CORNERS).square().sum(-1) / (2 * s**2))
    posterior = likelihood * PRIOR / (likelihood * PRIOR).sum(1, keepdim=True)
    settled = CHOICES.settle(torch.full((6, 4), 9.0).double(), log_prior(x, None, None), x, a / s**2)
    assert torch.allclose(settled[:, 1:], posterior @ CORNERS, atol=1e-12)
    assert (settled[:, 0] == 9).all()


@pytest.mark.parametrize("head", SCHEDULES)
def test_the_log_prior_alone_makes_choices_at_their_shares(head):
    schedule = SCHEDULES[head]
    grid = Grid.along(schedule, 60)
    path = Path(grid, "heun", head, 0.0, None, None, 1.0, None, CHOICES)
    start = torch.randn(4000, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    out = integrate(log_prior, path, start, lambda i: start, None)[:, 1:]
    shares = torch.bincount(out.argmax(1), minlength=3) / 4000
    assert (shares - PRIOR).abs().max() < 0.02
    # Each ends at a corner, up to the tenth of a per cent that the last steps leave between two of them.
    assert (torch.cdist(out, CORNERS).min(1).values < 0.05).double().mean() > 0.98


@pytest.mark.parametrize("head", SCHEDULES)
def test_the_error_is_that_of_the_estimate_on_the_scale_of_the_head(head):
    """The number counts as without choices; no error is left where the network is sure of the right member."""
    generator = torch.Generator().manual_seed(2)
    member = torch.randint(0, 3, (50,), generator=generator)
    x0 = torch.cat([torch.randn(50, 1, generator=generator), CORNERS[member].float()], 1)
    u = torch.rand(50, generator=generator) * 0.6 + 0.2
    eps = torch.randn(50, 4, generator=generator)
    with_choices = Corruption(Process(SCHEDULES[head]), head, None, 1.0, CHOICES)
    without = Corruption(Process(SCHEDULES[head]), head, None, 1.0)
    noised = with_choices(Records(x0, None), u, eps)
    sure = torch.cat([torch.zeros(50, 1), 1e4 * (torch.eye(3)[member])], 1)
    squared = with_choices.squared(noised, sure)
    assert squared[:, 1:].max() < 1e-6
    plain = without.squared(without(Records(x0, None), u, eps), sure)
    assert torch.allclose(squared[:, 0], plain[:, 0], rtol=1e-3)
    part = noised.rows(slice(3, 7))
    assert torch.allclose(with_choices.squared(part, sure[3:7]), squared[3:7], atol=1e-6)


def test_guidance_of_choices_is_the_formula_of_the_standard():
    """S405-6 is linear in eps, so in the estimate, not in the logits."""
    from synthspec_diffusers.path import estimate

    def network(x, times, given):
        return log_prior(x, times, given) * (1 + given)

    grid = Grid.along(SCHEDULES["flow"], 10)
    x = torch.randn(5, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    given, null = torch.ones(5, 1).double(), torch.zeros(1).double()
    at = lambda w, which: estimate(  # noqa: E731
        network, Path(grid, "ddim", "flow", w, null, None, 1.0, None, CHOICES), 4, x, which
    )
    plain, none = at(0.0, given), at(0.0, torch.zeros(5, 1).double())
    assert torch.allclose(at(0.7, given), plain + 0.7 * (plain - none), atol=1e-12)
    assert math.isclose(at(0.7, given).sub(plain).abs().max().item(), 0.7 * plain.sub(none).abs().max().item())
