"""How networks are told conditions: one label for categories, one vector for anything else, and the layers that read them."""

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from synthspec.backend.dataset import Dataset  # noqa: E402
from synthspec.backend.protocol import DataError  # noqa: E402
from synthspec.ir.families import DpSgd, MlpDenoiser, VaeConv, VaeMlp  # noqa: E402
from synthspec.ir.schema import Field, Schema  # noqa: E402
from synthspec.testing import catalogue  # noqa: E402
from synthspec_torch.data.given import GivenLabel, GivenVector, dropped, given_of  # noqa: E402
from synthspec_torch.data.labels import Labels  # noqa: E402
from synthspec_torch.support import LABELS_MAX, context_reasons, is_label  # noqa: E402
from synthspec_torch.vae.networks import FlatDecoder, FlatEncoder, GridDecoder, GridEncoder, build_vae  # noqa: E402


def condition(name, **said):
    return Field(name=name, role="condition", **said)


SITE = condition("site", dtype="categorical", enum=("north", "south", "west"))
LOAD = condition("load", dtype="float64", unit="dB", range=(-10.0, 10.0))
FIELDS = (
    SITE,
    LOAD,
    condition("gap", dtype="categorical", enum=("a", "b"), nullable=True),
    condition("on", dtype="bool"),
    condition("stage", dtype="int32", enum=(1, 4)),
    condition("many", dtype="categorical", enum=tuple(range(LABELS_MAX))),
    condition("pair", dtype="float64", shape=(2,)),
    condition("word", dtype="string"),
    condition("when", dtype="timestamp"),
    condition("open", dtype="categorical"),
    condition("maybe", dtype="float64", nullable=True),
)
SCHEMA = Schema(modality="tabular", fields=FIELDS)


@pytest.mark.parametrize(
    ("names", "label"),
    [
        (("site",), True),
        (("site", "gap"), True),
        (("many",), True),
        (("many", "gap"), False),
        (("site", "load"), False),
        (("on",), False),
        (("stage",), False),
    ],
)
def test_categories_of_few_combinations_are_a_label_and_nothing_else_is(names, label):
    assert is_label(SCHEMA, names) is label
    assert list(context_reasons(SCHEMA, names)) == []


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("pair", "has shape [2]; a condition is one value"),
        ("word", "is of dtype string"),
        ("when", "is of dtype timestamp"),
        ("open", "is categorical without an enum"),
        ("maybe", "is nullable, and a missing number has no place"),
        ("none", "is no field of the SRef"),
    ],
)
def test_what_no_network_can_be_told_is_said(name, reason):
    (found,) = context_reasons(SCHEMA, ("site", name))
    assert found.startswith(f"the condition {name!r}")
    assert reason in found


def fit(*names, family="vae", **changes):
    """A training under the conditions `names`."""
    made = catalogue.fit(family, "tabular")
    schema = replace(made.schema, fields=(*made.schema.with_role("content"), *FIELDS))
    return replace(made, schema=schema, conditions=names, **changes)


ROWS = Dataset({"site": np.array([0, 2, 1, 1]), "load": np.array([1.0, 3.0, 5.0, 7.0]), "gap": np.array([0, -1, 1, 0])})


def test_the_numbers_of_a_vector_are_standardised_by_the_train_rows():
    given = given_of(fit("site", "load"), ROWS)
    told = given.encode(ROWS.columns, 4)
    assert told.dtype == torch.float32
    assert told[:, :3].argmax(1).tolist() == [0, 2, 1, 1]
    assert told[:, 3].tolist() == pytest.approx(((np.arange(4) - 1.5) / np.sqrt(1.25)).tolist())
    assert told[:, 4].tolist() == [1.0] * 4
    assert given.null.tolist() == [0.0] * given.width == [0.0] * 5


def test_under_a_mechanism_they_are_standardised_by_the_range():
    given = given_of(fit("site", "load", privacy=DpSgd(mechanism="dp-sgd")), Dataset({}))
    assert given.encode(ROWS.columns, 4)[:, 3].tolist() == pytest.approx([v * np.sqrt(12) / 20 for v in (1, 3, 5, 7)])


