"""Engines of mixed tables: likelihoods that sum to one, maps that lead back, hierarchies that are what they say."""

import itertools
import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("zuko")

from synthspec.ir.families import FlowEngine, SplineCoupling, VaeMlp  # noqa: E402
from synthspec.ir.schema import Field  # noqa: E402
from synthspec_torch.data.masses import masses  # noqa: E402
from synthspec_torch.data.mixed import Cells, MixedCodec  # noqa: E402
from synthspec_torch.flow.cellwise import CellNetwork  # noqa: E402
from synthspec_torch.flow.mixed import MixedRecords, log_density  # noqa: E402
from synthspec_torch.flow.network import FlowNetwork  # noqa: E402
from synthspec_torch.flow.scored import ScoredNetwork  # noqa: E402
from synthspec_torch.training.seeding import initial_weights  # noqa: E402
from synthspec_torch.vae.bounds import elbo, iwae  # noqa: E402
from synthspec_torch.vae.networks import FlatDecoder, Ladder, Vae  # noqa: E402
from synthspec_torch.vae.objective import Records  # noqa: E402
from synthspec_torch.vae.tables import CellEncoder, Mixed  # noqa: E402

FIELDS = (
    Field(name="kind", role="content", dtype="categorical", enum=("a", "b", "c")),
    Field(name="count", role="content", dtype="int16", range=(0.0, 5.0)),
    Field(name="on", role="content", dtype="bool"),
)
EVERY = {
    name: np.array(values, dtype)
    for name, values, dtype in zip(
        ("kind", "count", "on"),
        zip(*itertools.product(range(3), range(6), range(2)), strict=True),
        ("int64", "int16", "uint8"),
        strict=True,
    )
}
CODEC = MixedCodec.declared(FIELDS)


def wild(network, scale=1.0):
    """Weights that depend on nothing and are far from the start."""
    rng = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for weight in network.parameters():
            weight.add_(scale * torch.randn(weight.shape, generator=rng))
    return network.eval()


def records(cells, context=0, seed=0):
    rng = torch.Generator().manual_seed(seed)
    c = torch.randn((len(cells), context), generator=rng)
    volume = torch.from_numpy(CODEC.log_volume(cells))
    return MixedRecords(torch.from_numpy(cells.codes), torch.from_numpy(cells.places), volume, c)


def cellwise(context=0, hidden=(8, 8)):
    with initial_weights(1):
        return wild(CellNetwork(CODEC.levels, context, hidden))


def vae(groups, seed=1):
    with initial_weights(seed):
        ladder = Ladder(3, groups, 6, 8) if groups > 1 else None
        encoder = CellEncoder(CODEC.levels, 0, (8,), 6, None)
        return wild(Vae(encoder, FlatDecoder(3, (8,), (sum(CODEC.levels),), None), None, 0, ladder), 0.5)


@torch.no_grad()
def test_the_masses_of_all_records_sum_to_one():
    every = records(CODEC.encode(EVERY))
    nats = log_density(cellwise(), every, np.random.default_rng(0))
    assert nats.exp().sum().item() == pytest.approx(1.0, abs=1e-6)
    assert nats.exp().std() > 0.005


@torch.no_grad()
def test_a_flow_begins_at_the_train_shares():
    network = cellwise()
    network.start_at([np.array([0.7, 0.2, 0.1]), np.full(6, 1 / 6), np.array([1 - 1e-6, 1e-6])])
    for conditioner in network.conditioners:
        conditioner.head.weight.zero_()
    cells = network.from_base(np.random.default_rng(4).random((5000, 3)), torch.zeros(5000, 0))
    assert np.bincount(cells.codes[:, 0]) / 5000 == pytest.approx([0.7, 0.2, 0.1], abs=0.03)
    assert not cells.codes[:, 2].any()


