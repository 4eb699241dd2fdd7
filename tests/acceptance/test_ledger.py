"""Releases on the same data spend one budget, whoever is in a hurry and whatever crashes (P405-4)."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "cancer-dp-vae"
FAST = ("--set", "privacy.steps=30", "--set", "sampling.n=16")
NAME = "breast-cancer-demo"
pytest.importorskip("torch")


@pytest.fixture
def house(tmp_path, monkeypatch):
    """A memory of one's own, and the example."""
    monkeypatch.setenv("SYNTHSPEC_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("SYNTHSPEC_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.delenv("SYNTHSPEC_LEDGER", raising=False)
    shutil.copytree(EXAMPLE, tmp_path / "spec")
    return tmp_path


def run(cli, house, number, *words):
    return cli(
        "run", house / "spec" / "spec.yaml", "--store", house / f"store{number}", "--out", house / f"r{number}",
        "--quiet", *FAST, *words, cwd=house,
    )  # fmt: skip


def ledger(cli, house):
    return json.loads(cli("ledger", "export", NAME, cwd=house).out)["ledgers"][0]


def dp_of(house, number):
    return json.loads((house / f"r{number}" / "manifest.json").read_text())["privacy"]["dp"]


def test_one_budget_for_all_releases(cli, house):
    first = run(cli, house, 1)
    assert first.code in (0, 1), first.err
    dp = dp_of(house, 1)
    assert dp["eps_total"] == dp["ledger"]["eps_total"] <= 4.0
    assert (dp["ledger"]["name"], dp["ledger"]["releases"]) == (NAME, 1)
    second = run(cli, house, 2)
    assert second.code == 1
    assert "P405-4.budget-exceeded" in second.out
    assert not (house / "r2").exists()
    again = cli(
        "run", house / "spec" / "spec.yaml", "--store", house / "store1", "--out", house / "r3", "--quiet", *FAST,
        cwd=house,
    )  # fmt: skip
    assert again.code == first.code, "what the store has releases nothing again"
    told = ledger(cli, house)
    assert [entry["state"] for entry in told["entries"]] == ["spent"]
    assert told["entries"][0]["commitment"] == dp["seed_commitment"]
    assert not list((house / "state").glob("meter-*")), "no secret stays behind"


def test_the_secret_makes_the_same_release_again(cli, house):
    secret = house / "seeds.json"
    assert run(cli, house, 1, "--secret", secret).code in (0, 1)
    again = run(cli, house, 2, "--secret", secret)
    assert again.code in (0, 1), again.out
    assert dp_of(house, 1)["seed_commitment"] == dp_of(house, 2)["seed_commitment"]
    assert len(ledger(cli, house)["entries"]) == 1


def test_a_store_from_elsewhere_is_entered_here(cli, house, monkeypatch):
    assert run(cli, house, 1).code in (0, 1)
    monkeypatch.setenv("SYNTHSPEC_STATE_DIR", str(house / "another"))
    again = cli(
        "run", house / "spec" / "spec.yaml", "--store", house / "store1", "--out", house / "r2", "--quiet", *FAST,
        cwd=house,
    )  # fmt: skip
    assert again.code in (0, 1)
    assert dp_of(house, 2)["ledger"]["eps_total"] == dp_of(house, 1)["eps_total"]


def test_a_release_made_elsewhere_leaves_less(cli, house):
    words = ("--eps-budget", "4", "--delta", "1e-5", "--event", "gaussian", "--multiplier", "2")
    entered = cli("ledger", "reserve", NAME, *words, cwd=house)
    assert entered.code == 0, entered.err
    assert "(zero_out by record)" in entered.out
    other = cli("ledger", "reserve", NAME, *words, "--adjacency", "add_remove", cwd=house)
    assert other.code == 2
    assert "counts zero_out by record, not add_remove" in other.err
    refused = run(cli, house, 1)
    assert refused.code == 1
    assert "P405-4.budget-exceeded" in refused.out
    over = cli("ledger", "reserve", NAME, *words, "--steps", "9", cwd=house)
    assert over.code == 1
    assert len(ledger(cli, house)["entries"]) == 1
    (entry,) = ledger(cli, house)["entries"]
    assert entry["event"] == {"kind": "Repeated", "times": 1, "event": {"kind": "Gaussian", "sigma": 2.0}}


@pytest.mark.parametrize(
    "wrong", [("--multiplier", "-3"), ("--delta", "7"), ("--eps-budget", "-4"), ("--multiplier", "nan")]
)
def test_a_release_that_means_nothing_is_not_entered(cli, house, wrong):
    words = dict([("--eps-budget", "4"), ("--delta", "1e-5"), ("--multiplier", "2"), wrong])
    answer = cli("ledger", "reserve", NAME, "--event", "gaussian", *(f"{a}={b}" for a, b in words.items()), cwd=house)
    assert (answer.code, answer.out) == (2, "")
    assert wrong[0] in answer.err
    assert cli("ledger", "show", "--format", "json", cwd=house).out.strip() == '{\n  "ledgers": []\n}'


def test_a_ledger_that_cannot_be_used_stops_the_run_before_training(cli, house, monkeypatch):
    monkeypatch.setenv("SYNTHSPEC_LEDGER", "postgresql://user:hunter2@127.0.0.1:1/none")
    answer = run(cli, house, 1)
    assert answer.code == 1
    assert "P405-4.ledger-unusable" in answer.out
    assert "hunter2" not in answer.out + answer.err
    assert not (house / "r1").exists()


def started(house, number, steps):
    words = [
        sys.executable, "-c", "from synthspec.cli.main import run; run()", "run", house / "spec" / "spec.yaml", "--store",
        house / f"store{number}", "--out", house / f"r{number}", "--quiet", "--set", f"privacy.steps={steps}",
        "--set", "sampling.n=16",
    ]  # fmt: skip
    with (house / f"log{number}").open("w") as log:
        return subprocess.Popen(list(map(str, words)), stdout=log, stderr=log)


@pytest.mark.slow
def test_a_killed_training_has_spent_what_it_released_and_goes_on_for_nothing_more(cli, house):
    from synthspec.backend.releases import counted

    process = started(house, 1, 600)
    released = 0
    for _ in range(1200):
        meters = [path for path in (house / "state").glob("meter-*") if not path.suffix]
        released = (counted(meters[0]) or 0) if meters else 0
        if released >= 5 or process.poll() is not None:
            break
        time.sleep(0.05)
    assert process.poll() is None, "it was to be killed in its training"
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    (entry,) = ledger(cli, house)["entries"]
    assert entry["state"] == "spent"
    steps = entry["event"]["steps"]
    assert released <= steps < 600
    again = started(house, 1, 600)
    assert again.wait() in (0, 1)
    assert (house / "r1").exists(), (house / "log1").read_text()
    dp = dp_of(house, 1)
    assert dp["steps"] == 600
    assert (dp["ledger"]["entry"], dp["ledger"]["releases"]) == (entry["id"], 1)
    assert dp["eps_total"] <= 4.0


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_of_two_runs_at_once_one_trains(cli, house, request, monkeypatch, kind):
    if kind == "postgresql":
        monkeypatch.setenv("SYNTHSPEC_LEDGER", request.getfixturevalue("fresh_database"))
    both = [started(house, number, 200) for number in (1, 2)]
    codes = [each.wait() for each in both]
    made = [number for number in (1, 2) if (house / f"r{number}").exists()]
    assert len(made) == 1, codes
    (refused,) = {1, 2} - set(made)
    assert "P405-4.budget-exceeded" in (house / f"log{refused}").read_text()
    assert '"op":"fit"' not in (house / f"store{refused}" / "journal.jsonl").read_text(), "it did not begin to train"
    assert len(ledger(cli, house)["entries"]) == 1
