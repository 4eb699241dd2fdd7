"""Whose noise a private training has: its own alone, also when it goes on after a crash, and what it costs when it has not."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from synthspec.accounting import Composed, Gaussian, eps_total
from synthspec.backend.artifacts import write_report
from synthspec.backend.protocol import Artifact, DataError, Identity
from synthspec.backend.releases import PRIVACY_RECORD, Released, ReleaseMeter, StatisticsRecord
from synthspec.backend.secret import kept, settle
from synthspec.ir.ops import Statistics
from synthspec.ir.schema import Field, Schema
from synthspec.ledger import Account, Entry, Ledger, book
from synthspec.pipeline import reserving
from synthspec.pipeline.reserving import LedgerGuard
from synthspec.pipeline.spending import Spending
from synthspec.spec.privacy import DpNoise

SIGMA, BUDGET = 4.0, 9.0
SCHEMA = Schema(modality="tabular", fields=(Field(name="flag", role="content", dtype="bool"),))
HERE, ELSEWHERE = (Identity(key, {"backend": f"core {key}"}) for key in ("4", "5"))
INPUTS = {"data": "d" * 64, "split": "e" * 64}


def op(eps_budget=BUDGET):
    block = DpNoise.model_validate(
        {"mechanism": "dp-noise", "unit": "record", "adjacency": "add_remove", "statistics": ("marginals",),
         "records": 8, "eps_budget": eps_budget, "delta": 1e-5, "bounds": "sref", "accountant": "analytic",
         "ledger": "ward"}
    )  # fmt: skip
    return Statistics(
        schema=SCHEMA, privacy=block, kind="marginals", fields=("flag",), target="", sigma=SIGMA, records=8, seed=3
    )


PLANNED = reserving._Release(op(), op().privacy).planned


RECORD = StatisticsRecord(
    mechanism="dp-noise",
    made=tuple(Released(name=f"{n}", parts=1, size=2, sigma=each.sigma) for n, each in enumerate(PLANNED.events)),
    planned=len(PLANNED.events),
    drawn=8,
    unit="record",
    adjacency="add_remove",
    rng="SHAKE-256",
    hardening="none",
    commitment="c" * 64,
)


class House:
    """Runs that begin on one ledger, one after another, and die when they are told to."""

    def __init__(self, folder, monkeypatch):
        self.folder, self.url, self.runs, self.dead = folder, f"sqlite:///{folder / 'ledger.sqlite3'}", 0, set()
        monkeypatch.setattr(book, "holder", lambda: f"run {self.runs}")
        monkeypatch.setattr(book, "died_here", lambda name: name in self.dead)

    def begin(self, secret=None, identity=HERE, stated=None):
        """What a run is given, which is the process ``self.runs``."""
        self.runs += 1
        node = SimpleNamespace(op=stated or op())
        plan = SimpleNamespace(digest="a" * 64, spec_digest="b" * 64, name="ward", version="1.0.0", node=lambda _: node)
        self.guard = LedgerGuard(plan, self.url, self.folder / "state")
        try:
            return self.guard.begin(node.op, INPUTS, secret, identity)
        finally:
            self.guard.close()

    def finish(self, passage):
        """The last run, which was given `passage`, is done: what is held of it for the manifest."""
        write_report(self.folder, PRIVACY_RECORD, replace(RECORD, commitment=kept(passage.secret, HERE).commitment))
        try:
            self.guard.done(
                SimpleNamespace(node="statistics", artifact=Artifact(self.folder, (PRIVACY_RECORD,))), INPUTS
            )
        finally:
            self.guard.close()
        return self.guard.held

    def die(self, passage, releases):
        """The run that was given `passage` is killed after `releases`; it had settled its noise before the first."""
        settle(passage.secret, HERE)
        meter = ReleaseMeter(passage.meter)
        meter.count(releases)
        meter.close()
        self.dead.add(f"run {self.runs}")

    def entries(self):
        ledger = Ledger(self.url)
        try:
            return [(each.state, each.event) for each in ledger.entries("ward")]
        finally:
            ledger.close()


@pytest.fixture
def house(tmp_path, monkeypatch):
    return House(tmp_path, monkeypatch)


def spent(releases):
    return "spent", Composed(PLANNED.events[:releases])


def files(house):
    return sorted(path.name for path in house.folder.rglob("*") if path.is_file() and "ledger" not in path.name)


def test_a_training_that_was_killed_goes_on_under_its_own_noise_for_nothing_more(house):
    first = house.begin()
    house.die(first, 2)
    assert house.entries() == [spent(2)]
    assert house.begin() == first
    assert house.entries() == [("reserved", PLANNED)]


@pytest.mark.parametrize("there", [False, True])
@pytest.mark.parametrize("kept_in", [None, "first.secret"])
def test_other_noise_is_another_release_and_both_are_charged(house, there, kept_in):
    """It was entered in the place of the interrupted one before, whose releases were then charged to nobody."""
    first = house.begin(None if kept_in is None else house.folder / kept_in)
    house.die(first, 2)
    other = house.folder / "other.secret"
    if there:
        settle(other, HERE)
    second = house.begin(other)
    assert second.secret == other
    assert second.meter != first.meter
    assert house.entries() == [spent(2), ("reserved", PLANNED)]


def test_of_several_that_were_killed_each_goes_on_under_its_own(house):
    secrets = [house.folder / name for name in ("one.secret", "two.secret")]
    given = []
    for secret in secrets:
        given.append(house.begin(secret))
        house.die(given[-1], 1)
    assert [house.begin(secret) for secret in secrets] == given
    assert house.entries() == [("reserved", PLANNED)] * 2


def test_without_its_file_a_training_that_had_one_is_not_gone_on_with(house):
    house.die(house.begin(house.folder / "first.secret"), 3)
    assert house.begin().secret.parent == house.folder / "state"
    assert house.entries() == [spent(3), ("reserved", PLANNED)]


def test_another_version_begins_anew_and_both_are_charged(house):
    first = house.begin()
    house.die(first, 2)
    second = house.begin(identity=ELSEWHERE)
    assert second.secret != first.secret
    assert kept(second.secret, ELSEWHERE) is not None
    assert house.entries() == [spent(2), ("reserved", PLANNED)]


def test_a_file_of_another_version_is_refused_before_anything_is_reserved(house):
    settle(house.folder / "a.secret", HERE)
    with pytest.raises(DataError, match="backend core 4 then, core 5 now") as refused:
        house.begin(house.folder / "a.secret", ELSEWHERE)
    assert refused.value.code == "P405-4.secret"
    assert house.entries() == []
    assert files(house) == ["a.secret"]


@pytest.mark.parametrize("name", [None, "a.secret"])
def test_what_does_not_fit_leaves_no_secret_and_says_how_to_go_on(house, name):
    tight = op(1.1 * eps_total(PLANNED, 1e-5, "analytic", "add_remove").eps)
    house.die(house.begin(stated=tight), 2)
    before = files(house)
    with pytest.raises(DataError, match="together they come to") as refused:
        house.begin(house.folder / (name or "b.secret"), stated=tight)
    assert refused.value.code == "P405-4.budget-exceeded"
    assert "goes on" in refused.value.help
    assert files(house) == before
    house.begin(stated=tight)
    assert house.entries() == [("reserved", PLANNED)]


def test_a_file_that_was_there_survives_a_refusal(house):
    mine, tight = house.folder / "a.secret", op(0.01)
    settle(mine, HERE)
    with pytest.raises(DataError) as refused:
        house.begin(mine, stated=tight)
    assert "goes on" not in refused.value.help
    assert mine.exists()


def test_two_that_make_one_file_at_once_have_one_noise(house, monkeypatch):
    """The other one made it between the look and the making."""
    mine = house.folder / "a.secret"
    made = settle(mine, HERE)
    looks = iter([None])
    monkeypatch.setattr(reserving, "kept", lambda *words: next(looks, kept(*words)))
    passage = house.begin(mine)
    assert passage.meter.name == f"meter-{made.commitment}"
    assert mine.exists()


def test_the_same_noise_in_the_same_execution_is_the_same_release(house):
    mine = house.folder / "a.secret"
    passage = house.begin(mine)
    ledger = Ledger(house.url)
    ledger.settle(1, PLANNED, kept(mine, HERE).commitment)
    ledger.close()
    again = house.begin(mine)
    assert again.meter is None, "nothing is counted again"
    assert passage.secret == again.secret == mine
    assert house.entries() == [("spent", PLANNED)]


def test_what_names_no_ledger_is_nothing_to_it(house):
    stated = op()
    alone = replace(stated, privacy=stated.privacy.model_copy(update={"ledger": None}))
    assert house.begin(Path("a.secret"), stated=alone).meter is None
    assert not (house.folder / "state").exists()


def test_the_accountant_that_is_named_is_the_one_whose_figure_is_told(house):
    """The first release fixed the ledger's accountant and delta; a later spec may name others for itself."""
    pytest.importorskip("dp_accounting")
    first = Account(
        name="ward", adjacency="add_remove", unit="record", accountant="rdp", eps_budget=50.0, delta_budget=1e-6
    )
    ledger = Ledger(house.url)
    made, _ = ledger.reserve(first, Entry(account="", dataset=INPUTS["data"], event=Gaussian(3.0)))
    ledger.settle(made.id, Gaussian(3.0), "c" * 64)
    ledger.close()
    alone = eps_total(PLANNED, 1e-5, "analytic", "add_remove")
    spent = Spending(record=RECORD, spend=alone, held=house.finish(house.begin()))
    both = eps_total(Composed((Gaussian(3.0), PLANNED)), 1e-6, "rdp", "add_remove")
    told, (eps, delta) = spent.entry(), spent.figures()
    assert (told.eps_total, told.delta_total, told.ledger.releases) == (both.eps, 1e-6, 2)
    assert told.accounting_method == f"rdp ({both.version})"
    assert (
        (told.eps_total, told.delta_total)
        == (told.ledger.eps_total, told.ledger.delta_total)
        == (eps.value, delta.value)
    )
    assert eps.label == "eps[rdp, add_remove, delta=1e-06]"
    assert (eps.detail("accountant"), eps.detail("accountant_version")) == ("rdp", both.version)
    assert (eps.detail("eps_alone"), eps.detail("accountant_alone")) == (alone.eps, "analytic")
    by_itself = replace(spent, held=None)
    assert by_itself.entry().accounting_method == f"analytic ({alone.version})"
    assert by_itself.entry().eps_total == alone.eps
