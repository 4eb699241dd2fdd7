"""What a trained flow must reach: the entropy of a law that is known in closed form (generators.md, section 8)."""

import math

import pytest
import torch

from synthspec.ir.families import FlowEngine, SplineCoupling
from synthspec_torch.flow.network import FlowNetwork

SIGMA = 0.1
RADIUS = 1.0


def ring(n, generator):
    """Eight Gaussians on a circle."""
    angle = torch.randint(8, (n,), generator=generator) * (math.pi / 4)
    centres = RADIUS * torch.stack([angle.cos(), angle.sin()], dim=1)
    return centres + SIGMA * torch.randn(n, 2, generator=generator)


def log_density(x):
    angle = torch.arange(8) * (math.pi / 4)
    centres = RADIUS * torch.stack([angle.cos(), angle.sin()], dim=1)
    squares = (x[:, None] - centres).square().sum(-1)
    return torch.logsumexp(-squares / (2 * SIGMA**2), dim=1) - math.log(8 * 2 * math.pi * SIGMA**2)


@pytest.mark.slow
def test_spline_coupling_comes_within_a_twentieth_nat_of_the_ring():
    torch.manual_seed(0)
    draws = torch.Generator().manual_seed(1)
    architecture = SplineCoupling(name="spline_coupling", transforms=3, hidden=(64, 64), bins=16)
    flow = FlowNetwork(FlowEngine(family="flow", architecture=architecture), 2, 0)
    optimizer = torch.optim.Adam(flow.parameters(), lr=5e-3, fused=True)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 1200)
    scale = 0.5 * RADIUS
    for _ in range(1200):
        x = ring(512, draws) / scale
        loss = -flow.log_prob(x, x[:, :0]).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    test = ring(20_000, draws)
    with torch.no_grad():
        said = flow.log_prob(test / scale, test[:, :0]) - 2 * math.log(scale)
    gap = log_density(test) - said
    error = gap.std().item() / math.sqrt(len(gap))
    # Below zero by more than the error of the mean, a log-determinant would be wrong.
    assert -3 * error < gap.mean().item() < 0.05
