"""Reserve, settle, refuse: on both databases, whoever else is at it, and whoever dies at it."""

import math
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from synthspec.accounting import Composed, Gaussian, Laplace, PoissonGaussian, Repeated, Unknown, eps_total, votes
from synthspec.backend.releases import ReleaseMeter, counted
from synthspec.ledger import Account, Entry, Ledger, LedgerError, OverBudgetError
from synthspec.ledger.event_text import read_event, write_event
from synthspec.ledger.holder import died_here, holder
from synthspec.pipeline.reserving import ledger_url

EVENT = PoissonGaussian(0.01, 1.0, 100)


def account(name="hospital", **changes):
    stated = {"adjacency": "zero_out", "unit": "record", "accountant": "rdp", "eps_budget": 4.0, "delta_budget": 1e-5}
    return Account(name=name, **{**stated, **changes})


def entry(event=EVENT, dataset="d" * 64, **changes):
    return Entry(account="", dataset=dataset, event=event, **changes)


def eps(*events, delta=1e-5):
    return eps_total(Composed(events), delta, "rdp", "zero_out").eps


@pytest.fixture
def ledger(url):
    opened = Ledger(url)
    yield opened
    opened.close()


def test_what_is_reserved_counts_and_what_was_released_takes_its_place(ledger):
    made, total = ledger.reserve(account(), entry())
    assert total.eps == eps(EVENT)
    fewer = replace(EVENT, steps=40)
    assert ledger.settle(made.id, fewer, "c" * 64).eps == eps(fewer)
    (kept,) = ledger.entries("hospital")
    assert (kept.state, kept.event, kept.commitment) == ("spent", fewer, "c" * 64)


def test_releases_compose_and_the_total_is_up_to_and_with_each(ledger):
    first, _ = ledger.reserve(account(), entry())
    ledger.settle(first.id, EVENT, "a" * 64)
    second, total = ledger.reserve(account(), entry())
    assert total.eps == eps(EVENT, EVENT) > eps(EVENT)
    ledger.settle(second.id, EVENT, "b" * 64)
    assert ledger.known("hospital", "a" * 64)[1].eps == eps(EVENT)
    assert ledger.known("hospital", "b" * 64)[1].eps == eps(EVENT, EVENT)
    assert ledger.known("hospital", "f" * 64) is None


def test_what_does_not_fit_is_refused_and_nothing_written(ledger):
    tight = account(eps_budget=1.5 * eps(EVENT))
    made, _ = ledger.reserve(tight, entry())
    with pytest.raises(OverBudgetError, match=r"has spent eps .* of .* in 1 release;") as refused:
        ledger.reserve(tight, entry(replace(EVENT, steps=4000)))
    assert "is left" in refused.value.help
    assert [each.id for each in ledger.entries("hospital")] == [made.id]


def test_a_spec_may_ask_for_less_than_the_account_and_never_for_more(ledger):
    ledger.open_account(account(eps_budget=1.01 * eps(EVENT)))
    with pytest.raises(OverBudgetError):
        ledger.reserve(account(eps_budget=0.5 * eps(EVENT)), entry())
    ledger.reserve(account(eps_budget=100.0), entry())
    with pytest.raises(OverBudgetError):
        ledger.reserve(account(eps_budget=100.0), entry())


def test_noise_without_an_eps_at_delta_zero_is_told_of_delta_and_not_of_noise(ledger):
    with pytest.raises(OverBudgetError) as refused:
        ledger.reserve(account(delta_budget=0.0), entry(Gaussian(50.0)))
    assert "at delta 0 only Laplace noise" in refused.value.help


def test_an_event_without_a_bound_fits_into_no_budget(ledger):
    with pytest.raises(OverBudgetError):
        ledger.reserve(account(eps_budget=1e9), entry(Unknown("somebody looked")))


@pytest.mark.parametrize("changed", [{"adjacency": "replace_one"}, {"unit": "patient"}, {"delta_budget": 1e-6}])
def test_what_does_not_compose_is_refused(ledger, changed):
    ledger.open_account(account())
    with pytest.raises(LedgerError, match="hospital"):
        ledger.reserve(account(**changed), entry())


@pytest.mark.parametrize("first", [0, 1])
def test_what_fits_does_not_depend_on_which_release_opened_the_ledger(ledger, first):
    """A closed form has no answer for a mix, and pld has; each spec brings its own accountant."""
    pytest.importorskip("dp_accounting")
    kinds = [(Gaussian(3.0), "analytic"), (PoissonGaussian(0.01, 1.0, 100), "pld")]
    for event, by in (kinds[first], kinds[1 - first]):
        _, total = ledger.reserve(account(accountant=by), entry(event))
    whole = eps_total(Composed((kinds[0][0], kinds[1][0])), 1e-5, "pld", "zero_out").eps
    assert total.eps == whole < 4.0


