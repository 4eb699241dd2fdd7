"""What holds of a GAN's pieces whatever they are trained on: losses, penalties, augmentations, networks, heads."""

import copy
import math

import numpy as np
import pytest
import torch
from torch import nn

from synthspec.ir.families import Adversarial, GanConv, GanMlp, Hinge, Relativistic, WganGp
from synthspec.ir.schema import Field
from synthspec_torch.data.layout import Block, Layout
from synthspec_torch.data.mixed import MixedCodec
from synthspec_torch.gan.augment import ORDER, TRANSFORMS, augment
from synthspec_torch.gan.content import MixedContent
from synthspec_torch.gan.heads import Head, ImageHead, TableHead, gumbel
from synthspec_torch.gan.losses import (
    critic_losses,
    generator_losses,
    gradient_penalty,
    input_gradient,
    interpolates,
    zero_centred_penalty,
)
from synthspec_torch.gan.networks import build_critic, build_generator
from synthspec_torch.training.average import Average

MEASURES = [
    Adversarial(measure="gan"),
    Hinge(measure="hinge"),
    WganGp(measure="wgan_gp", lambda_gp=10.0),
    Relativistic(measure="rpgan", r1=1.0, r2=1.0),
]


def draws(seed=0):
    return torch.Generator().manual_seed(seed)


def mlp(**changes):
    return GanMlp(name="mlp", **({"hidden": (16, 8), "latent_dim": 3} | changes))


def conv(**changes):
    return GanConv(name="conv", **({"channels": (8, 4), "latent_dim": 3} | changes))


@pytest.mark.parametrize("count", [1, 7, 64])
@pytest.mark.parametrize("shape", [(5,), (2, 3, 4)])
def test_the_gradient_penalty_of_a_linear_critic_is_exact_whatever_the_batch(count, shape):
    weight = torch.randn(shape, generator=draws(1), dtype=torch.float64) * 2
    x = torch.randn((count, *shape), generator=draws(2), dtype=torch.float64)
    _, gradient = input_gradient(lambda y: (y * weight).flatten(1).sum(1), x)
    penalty, norm = gradient_penalty(gradient)
    expected = weight.norm().item()
    assert norm.tolist() == pytest.approx([expected] * count, rel=1e-14)
    assert penalty.tolist() == pytest.approx([(expected - 1) ** 2] * count, rel=1e-13)


def test_zero_centred_penalties_of_a_quadratic_critic_are_exact_and_move_the_critic():
    half = nn.Parameter(torch.tensor(1.5, dtype=torch.float64))
    x = torch.randn((6, 4), generator=draws(), dtype=torch.float64)
    _, gradient = input_gradient(lambda y: 0.5 * half * y.square().sum(1), x)
    penalty = zero_centred_penalty(gradient)
    assert penalty.tolist() == pytest.approx((0.5 * (1.5 * x).square().sum(1)).tolist(), rel=1e-14)
    penalty.sum().backward()
    assert half.grad.item() == pytest.approx(1.5 * x.square().sum().item(), rel=1e-13)


def test_interpolates_lie_on_the_segment_each_at_a_place_of_its_own():
    real, fake = torch.randn((40, 2, 3, 3), generator=draws(1)), torch.randn((40, 2, 3, 3), generator=draws(2))
    share = (interpolates(real, fake, draws(3)) - fake) / (real - fake)
    places = share.flatten(1).median(1).values
    assert torch.allclose(share, places.view(-1, 1, 1, 1).expand_as(share), atol=1e-3)
    assert 0 <= places.min() < 0.2
    assert 0.8 < places.max() <= 1
    assert len(places.unique()) == 40
    packed = interpolates(torch.ones(8, 2), torch.zeros(8, 2), draws(), pack=4)
    assert [len(part.unique()) for part in packed.split(4)] == [1, 1]


@pytest.mark.parametrize("objective", MEASURES, ids=lambda each: each.measure)
def test_a_loss_stands_alone_for_its_record_and_its_gradient_does_not_vanish(objective):
    real, fake = torch.tensor([3.0, -1.0]), torch.tensor([-3.0, 2.0])
    whole = critic_losses(objective, real, fake)
    alone = [critic_losses(objective, real[i : i + 1], fake[i : i + 1]) for i in range(2)]
    assert torch.equal(whole, torch.cat(alone))
    # The critic is sure that this record is generated: a saturating loss would leave the generator nothing.
    sure = torch.tensor([-30.0], requires_grad=True)
    generator_losses(objective, sure, torch.tensor([0.0])).sum().backward()
    assert sure.grad.item() == pytest.approx(-1.0)
    better = critic_losses(objective, torch.tensor([0.5]), torch.tensor([-0.5]))
    assert better < critic_losses(objective, torch.tensor([-0.5]), torch.tensor([0.5]))


def test_losses_are_those_of_the_papers():
    real, fake = torch.tensor([0.3]), torch.tensor([-0.7])
    probability = torch.sigmoid
    expected = {
        "gan": -torch.log(probability(real)) - torch.log(1 - probability(fake)),
        "hinge": torch.tensor([1 - 0.3 + 1 - 0.7]),
        "wgan_gp": fake - real,
        "rpgan": -torch.log(probability(real - fake)),
    }
    for objective in MEASURES:
        assert torch.allclose(critic_losses(objective, real, fake), expected[objective.measure])
    with pytest.raises(ValueError, match="pairs"):
        generator_losses(MEASURES[3], fake, None)