@torch.no_grad()
@pytest.mark.parametrize("context", [0, 2])
def test_a_draw_leads_back_to_its_base_numbers(context):
    network = cellwise(context)
    u = np.random.default_rng(1).uniform(1e-9, 1 - 1e-9, (200, 3))
    c = torch.randn((200, context), generator=torch.Generator().manual_seed(2))
    cells = network.from_base(u, c)
    drawn = MixedRecords(torch.from_numpy(cells.codes), torch.from_numpy(cells.places), torch.zeros(200), c)
    assert np.abs(network.to_base(drawn) - u).max() < 1e-12


@torch.no_grad()
@pytest.mark.parametrize("place", [0.0, 1.0 - 2.0**-53])
def test_a_value_at_the_edge_of_its_cell_comes_back_into_it(place):
    with initial_weights(1):
        network = CellNetwork((200,), 0, (8, 8)).eval()
    codes, places = torch.arange(200)[:, None], torch.full((200, 1), place, dtype=torch.float64)
    edge = MixedRecords(codes, places, torch.zeros(200), torch.zeros(200, 0))
    back = network.from_base(network.to_base(edge), edge.c)
    assert np.array_equal(back.codes, codes.numpy())
    assert back.places == pytest.approx(places.numpy(), abs=1e-12)


@torch.no_grad()
def test_draws_have_the_masses_that_the_density_says():
    network = cellwise()
    cells = network.from_base(np.random.default_rng(2).random((40_000, 3)), torch.zeros(40_000, 0))
    every = records(CODEC.encode(EVERY))
    expected = log_density(network, every, np.random.default_rng(0)).exp().numpy()
    number = {tuple(code): place for place, code in enumerate(every.codes.tolist())}
    seen = np.bincount([number[tuple(code)] for code in cells.codes.tolist()], minlength=36) / 40_000
    assert np.abs(seen - expected).max() < 5 * math.sqrt(0.25 / 40_000)


@torch.no_grad()
def test_a_column_sees_only_those_before_it():
    network, cells = cellwise(), CODEC.encode(EVERY)
    changed = Cells(cells.codes.copy(), cells.places)
    changed.codes[:, 2] = 1 - changed.codes[:, 2]
    before, after = network.to_base(records(cells)), network.to_base(records(changed))
    assert np.array_equal(before[:, :2], after[:, :2])
    changed.codes[:, 0] = (changed.codes[:, 0] + 1) % 3
    assert not np.allclose(before[:, 1], network.to_base(records(changed))[:, 1])


@torch.no_grad()
def test_the_bound_of_a_coupling_stays_below_the_masses_it_draws():
    codec = MixedCodec.fitted(FIELDS, {name: np.repeat(column, 4) for name, column in EVERY.items()})
    engine = FlowEngine(
        family="flow", architecture=SplineCoupling(name="spline_coupling", transforms=2, hidden=(8,), bins=4)
    )
    with initial_weights(1):
        network = wild(ScoredNetwork(FlowNetwork(engine, 3, 0), codec), 0.03)
    cells = codec.encode(EVERY)
    every = MixedRecords(
        torch.from_numpy(cells.codes), torch.from_numpy(cells.places), torch.zeros(36), torch.zeros(36, 0)
    )
    many = every.take(torch.arange(36).repeat(600))
    # The mean of exp over dequantisations is P itself: over all records it is 1. Its log is never below the mean log.
    draws = log_density(network, many, np.random.default_rng(3)).view(600, 36)
    assert draws.exp().mean(0).sum().item() == pytest.approx(1.0, abs=0.1)
    assert (draws.mean(0) <= draws.exp().mean(0).log() + 1e-9).all()
    u = network.to_base(every)
    assert np.array_equal(network.from_base(u, every.c).codes, cells.codes)


