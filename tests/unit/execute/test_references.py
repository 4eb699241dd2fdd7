"""Foreign keys: read, checked with places and shares, and never dangling in what is made (P403-2)."""

from pathlib import Path

import numpy as np
import pytest

from synthspec.backend.artifacts import DATA, SPLIT, read_report
from synthspec.backend.dataset import Dataset, Rows, read_dataset, write_dataset, write_rows
from synthspec.backend.draws import Stream, generator
from synthspec.backend.protocol import Artifact, Context, DataError
from synthspec.backend.schema_report import REFER_REPORT, REFERENCES, SCHEMA_REPORT, ReferReport, SchemaReport
from synthspec.execute.core.bind import bind
from synthspec.execute.core.refer import Pool, refer
from synthspec.execute.outside import outside, pin
from synthspec.ir.ops import Bind, Refer, Referred
from synthspec.ir.schema import Field, Schema
from synthspec.spec.sref import Policies

ORDER = Field(name="order", role="key", dtype="int64")
SITE = Field(name="site", role="key", dtype="string")
WEIGHT = Field(name="weight", role="content", dtype="float64", unit="g", dimension="M")
SITES = Referred(field="site", table="sites", column="id", source="sites.csv")


def schema(site=SITE):
    return Schema(modality="tabular", fields=(ORDER, site, WEIGHT), pk=("order",))


class Silent:
    """A progress that nobody looks at."""

    def start(self, label, total, unit):
        """Nothing is shown."""

    def advance(self, amount):
        """Nothing is shown."""


@pytest.fixture
def bound(tmp_path):
    """Bind `orders` to a table of `sites`, and read what came of it."""

    def run(orders, sites="id,region\nS1,N\nS2,E\nS3,S\n", site=SITE, policy=None, referred=SITES):
        (tmp_path / "orders.csv").write_text(orders)
        (tmp_path / "sites.csv").write_text(sites)
        out = tmp_path / "out"
        out.mkdir(exist_ok=True)
        op = Bind(source="orders.csv", schema=schema(site), policy=policy, references=(referred,))
        bind(op, {}, Context(out=out, root=tmp_path, workers=1, progress=Silent()))
        data, report = read_dataset(out / DATA), read_report(out / SCHEMA_REPORT, SchemaReport)
        return data, report, read_dataset(out / REFERENCES)

    return run


def texts(column):
    return [bytes(row).rstrip(b"\0").decode() for row in column]


def test_the_report_says_what_points_where(bound):
    data, report, keys = bound("order,site,weight\n1,S1,2\n2,S3,3\n3,S1,4\n")
    (key,) = report.foreign_keys
    assert (key.table, key.keys, key.used, key.checked, key.unmatched, key.share) == ("sites", 3, 2, 3, 0, 0.0)
    assert (report.read, report.rows, report.dropped) == (3, 3, 0)
    assert texts(keys["site.keys"]) == ["S1", "S2", "S3"]
    assert len(data) == 3


ORPHANS = "order,site,weight\n1,S9,2\n2,S3,3\n3,S1,4\n4,Sx,4\n"


def test_an_orphan_is_refused_with_its_place_and_the_share(bound):
    with pytest.raises(DataError) as fault:
        bound(ORPHANS)
    assert fault.value.code == "data.orphan"
    assert "2 of 4 records (50.00%)" in fault.value.message
    assert "line 2: 'S9'; line 5: 'Sx'" in fault.value.message


@pytest.mark.parametrize(("policy", "rows"), [("drop", 2), ("keep", 4)])
def test_the_sref_may_leave_orphans_out_or_keep_them(bound, policy, rows):
    data, report, _ = bound(ORPHANS, policy=Policies(orphans={"site": policy}))
    (key,) = report.foreign_keys
    assert (len(data), report.rows, report.dropped, report.read) == (rows, rows, 4 - rows, 4)
    assert (key.unmatched, key.share, key.policy) == (2, 0.5, policy)
    assert key.worst == ("line 2: 'S9'", "line 5: 'Sx'")


def test_a_record_that_is_left_out_may_repeat_a_key(bound):
    data, _, _ = bound("order,site,weight\n1,S9,2\n1,S1,3\n", policy=Policies(orphans={"site": "drop"}))
    assert data["order"].tolist() == [1]
    assert data["weight"].tolist() == [3.0]


@pytest.mark.parametrize(
    ("sites", "code", "said"),
    [
        ("key\nS1\n", "schema.not-found", "no column 'id'"),
        ("id\n", "schema.bad-value", "no records to point to"),
        ("id,x\nS1,1\nS2,1\nS1,1\n", "schema.bad-value", "line 4, column 'id': 'S1' stands there a second time"),
        ("id,x\nS1,1\n,1\n", "schema.bad-value", "line 3, column 'id'"),
    ],
)
def test_a_table_without_proper_keys_is_refused(bound, sites, code, said):
    with pytest.raises(DataError) as fault:
        bound("order,site,weight\n1,S1,2\n", sites=sites)
    assert fault.value.code == code
    assert said in fault.value.message


def test_whole_numbers_are_compared_as_numbers(bound):
    site = Field(name="site", role="key", dtype="int32")
    _, report, keys = bound("order,site,weight\n1,10,2\n2,9,3\n", sites="id\n9\n10\n100\n", site=site)
    assert report.foreign_keys[0].used == 2
    assert keys["site.keys"].tolist() == [9, 10, 100]


