"""The noise on votes, the parts of the records, and the count of queries: laws, and the bugs that others made."""

import numpy as np
import pytest
import torch
from scipy import stats

from synthspec.backend.releases import ReleaseMeter, counted
from synthspec_torch.privacy.votes import NoisyVotes, parts_of

KEY, OTHER = bytes(range(32)), bytes(reversed(range(32)))
DRAWN = 40_000


def ballot(law="gnmax", scale=3.0, planned=10**6, key=KEY, meter=None):
    return NoisyVotes(key, aggregation=law, scale=scale, planned=planned, meter=meter)


def drawn(law, scale=3.0):
    return ballot(law, scale).noise(1, torch.Size((DRAWN // 2, 2))).flatten().numpy()


def test_the_noise_has_the_law_and_the_scale_that_are_accounted_for():
    """Of Laplace's law the scale is the mean of |noise|: its inverse, which others drew, would be nine times less here."""
    assert stats.kstest(drawn("gnmax"), stats.norm(scale=3.0).cdf).pvalue > 1e-4
    assert stats.kstest(drawn("laplace"), stats.laplace(scale=3.0).cdf).pvalue > 1e-4
    assert np.abs(drawn("laplace")).mean() == pytest.approx(3.0, rel=0.03)
    assert drawn("gnmax").std() == pytest.approx(3.0, rel=0.03)


@pytest.mark.parametrize("law", ["gnmax", "laplace"])
def test_no_two_counts_or_rounds_share_noise(law):
    first, second = (ballot(law).noise(turn, torch.Size((500, 2))) for turn in (1, 2))
    values = torch.cat([first, second]).flatten()
    assert len(values.unique()) == len(values)
    assert abs(np.corrcoef(first[:, 0], first[:, 1])[0, 1]) < 0.2
    assert torch.equal(first, ballot(law).noise(1, torch.Size((500, 2))))
    assert not torch.equal(first, ballot(law, key=OTHER).noise(1, torch.Size((500, 2))))


def test_without_noise_the_majority_wins_and_with_it_most_often():
    counts = torch.tensor([[7, 3], [2, 8], [10, 0]])
    assert ballot(scale=0.0).winners(counts).tolist() == [0, 1, 0]
    won = ballot(scale=3.0).winners(torch.tensor([[4, 6]]).expand(DRAWN, 2)).double().mean().item()
    assert won == pytest.approx(stats.norm.cdf(2 / (3 * 2**0.5)), abs=0.012)


def test_each_query_is_counted_before_it_is_answered(tmp_path):
    path = tmp_path / "meter"
    mechanism = ballot(meter=ReleaseMeter(path))
    seen = []
    honest = mechanism.noise
    mechanism.noise = lambda turn, shape: (seen.append(counted(path)), honest(turn, shape))[1]
    for size in (3, 1, 5):
        mechanism.winners(torch.zeros(size, 2))
    assert seen == [3, 4, 9]
    assert mechanism.releases == 9


def test_a_query_that_is_not_paid_for_is_not_answered(tmp_path):
    path = tmp_path / "meter"
    mechanism = ballot(planned=4, meter=ReleaseMeter(path))
    mechanism.winners(torch.zeros(3, 2))
    with pytest.raises(RuntimeError, match="4 queries are paid for"):
        mechanism.winners(torch.zeros(2, 2))
    assert (mechanism.releases, counted(path)) == (3, 3)
    assert len(mechanism.winners(torch.zeros(1, 2))) == 1


def test_a_scale_that_means_nothing_is_refused():
    for scale in (-1.0, float("nan")):
        with pytest.raises(ValueError, match="at least 0"):
            ballot(scale=scale)


def test_each_record_has_one_teacher_and_all_are_as_likely():
    owners = parts_of(KEY, 20_000, 10)
    assert (owners.min(), owners.max()) == (0, 9)
    assert stats.chisquare(np.bincount(owners, minlength=10)).pvalue > 1e-4
    assert not np.array_equal(owners, parts_of(OTHER, 20_000, 10))


def test_a_record_more_moves_no_other_to_another_teacher():
    """Parts of equal sizes, or of a shuffle, would."""
    for records in (1, 17, 300):
        assert np.array_equal(parts_of(KEY, records + 1, 7)[:records], parts_of(KEY, records, 7))