def test_what_nothing_bounds_is_not_told_to_take_more_noise(ledger):
    with pytest.raises(OverBudgetError) as refused:
        ledger.reserve(account(), entry(Unknown("somebody looked")))
    assert "is left" not in refused.value.help


def test_the_same_data_are_in_one_ledger(ledger):
    ledger.reserve(account(), entry())
    with pytest.raises(LedgerError, match="accounted for in the ledger hospital"):
        ledger.reserve(account("elsewhere"), entry())
    ledger.reserve(account("elsewhere"), entry(dataset="e" * 64))


def test_of_two_at_once_one_gets_the_budget(url):
    """Budget for one release: of eight that reserve at the same time, exactly one may train."""
    Ledger(url).close()
    one = account(eps_budget=1.01 * eps(EVENT))

    def attempt(_):
        opened = Ledger(url)
        try:
            opened.reserve(one, entry())
        except OverBudgetError:
            return "refused"
        finally:
            opened.close()
        return "trains"

    with ThreadPoolExecutor(8) as pool:
        outcomes = sorted(pool.map(attempt, range(8)))
    assert outcomes == ["refused"] * 7 + ["trains"]


def test_a_new_database_is_made_once_by_whoever_comes_first(url):
    with ThreadPoolExecutor(4) as pool:
        for opened in pool.map(Ledger, [url] * 4):
            assert opened.accounts() == ()
            opened.close()