@torch.no_grad()
@pytest.mark.parametrize("groups", [1, 2, 3])
def test_likelihoods_of_a_vae_sum_to_one_over_all_records(groups):
    network = vae(groups)
    for head in [network.encoder.head] if network.ladder is None else network.ladder.posteriors:
        # Not far from the prior: importance weights of a bad posterior have no finite sample.
        head.weight.mul_(0.1)
        head.bias.mul_(0.1)
    cells = CODEC.encode(EVERY)
    x = np.concatenate([cells.codes, CODEC.log_volume(cells)[:, None]], 1).astype(np.float32)
    every = Records(torch.from_numpy(x), None)
    rng = torch.Generator().manual_seed(5)
    law = Mixed(CODEC.levels)
    bound = iwae(network, law, every, [torch.randn((36, 3), generator=rng) for _ in range(800)])
    assert bound.exp().sum().item() == pytest.approx(1.0, abs=0.05)
    low = elbo(network, law, every, [torch.randn((36, 3), generator=rng) for _ in range(100)])
    assert (low <= bound + 0.2).all()


@torch.no_grad()
def test_a_hierarchy_is_the_same_in_its_own_coordinates():
    network = vae(3)
    assert network.ladder is not None
    rng = torch.Generator().manual_seed(6)
    features, eps = torch.randn((50, 6), generator=rng), torch.randn((50, 3), generator=rng)
    z, mean, log_variance = network.ladder.climb(features, eps)
    state, lifted, prior, posterior = network.ladder.start.expand(50, -1), [], 0.0, 0.0
    for group in range(3):
        loc, log_scale = network.ladder.priors[group](state).chunk(2, 1)
        scale = torch.exp(3 * torch.tanh(log_scale / 3))
        own = slice(group, group + 1)
        latents = loc + scale * z[:, own]
        std = torch.exp(0.5 * log_variance[:, own])
        prior = prior + torch.distributions.Normal(loc, scale).log_prob(latents)
        posterior = posterior + torch.distributions.Normal(loc + scale * mean[:, own], scale * std).log_prob(latents)
        state = torch.nn.functional.silu(state + network.ladder.lifts[group](latents))
        lifted.append(latents)
    assert torch.allclose(torch.cat(lifted, 1), network.ladder.lift(z), atol=1e-5)
    std = torch.exp(0.5 * log_variance)
    ratio = torch.distributions.Normal(mean, std).log_prob(z) - torch.distributions.Normal(0.0, 1.0).log_prob(z)
    assert torch.allclose((posterior - prior)[:, 0], ratio.sum(1), atol=1e-3)
    assert float((mean[:, 2] - network.ladder.climb(features, -eps)[1][:, 2]).abs().max()) > 1e-3


@torch.no_grad()
def test_draws_of_mixed_cells_have_their_masses():
    law, rng = Mixed(CODEC.levels), torch.Generator().manual_seed(7)
    out = torch.randn((1, law.parameters), generator=rng).expand(20_000, -1)
    drawn = law.draw(out, torch.rand((20_000, 3), generator=rng))
    for j, logits in enumerate(torch.split(out[0], list(CODEC.levels))):
        shares = torch.bincount(drawn[:, j].long(), minlength=len(logits)) / 20_000
        assert (shares - logits.softmax(0)).abs().max() < 0.02
        places = drawn[:, j] - drawn[:, j].floor()
        assert places.mean().item() == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("cells", [1, 2, 15, 16, 40])
def test_masses_are_a_softmax_however_many_cells_there_are(cells):
    logits = 50 * torch.randn((7, cells), generator=torch.Generator().manual_seed(cells))
    assert torch.allclose(masses(logits), logits.softmax(1), atol=1e-7)
    assert masses(torch.full((2, cells), -1000.0)).sum(1).tolist() == pytest.approx([1.0, 1.0])


def test_a_draw_ends_in_the_last_cell_and_passes_over_empty_ones():
    logits = torch.tensor([[0.0, -1e4, 0.0]]).repeat(3, 1)
    u = torch.tensor([[0.0], [0.5], [1.0 - 2.0**-24]])
    drawn = Mixed((3,)).draw(logits, u)
    assert drawn.long().flatten().tolist() == [0, 2, 2]
    assert (drawn - drawn.long()).max() < 1.0


def test_groups_are_sized_evenly():
    assert Ladder(7, 3, 4, 8).sizes == [3, 2, 2]
    assert VaeMlp(name="mlp", hidden=(8,), latent_dim=7, likelihood="mixed", groups=3).groups == 3
