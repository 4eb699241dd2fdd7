"""Tables of mixed types as cells: every value comes back, every law of cells is a normalised law of values."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kstest

from synthspec.backend.protocol import Artifact, Context, DataError
from synthspec.ir.schema import Field, Schema
from synthspec_torch.data.kinds import is_mixed, mixed_reasons
from synthspec_torch.data.layout import Layout
from synthspec_torch.data.mixed import COLUMNS, Cells, MixedCodec
from synthspec_torch.data.partition import declared, fitted
from synthspec_torch.weights import WeightsError

pytest.importorskip("torch")


def content(name, dtype, **changes):
    return Field(name=name, role="content", dtype=dtype, **changes)


FIELDS = (
    content("blood", "categorical", enum=("A", "B", "AB"), nullable=True),
    content("smoker", "bool"),
    content("grade", "int8", range=(0.0, 20.0)),
    content("gain", "int64", range=(0.0, 1e6)),
    content("free", "int64"),
    content("mass", "float32", range=(-5.0, 50.0), nullable=True),
    content("heavy", "float64"),
    content("seen", "timestamp"),
    content("price", "float64", resolution=0.01, nullable=True),
    content("pair", "int16", shape=(2,), range=(0.0, 300.0)),
    content("dose", "int32", enum=(5, 10, 500)),
)
SECOND = 10**9


def table(n=800, seed=0):
    rng = np.random.default_rng(seed)
    mass = rng.normal(size=n).clip(-5, 50).astype(np.float32)
    mass[rng.random(n) < 0.3] = 0
    mass[rng.random(n) < 0.1] = np.nan
    return {
        "blood": rng.integers(-1, 3, n),
        "smoker": rng.integers(0, 2, n).astype(np.uint8),
        "grade": rng.integers(0, 21, n).astype(np.int8),
        "gain": np.where(rng.random(n) < 0.8, 0, rng.integers(0, 10**5, n)),
        "free": rng.integers(-(10**12), 10**12, n),
        "mass": mass,
        "heavy": rng.standard_cauchy(n),
        "seen": 1_700_000_000 * SECOND + rng.integers(0, 10**8, n) * SECOND,
        "price": np.where(rng.random(n) < 0.1, np.nan, rng.integers(0, 10**5, n) / 100),
        "pair": rng.integers(0, 301, (n, 2)).astype(np.int16),
        "dose": rng.choice([5, 10, 500], n).astype(np.int32),
    }


def same(one, other):
    return all(
        one[name].dtype == other[name].dtype
        and (np.array_equal(one[name], other[name], equal_nan=one[name].dtype.kind == "f") or name == "heavy")
        for name in one
    ) and np.allclose(one["heavy"], other["heavy"], rtol=1e-9)


@pytest.fixture(scope="module")
def codec():
    return MixedCodec.fitted(FIELDS, {name: column[:500] for name, column in table().items()})


def test_every_value_comes_back_also_of_rows_that_were_not_fitted(codec):
    data = table()
    assert same(data, codec.decode(codec.encode(data)))


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_every_place_of_a_value_comes_back_to_it(codec, seed):
    data, rng = table(60, seed), np.random.default_rng(seed)
    spread = codec.spread(codec.encode(data), rng)
    assert ((spread.places >= 0) & (spread.places < 1)).all()
    assert same(data, codec.decode(spread))


def test_scores_are_normal_on_the_train_rows_and_lead_back(codec):
    data = {name: column[:500] for name, column in table().items()}
    z = codec.scores(codec.spread(codec.encode(data), np.random.default_rng(1)))
    assert all(kstest(column, "norm").pvalue > 1e-4 for column in z.T)
    back = codec.decode(codec.from_scores(z))
    for name, column in data.items():
        if name not in ("heavy", "free"):
            assert np.array_equal(back[name], column, equal_nan=column.dtype.kind == "f"), name
    cells = codec.from_scores(np.random.default_rng(2).normal(size=(200, codec.width)) * 2)
    assert np.allclose(codec.scores(cells), codec.scores(codec.from_scores(codec.scores(cells))), atol=1e-9)


def test_scores_rise_with_the_value(codec):
    number = [column.field.name for column in codec.columns].index("gain")
    z = np.zeros((400, codec.width))
    z[:, number] = np.linspace(-5, 5, 400)
    gains = codec.decode(codec.from_scores(z))["gain"]
    assert (np.diff(gains) >= 0).all()
    assert gains[0] == 0
    assert gains[-1] > 99_000


@pytest.mark.parametrize(
    ("field", "values"),
    [
        (content("gain", "int64", range=(0.0, 5000.0)), np.arange(5001)),
        (content("age", "int16", range=(0.0, 90.0)), np.arange(91)),
        (content("price", "float64", range=(0.0, 20.0), resolution=0.01), np.arange(2001) / 100),
    ],
)
def test_masses_of_a_cell_sum_to_one(field, values):
    rng = np.random.default_rng(3)
    rows = np.where(rng.random(600) < 0.5, values[0], rng.choice(values[: len(values) // 2], 600))
    for column in (fitted(field, rows.astype(field.dtype), 16), declared(field, 16)):
        codes, places = column.encode(values.astype(field.dtype))
        mass = np.bincount(codes, np.exp(-column.log_volume(codes, places)), minlength=column.levels)
        assert np.allclose(mass, 1.0)


def test_masses_of_the_tails_of_whole_numbers_sum_to_one():
    column = fitted(content("free", "int64"), np.random.default_rng(4).integers(0, 10**4, 300), 8)
    values = np.concatenate([np.arange(-60_000, column.edges[0]), np.arange(column.edges[-1], 70_000)])
    codes, places = column.encode(values)
    mass = np.bincount(codes, np.exp(-column.log_volume(codes, places)), minlength=column.levels)
    # What is left beyond 60,000 of a scale of 1,200 is (1 + 50)^-2 of a tail.
    assert mass[column.first_tail :] == pytest.approx([1, 1], abs=1e-3)
    assert np.array_equal(column.decode(codes, places), values)


def test_densities_of_a_continuous_number_integrate_to_one():
    column = fitted(content("heavy", "float64"), np.random.default_rng(5).normal(size=400), 8)
    x = np.linspace(-40, 40, 800_001)
    codes, places = column.encode(x)
    density = np.exp(-column.log_volume(codes, places)) * (x[1] - x[0])
    assert np.bincount(codes, density, minlength=column.levels)[codes.min() : codes.max() + 1] == pytest.approx(
        1, abs=1e-3
    )


def test_log_slope_is_the_derivative_of_the_score():
    column = content("heavy", "float64")
    rows = np.random.default_rng(6).normal(size=400)
    codec = MixedCodec.fitted((column,), {"heavy": rows})
    x = np.random.default_rng(7).normal(size=50) * 2
    cells = codec.encode({"heavy": x})
    step = 1e-6
    nearby = codec.scores(codec.encode({"heavy": x + step})) - codec.scores(codec.encode({"heavy": x - step}))
    slope = codec.log_slope(cells, codec.scores(cells))
    assert np.median(np.abs(slope - np.log(nearby[:, 0] / (2 * step)))) < 1e-5


def test_spikes_are_cells_and_no_number_is_near_them():
    rng = np.random.default_rng(8)
    rows = np.where(rng.random(1000) < 0.9, 0, rng.choice([2174, 7688, 15024], 1000)).astype(np.int32)
    column = fitted(content("gain", "int32", range=(0.0, 99999.0)), rows)
    assert {0, 2174, 7688, 15024} <= set(column.atoms.tolist())
    drawn = column.decode(*column.encode(rows))
    assert np.array_equal(drawn, rows)


def test_cells_from_the_schema_read_no_data():
    fields = tuple(field for field in FIELDS if field.range or field.enum or field.dtype == "bool")
    codec = MixedCodec.declared(fields)
    data = {field.name: table()[field.name] for field in fields}
    assert same({**data, "heavy": np.zeros(1)}, {**codec.decode(codec.encode(data)), "heavy": np.zeros(1)})
    for name in ("free", "seen"):
        with pytest.raises(ValueError, match=name):
            MixedCodec.declared(tuple(field for field in FIELDS if field.name == name))


def test_blocks_cover_the_vector_and_lead_back(codec):
    layout, data = Layout.of(codec), table(300)
    slots = [slot for block in layout.blocks for slot in range(block.start, block.start + block.width)]
    assert slots == list(range(layout.width))
    x = layout.encode(codec.encode(data), np.random.default_rng(9))
    choices = [block for block in layout.blocks if block.kind == "choice"]
    assert all((x[:, block.slots].sum(1) == 1).all() for block in choices)
    back = codec.decode(layout.decode(x))
    for name in ("blood", "smoker", "grade", "pair", "dose", "price"):
        assert np.array_equal(back[name], data[name], equal_nan=data[name].dtype.kind == "f"), name
    assert np.array_equal(np.isnan(back["mass"]), np.isnan(data["mass"]))
    assert np.array_equal(back["mass"] == 0, data["mass"] == 0)


def test_what_is_written_is_read_again(codec, tmp_path):
    (tmp_path / "weights").mkdir()
    codec.write(Context(out=tmp_path, root=tmp_path, workers=1, progress=None))
    again = MixedCodec.read(FIELDS, Artifact(tmp_path, (COLUMNS,)))
    cells = codec.encode(table())
    assert np.array_equal(again.encode(table()).codes, cells.codes)
    assert same(table(), again.decode(Cells(cells.codes, cells.places)))
    with pytest.raises(WeightsError, match="10 columns"):
        MixedCodec.read(tuple(f for f in FIELDS if f.name != "pair"), Artifact(tmp_path, (COLUMNS,)))


@pytest.mark.parametrize(
    ("name", "value", "what"),
    [
        ("grade", 21, "leaves its range"),
        ("dose", 7, "no member"),
        ("smoker", 2, "no member"),
        ("price", 0.005, "no multiple"),
        ("seen", 1_700_000_000 * SECOND + 1, "no whole number of 1 s"),
    ],
)
def test_a_value_that_the_schema_does_not_allow_is_named(codec, name, value, what):
    data = table(20)
    data[name][3] = value
    with pytest.raises(DataError, match=what) as caught:
        codec.encode(data)
    assert f"{name} of row 3" in caught.value.message


def test_text_is_refused_and_what_needs_cells_is_told():
    numbers = Schema(modality="tabular", fields=(content("x", "float32"),))
    assert not is_mixed(numbers)
    assert is_mixed(Schema(modality="tabular", fields=FIELDS))
    text = Schema(modality="tabular", fields=(content("note", "string"), content("kind", "categorical")))
    assert len(list(mixed_reasons(text))) == 2


@pytest.mark.parametrize("step", [1, 10**9, 86_400 * 10**9], ids=["nanoseconds", "seconds", "days"])
def test_instants_beyond_all_others_stay_in_order_and_on_their_clock(step):
    """However far out an engine draws: 64 bits of nanoseconds end in 1678 and in 2261, and do not begin anew."""
    start = np.datetime64("2021-03-01T00:00:00", "ns").astype(np.int64)
    seen = start + step * np.unique(np.random.default_rng(3).integers(0, 2**60 // max(step, 400), 300))
    column = fitted(Field(name="seen", role="content", dtype="timestamp"), seen, 8)
    (low, high), places = (column.first_tail, column.first_tail + 1), np.array([0.0, 1e-12, 1e-4, 0.5, 1 - 1e-12, 1.0])
    for code in (low, high):
        instants = column.decode(np.full(len(places), code), places)
        assert (np.diff(instants.astype(object)) >= 0).all()
        assert not ((instants.astype(object) - int(seen.min())) % step).any()
        assert (instants > seen.max()).all() if code == high else (instants < seen.min()).all()
