"""nll, bpd and inv_error: every log-determinant counted, nothing hidden when a flow is no bijection."""

import math

import numpy as np
import pytest
import torch
from scipy import stats

from synthspec.backend.dataset import Dataset
from synthspec.ir.families import AffineCoupling, FlowEngine
from synthspec.ir.schema import Field
from synthspec_torch.data.context import ContextCodec
from synthspec_torch.data.table import TableCodec
from synthspec_torch.flow.engine import TrainedFlow
from synthspec_torch.flow.inversion import inversion
from synthspec_torch.flow.likelihood import Z95, Likelihood
from synthspec_torch.flow.network import FlowNetwork
from synthspec_torch.flow.sampling import Passes, base_numbers
from synthspec_torch.flow.training import FlowLearner, Records, slope

ENGINE = FlowEngine(family="flow", architecture=AffineCoupling(name="affine_coupling", transforms=2, hidden=(8,)))
NO_CONTEXT = ContextCodec((), np.zeros(0), np.zeros(0))


class Identity(FlowNetwork):
    """z = x: a standard normal law."""

    def __init__(self, width):
        super().__init__(ENGINE, width, 0)

    def forward(self, x, c):
        return x, x.new_zeros(len(x))

    def inverse(self, z, c):
        return z


class Uniform(Identity):
    """The uniform law between `low` and `high`."""

    def __init__(self, low, high):
        super().__init__(len(low))
        self.nats = float(np.log(high - low).sum())

    def log_prob(self, x, c):
        return torch.full((len(x),), -self.nats)


def flow_of(network, fields, columns):
    return TrainedFlow(network, TableCodec.fitted(fields, columns), NO_CONTEXT)


@pytest.mark.parametrize("bits", [1, 3, 8])
def test_a_uniform_model_of_b_bit_data_has_b_bits_a_dimension(bits):
    top = 2**bits - 1
    field = Field(name="x", role="content", dtype="uint8", shape=(5,), range=(0.0, float(top)))
    columns = {"x": np.random.default_rng(bits).integers(0, top + 1, (40, 5)).astype(np.uint8)}
    codec = TableCodec.fitted((field,), columns)
    edges = [(np.full(5, edge) - codec.shift) / codec.scale for edge in (-0.5, top + 0.5)]
    flow = TrainedFlow(Uniform(*edges), codec, NO_CONTEXT)
    figure = Likelihood.of(flow, flow.records(Dataset(columns)), seed=1).figure("bpd", "test")
    assert figure.value == pytest.approx(bits, abs=1e-6)
    assert figure.label == "bpd[dequant=uniform,k=1,units=SRef]"
    assert (figure.unit, figure.n_real, figure.split) == ("1", 40, "test")


def test_the_nll_of_a_gaussian_is_that_of_scipy_in_the_units_of_the_sref():
    values = np.random.default_rng(3).normal(50.0, 4.0, (300, 2))
    field = Field(name="x", role="content", dtype="float64", shape=(2,))
    flow = flow_of(Identity(2).double(), (field,), {"x": values})
    records = flow.records(Dataset({"x": values}), torch.float64)
    figure = Likelihood.of(flow, records, seed=1).figure("nll", "val")
    said = -stats.norm(values.mean(0), values.std(0)).logpdf(values).sum(1)
    assert figure.value == pytest.approx(said.mean(), abs=1e-9)
    assert figure.u == pytest.approx(said.std(ddof=1) / math.sqrt(300), abs=1e-9)
    assert figure.upper == pytest.approx(figure.value + Z95 * figure.u)
    assert figure.detail("standardised") == pytest.approx(said.mean() - np.log(values.std(0)).sum(), abs=1e-9)
    bits = Likelihood.of(flow, records, seed=1).figure("bpd", "val")
    assert bits.value == pytest.approx(figure.value / (2 * math.log(2)))


def test_rescaling_units_shifts_the_nll_by_exactly_the_log_scale():
    values = np.random.default_rng(4).normal(1.0, 0.1, 100)
    field = Field(name="x", role="content", dtype="float64")
    torch.manual_seed(1)
    network = FlowNetwork(ENGINE, 1, 0).double().requires_grad_(requires_grad=False)
    nll = []
    for factor in (1.0, 1000.0):
        columns = {"x": values * factor}
        flow = flow_of(network, (field,), columns)
        nll.append(Likelihood.of(flow, flow.records(Dataset(columns), torch.float64), 1).figure("nll", "test").value)
    assert nll[1] - nll[0] == pytest.approx(math.log(1000.0), abs=1e-9)


def test_dequantised_bits_bound_those_of_the_law_and_more_draws_come_nearer():
    values = np.clip(np.random.default_rng(5).normal(8.0, 2.0, 4000).round(), 0, 16).astype(np.uint8)
    field = Field(name="x", role="content", dtype="uint8", range=(0.0, 16.0))
    flow = flow_of(Identity(1), (field,), {"x": values})
    figure = Likelihood.of(flow, flow.records(Dataset({"x": values})), seed=1).figure("nll", "test")
    law = stats.norm(flow.content.shift[0], flow.content.scale[0])
    exact = -np.log(law.cdf(values + 0.5) - law.cdf(values - 0.5)).mean()
    tightest = figure.detail("bound_of_all_draws")
    assert exact - 0.002 < tightest < figure.value
    assert figure.value - exact < 0.02


