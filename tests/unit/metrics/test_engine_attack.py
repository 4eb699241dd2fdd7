"""The attack on the engine in the suite: what it is told, whom it is told of, and what it costs the others."""

import numpy as np
import pytest

from synthspec.backend.scores import Scores, candidates
from synthspec.metrics import Field, Request, Sample, measure

ROWS, COLUMNS, SEED = 160, 3, 11
TOLD = "the density that was planted"


def world():
    r = np.random.default_rng(4)
    return {name: r.standard_normal((n, COLUMNS)) for name, n in
            (("train", ROWS), ("val", ROWS), ("test", ROWS), ("synthetic", 400))}  # fmt: skip


def risk(scores=None, members="train", non_members="val", parts=None, knows="engine"):
    given = {name: Sample(content=rows) for name, rows in (parts or world()).items()}
    return measure(("MI",), Request(
        modality="tabular", fields=tuple(Field(name=f"x{i}", low=-9.0, high=9.0) for i in range(COLUMNS)), seed=SEED,
        members=members, non_members=non_members, scores=scores or {}, knows=knows, **given,
    ))[0]  # fmt: skip


def told(split, values, seed=SEED):
    """Scores of the records of `split` whose values, by their place in it, are `values`."""
    rows = candidates(seed, split, len(values))
    return Scores(rows=rows, values=np.asarray(values, np.float64)[rows], how=TOLD)


def of(figure, attack="engine_loss"):
    return {key.partition(".")[2]: value for key, value in figure.details if key.startswith(f"{attack}.")}


def test_what_the_engine_says_is_one_attack_more_and_the_worst_when_it_tells():
    r = np.random.default_rng(0)
    members, others = r.normal(3.0, 1.0, ROWS), r.normal(0.0, 1.0, ROWS)
    figure = risk({"train": told("train", members), "val": told("val", others)})
    assert figure.detail("worst_attack") == "engine_loss"
    assert figure.detail("engine_attack") == TOLD
    assert (figure.value, figure.upper) == (of(figure)["advantage"], of(figure)["upper"])
    assert figure.lower > 0.5
    assert of(figure)["auc"] == np.mean(members[:, None] > others)
    assert "7 attacks" in figure.label


def test_an_attacker_who_knows_the_samples_alone_is_bounded_by_the_attacks_on_them_and_the_other_is_told():
    r = np.random.default_rng(0)
    scores = {"train": told("train", r.normal(3.0, 1.0, ROWS)), "val": told("val", r.normal(0.0, 1.0, ROWS))}
    covered, alone = risk(scores), risk(scores, knows="samples")
    assert of(alone) == of(covered)
    assert alone.upper < of(alone)["lower"] < covered.upper
    assert alone.detail("worst_attack") != "engine_loss"
    assert (alone.label, alone.detail("knows")) == ("Adv_MI[max of 6 black-box attacks]", "samples")


def test_without_an_engine_nothing_changes():
    figure = risk()
    assert figure.label == "Adv_MI[max of 6 black-box attacks]"
    assert of(figure) == {}
    assert figure.detail("engine_attack").startswith("none")


def test_the_others_see_what_they_saw_at_a_seventh_of_the_level():
    r = np.random.default_rng(1)
    alone, beside = risk(), risk({name: told(name, r.standard_normal(ROWS)) for name in ("train", "val")})
    for attack in ("domias", "logan", "nearest_distance", "displaced_copy"):
        before, after = of(alone, attack), of(beside, attack)
        assert before["advantage"] == after["advantage"]
        assert before["auc"] == after["auc"]
        assert after["lower"] < before["lower"]
        assert after["upper"] > before["upper"]
        assert after["upper"] - before["upper"] < 0.01
    assert beside.null == alone.null


@pytest.mark.parametrize("members", ["train", "test"])
def test_each_record_keeps_its_own_score(members):
    """Only members whose first column is positive are told: who mixes up rows tells nobody."""
    parts = world()
    known = {name: (rows[:, 0] > 0) * 1.0 * (name == members) for name, rows in parts.items() if name != "synthetic"}
    figure = risk({name: told(name, known[name]) for name in (members, "val")}, members=members, parts=parts)
    share = (parts[members][:, 0] > 0).mean()
    assert of(figure)["auc"] == pytest.approx(0.5 + share / 2)


def test_of_a_large_split_the_very_candidates_are_told():
    r = np.random.default_rng(5)
    parts = {name: r.standard_normal((n, COLUMNS)) for name, n in
             (("train", 2600), ("val", 2300), ("test", 60), ("synthetic", 100))}  # fmt: skip
    figure = risk(
        {name: told(name, np.full(len(parts[name]), name == "train")) for name in ("train", "val")}, parts=parts
    )
    assert figure.value == 1.0
    assert figure.n_real == 4000


@pytest.mark.parametrize("wrong", [
    {"train": told("train", np.zeros(ROWS), seed=SEED + 1), "val": told("val", np.zeros(ROWS))},
    {"train": told("train", np.zeros(ROWS))},
    {"train": told("train", np.zeros(ROWS)), "val": told("test", np.zeros(ROWS))},
    {"train": told("train", np.zeros(ROWS - 1)), "val": told("val", np.zeros(ROWS))},
])  # fmt: skip
def test_scores_of_other_records_prove_nothing(wrong):
    figure = risk(wrong)
    assert figure.value is None
    assert "did not score" in figure.reason


def test_what_is_no_number_is_the_least_likely():
    values = np.zeros(ROWS)
    values[:80] = np.nan
    values[80:] = -np.inf
    figure = risk({"train": told("train", np.full(ROWS, np.inf)), "val": told("val", values)})
    assert (figure.value, of(figure)["auc"]) == (1.0, 1.0)
    assert all(np.isfinite(value) for value in of(figure).values())
