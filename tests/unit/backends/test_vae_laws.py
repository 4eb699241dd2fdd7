"""What must hold of likelihoods, bounds and figures whatever was trained: closed forms, in float64."""

import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.distributions import MultivariateNormal, Normal, kl_divergence

from synthspec.ir.families import Elbo, ElboBeta
from synthspec.ir.schema import Field
from synthspec_torch.data.image import ImageCodec
from synthspec_torch.meter import Meter
from synthspec_torch.vae import assess, bounds, objective
from synthspec_torch.vae.likelihoods import Grid, build_likelihood
from synthspec_torch.vae.networks import Vae
from synthspec_torch.vae.objective import BetaCourse, Records, Terms
from synthspec_torch.vae.sampling import VaeSampler

LAWS = [
    ("discretized_logistic", 17),
    ("discretized_logistic", 2),
    ("binomial", 17),
    ("categorical", 5),
    ("bernoulli", 2),
]


def outputs(law, n=40):
    """Outputs for n values each in a place of its own, mild and extreme ones: [1, P, n]."""
    rng = torch.Generator().manual_seed(3)
    out = torch.randn((1, law.parameters, n), generator=rng, dtype=torch.float64)
    out[..., ::4] *= 20.0
    return out


def masses(law, out):
    levels = law.values(torch.arange(law.levels, dtype=torch.float64))
    return torch.stack([law.log_prob(out, torch.full(out[:, 0].shape, v)) for v in levels.tolist()]).exp()


@pytest.mark.parametrize(("name", "levels"), LAWS)
def test_masses_sum_to_one_over_the_grid(name, levels):
    law = build_likelihood(name, levels)
    total = masses(law, outputs(law)).sum(0)
    assert torch.allclose(total, torch.ones_like(total), atol=1e-9)


@pytest.mark.parametrize(("name", "levels"), LAWS)
def test_draws_follow_the_masses_and_stay_on_the_grid(name, levels):
    law = build_likelihood(name, levels)
    out, n = outputs(law, 8), 4000
    u = ((torch.arange(n, dtype=torch.float64) + 0.5) / n).view(n, 1).expand(n, 8)
    codes = (law.draw(out.expand(n, -1, -1), u) + 1) / law.width
    assert torch.allclose(codes, codes.round(), atol=1e-9)
    shares = torch.stack([(codes.round() == level).double().mean(0) for level in range(law.levels)])
    assert torch.allclose(shares, masses(law, out)[:, 0], atol=2 / n)


@pytest.mark.parametrize(("name", "levels"), LAWS)
def test_the_mean_is_that_of_the_masses(name, levels):
    law = build_likelihood(name, levels)
    out = outputs(law)
    exact = (masses(law, out) * law.values(torch.arange(law.levels, dtype=torch.float64)).view(-1, 1, 1)).sum(0)
    off = (law.mean(out) - exact).abs()
    if name != "discretized_logistic":
        assert off.max() < 1e-9
    else:
        wide = out[:, 1] - 1.0 > math.log(law.width)
        assert wide.any()
        assert off[wide].max() < 1e-3
        assert off.max() <= law.width / 2


def test_a_sharp_logistic_keeps_its_digits():
    law = build_likelihood("discretized_logistic", 17)
    out = torch.tensor([0.9, -50.0]).view(1, 2, 1)
    far = law.log_prob(out, torch.full((1, 1), -0.5))
    assert -2000 < far.item() < -500
    assert law.log_prob(out, torch.full((1, 1), 0.875)).item() == pytest.approx(0.0, abs=1e-6)


def test_gaussian_is_the_normal_density_and_its_quantiles():
    law = build_likelihood("gaussian", None)
    out, x = torch.tensor([0.3, 0.5], dtype=torch.float64).view(1, 2, 1), torch.tensor([[0.1]], dtype=torch.float64)
    normal = Normal(0.3, math.exp(0.5 - 1.0))
    assert law.log_prob(out, x).item() == pytest.approx(normal.log_prob(x).item())
    assert law.draw(out, normal.cdf(x)).item() == pytest.approx(0.1)
    assert law.mean(out).item() == 0.3


def test_a_law_of_levels_needs_levels():
    for name, levels in (("binomial", None), ("categorical", 1), ("bernoulli", 17)):
        with pytest.raises(ValueError, match="level"):
            build_likelihood(name, levels)


