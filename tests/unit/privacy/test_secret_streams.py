"""Secret numbers: their law, that nobody else's batch changes them, and what of the secret may be seen."""

from __future__ import annotations

import json
import math
import stat
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from scipy import stats

from synthspec.backend.protocol import DataError, Identity
from synthspec.backend.releases import ReleaseMeter, counted
from synthspec.backend.secret import Secret, settle
from synthspec_torch.privacy.mechanism import GaussianSum, NoiseAhead
from synthspec_torch.privacy.stream import Keystream, RecordDraws, Sampler, normals, units

SECRET = Secret(bytes(range(32)), bytes(32))
KEY = SECRET.key("test")


def test_the_stream_is_aes_in_counter_mode():
    """NIST SP 800-38A, F.5.5, whose counter block here is the step and a zero: AES-256 of the block itself."""
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    words = Keystream(KEY).words(7, 6)
    blocks = [(7).to_bytes(8, "big") + place.to_bytes(8, "big") for place in range(3)]
    encryptor = Cipher(algorithms.AES256(KEY), modes.ECB()).encryptor()
    assert words.tobytes() == b"".join(encryptor.update(each) for each in blocks)


def test_a_stretch_of_the_stream_is_the_stream():
    stream = Keystream(KEY)
    whole = stream.words(7, 11)
    assert stream.words(8, 4).tolist() != whole[:4].tolist()
    assert stream.words(7, 5, 6).tolist() == whole[6:].tolist()
    with pytest.raises(ValueError, match="whole block"):
        stream.words(7, 2, 3)


def test_uniform_numbers_fill_the_open_interval():
    u = units(Keystream(KEY).words(1, 100_000))
    assert stats.kstest(u, "uniform").pvalue > 1e-4
    ends = units(np.array([0, 2**64 - 1], dtype=np.uint64))
    assert 0.0 < ends[0] < ends[1] < 1.0


def test_normals_have_the_normal_law_and_no_correlation():
    z = normals(Keystream(KEY).words(1, 200_000)).numpy()
    assert stats.kstest(z, "norm").pvalue > 1e-4
    half = len(z) // 2
    assert abs(np.corrcoef(z[:half], z[half:])[0, 1]) < 4.5 / math.sqrt(half)
    assert abs(np.corrcoef(z[:half] ** 2, z[half:] ** 2)[0, 1]) < 4.5 / math.sqrt(half)


@pytest.mark.parametrize("steps", [(1, 2), (1, 2**33)])
def test_two_steps_share_nothing(steps):
    one, other = (normals(Keystream(KEY).words(step, 50_000)).numpy() for step in steps)
    assert abs(np.corrcoef(one, other)[0, 1]) < 4.5 / math.sqrt(50_000)


def test_two_purposes_share_nothing():
    keys = {SECRET.key(purpose) for purpose in ("noise", "sampling", "draws")}
    assert len(keys) == 3
    assert SECRET.seed not in keys


@pytest.mark.parametrize("draw", ["normal", "uniform"])
def test_what_a_record_draws_does_not_depend_on_its_company(draw):
    stream = Keystream(KEY)
    alone, together = (RecordDraws(stream, 3, rows) for rows in (torch.tensor([5]), torch.tensor([1, 5, 900])))
    for shape in ((), (3,), (2, 5)):
        assert torch.equal(getattr(alone, draw)(*shape)[0], getattr(together, draw)(*shape)[1])


def test_each_draw_of_a_record_is_another():
    draws = RecordDraws(Keystream(KEY), 3, torch.arange(4))
    values = torch.cat([draws.normal(5), draws.normal(5), RecordDraws(Keystream(KEY), 4, torch.arange(4)).normal(5)])
    assert len(values.flatten().unique()) == 60


