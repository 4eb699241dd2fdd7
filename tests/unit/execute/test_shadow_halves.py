"""Whom shadow engines are asked about, and which half of the records each of them learns."""

import numpy as np
import pytest

from synthspec.backend.artifacts import DATA, ISOLATE_REPORT, SPLIT, IsolateReport, read_report
from synthspec.backend.dataset import Dataset, Rows, read_dataset, read_rows, write_dataset, write_rows
from synthspec.backend.protocol import Artifact, Context, DataError
from synthspec.execute.core.isolate import isolate
from synthspec.execute.core.shadow import halved, present, shadow
from synthspec.ir.ops import Isolate, Shadow
from synthspec.ir.schema import Field, Schema

ROWS = 200
SCHEMA = Schema(
    modality="tabular",
    fields=(
        Field(name="rid", role="key", dtype="int64"),
        Field(name="x", role="content", dtype="float32", range=(-50.0, 50.0)),
        Field(name="n", role="content", dtype="int16"),
        Field(name="site", role="condition", dtype="categorical", enum=("north", "south")),
    ),
    pk=("rid",),
)
FAR = (3, 17, 40, 41, 90)
"""Records of the training split that lie alone; 40 and 41 are the same."""


class Quiet:
    def start(self, label, total, unit): ...

    def advance(self, count=1, note=""): ...


def data():
    r = np.random.default_rng(0)
    x, n = r.standard_normal(ROWS), r.integers(0, 5, ROWS)
    x[list(FAR)] = (30, -30, 45, 45, -45)
    return Dataset({"n": n.astype(np.int16), "rid": np.arange(ROWS), "site": n % 2, "x": x.astype(np.float32)})


def node(folder, make):
    folder.mkdir()
    make(folder)
    return Artifact(folder, tuple(path.name for path in folder.iterdir()))


def ran(kernel, op, inputs, folder):
    return node(folder, lambda out: kernel(op, inputs, Context(out=out, root=out, workers=1, progress=Quiet())))


@pytest.fixture
def real(tmp_path):
    rows = np.arange(ROWS, dtype=np.int64)
    split = Rows(train=rows[:120], val=rows[120:150], test=rows[150:])
    return {
        "data": node(tmp_path / "bind", lambda out: write_dataset(out, data())),
        "split": node(tmp_path / "split", lambda out: write_rows(out, split)),
    }


def asked(real, folder, **how):
    return ran(isolate, Isolate(**({"schema": SCHEMA, "targets": None, "planted": 0, "seed": 1} | how)), real, folder)


def learned(real, isolated, folder, **how):
    op = Shadow(**({"number": 0, "exchanged": False, "seed": 1} | how))
    inputs = {"data": isolated, "split": real["split"]}
    made = ran(shadow, op, inputs, folder)
    return made, read_dataset(made.path(DATA)), read_rows(made.path(SPLIT)), present(op, inputs)


def test_the_records_that_lie_alone_are_asked_about_and_no_others_than_those_of_the_training_split(real, tmp_path):
    found = asked(real, tmp_path / "isolate", targets=20)
    rows = read_rows(found.path(SPLIT))
    assert set(FAR) <= set(rows.train.tolist())
    assert (rows.train < 120).all()
    assert (len(rows.train), len(rows.val), len(rows.test)) == (20, 0, 0)
    assert read_report(found.path(ISOLATE_REPORT), IsolateReport) == IsolateReport(records=120, isolated=20, planted=0)


def test_a_quarter_of_few_records_is_asked_about_where_nothing_is_said(real, tmp_path):
    assert len(read_rows(asked(real, tmp_path / "isolate").path(SPLIT)).train) == 30


def test_canaries_lie_anywhere_the_schema_allows_behind_the_data(real, tmp_path):
    found = asked(real, tmp_path / "isolate", planted=40)
    whole, rows = read_dataset(found.path(DATA)), read_rows(found.path(SPLIT))
    assert len(whole) == ROWS + 40
    assert rows.train.tolist()[-40:] == list(range(ROWS, ROWS + 40))
    assert all(np.array_equal(whole[name][:ROWS], column) for name, column in data().columns.items())
    planted = whole.take(np.arange(ROWS, ROWS + 40))
    assert planted["x"].min() < -30 < 30 < planted["x"].max()
    assert (planted["n"].min(), planted["n"].max()) == (0, 4)  # no range is declared: that of the records
    assert set(planted["site"].tolist()) == {0, 1}
    assert {name: column.dtype for name, column in planted.columns.items()} == {
        name: column.dtype for name, column in data().columns.items()
    }