def test_the_kl_is_the_closed_form():
    mean, log_variance = torch.tensor([0.0, -1.5, 3.0]).double(), torch.tensor([0.0, 1.2, -4.0]).double()
    known = kl_divergence(Normal(mean, (0.5 * log_variance).exp()), Normal(torch.zeros(3).double(), 1.0))
    assert torch.allclose(objective.kl_divergence(mean, log_variance), known)
    assert objective.kl_divergence(torch.zeros(1), torch.zeros(1)).item() == 0.0


def test_free_bits_clamp_the_batch_mean_of_each_dimension_and_beta_stays_out_of_the_elbo():
    found = Terms(torch.tensor([-10.0, -20.0]), torch.tensor([[0.0, 4.0], [1.0, 0.0]]))
    assert found.loss(1.0, 0.0).item() == pytest.approx(15 + 2.5)
    assert found.loss(1.0, 1.0).item() == pytest.approx(15 + 1 + 2)
    assert found.loss(3.0, 1.0).item() == pytest.approx(15 + 3 * 3)
    assert found.elbo.tolist() == [-14.0, -21.0]


def test_annealing_rises_once_or_in_cycles():
    linear = BetaCourse.of(
        ElboBeta(measure="elbo_beta", beta=4.0, annealing={"name": "linear", "epochs": 2}), epoch_steps=5
    )
    assert [linear.at(step) for step in (1, 5, 10, 11)] == pytest.approx([0.4, 2.0, 4.0, 4.0])
    assert [linear.settled(step) for step in (9, 10)] == [False, True]
    cyclical = BetaCourse.of(
        Elbo(measure="elbo", annealing={"name": "cyclical", "epochs": 4, "cycles": 2}), epoch_steps=5
    )
    assert [cyclical.at(step) for step in (0, 2, 5, 9, 10, 12, 15, 20)] == pytest.approx([0, 0.4, 1, 1, 0, 0.4, 1, 1])
    assert BetaCourse.of(Elbo(measure="elbo"), 5).at(1) == 1.0
    assert BetaCourse.of(Elbo(measure="elbo"), 5).settled(0)


class Encoder(nn.Module):
    """The exact posterior of a linear-Gaussian model with orthogonal loadings: it is diagonal."""

    def __init__(self, w, sigma2, mean):
        super().__init__()
        self.w, self.sigma2, self.mean = w, sigma2, mean

    def forward(self, x, label):
        m = self.w.square().sum(0) + self.sigma2
        mean = (x.flatten(1) - self.mean) @ self.w / m
        return torch.cat([mean, (self.sigma2 / m).log().expand_as(mean)], dim=1)


class Decoder(nn.Module):
    def __init__(self, w, sigma2, mean):
        super().__init__()
        self.w, self.sigma2, self.mean = w, sigma2, mean

    def forward(self, z):
        mean = z @ self.w.T + self.mean
        return torch.stack([mean, torch.full_like(mean, 0.5 * math.log(self.sigma2) + 1.0)], dim=1)[:, :, None, None]


def ppca(loadings=(2.0, 1.0, 0.6, 0.02), sigma2=0.25, records=50):
    """The model, records [n, 1, 1, 4] from it, and ln p of them."""
    rng = torch.Generator().manual_seed(1)
    turn = torch.linalg.qr(torch.randn((4, 4), generator=rng, dtype=torch.float64))[0]
    w, mean = turn * torch.tensor(loadings, dtype=torch.float64), torch.tensor([0.1, -0.2, 0.0, 0.3]).double()
    draws = torch.randn((2, records, 4), generator=rng, dtype=torch.float64)
    x = draws[0] @ w.T + mean + math.sqrt(sigma2) * draws[1]
    law = MultivariateNormal(mean, w @ w.T + sigma2 * torch.eye(4, dtype=torch.float64))
    network = Vae(Encoder(w, sigma2, mean), Decoder(w, sigma2, mean), None, 0)
    return network, Records(x[:, None, None], None), law.log_prob(x)


def sigma_points(records, latent=4):
    """Points with the mean and the covariance of a standard normal: exact for what is quadratic in z."""
    axes = math.sqrt(latent) * torch.eye(latent, dtype=torch.float64)
    return torch.cat([axes, -axes])[:, None].expand(-1, records, -1)


