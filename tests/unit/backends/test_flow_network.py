"""Laws of the invertible network in float64: its log-determinant, its inverse, its base, its whole mass."""

import math

import pytest
import torch
from scipy import stats

from synthspec.ir.families import AffineCoupling, Autoregressive, FlowEngine, SplineCoupling
from synthspec_torch.flow.network import FlowNetwork, StudentT

ARCHITECTURES = {
    "spline": SplineCoupling(name="spline_coupling", transforms=3, hidden=(16,), bins=5),
    "spline_actnorm": SplineCoupling(
        name="spline_coupling", transforms=2, hidden=(16,), bins=5, actnorm={"init": "data"}
    ),
    "affine": AffineCoupling(name="affine_coupling", transforms=3, hidden=(16,)),
    "autoregressive": Autoregressive(name="autoregressive", transforms=2, hidden=(16,), bins=5),
}


def network(architecture, width, context=0, base_dist="normal", shake=0.3):
    torch.manual_seed(0)
    made = FlowNetwork(FlowEngine(family="flow", architecture=architecture, base_dist=base_dist), width, context)
    with torch.no_grad():
        # Far from the identity: first weights are so small that a wrong sign would hide.
        for weight in made.parameters():
            weight.add_(shake * torch.randn(weight.shape))
    return made.double().eval().requires_grad_(requires_grad=False)


@pytest.fixture(params=ARCHITECTURES)
def architecture(request):
    return ARCHITECTURES[request.param]


@pytest.mark.parametrize(("width", "context"), [(1, 0), (1, 2), (2, 0), (5, 3)])
def test_the_log_determinant_is_that_of_the_jacobian(architecture, width, context):
    flow = network(architecture, width, context)
    x, c = 2.0 * torch.randn(6, width).double(), torch.randn(6, context).double()
    z, logdet = flow(x, c)
    for row in range(len(x)):
        one = c[row : row + 1]
        jacobian = torch.autograd.functional.jacobian(lambda v, one=one: flow(v[None], one)[0][0], x[row])
        assert torch.linalg.slogdet(jacobian).logabsdet.item() == pytest.approx(logdet[row].item(), abs=1e-10)
    assert (z - x).abs().max() > 0.05


@pytest.mark.parametrize(("width", "context"), [(1, 0), (3, 2), (8, 0)])
def test_the_inverse_comes_back_from_data_prior_and_six_sigma(architecture, width, context):
    flow = network(architecture, width, context, shake=0.1)
    c = torch.randn(200, context).double()
    for x in (torch.randn(200, width).double(), torch.randn(200, width).double().sign() * 6.0):
        assert (flow.inverse(flow(x, c)[0], c) - x).abs().max() < 1e-10
    z = torch.randn(200, width).double()
    assert (flow(flow.inverse(z, c), c)[0] - z).abs().max() < 1e-10


@pytest.mark.parametrize("base_dist", ["normal", "student_t"])
def test_the_density_has_mass_one(architecture, base_dist):
    edge = 12.0 if base_dist == "normal" else 120.0
    line = torch.linspace(-edge, edge, 40_001).double()[:, None]
    flow = network(architecture, 1, 1, base_dist)
    mass = torch.trapezoid(flow.log_prob(line, torch.full_like(line, 0.7)).exp(), line[:, 0])
    assert mass.item() == pytest.approx(1.0, abs=2e-3)


def test_the_density_of_two_numbers_has_mass_one():
    flow = network(ARCHITECTURES["spline"], 2)
    line = torch.linspace(-9.0, 9.0, 401).double()
    plane = torch.cartesian_prod(line, line)
    mass = flow.log_prob(plane, plane[:, :0]).exp().sum() * (line[1] - line[0]) ** 2
    assert mass.item() == pytest.approx(1.0, abs=2e-3)


def test_each_number_depends_on_another_in_some_map(architecture):
    flow = network(architecture, 4)
    x = torch.randn(4).double()
    jacobian = torch.autograd.functional.jacobian(lambda v: flow(v[None], v[None, :0])[0][0], x)
    mixed = (jacobian - torch.diag(torch.diag(jacobian))).abs() > 1e-12
    assert mixed.any(0).all()
    assert mixed.any(1).all()


def test_the_context_is_listened_to(architecture):
    flow = network(architecture, 3, context=2)
    x = torch.randn(5, 3).double()
    one, other = torch.zeros(5, 2).double(), torch.ones(5, 2).double()
    assert (flow.log_prob(x, one) - flow.log_prob(x, other)).abs().min() > 1e-6
    assert (flow.inverse(x, one) - flow.inverse(x, other)).abs().max() > 1e-6


def test_the_base_is_student_t_with_learned_degrees():
    base = StudentT(2).double()
    with torch.no_grad():
        base.raw.copy_(torch.tensor([0.5, 3.0]))
    z = torch.tensor([[0.3, -4.0], [25.0, 0.0]]).double()
    said = sum(stats.t(df).logpdf(z[:, i].numpy()) for i, df in enumerate(base.degrees.tolist()))
    assert base.log_prob(z).tolist() == pytest.approx(said.tolist(), abs=1e-10)
    assert StudentT(1).degrees.item() == pytest.approx(8.0)


def test_the_base_is_standard_normal():
    flow = network(ARCHITECTURES["affine"], 2)
    assert flow.base.log_prob(torch.zeros(1, 2)).item() == pytest.approx(-math.log(2 * math.pi))


def test_act_norms_start_at_the_moments_of_what_reaches_them():
    flow = network(ARCHITECTURES["spline_actnorm"], 3)
    x = 5.0 + 3.0 * torch.randn(4000, 3).double()
    flow.start_at(x, x[:, :0])
    for step in flow.steps:
        seen = (x + step.norm.shift) * step.norm.log_scale.exp()
        assert seen.mean(0).abs().max() < 1e-9
        assert (seen.std(0, unbiased=False) - 1).abs().max() < 1e-9
        x, _ = step(x, x[:, :0])


def test_without_act_norms_there_are_none_and_the_identity_is_the_start():
    plain = FlowEngine(family="flow", architecture=ARCHITECTURES["spline"])
    assert all(step.norm is None for step in FlowNetwork(plain, 2, 0).steps)
    started = FlowEngine(family="flow", architecture=ARCHITECTURES["spline_actnorm"])
    for step in FlowNetwork(started, 2, 0).steps:
        assert not step.norm.shift.any()
        assert not step.norm.log_scale.any()