@pytest.mark.parametrize(
    ("how", "said"), [({"targets": 61}, "61"), ({"targets": 19}, "19"), ({"targets": 60, "planted": 20}, "60")]
)
def test_more_than_half_of_the_records_or_next_to_none_are_refused(real, tmp_path, how, said):
    with pytest.raises(DataError, match=said) as caught:
        asked(real, tmp_path / "isolate", **how)
    assert "say 20 to" in caught.value.help


def test_too_few_records_are_refused(real, tmp_path):
    few = np.arange(39, dtype=np.int64)
    real["split"] = node(tmp_path / "few", lambda out: write_rows(out, Rows(train=few, val=few[:0], test=few[:0])))
    with pytest.raises(DataError, match="39 records"):
        asked(real, tmp_path / "isolate")


def test_canaries_that_leave_no_room_are_named(real, tmp_path):
    """What is advised is the most that there is room for."""
    with pytest.raises(DataError, match="85 canaries leave no room for 20 of 120") as caught:
        asked(real, tmp_path / "isolate", planted=85)
    assert caught.value.help == "plant 80 at most, or none"
    (tmp_path / "isolate").rmdir()
    found = asked(real, tmp_path / "isolate", planted=80)
    assert read_report(found.path(ISOLATE_REPORT), IsolateReport) == IsolateReport(records=120, isolated=20, planted=80)


@pytest.mark.parametrize("exchanged", [False, True])
def test_a_pair_learns_every_record_once_and_val_as_it_is_and_no_test(real, tmp_path, exchanged):
    found = asked(real, tmp_path / "isolate", planted=30)
    halves = [learned(real, found, tmp_path / f"{number}", number=number, exchanged=exchanged) for number in (6, 7)]
    seen = [split.train.tolist() for _, _, split, _ in halves]
    assert np.array_equal(halves[0][3], ~halves[1][3])
    assert sum(map(len, seen)) == 120 + 30
    for _, whole, split, _ in halves:
        assert whole["rid"][split.val].tolist() == list(range(120, 150))
        assert len(split.test) == 0
        assert len(whole) == len(split.train) + 30
        assert whole["rid"][split.train].max() < 120


def test_what_is_said_to_be_learned_is(real, tmp_path):
    found = asked(real, tmp_path / "isolate", targets=20)
    wanted = read_rows(found.path(SPLIT)).train
    _, whole, split, told = learned(real, found, tmp_path / "half")
    assert np.isin(wanted, whole["rid"][split.train]).tolist() == told.tolist()


def test_other_records_that_are_asked_about_change_no_half(real, tmp_path):
    """So that no engine is trained again for them."""
    few, more = (asked(real, tmp_path / f"of {count}", targets=count) for count in (20, 50))
    one, other = (learned(real, found, tmp_path / found.folder.name[3:])[0] for found in (few, more))
    assert [one.path(name).read_bytes() for name in one.files] == [other.path(name).read_bytes() for name in one.files]


def test_each_pair_has_coins_of_its_own_and_the_same_ones_again(real, tmp_path):
    found = asked(real, tmp_path / "isolate")
    told = [learned(real, found, tmp_path / f"{place}", number=n)[3] for place, n in enumerate((0, 2, 0))]
    assert not np.array_equal(told[0], told[1])
    assert np.array_equal(told[0], told[2])


def test_coins_are_fair_and_independent():
    among = np.arange(400) < 100
    held = np.stack([halved(Shadow(number=2 * n, exchanged=False, seed=3), among) for n in range(200)])
    assert abs(held.mean() - 0.5) < 4 * 0.5 / np.sqrt(held.size)
    assert np.std(held.sum(axis=1)) == pytest.approx(10, rel=0.25)  # the sizes of independent coins


@pytest.mark.parametrize("records", [400, 401])
def test_a_coin_that_is_exchanged_puts_one_record_in_the_place_of_another(records):
    among = np.arange(records) % 4 == 0
    held = np.stack([halved(Shadow(number=2 * n, exchanged=True, seed=3), among) for n in range(200)])
    assert set(held.sum(axis=1).tolist()) == {200}
    assert abs(held[:, among].mean() - 0.5) < 4 * 0.5 / np.sqrt(held[:, among].size)
    assert np.std(held[:, among].sum(axis=1)) == pytest.approx(np.sqrt(among.sum()) / 2, rel=0.25)