@pytest.mark.parametrize("name", ORDER)
def test_an_augmentation_differs_by_record_and_lets_gradients_through(name):
    torch.manual_seed(0)
    x = (torch.rand((64, 2, 8, 8), generator=draws(1)) * 2 - 1).requires_grad_()
    out = TRANSFORMS[name](x, draws(2))
    assert out.shape == x.shape
    out.sum().backward()
    assert (x.grad != 0).flatten(1).any(1).all()
    same = TRANSFORMS[name](x.detach()[:1].expand(64, -1, -1, -1).contiguous(), draws(2))
    assert len(same.flatten(1).unique(dim=0)) > 1
    assert torch.equal(augment(x, (name,), draws(2)), out)


def test_augmentations_are_what_their_names_say():
    image = torch.zeros(1, 1, 8, 8)
    image[0, 0, 4, 4] = 1.0
    many = image.expand(100, -1, -1, -1)
    moved = TRANSFORMS["translate"](many, draws())
    assert moved.sum((1, 2, 3)).tolist() == [1.0] * 100
    places = {tuple(place) for place in moved[:, 0].nonzero()[:, 1:].tolist()}
    assert places == {(row, column) for row in (3, 4, 5) for column in (3, 4, 5)}
    edge = TRANSFORMS["translate"](torch.full((50, 1, 8, 8), -1.0), draws())
    assert (edge == -1.0).all()
    cut = TRANSFORMS["cutout"](torch.ones(200, 1, 8, 8), draws())
    holes = (cut == 0).sum((1, 2, 3))
    assert holes.max() == 16
    assert holes.min() >= 4
    shifted = TRANSFORMS["brightness"](many, draws()) - many
    assert (shifted.flatten(1).std(1) < 1e-6).all()
    assert shifted.abs().max() <= 0.5
    stretched = TRANSFORMS["contrast"](many, draws())
    assert torch.allclose(stretched.mean((1, 2, 3)), many.mean((1, 2, 3)), atol=1e-6)
    flipped = TRANSFORMS["flip"](many, draws())[:, 0].nonzero()[:, 2]
    assert set(flipped.tolist()) == {3, 4}


@pytest.mark.parametrize("architecture", [mlp(), mlp(norm="layer"), conv(), conv(norm="instance"), conv(norm="layer")])
@pytest.mark.parametrize("spectral", [False, True])
def test_no_network_mixes_records_and_scores_are_unbounded(architecture, spectral):
    shape, context = (1, 5, 4), 3
    generator = build_generator(architecture, shape, context, ImageHead())
    critic = build_critic(architecture, shape, context, spectral=spectral).eval()
    z, c = torch.randn(6, generator.numbers), torch.eye(3).repeat(2, 1)
    x = generator(z, c)
    assert x.shape == (6, 1, 5, 4)
    assert torch.allclose(generator(z[2:3], c[2:3]), x[2:3], atol=1e-6)
    assert torch.allclose(critic(x[2:3], c[2:3]), critic(x, c)[2:3], atol=1e-6)
    assert not torch.allclose(critic(x, c), critic(x, c.roll(1, 0)))
    assert not torch.allclose(generator(z, c), generator(z, c.roll(1, 0)))
    assert not any(isinstance(layer, nn.Sigmoid | nn.BatchNorm1d | nn.BatchNorm2d) for layer in critic.modules())


@pytest.mark.parametrize("architecture", [mlp(pac=4), conv(pac=4)])
def test_a_packed_critic_judges_records_side_by_side(architecture):
    critic = build_critic(architecture, (1, 4, 4), 2, spectral=False)
    x, c = torch.randn(8, 1, 4, 4), torch.randn(8, 2)
    scores = critic(x, c)
    assert scores.shape == (2,)
    changed = x.clone()
    changed[5] = 0
    again = critic(changed, c)
    assert again[0] == scores[0]
    assert again[1] != scores[1]


def test_spectral_norm_bounds_every_map_and_looking_changes_nothing():
    critic = build_critic(conv(), (1, 8, 8), 0, spectral=True)
    for _ in range(30):
        critic(torch.randn(4, 1, 8, 8), torch.zeros(4, 0))
    critic.eval()
    state = copy.deepcopy(critic.state_dict())
    critic(torch.randn(4, 1, 8, 8), torch.zeros(4, 0))
    assert all(torch.equal(value, state[name]) for name, value in critic.state_dict().items())
    for layer in critic.modules():
        if isinstance(layer, nn.Linear | nn.Conv2d):
            assert torch.linalg.matrix_norm(layer.weight.flatten(1), 2).item() == pytest.approx(1.0, abs=0.02)


def test_an_average_takes_buffers_along():
    network = nn.BatchNorm1d(2)
    average = Average(network, 0.9)
    network(torch.randn(50, 2) + 5)
    average.update()
    assert average.network.running_mean.min() > 0.3
    assert average.network.num_batches_tracked == 1