def test_record_draws_have_the_law_they_say():
    draws = RecordDraws(Keystream(KEY), 1, torch.arange(500))
    assert stats.kstest(draws.normal(40).flatten().numpy(), "norm").pvalue > 1e-4
    u = draws.uniform(40).flatten().numpy()
    assert stats.kstest(u, "uniform").pvalue > 1e-4
    assert u.min() >= 0.0
    assert u.max() < 1.0


def test_places_run_out_before_they_repeat():
    with pytest.raises(OverflowError):
        Keystream(KEY).keyed(np.zeros(1, np.uint64), 1, 2**24 - 1, 2)
    with pytest.raises(OverflowError):
        Keystream(KEY).keyed(np.zeros(1, np.uint64), 2**40, 0, 1)


def shuffled(rate, records):
    """What peers account for as Poisson: parts of a permutation."""
    rng, size = np.random.default_rng(0), round(rate * records)
    while True:
        yield from np.split(rng.permutation(records)[: size * (records // size)], records // size)


def variances(batches, records, rate, steps):
    """Of the size of a batch and of how often a record is drawn, over those of Poisson sampling."""
    sizes, drawn = [], np.zeros(records)
    for _, batch in zip(range(steps), batches, strict=False):
        sizes.append(len(batch))
        drawn[np.asarray(batch)] += 1
    return np.var(sizes) / (records * rate * (1 - rate)), np.var(drawn) / (steps * rate * (1 - rate))


def test_batches_are_poisson_and_shuffled_ones_would_be_noticed():
    records, rate, steps = 2000, 0.05, 400
    sampler = Sampler(KEY, rate, records)
    low, high = (stats.chi2.ppf(p, steps - 1) / (steps - 1) for p in (5e-5, 1 - 5e-5))
    size, participation = variances((sampler.draw(t).numpy() for t in range(1, steps + 1)), records, rate, steps)
    assert low < size < high
    assert 0.85 < participation < 1.15
    size, participation = variances(shuffled(rate, records), records, rate, steps)
    assert size < low
    assert participation < 0.1


@pytest.mark.parametrize("rate", [1e-9, 0.01, 0.5, 1.0 - 2.0**-53, 1.0])
def test_every_record_is_drawn_at_its_rate(rate):
    drawn = sum(len(Sampler(KEY, rate, 5000).draw(step)) for step in range(1, 21))
    assert abs(drawn - 100_000 * rate) <= 4.5 * math.sqrt(100_000 * rate * (1 - rate)) + 1


@pytest.mark.parametrize("rate", [0.0, -0.1, 1.1, math.nan])
def test_a_rate_that_is_none_is_refused(rate):
    with pytest.raises(ValueError, match="rate"):
        Sampler(KEY, rate, 10)


def test_adding_a_record_changes_no_coin_of_the_others():
    fewer, more = (Sampler(KEY, 0.3, n).draw(4) for n in (100, 101))
    assert torch.equal(fewer, more[more < 100])


def test_the_noise_on_the_sum_has_the_standard_deviation_that_is_accounted_for():
    """Chi-squared: 2e5 draws resolve sigma to half a per cent."""
    sigma, clip, normalizer, size, steps = 1.7, 0.4, 50.0, 20_000, 10
    mechanism = GaussianSum(KEY, multiplier=sigma, clip=clip, normalizer=normalizer)
    noise = torch.cat([mechanism.release(torch.zeros(size, dtype=torch.float64)) for _ in range(steps)]).double()
    found = (noise * normalizer / (sigma * clip)).square().sum().item()
    low, high = stats.chi2.ppf([1e-5, 1 - 1e-5], size * steps)
    assert low < found < high
    assert mechanism.releases == steps
    assert mechanism.std == pytest.approx(sigma * clip)


def test_a_long_sum_gets_each_number_of_the_stream_once(monkeypatch):
    monkeypatch.setattr("synthspec_torch.privacy.mechanism.STRETCH", 64)
    mechanism = GaussianSum(KEY, multiplier=1.0, clip=1.0, normalizer=1.0)
    noise = mechanism.release(torch.zeros(151, dtype=torch.float64))
    parts = [normals(Keystream(KEY).words(1, count, first))[:take] for first, count, take in
             ((0, 64, 64), (64, 64, 64), (128, 24, 23))]  # fmt: skip
    assert torch.equal(noise, torch.cat(parts).float())
    assert len(noise.unique()) == 151


def test_noise_of_many_releases_at_a_time_is_that_of_each(monkeypatch):
    """Whatever is drawn at a time, in whatever order it is asked for."""
    stream, width = Keystream(KEY), 7
    alone = [normals(stream.words(release, 8))[:width] for release in range(1, 60)]
    orders = (range(1, 60), range(59, 0, -1), (1, 1, 40, 2, 17, 16, 33, 59))
    for ahead in (1, 14, 50, 1 << 19):
        monkeypatch.setattr("synthspec_torch.privacy.mechanism.AHEAD", ahead)
        for order in orders:
            noise = NoiseAhead(Keystream(KEY))
            assert all(torch.equal(noise.of(release, width), alone[release - 1]) for release in order)


def test_a_release_is_counted_before_it_happens_and_noise_that_is_drawn_ahead_is_none(tmp_path):
    meter = ReleaseMeter(tmp_path / "meter")
    mechanism = GaussianSum(KEY, multiplier=1.0, clip=1.0, normalizer=1.0, meter=meter)
    for release in range(1, 6):
        mechanism.release(torch.zeros(3, dtype=torch.float64))
        assert counted(tmp_path / "meter") == mechanism.releases == release
    with pytest.raises(RuntimeError):  # a sum of another width than its noise
        mechanism.release(torch.zeros(2, 3, dtype=torch.float64))
    assert counted(tmp_path / "meter") == 6
    meter.close()


def test_sums_whose_width_changes_and_mechanisms_side_by_side_get_the_noise_of_their_number():
    widths = (5, 7, 5, 5, 1, 8)

    def noise(key):
        mechanism = GaussianSum(key, multiplier=1.0, clip=1.0, normalizer=1.0)
        return [mechanism.release(torch.zeros(width, dtype=torch.float64)) for width in widths]

    keys = [bytes([number]) * 32 for number in range(4)]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(noise, keys))
    for key, made in zip(keys, together, strict=True):
        alone = [normals(Keystream(key).words(number, width + width % 2))[:width].float()
                 for number, width in enumerate(widths, 1)]  # fmt: skip
        assert all(torch.equal(one, other) for one, other in zip(made, alone, strict=True))


def test_odd_sums_and_sums_without_noise():
    quiet = GaussianSum(KEY, multiplier=0.0, clip=math.inf, normalizer=4.0)
    assert quiet.release(torch.full((3,), 2.0, dtype=torch.float64)).tolist() == [0.5] * 3
    assert quiet.releases == 1


@pytest.mark.parametrize(
    ("multiplier", "clip", "normalizer"),
    [(-1.0, 1.0, 1.0), (1.0, 0.0, 1.0), (1.0, 1.0, 0.0), (math.nan, 1.0, 1.0), (1.0, math.nan, 1.0)],
)
def test_scales_that_mean_nothing_are_refused(multiplier, clip, normalizer):
    with pytest.raises(ValueError, match="noise has"):
        GaussianSum(KEY, multiplier=multiplier, clip=clip, normalizer=normalizer)


def test_a_secret_is_never_shown():
    fresh = Secret.fresh()
    assert repr(fresh) == "Secret()"
    assert fresh.seed.hex() not in f"{fresh!s} {fresh.commitment}"
    assert len(fresh.seed) == len(fresh.salt) == 32
    assert fresh != Secret.fresh()


def test_a_commitment_binds_to_the_seed_and_to_the_salt():
    seed, salt = bytes(32), bytes([1]) * 32
    found = {Secret(seed, salt).commitment, Secret(salt, seed).commitment, Secret(seed, seed).commitment}
    assert len(found) == 3
    assert all(len(each) == 64 for each in found)


FACTS = {"backend": "torch 4", "cpu": "avx2"}
THIS, THAT = Identity("this", FACTS), Identity("that", FACTS)


def test_a_file_of_secrets_is_made_once_and_read_again(tmp_path):
    path = tmp_path / "run.secret"
    made = settle(path, THIS)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert settle(path, THIS) == made
    assert settle(None, THIS) != settle(None, THIS)


def test_a_secret_of_another_training_is_refused_and_kept(tmp_path):
    path = tmp_path / "run.secret"
    made = settle(path, THIS)
    with pytest.raises(DataError, match="another training"):
        settle(path, THAT)
    assert settle(path, THIS) == made


@pytest.mark.parametrize(("fact", "now"), [("backend", "torch 5"), ("cpu", "avx512f")])
def test_a_secret_of_another_version_or_machine_is_refused_and_says_which(tmp_path, fact, now):
    path = tmp_path / "run.secret"
    settle(path, THIS)
    with pytest.raises(DataError, match=f"{fact} {FACTS[fact]} then, {now} now"):
        settle(path, Identity("that", FACTS | {fact: now}))


def test_of_one_secret_every_execution_has_noise_of_its_own(tmp_path):
    """Also where somebody writes the name of the one into the file of the other: the refusal is a courtesy."""
    path = tmp_path / "run.secret"
    made = settle(path, THIS)
    path.write_text(path.read_text().replace('"this"', '"that"'))
    forged = settle(path, THAT)
    assert forged.salt == made.salt
    assert forged.commitment != made.commitment, "the ledger knows the one, and not the other"
    ours, theirs = (normals(Keystream(each.key("noise")).words(1, 50_000)).numpy() for each in (made, forged))
    assert abs(np.corrcoef(ours, theirs)[0, 1]) < 4.5 / math.sqrt(50_000)
    assert {made.key("sampling"), made.key("draws")}.isdisjoint({forged.key("sampling"), forged.key("draws")})


def test_a_secret_of_before_is_refused_with_the_way_to_replay_it(tmp_path):
    path = tmp_path / "run.secret"
    path.touch(mode=0o600)
    path.write_text(json.dumps({"bound_to": "this", "salt": "aa" * 32, "seed": "bb" * 32}))
    with pytest.raises(DataError, match="another version of synthspec") as caught:
        settle(path, THIS)
    assert "trace.build" in caught.value.help
    assert "bb" not in caught.value.message + caught.value.help


def test_no_secret_is_kept_for_nothing_in_particular(tmp_path):
    with pytest.raises(ValueError, match="one execution"):
        settle(tmp_path / "run.secret", None)
    assert not list(tmp_path.iterdir())


def test_a_secret_that_others_may_read_is_refused(tmp_path):
    path = tmp_path / "run.secret"
    settle(path, THIS)
    path.chmod(0o640)
    with pytest.raises(DataError, match="others may read"):
        settle(path, THIS)


FORM = {"form": 2, "seed": "aa" * 32, "salt": "bb" * 32, "made_for": "this", "facts": {}}
BROKEN = [
    *(json.dumps(each) for each in (FORM | {"facts": 3}, FORM | {"seed": "aa"}, FORM | {"salt": 2}, {}, [], 3)),
    "",
    "\xff",
]


@pytest.mark.parametrize("text", BROKEN)
def test_a_file_that_holds_no_secret_is_refused_without_a_word_of_it(tmp_path, text):
    path = tmp_path / "run.secret"
    path.write_text(text, encoding="latin-1")
    path.chmod(0o600)
    with pytest.raises(DataError) as caught:
        settle(path, THIS)
    assert "aa" not in caught.value.message


@pytest.mark.parametrize("size", [0, 16, 31, 33])
def test_a_key_has_256_bits(size):
    with pytest.raises(ValueError, match="256 bits"):
        Keystream(bytes(size))
