"""Transforms of a field (`data.transform`): an exact way back, and a density counted in the units of the SRef (P405-7)."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthspec.backend.protocol import Artifact, Context
from synthspec.ir.schema import Field, Schema
from synthspec_torch.data.kinds import is_mixed, transform_reasons
from synthspec_torch.data.mixed import COLUMNS, MixedCodec
from synthspec_torch.data.partition import declared, fitted
from synthspec_torch.data.table import TableCodec

KINDS = ("linear", "log", "standard", "quantile")
CONTINUOUS = Field(name="x", role="content", dtype="float64", unit="m", dimension="L", range=(0.01, 5000.0))
COUNTED = Field(name="x", role="content", dtype="int32", range=(1, 9000))
STEPPED = Field(name="x", role="content", dtype="float32", unit="m", dimension="L", range=(0.5, 900.0), resolution=0.5)


def column_of(field, values):
    low, high = field.range
    inside = np.clip(np.asarray(values, np.float64), low, high)
    step = field.resolution or (1.0 if "int" in field.dtype else 0.0)
    return (np.round(inside / step) * step if step else inside).astype(field.dtype)


def skewed(field, rows=400, seed=1):
    return column_of(field, np.exp(np.random.default_rng(seed).normal(2.5, 1.5, rows)))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("field", [CONTINUOUS, COUNTED, STEPPED], ids=lambda field: field.dtype)
@settings(max_examples=25, deadline=None)
@given(values=st.lists(st.floats(0.01, 5000.0), min_size=1, max_size=40))
def test_every_value_comes_back(kind, field, values):
    column = fitted(replace(field, transform=kind), skewed(field))
    wanted = column_of(field, values)
    back = column.decode(*column.encode(wanted))
    if column.lattice:
        assert (back == wanted).all()
    else:
        np.testing.assert_allclose(back, wanted, rtol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("end", [0, 1])
def test_both_ends_of_a_range_have_a_place(kind, end):
    field = replace(CONTINUOUS, dtype="float32", range=(0.7, 4000.1), transform=kind)
    column = fitted(field, skewed(replace(field, transform="")))
    ends = np.array([field.range[end]], np.float32)
    assert column.decode(*column.encode(ends)) == ends


@pytest.mark.parametrize("kind", KINDS)
def test_a_density_over_the_range_sums_to_one(kind):
    """P(cell) spread by its volume is a law of the values in their own unit: S405-3 counts every log-determinant."""
    column = fitted(replace(CONTINUOUS, transform=kind), skewed(CONTINUOUS))
    grid = np.unique(np.concatenate([np.geomspace(*CONTINUOUS.range, 400_001), column.edges]))
    middle = np.sqrt(grid[1:] * grid[:-1])
    codes, places = column.encode(middle)
    density = np.exp(np.log(column.shares[codes]) - column.log_volume(codes, places))
    assert (density * np.diff(grid)).sum() == pytest.approx(1.0, abs=1e-4)


def test_places_under_log_go_by_ratios():
    """The log-uniform law on [a, b] has the density 1 / (v ln(b/a)), and every run of it the same share."""
    column = declared(replace(CONTINUOUS, transform="log"))
    values = np.array([0.02, 1.0, 30.0, 4999.0])
    codes, places = column.encode(values)
    nats = np.log(column.shares[codes]) - column.log_volume(codes, places)
    low, high = CONTINUOUS.range
    np.testing.assert_allclose(nats, -np.log(values * np.log(high / low)), rtol=1e-12)
    assert column.decode(codes, np.full(4, 0.5)) == pytest.approx(
        np.sqrt(column.edges[codes] * column.edges[codes + 1])
    )


def test_the_slope_of_scores_is_their_derivative():
    """What a flow over scores adds to its log-density is ln |dz / dv|, by finite differences."""
    for kind in KINDS:
        codec = MixedCodec.fitted((replace(CONTINUOUS, transform=kind),), {"x": skewed(CONTINUOUS)})
        values = np.array([0.5, 3.3, 40.0, 400.0])
        cells = codec.encode({"x": values})
        step = 1e-7 * values
        z = [codec.scores(codec.encode({"x": values + sign * step})) for sign in (-1, 1)]
        slope = np.log((z[1] - z[0])[:, 0] / (2 * step))
        np.testing.assert_allclose(codec.log_slope(cells, codec.scores(cells)), slope, atol=1e-4)


def test_runs_are_where_the_transform_says():
    rows = skewed(CONTINUOUS)
    edges = {kind: fitted(replace(CONTINUOUS, transform=kind), rows).edges for kind in KINDS}
    np.testing.assert_allclose(np.diff(edges["linear"]), np.diff(edges["linear"])[0])
    np.testing.assert_allclose(edges["log"][1:] / edges["log"][:-1], edges["log"][1] / edges["log"][0])
    inner = edges["standard"][1:-1]
    np.testing.assert_allclose(np.diff(inner)[1:], np.diff(inner)[1])
    counts = np.histogram(rows, edges["quantile"])[0]
    assert counts.max() <= 3 * len(rows) / 40
    assert (edges["quantile"] == fitted(CONTINUOUS, rows).edges).all()


def test_log_and_linear_ask_the_schema_alone():
    for kind in ("linear", "log"):
        field = replace(CONTINUOUS, transform=kind)
        assert (fitted(field, skewed(field)).edges == fitted(field, skewed(field, seed=2)).edges).all()
    plain = TableCodec.fitted((replace(CONTINUOUS, transform="linear"),), {"x": skewed(CONTINUOUS)})
    by_range = TableCodec.declared((CONTINUOUS,))
    assert (plain.shift, plain.scale) == (by_range.shift, by_range.scale)
    standard = TableCodec.fitted((replace(CONTINUOUS, transform="standard"),), {"x": skewed(CONTINUOUS)})
    assert standard.shift == skewed(CONTINUOUS).mean()


def test_cells_are_for_what_is_made_of_cells():
    def mixed(kind):
        return is_mixed(Schema(modality="tabular", fields=(replace(CONTINUOUS, transform=kind),)))

    assert [mixed(kind) for kind in ("", *KINDS)] == [False, False, True, False, True]


@pytest.mark.parametrize(
    ("modality", "field", "series", "said"),
    [
        ("image", replace(CONTINUOUS, shape=(1, 8, 8), transform="log"), False, "only linear"),
        ("timeseries", replace(CONTINUOUS, shape=(8,), transform="log"), True, "only standard"),
        ("tabular", replace(COUNTED, range=(1, 100), transform="log"), False, "a cell of its own"),
        ("tabular", replace(CONTINUOUS, enum=(1.0, 2.0), transform="quantile"), False, "a cell of its own"),
        ("tabular", replace(CONTINUOUS, role="condition", transform="log"), False, "is for content"),
    ],
)
def test_what_a_transform_cannot_do_is_said(modality, field, series, said):
    conditions = ("x",) if field.role == "condition" else ()
    (reason,) = transform_reasons(Schema(modality=modality, fields=(field,)), conditions, series=series)
    assert said in reason
    assert not list(transform_reasons(Schema(modality="tabular", fields=(CONTINUOUS,)), ()))


def test_a_codec_reads_back_what_it_wrote(tmp_path):
    fields = tuple(replace(CONTINUOUS, name=kind, transform=kind) for kind in KINDS)
    rows = {kind: skewed(CONTINUOUS) for kind in KINDS}
    codec = MixedCodec.fitted(fields, rows)
    (tmp_path / "weights").mkdir()
    codec.write(Context(out=tmp_path, root=tmp_path, workers=1, progress=None))
    again = MixedCodec.read(fields, Artifact(folder=tmp_path, files=(COLUMNS,)))
    cells = codec.encode(rows)
    for kind in KINDS:
        assert (again.decode(cells)[kind] == codec.decode(cells)[kind]).all()