def test_with_the_exact_posterior_the_elbo_is_ln_p():
    network, records, truth = ppca()
    gaussian = build_likelihood("gaussian", None)
    assert torch.allclose(bounds.elbo(network, gaussian, records, sigma_points(50)), truth, atol=1e-6)
    eps = torch.randn((3, 50, 4), generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    assert torch.allclose(bounds.iwae(network, gaussian, records, eps), truth, atol=1e-6)


def test_elbo_is_below_iwae_is_below_ln_p():
    network, records, truth = ppca(records=200)
    network.encoder.sigma2 = 0.4
    gaussian = build_likelihood("gaussian", None)
    eps = torch.randn((200, 200, 4), generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    elbo = bounds.elbo(network, gaussian, records, eps).mean()
    iwae = [bounds.iwae(network, gaussian, records, eps[:k]).mean() for k in (5, 200)]
    assert elbo < iwae[0] < iwae[1] < truth.mean() + 0.01
    assert truth.mean() - elbo > 5 * (truth.mean() - iwae[1]).abs()


def test_chunks_change_nothing(monkeypatch):
    network, records, _ = ppca()
    eps, law = sigma_points(50), build_likelihood("gaussian", None)
    whole = bounds.iwae(network, law, records, eps), bounds.elbo(network, law, records, eps)
    monkeypatch.setattr(bounds, "CHUNK", 7)
    assert torch.allclose(bounds.iwae(network, law, records, eps), whole[0], rtol=1e-12)
    assert torch.allclose(bounds.elbo(network, law, records, eps), whole[1], rtol=1e-12)


def subject(network, law, records, *, span=2.0, levels=None, reference=None):
    return assess.Subject(
        network=network, reference=reference or network, likelihood=law, encode=lambda data: records,
        splits=lambda split: records, split="test", span=span, levels=levels, given="nothing", seed=5,
    )  # fmt: skip


class Constant(nn.Module):
    def __init__(self, out):
        super().__init__()
        self.out = out

    def forward(self, first, label=None):
        return self.out.expand(len(first), *self.out.shape[1:])


def test_a_uniform_model_has_the_bits_of_its_levels():
    law = build_likelihood("categorical", 17)
    network = Vae(Constant(torch.zeros(1, 4)), Constant(torch.zeros(1, 17, 1, 2, 3)), None, 0)
    records = Records(law.values(torch.arange(120).view(20, 1, 2, 3) % 17), None)
    figure = assess.figure("bpd", subject(network, law, records, levels=17))
    assert figure.value == pytest.approx(math.log2(17), abs=1e-6)
    assert (figure.unit, figure.split, figure.n_real) == ("bit", "test", 20)
    assert assess.figure("elbo", subject(network, law, records, levels=17)).value == pytest.approx(-6 * math.log(17))


def test_samples_are_draws_from_the_law_not_its_mean():
    pixels = Field(name="x", role="content", dtype="uint8", shape=(2, 3), range=(0.0, 16.0))
    network = Vae(Constant(torch.zeros(1, 4)), Constant(torch.zeros(1, 17, 1, 2, 3)), None, 0)
    sampler = VaeSampler(
        network=network, meter=Meter(network.decoder), likelihood=build_likelihood("categorical", 17), latent=2,
        codec=ImageCodec.of(pixels), given=None, conditions=lambda block, size: {}, seed=4, threads=1,
    )  # fmt: skip
    drawn = sampler.draw(2, 500)
    assert (drawn.net_calls, drawn.net_evals_per_sample) == (1, 1)
    shares = np.bincount(drawn.data["x"].ravel(), minlength=17) / 3000
    assert shares == pytest.approx(np.full(17, 1 / 17), abs=5 * math.sqrt(1 / 17 / 3000))
    assert len(np.unique(drawn.data["x"].reshape(500, -1), axis=0)) == 500


def test_a_density_counts_its_scaling():
    scale, span = 0.3, 50.0
    out = torch.tensor([0.0, math.log(scale) + 1.0]).view(1, 2, 1, 1, 1)
    network, x = Vae(Constant(torch.zeros(1, 2)), Constant(out), None, 0), torch.linspace(-1, 1, 30)
    figures = subject(network, build_likelihood("gaussian", None), Records(x.view(30, 1, 1, 1), None), span=span)
    known = -Normal(0.0, scale * span / 2).log_prob(x * span / 2).mean().item()
    assert assess.figure("nll", figures).value == pytest.approx(known, abs=1e-5)
    assert assess.figure("bpd", figures).value == pytest.approx(known / math.log(2), abs=1e-5)
    assert assess.figure("iwae", figures).value == pytest.approx(-known, abs=1e-5)


def test_a_unit_that_carries_nothing_counts_as_collapsed():
    network, records, _ = ppca(records=1500)
    figure = assess.figure("posterior_collapse_rate", subject(network, build_likelihood("gaussian", None), records))
    assert figure.value == 0.25
    assert figure.lower <= 0.25 <= figure.upper
    assert (figure.detail("active"), figure.detail("delta"), figure.split) == (3, 0.01, "test")
    loose = ppca((2.0, 1.0, 0.6, 0.055), records=400)
    doubtful = assess.figure("posterior_collapse_rate", subject(loose[0], build_likelihood("gaussian", None), loose[1]))
    assert doubtful.upper > doubtful.lower


def test_psnr_of_a_constant_error():
    network = Vae(Constant(torch.zeros(1, 2)), Constant(torch.zeros(1, 2, 1, 4, 4)), None, 0)
    x = torch.full((3, 1, 4, 4), 0.2)
    gaussian = build_likelihood("gaussian", None)
    figure = assess.figure("recon_PSNR", subject(network, gaussian, Records(x, None), span=1.0))
    assert figure.value == pytest.approx(20.0, abs=1e-5)
    assert (figure.unit, figure.detail("MAX")) == ("dB", 1.0)
    x[0] = 0.02
    mixed = assess.figure("recon_PSNR", subject(network, gaussian, Records(x, None)))
    assert mixed.value == pytest.approx((40 + 20 + 20) / 3, abs=1e-4)
    assert mixed.detail("dB_of_mean_MSE") == pytest.approx(10 * math.log10(4 / ((0.04 * 2 + 0.0004) / 3)), abs=1e-4)


def test_the_gain_is_paired_record_by_record():
    network, records, _ = ppca(records=60)
    worse = ppca(records=60)[0]
    worse.decoder.mean = worse.decoder.mean + 1.0
    figure = assess.figure(
        "elbo_val_gain", subject(network, build_likelihood("gaussian", None), records, reference=worse)
    )
    assert figure.split == "val"
    assert 0 < figure.lower < figure.value
    alone = assess.figure("elbo", subject(network, build_likelihood("gaussian", None), records))
    none = assess.figure("elbo_val_gain", subject(network, build_likelihood("gaussian", None), records))
    assert (none.value, none.u) == (0.0, 0.0)
    assert alone.u > 0


def test_each_figure_reads_its_own_split():
    network, records, _ = ppca(records=5)
    read = []
    asked = assess.Subject(
        network=network, reference=network, likelihood=build_likelihood("gaussian", None),
        encode=lambda data: records,
        splits=lambda split: read.append(split) or records, split="train", span=2.0, levels=None, given="nothing", seed=5,
    )  # fmt: skip
    for name, first in (("elbo", "train"), ("posterior_collapse_rate", "test"), ("recon_PSNR", "test")):
        read.clear()
        assert assess.figure(name, asked).split == first
        assert set(read) == {first}
    read.clear()
    assert assess.figure("elbo_val_gain", asked).split == "val"
    assert read[0] == "val"


def test_too_few_records_give_no_figure():
    network, records, _ = ppca(records=1)
    figures = subject(network, build_likelihood("gaussian", None), records)
    for name in ("elbo", "bpd", "posterior_collapse_rate", "recon_PSNR", "elbo_val_gain"):
        assert assess.figure(name, figures).value is None
        assert "fewer than two" in assess.figure(name, figures).reason


def test_grids_round_to_their_nearest_level():
    grid = build_likelihood("categorical", 5)
    assert isinstance(grid, Grid)
    assert grid.codes(torch.tensor([-1.0, -0.76, -0.74, 1.0, 2.0])).tolist() == [0, 0, 1, 4, 4]
    assert np.allclose(grid.values(torch.arange(5)).numpy(), [-1, -0.5, 0, 0.5, 1])
