"""MLP and transformer denoisers: shapes, what reaches what, and series and tables as they see them."""

import numpy as np
import pytest
import torch

from synthspec.backend.protocol import Artifact, Context, DataError
from synthspec.ir.families import MlpDenoiser, TransformerDenoiser
from synthspec.ir.schema import Field
from synthspec_diffusers.content import CHOICE_SCALE, SeriesContent, TableContent, encoded
from synthspec_diffusers.dense import Mlp, SeriesTransformer, TableTransformer
from synthspec_diffusers.series import SeriesCodec
from synthspec_torch.data.context import ContextCodec
from synthspec_torch.data.given import GivenVector
from synthspec_torch.data.layout import Layout
from synthspec_torch.data.mixed import MixedCodec

SMALL = TransformerDenoiser(name="transformer", width=16, depth=2, heads=4)
BLOCKS = (slice(0, 3), slice(3, 4), slice(4, 9))


def awake(network):
    """Last layers start at zero, which would hide everything before them."""
    generator = torch.Generator().manual_seed(0)
    for weight in network.parameters():
        weight.data = 0.3 * torch.randn(weight.shape, generator=generator)
    return network.eval()


def build(kind, given=None):
    torch.manual_seed(0)
    match kind:
        case "mlp":
            return Mlp(MlpDenoiser(name="mlp", hidden=(16, 24, 24)), (9,), given), (9,)
        case "table":
            return TableTransformer(SMALL, (9,), given, BLOCKS), (9,)
        case "series":
            return SeriesTransformer(SMALL, (2, 10), given), (2, 10)
        case _:
            return SeriesTransformer(SMALL, (2, 131), given), (2, 131)