def test_a_likelihood_that_is_not_finite_is_no_figure():
    nats = torch.tensor([[1.0, math.inf]]).double()
    figure = Likelihood(nats, 0.0, 1, quantised=False).figure("bpd", "test")
    assert figure.value is None
    assert "no finite likelihood" in figure.reason


class Missing(Identity):
    """A bijection on data that saturates beyond three: what a boxed map without tails does."""

    def inverse(self, z, c):
        return z.clamp(-5.0, 5.0)


class Nothing(Identity):
    def inverse(self, z, c):
        return torch.full_like(z, math.nan)


def trip(network):
    values = np.random.default_rng(6).normal(0.0, 1.0, (60, 3))
    field = Field(name="x", role="content", dtype="float64", shape=(3,))
    flow = flow_of(network, (field,), {"x": values})
    return inversion(flow, flow.records(Dataset({"x": values})), seed=1)


def test_the_round_trip_is_judged_beyond_the_data():
    assert trip(Identity(3)).value == 0.0
    figure = trip(Missing(3))
    assert figure.detail("fp32_data") == figure.detail("fp64_prior") == 0.0
    assert figure.detail("fp32_six_sigma") == figure.value == figure.upper == 1.0
    assert figure.split is None
    assert figure.n_real == 60
    assert trip(Nothing(3)).value is None
    assert "data, prior, six_sigma" in trip(Nothing(3)).reason


def test_base_numbers_follow_the_base():
    torch.manual_seed(2)
    student = FlowEngine(family="flow", architecture=ENGINE.architecture, base_dist="student_t")
    network = FlowNetwork(student, 2, 0)
    with torch.no_grad():
        network.base.raw.copy_(torch.tensor([0.1, 4.0]))
    drawn = base_numbers(network, np.random.default_rng(1), 20_000)
    for number, degrees in enumerate(network.base.degrees.tolist()):
        assert stats.kstest(drawn[:, number], stats.t(degrees).cdf).pvalue > 1e-3
    plain = base_numbers(FlowNetwork(ENGINE, 2, 0), np.random.default_rng(1), 20_000)
    assert stats.kstest(plain[:, 1], "norm").pvalue > 1e-3


def test_passes_are_counted_at_the_conditioners():
    network = FlowNetwork(ENGINE, 4, 1)
    passes = Passes(network)
    passes.reset()
    network.inverse(torch.zeros(3, 4), torch.zeros(3, 1))
    # Two maps, each solved in two passes.
    assert passes.read() == 4
    passes.reset()
    assert passes.read() == 0


def test_the_learner_counts_bits_of_the_data_and_validates_from_frozen_draws():
    values = np.random.default_rng(7).integers(0, 17, (60, 3))
    field = Field(name="x", role="content", dtype="uint8", shape=(3,), range=(0.0, 16.0))
    flow = flow_of(Identity(3), (field,), {"x": values.astype(np.uint8)})
    records = flow.records(Dataset({"x": values.astype(np.uint8)}))
    learner = FlowLearner(flow.network, flow.cells, records, records, seed=1)
    loss = learner.loss(torch.arange(60))
    nats = loss.item() * 3 + np.log(flow.content.scale).sum()
    assert learner.observed()["bpd"] == pytest.approx(nats / (3 * math.log(2)), abs=1e-5)
    assert learner.loss(torch.arange(60)).item() != loss.item()
    one, other = learner.validate(flow.network), learner.validate(flow.network)
    assert one == other == {**one, "bpd_trend": 0.0}
    assert one["bpd_val"] == pytest.approx((one["loss_val"] * 3 + np.log(flow.content.scale).sum()) / (3 * math.log(2)))


def test_spread_fills_cells_and_leaves_continuous_numbers():
    cells = flow_of(
        Identity(2),
        (Field(name="a", role="content", dtype="int8"), Field(name="b", role="content", dtype="float32")),
        {"a": np.arange(9, dtype=np.int8), "b": np.arange(9, dtype=np.float32)},
    ).cells
    x = torch.zeros(2000, 2)
    moved = cells.spread(x, torch.Generator().manual_seed(1))
    assert not moved[:, 1].any()
    half = cells.size[0].item() / 2
    assert moved[:, 0].min().item() == pytest.approx(-half, rel=1e-2)
    assert moved[:, 0].max().item() == pytest.approx(half, rel=1e-2)
    assert Records(x, x).take(torch.tensor([1])).x.shape == (1, 2)


def test_the_trend_is_the_median_of_slopes():
    assert slope([]) == slope([3.0]) == 0.0
    assert slope([5.0, 4.0, 3.0, 2.0, 100.0]) == pytest.approx(-1.0)