def test_each_engine_is_told_in_its_own_form():
    assert given_of(fit(), ROWS) is None
    assert isinstance(given_of(fit("site", "gap"), ROWS), GivenLabel)
    assert isinstance(given_of(fit("site", "load"), ROWS), GivenVector)
    dense = fit("site", family="diffusion")
    assert isinstance(dense.engine.architecture, MlpDenoiser)
    assert isinstance(given_of(dense, ROWS), GivenVector)


def test_a_missing_number_is_a_fault_of_the_data():
    given = given_of(fit("load"), ROWS)
    with pytest.raises(DataError, match="the condition load of row 1 is missing"):
        given.encode({"load": np.array([1.0, np.nan])}, 2)


def test_the_layer_of_a_vector_is_that_of_a_label_on_members():
    given = given_of(fit("site", "load"), ROWS)
    torch.manual_seed(0)
    layer = given.embedding(7)
    at = {"load": np.full(3, ROWS["load"].mean()), "site": np.arange(3)}
    rows = layer(given.encode(at, 3))
    assert torch.allclose(rows[1] - rows[0], layer.weight[:, 1] - layer.weight[:, 0], atol=1e-6)
    assert not layer(given.null).any()
    wide = given.embedding(4000).weight
    assert wide.mean().item() == pytest.approx(0.0, abs=0.03)
    assert wide.std().item() == pytest.approx(1.0, abs=0.03)


@pytest.mark.parametrize("null", [torch.tensor(9), torch.full((3,), 9.0)])
def test_a_share_is_told_of_no_condition(null):
    given = torch.zeros(1000, *null.shape, dtype=null.dtype)
    u = torch.linspace(0, 1, 1001)[:1000]
    found = dropped(given, null, u, 0.25).view(1000, -1)
    assert (found[:250] == 9).all()
    assert (found[250:] == 0).all()


@pytest.mark.parametrize(
    ("architecture", "halves"),
    [
        (
            VaeMlp(name="mlp", hidden=(8,), latent_dim=2, likelihood="gaussian"),
            lambda: (FlatEncoder(16, 3, (8,), 4, None), FlatDecoder(2 + 3, (8,), (2, 1, 4, 4), None)),
        ),
        (
            VaeConv(name="conv", channels=(4, 6), latent_dim=2, likelihood="gaussian"),
            lambda: (GridEncoder((1, 4, 4), 4, (4, 6), 4, None), GridDecoder((1, 4, 4), 2 + 4, (4, 6), 2, None)),
        ),
    ],
)
def test_a_label_is_read_by_tables_that_are_made_after_both_halves(architecture, halves):
    """What seeds gave engines of categories: the encoder, the decoder, then a table for each."""
    torch.manual_seed(3)
    network = build_vae(architecture, (1, 4, 4), 2, GivenLabel(Labels((SITE,))).embedding)
    torch.manual_seed(3)
    encoder, decoder = halves()
    width = network.seen.weight.shape[1]
    wanted = {"encoder": encoder, "decoder": decoder, "seen": nn.Embedding(4, width), "told": nn.Embedding(4, width)}
    wanted = {f"{part}.{name}": weight for part, module in wanted.items() for name, weight in module.named_parameters()}
    found = dict(network.named_parameters())
    assert list(found) == list(wanted)
    assert all(torch.equal(found[name], wanted[name]) for name in wanted)


def test_a_unet_has_a_table_for_labels_and_an_mlp_for_numbers_beside_the_same_weights():
    pytest.importorskip("diffusers")
    from synthspec.ir.families import UNet2d
    from synthspec_diffusers.network import Denoiser

    def state(*given, **options):
        torch.manual_seed(3)
        return Denoiser(
            UNet2d(name="unet2d", channels=(8, 8), layers_per_block=1), (1, 4, 4), *given, **options
        ).state_dict()

    table = "unet.class_embedding."
    told, labelled, plain = state(5, labelled=False), state(5), state(None)
    assert [name for name in labelled if name not in plain] == [table + "weight"]
    assert labelled[table + "weight"].shape == (5, 32)
    added = [name for name in told if name not in plain]
    assert added == [f"{table}{layer}.{part}" for layer in (0, 2) for part in ("weight", "bias")]
    assert [told[name].shape for name in added] == [(32, 5), (32,), (32, 32), (32,)]
    # A number adds layers, and the others begin where they begin without it.
    assert all(torch.equal(told[name], plain[name]) for name in plain)
