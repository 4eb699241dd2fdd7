"""Weightings: the same estimate of x_0 costs the same under every head, and the published formulas come out."""

import pytest
import torch

from synthspec.ir.families import EdmWeighting, MinSnr, SigmoidWeighting
from synthspec_diffusers.heads import target, weight

WEIGHTINGS = [MinSnr(name="min_snr", gamma=5.0), EdmWeighting(name="edm"), SigmoidWeighting(name="sigmoid", bias=1.0)]
S = torch.tensor([0.05, 0.3, 0.7, 0.95, 0.9999]).double()
VP = (1 - S**2).sqrt()


def loss(weighting, head, a, s, sigma_data=0.5):
    """The weighted squared error of a head that would make 0.3 of an x_0 of 0.8."""
    eps = torch.tensor(0.4).double() * torch.ones_like(s)
    x = a * 0.8 + s * eps
    wanted = target(head, torch.full_like(s, 0.8), eps, a, s, sigma_data)
    made = target(head, torch.full_like(s, 0.3), (x - a * 0.3) / s, a, s, sigma_data)
    factor = weight(weighting, head, a, s, sigma_data)
    return factor * (made - wanted).square()


@pytest.mark.parametrize("weighting", WEIGHTINGS, ids=lambda w: w.name)
def test_heads_of_one_estimate_have_one_loss(weighting):
    eps, x0, v = (loss(weighting, head, VP, S) for head in ("eps", "x0", "v"))
    assert torch.allclose(eps, x0, rtol=1e-10)
    assert torch.allclose(v, x0, rtol=1e-10)
    one = torch.ones_like(S)
    assert torch.allclose(loss(weighting, "edm", one, 3 * S), loss(weighting, "x0", one, 3 * S), rtol=1e-10)
    assert torch.allclose(loss(weighting, "flow", 1 - S, S), loss(weighting, "x0", 1 - S, S), rtol=1e-9)


def test_min_snr_of_v_is_over_snr_plus_one():
    """min(SNR, gamma) / (SNR + 1), not min(SNR + 1, gamma) / (SNR + 1)."""
    snr = (VP / S) ** 2
    gamma = 5.0
    for head, over in (("eps", snr), ("v", snr + 1), ("x0", torch.ones_like(snr))):
        found = weight(MinSnr(name="min_snr", gamma=gamma), head, VP, S)
        assert torch.allclose(found, snr.clamp(max=gamma) / over)


def test_the_weighting_of_edm_is_none_on_its_own_head():
    """lambda(sigma) c_out^2 = 1 (Karras et al. 2022, eq. 8), and 1 on v at sigma_data 1."""
    one = torch.ones_like(S)
    assert torch.allclose(weight(EdmWeighting(name="edm"), "edm", one, 3 * S, 0.5), one)
    assert torch.allclose(weight(EdmWeighting(name="edm"), "v", VP, S, 1.0), one)


@pytest.mark.parametrize("head", ["x0", "v"])
@pytest.mark.parametrize("weighting", WEIGHTINGS, ids=lambda w: w.name)
def test_weights_are_finite_where_no_signal_is_left(weighting, head):
    """A loss weight with 1 / SNR would be infinite under zero terminal SNR."""
    found = weight(weighting, head, torch.zeros(1).double(), torch.ones(1).double())
    assert found.isfinite().all()


def test_no_weighting_is_none():
    assert weight(None, "v", VP, S) is None