def test_every_member_of_a_learned_key_has_to_be_there(bound):
    site = Field(name="site", role="content", dtype="categorical", enum=("S1", "S2"))
    _, report, _ = bound("order,site,weight\n1,S1,2\n", site=site)
    assert report.foreign_keys[0].unmatched == 0
    with pytest.raises(DataError) as fault:
        bound("order,site,weight\n1,S1,2\n", site=Field(**{**_parts(site), "enum": ("S1", "S8")}))
    assert fault.value.code == "data.orphan"
    assert "'S8'" in fault.value.message


def _parts(field):
    return {name: getattr(field, name) for name in field.__slots__}


def test_the_referred_table_is_pinned_like_the_source(bound, tmp_path):
    bound("order,site,weight\n1,S1,2\n")
    op = Bind(source="orders.csv", schema=schema(), references=(SITES,))
    seen = outside(op, tmp_path)
    assert [name for name, _ in seen] == ["orders.csv", "sites.csv"]
    pinned = pin(op, seen)
    assert (pinned.sha256, pinned.references[0].sha256) == (seen[0][1], seen[1][1])
    (tmp_path / "sites.csv").write_text("id\nS1\n")
    with pytest.raises(DataError) as fault:
        outside(pinned, tmp_path)
    assert fault.value.code == "data.digest"


# -- what is made -----------------------------------------------------------------------------------------------------


def pool(column, keys=50, field=SITE):
    names = [f"S{number:03d}" for number in range(keys)]
    stored = np.frombuffer("".join(names).encode(), np.uint8).reshape(keys, 4)
    return Pool.of(field, stored, stored[column])


def test_keys_are_spread_over_records_as_in_training():
    """The law of the number of records a key, not which key has many: a round draws it anew for each key."""
    rng = np.random.default_rng(3)
    train = np.repeat(np.arange(2000), rng.geometric(0.3, 2000) - 1)
    of = pool(train % 999, keys=999)
    made = of.drawn(SITES, 60_000, generator(1, Stream.REFER, 0))
    counts = Pool.of(SITE, of.keys, made).fan_out
    rounds = 60_000 / of.fan_out.sum()
    assert counts.mean() == pytest.approx(60_000 / 999)
    # A sum of `rounds` independent draws of the training law, but for the last round, which is cut off.
    assert counts.var() == pytest.approx(rounds * of.fan_out.var(), rel=0.15)
    once = of.drawn(SITES, int(of.fan_out.sum()), generator(2, Stream.REFER, 0))
    some = Pool.of(SITE, of.keys, once).fan_out
    assert (some == 0).mean() == pytest.approx((of.fan_out == 0).mean(), abs=0.08)
    assert np.corrcoef(some, of.fan_out)[0, 1] == pytest.approx(0.0, abs=4 / np.sqrt(999))


def test_many_parents_of_few_children_cost_what_the_children_do():
    """A million keys, of which ten have a record: what is drawn is spread over keys that nobody used, too."""
    keys = np.arange(1_000_000)
    field = Field(name="site", role="key", dtype="int64")
    of = Pool.of(field, keys, keys[::100_000])
    made = of.drawn(SITES, 2000, generator(1, Stream.REFER, 0))
    assert len(np.unique(made)) > 1980


def test_under_a_mechanism_any_key_has_the_same_chance():
    of = pool(np.zeros(500, np.int64), keys=20)
    uniform = Referred(field="site", table="sites", column="id", source="sites.csv", fan_out="uniform")
    counts = Pool.of(SITE, of.keys, of.drawn(uniform, 20_000, generator(1, Stream.REFER, 0))).fan_out
    assert ((counts - 1000) ** 2 / 1000).sum() < 43.8  # chi-squared with 19 degrees, 0.1 %


def test_a_key_that_nobody_uses_in_training_says_nothing():
    of = pool(np.zeros(0, np.int64))
    with pytest.raises(DataError) as fault:
        of.drawn(SITES, 5, generator(1, Stream.REFER, 0))
    assert fault.value.code == "data.orphan"


def test_gaps_of_a_nullable_key_keep_their_share():
    nullable = Field(name="site", role="key", dtype="string", nullable=True)
    stored = pool(np.arange(50)).keys
    column = np.concatenate([stored, np.zeros((150, 4), np.uint8)])
    of = Pool.of(nullable, stored, column)
    made = of.report(SITES, of.drawn(SITES, 4000, generator(1, Stream.REFER, 0)))
    assert made.gaps / 4000 == pytest.approx(0.75, abs=0.03)
    assert made.unmatched == 0


def test_the_node_gives_every_record_a_key_that_there_is(bound, tmp_path):
    lines = "".join(f"{number},S{1 + number % 2},2\n" for number in range(40))
    bound("order,site,weight\n" + lines)
    write_rows(tmp_path / "out", Rows(*(np.arange(a, b) for a, b in ((0, 30), (30, 35), (35, 40)))))
    made = tmp_path / "made"
    made.mkdir()
    write_dataset(made, Dataset({"order": np.arange(500), "weight": np.ones(500)}))
    folders = {"data": tmp_path / "out", "split": tmp_path / "out", "samples": made}
    inputs = {port: Artifact(folder=each, files=(DATA, SPLIT, REFERENCES)) for port, each in folders.items()}
    found = []
    for name in ("a", "b"):
        out = tmp_path / name
        out.mkdir()
        refer(
            Refer(schema=schema(), references=(SITES,), seed=4),
            inputs,
            Context(out=out, root=Path(), workers=1, progress=Silent()),
        )
        found.append((out / DATA).read_bytes())
    column = read_dataset(tmp_path / "a" / DATA)["site"]
    assert set(texts(column)) <= {"S1", "S2", "S3"}
    assert len(column) == 500
    assert found[0] == found[1]
    (key,) = read_report(tmp_path / "a" / REFER_REPORT, ReferReport).keys
    assert (key.unmatched, key.law, key.keys) == (0, "train", 3)