_DIES = """
import os, signal, sys
from pathlib import Path
from synthspec.backend.releases import ReleaseMeter
from synthspec.ledger import Account, Entry, Ledger
from synthspec.ledger.event_text import read_event
ledger = Ledger(sys.argv[1])
meter = sys.argv[2]
account = Account(
    name="hospital", adjacency="zero_out", unit="record", accountant="rdp", eps_budget=4.0, delta_budget=1e-5
)
ledger.reserve(account, Entry(account="", dataset="d" * 64, event=read_event(sys.argv[3]), meter=meter))
if meter:
    count = ReleaseMeter(Path(meter))
    for release in range(1, 38):
        count.count(release)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("metered", [True, False])
def test_a_process_that_died_has_spent_what_it_had_counted(url, tmp_path, metered):
    meter = str(tmp_path / "meter") if metered else ""
    words = [sys.executable, "-c", _DIES, url, meter, write_event(EVENT)]
    assert subprocess.run(words, check=False).returncode == -9
    opened = Ledger(url)
    (kept,) = opened.entries("hospital")
    if metered:
        assert (kept.state, kept.event) == ("spent", replace(EVENT, steps=37))
        assert "ended early after 37 releases" in kept.note
        assert opened.accounts()[0][1].eps == eps(replace(EVENT, steps=37))
    else:
        assert (kept.state, kept.event) == ("reserved", EVENT)
    opened.close()


def died_at_37(url, tmp_path):
    words = [sys.executable, "-c", _DIES, url, str(tmp_path / "meter"), write_event(EVENT)]
    assert subprocess.run(words, check=False).returncode == -9
    opened = Ledger(url)
    (kept,) = opened.entries("hospital")
    return opened, kept


def test_what_goes_on_asks_again_for_what_was_given_back(url, tmp_path):
    """What a dead training had not used went to another one: there is no going on beside that."""
    opened, kept = died_at_37(url, tmp_path)
    tight = account(eps_budget=1.02 * eps(replace(EVENT, steps=37), EVENT))
    assert tight.eps_budget < eps(EVENT, EVENT)
    other, _ = opened.reserve(tight, entry())
    with pytest.raises(OverBudgetError):
        opened.resume(tight, kept, EVENT)
    assert [each.event for each in opened.entries("hospital")] == [replace(EVENT, steps=37), EVENT]
    opened.settle(other.id, Composed(), "o" * 64)
    taken = opened.resume(tight, kept, EVENT)
    assert (taken.id, taken.event, opened.entries("hospital")[0].state) == (kept.id, EVENT, "reserved")
    assert opened.entries("hospital")[0].note == taken.note == "ended early after 37 releases; went on"
    assert opened.resume(tight, kept, EVENT) is None, "somebody goes on with it already"
    opened.close()


def test_what_goes_on_and_dies_at_once_has_spent_no_less_than_before(url, tmp_path):
    opened, _ = died_at_37(url, tmp_path)
    meter = ReleaseMeter(tmp_path / "meter")
    meter.count(2)
    meter.close()
    assert counted(tmp_path / "meter") == 37
    opened.close()


def test_what_is_settled_late_tells_of_what_was_released_before_it(ledger):
    late, _ = ledger.reserve(account(), entry())
    soon, _ = ledger.reserve(account(), entry())
    assert ledger.settle(soon.id, EVENT, "b" * 64).eps == eps(EVENT, EVENT)
    assert ledger.settle(late.id, EVENT, "a" * 64).eps == eps(EVENT, EVENT), "the other was published before"


@pytest.mark.parametrize("releases", [0, 1, 2, 3, 9])
def test_of_releases_in_a_row_those_that_began_are_spent(releases):
    """Statistics one after another, and statistics before a training: the parts are released in their order."""
    from synthspec.ledger.totals import shortened

    parts = Gaussian(1.0), Gaussian(3.0), EVENT
    assert shortened(Composed(parts), releases) == Composed(parts[:releases])


@pytest.mark.parametrize("law", ["gnmax", "laplace"])
def test_of_votes_those_that_were_asked_are_spent(law):
    from synthspec.ledger.totals import shortened

    for asked in (0, 1, 37, 60, 90):
        kept = shortened(votes(law, 9.0, 60, "add_remove"), asked)
        assert eps(kept) == eps(votes(law, 9.0, min(asked, 60), "add_remove"))


def test_before_the_first_release_nothing_is_spent():
    """Whatever was planned: one vector of noise, steps, votes, or several of them in a row."""
    from synthspec.accounting import Composed, Gaussian, PoissonGaussian
    from synthspec.ledger.totals import shortened

    parts = (Gaussian(2.0), PoissonGaussian(0.1, 1.0, 50))
    for planned in (*parts, Composed(parts), votes("gnmax", 9.0, 60, "add_remove")):
        assert shortened(planned, 0) == Composed()
    assert shortened(Gaussian(2.0), 1) == Gaussian(2.0)


def test_what_runs_still_keeps_its_reservation(ledger, tmp_path):
    meter = ReleaseMeter(tmp_path / "meter")
    meter.count(3)
    ledger.reserve(account(), entry(meter=str(tmp_path / "meter")))
    assert ledger.entries("hospital")[0].state == "reserved"
    meter.close()


def test_who_holds_it():
    assert not died_here(holder())
    host, boot, pid, _ = holder().split(" ")
    assert died_here(f"{host} {boot} {pid} 1"), "another process had this id"
    assert died_here(f"{host} {boot} 4194999 7"), "no process has this id"
    assert not died_here(f"elsewhere {boot} 4194999 7")
    assert not died_here(f"{host} before-the-power-cut 4194999 7")
    assert not died_here("")


def test_a_meter_says_what_began(tmp_path):
    assert counted(tmp_path / "none") is None
    (tmp_path / "short").write_bytes(b"1")
    assert counted(tmp_path / "short") is None
    meter = ReleaseMeter(tmp_path / "meter")
    assert counted(tmp_path / "meter") == 0
    meter.count(2**40)
    assert counted(tmp_path / "meter") == 2**40
    meter.close()
    ReleaseMeter(None).count(1)


EVENTS = (
    Gaussian(1.5),
    PoissonGaussian(0.1, 2.0, 30, 2),
    Laplace(3.0),
    Unknown("x"),
    Repeated(Gaussian(1.0), 7),
    Composed((Gaussian(1.0), Repeated(Composed((Laplace(1.0),)), 2))),
    Composed(),
)


@pytest.mark.parametrize("event", EVENTS, ids=repr)
def test_an_event_comes_back_as_it_was(event):
    assert read_event(write_event(event)) == event


@pytest.mark.parametrize("text", ["", "{}", '{"kind": "Gaussian", "scale": 1}', '{"kind": "Magic"}', "[1]"])
def test_an_event_that_is_not_understood_is_infinite(text):
    assert math.isinf(eps(read_event(text)))


def test_where_the_ledger_is(tmp_path):
    assert ledger_url(tmp_path, {}) == f"sqlite:///{tmp_path / 'ledger.sqlite3'}"
    assert ledger_url(tmp_path, {"SYNTHSPEC_LEDGER": "postgresql://x"}) == "postgresql://x"


@pytest.mark.parametrize("url", ["nonsense", "postgresql://u:secret-word@127.0.0.1:1/x", "mysql://u:secret-word@h/x"])
def test_what_cannot_be_reached_is_told_without_its_password(url):
    with pytest.raises(LedgerError) as error:
        Ledger(url)
    assert "secret-word" not in error.value.message + error.value.help