def blocks(*widths):
    """Blocks of these widths: a number where it is 0, about the same column as the choice before it."""
    found, start, column = [], 0, -1
    for width in widths:
        column += width > 0 or not found or found[-1].kind == "number"
        found.append(Block("x", "choice" if width else "number", column, start, width or 1))
        start += width or 1
    return tuple(found)


def test_a_table_head_draws_each_choice_from_its_softmax_and_keeps_numbers():
    head = TableHead(blocks(0, 3, 2), torch.zeros(6))
    assert head.noise == 5
    out = torch.tensor([[9.0, 0.0, math.log(2), math.log(5), 0.0, math.log(3)]]).repeat(20000, 1)
    x = head(out, torch.randn((20000, 5), generator=draws())).detach()
    assert torch.equal(x[:, 0], out[:, 0])
    assert (x[:, 1:4].sum(1) - 1).abs().max() < 1e-6
    assert x[:, 1:4].mean(0).tolist() == pytest.approx([1 / 8, 2 / 8, 5 / 8], abs=0.015)
    assert x[:, 4:].mean(0).tolist() == pytest.approx([1 / 4, 3 / 4], abs=0.015)


@torch.no_grad()
def test_a_number_stands_only_where_its_choice_says_so():
    x = TableHead(blocks(2, 0, 0), torch.zeros(4))(torch.ones(500, 4), torch.randn((500, 2), generator=draws()))
    assert torch.equal(x[:, 2], x[:, 0])
    assert 100 < x[:, 2].sum() < 400
    assert (x[:, 3] == 1).all()


@torch.no_grad()
def test_what_was_made_shifts_the_later_blocks():
    head = TableHead(blocks(3, 3, 0, 0), torch.zeros(8))
    assert all(not link.any() for link in head.links)
    head.links[0].copy_(100 * torch.eye(3)[[1, 2, 0]])
    head.links[2].copy_(torch.tensor([1.0, 2.0, 3.0, 0.0, 0.0, 0.0, 0.5])[:, None])
    x = head(torch.zeros(300, 8), torch.randn((300, 6), generator=draws()))
    assert torch.equal(x[:, 3:6], x[:, :3].roll(1, 1))
    assert torch.equal(x[:, 7], x[:, :3] @ torch.tensor([1.0, 2.0, 3.0]) + 0.5 * x[:, 6])
    assert x[:, :3].mean(0).min() > 0.2


def test_the_links_learn_through_what_was_drawn():
    head = TableHead(blocks(2, 2), torch.zeros(4))
    head(torch.zeros(50, 4), torch.randn((50, 4), generator=draws()))[:, 2].sum().backward()
    assert head.links[0].grad.abs().min() > 0.1


def test_a_generator_of_tables_begins_at_the_train_shares():
    fields = (Field(name="kind", role="content", dtype="categorical", enum=("a", "b", "c")),)
    layout = Layout.of(MixedCodec.fitted(fields, {"kind": np.repeat([0, 1, 2], [10, 70, 20])}))
    assert layout.shares.tolist() == pytest.approx([0.1, 0.7, 0.2], abs=0.01)
    head = MixedContent(layout, 0).head()
    body = build_generator(GanMlp(name="mlp", hidden=(4,), latent_dim=2), (3,), 0, head).body
    assert body[-2].bias.exp().tolist() == pytest.approx(layout.shares.tolist())


def test_the_share_of_numbers_is_what_the_named_cells_leave():
    fields = (Field(name="gain", role="content", dtype="float64", nullable=True),)
    column = np.concatenate([np.full(60, np.nan), np.arange(40.0)])
    layout = Layout.of(MixedCodec.fitted(fields, {"gain": column}))
    assert [block.kind for block in layout.blocks] == ["choice", "number"]
    assert layout.shares.tolist() == pytest.approx([0.4, 0.6, 1.0], abs=0.05)
    assert layout.shares[:2].sum() == pytest.approx(1.0)


def test_a_choice_is_one_hot_and_still_has_the_gradient_of_its_softmax():
    out = torch.zeros((5, 3), requires_grad=True)
    x = TableHead(blocks(3), torch.zeros(3))(out, torch.randn((5, 3), generator=draws()))
    assert torch.allclose(x.detach().sort(1).values, torch.tensor([0.0, 0.0, 1.0]).repeat(5, 1), atol=1e-6)
    x[:, 0].sum().backward()
    assert (out.grad.abs() > 1e-6).all()
    assert torch.allclose(out.grad.sum(1), torch.zeros(5), atol=1e-6)


def test_gumbel_noise_has_gumbels_moments():
    values = gumbel(torch.randn(200_000, generator=draws()))
    assert values.mean().item() == pytest.approx(0.5772, abs=0.02)
    assert values.std().item() == pytest.approx(math.pi / math.sqrt(6), abs=0.02)
    assert gumbel(torch.tensor([-40.0, 40.0])).isfinite().all()
    assert torch.equal(Head()(torch.ones(2, 2), torch.zeros(2, 0)), torch.ones(2, 2))