KINDS = ["mlp", "table", "series", "long series"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_fresh_network_says_nothing_and_keeps_the_shape(kind):
    network, shape = build(kind)
    out = network(torch.randn(3, *shape), torch.tensor([0.0, 10.0, 999.0]), None)
    assert torch.equal(out, torch.zeros(3, *shape))


@pytest.mark.parametrize("kind", KINDS)
def test_every_number_reaches_every_other_and_so_do_time_and_condition(kind):
    network, shape = build(kind, given=3)
    awake(network)
    x, times, given = torch.randn(2, *shape), torch.tensor([5.0, 5.0]), torch.randn(2, 3)
    size = int(np.prod(shape))
    jacobian = torch.autograd.functional.jacobian(lambda flat: network(flat.view(2, *shape), times, given), x.flatten())
    reach = jacobian.view(2, size, 2, size)
    # Nothing passes between records.
    assert (reach[0, :, 1] == 0).all()
    assert (reach[0, :, 0] != 0).all()
    plain = network(x, times, given)
    assert not torch.allclose(network(x, times + 200, given), plain)
    assert not torch.allclose(network(x, times, given + 1), plain)


@torch.no_grad()
@pytest.mark.parametrize("kind", KINDS)
def test_records_that_know_the_same_time_are_told_it_once_and_alike(kind):
    network, shape = build(kind)
    awake(network)
    x = torch.randn(4, *shape)
    one = network(x, torch.full((4,), 300.0), None)
    mixed = network(torch.cat([x, x]), torch.tensor([300.0] * 4 + [1.0] * 4), None)[:4]
    assert torch.allclose(one, mixed, atol=1e-5)


def test_a_gradient_of_each_record_is_told_the_time_record_by_record():
    """Where all of a batch happen to have one time, too: rows have to be told apart."""
    network, shape = build("table")
    rows = []
    hook = network.told.time[0].register_forward_hook(lambda layer, seen, out: rows.append(len(seen[0])))
    network.eval()(torch.randn(4, *shape), torch.full((4,), 300.0), None)
    hook.remove()
    assert rows == [4]


def test_a_token_reads_and_writes_its_own_block_only():
    """With the encoder taken out, what a block says depends on that block alone."""
    network, _ = build("table")
    awake(network)
    network.encoder.forward = lambda tokens, told: tokens
    jacobian = torch.autograd.functional.jacobian(
        lambda x: network(x[None], torch.tensor([1.0]), None)[0], torch.randn(9)
    )
    allowed = torch.zeros(9, 9, dtype=torch.bool)
    for block in BLOCKS:
        allowed[block, block] = True
    assert torch.equal(jacobian != 0, allowed)


def test_long_series_are_cut_into_patches_and_none_is_padding_alone():
    for length in (1, 63, 64, 65, 129, 1000):
        network = SeriesTransformer(SMALL, (1, length), None)
        tokens = network.place.weight.shape[0]
        assert tokens <= 64
        assert (tokens - 1) * network.patch < length <= tokens * network.patch


def series(values, **more):
    field = Field(name="power", role="content", dtype="float32", shape=values.shape[1:], **more)
    return (field,), {"power": values.astype(np.float32)}


def test_channels_of_a_series_are_standardised_and_come_back(tmp_path):
    values = np.random.default_rng(0).normal([[3.0], [-50.0]], [[0.1], [20.0]], (200, 2, 30))
    fields, columns = series(values)
    codec = SeriesCodec.fitted(fields, columns)
    x = codec.encode(columns)
    assert x.shape == (200, 2, 30)
    assert torch.allclose(x.mean((0, 2)), torch.zeros(2), atol=1e-4)
    assert torch.allclose(x.std((0, 2)), torch.ones(2), atol=1e-3)
    assert np.allclose(codec.decode(x)["power"], columns["power"], atol=1e-4)
    codec.write(Context(out=tmp_path, root=tmp_path, workers=1, progress=None))
    again = SeriesCodec.read(fields, Artifact(tmp_path, ("weights/channels.safetensors",)))
    assert np.array_equal(again.shift, codec.shift)
    assert np.array_equal(again.scale, codec.scale)


def test_series_keep_range_and_resolution_and_refuse_what_breaks_them():
    values = np.round(np.random.default_rng(0).uniform(0, 4, (50, 12)) * 2) / 2
    fields, columns = series(values, range=(0.0, 4.0), resolution=0.5)
    content = SeriesContent(SeriesCodec.fitted(fields, columns))
    made = content.decode(10 * torch.randn(20, 1, 12))["power"]
    assert made.shape == (20, 12)
    assert made.min() >= 0
    assert made.max() <= 4
    assert np.array_equal(made * 2, np.round(made * 2))
    for broken in (np.nan, 4.5, 0.3):
        columns["power"][3, 4] = broken
        with pytest.raises(DataError, match="row 3"):
            encoded(content, columns, np.random.default_rng(0))


def test_a_constant_channel_is_kept_as_it_is():
    fields, columns = series(np.full((5, 1, 4), 7.0))
    codec = SeriesCodec.fitted(fields, columns)
    assert torch.equal(codec.encode(columns), torch.zeros(5, 1, 4))
    assert (codec.decode(torch.zeros(5, 1, 4))["power"] == 7).all()


def table():
    rng = np.random.default_rng(1)
    fields = (
        Field(name="age", role="content", dtype="int32", range=(0.0, 90.0)),
        Field(name="city", role="content", dtype="categorical", enum=tuple("abcd"), nullable=True),
        Field(name="wage", role="content", dtype="float64", nullable=True),
    )
    wage = rng.lognormal(3, 1, 400)
    wage[::7] = np.nan
    columns = {"age": rng.integers(0, 91, 400).astype(np.int32), "city": rng.integers(-1, 4, 400), "wage": wage}
    return fields, columns


def test_tables_come_back_exactly_and_their_choices_stand_around_zero():
    fields, columns = table()
    content = TableContent(Layout.of(MixedCodec.fitted(fields, columns)))
    x = encoded(content, columns, np.random.default_rng(0))
    assert x.shape == (400, *content.shape)
    back = content.decode(x)
    for name in ("age", "city"):
        assert np.array_equal(back[name], columns[name])
    assert np.allclose(back["wage"], columns["wage"], rtol=1e-6, equal_nan=True)
    for block in content.layout.blocks:
        if block.kind == "choice":
            part = x[:, block.slots]
            assert torch.allclose(part.sum(1), torch.zeros(400), atol=1e-5)
            assert torch.allclose(part.max(1).values - part.min(1).values, torch.full((400,), CHOICE_SCALE))


def test_the_condition_of_no_condition_is_told_from_all_others():
    schema_field = Field(name="state", role="condition", dtype="categorical", enum=("on", "off"), nullable=True)
    codec = ContextCodec((schema_field,), np.zeros(1), np.ones(1))
    given = GivenVector(codec)
    told = given.encode({"state": np.array([0, 1, -1])}, 3)
    assert told.shape == (3, given.width)
    assert not (told == given.null).all(1).any()
