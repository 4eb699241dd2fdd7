"""The accountant of an engine counts statistics that were released before its training, or beside it."""

from types import SimpleNamespace

import pytest

from synthspec.accounting import Composed, Gaussian, PoissonGaussian, eps_total
from synthspec.backend.artifacts import write_report
from synthspec.backend.releases import PRIVACY_RECORD, PrivacyRecord, Released, StatisticsRecord, read_record
from synthspec.bindings.accounting import _of

pytest.importorskip("dp_accounting")

COMMON = {"unit": "record", "adjacency": "zero_out", "hardening": "", "commitment": "0" * 64, "rng": "AES"}
TRAINED = PrivacyRecord(mechanism="dp-sgd", releases=50, planned=50, rate=0.1, multiplier=2.0, clip_norm=1.0,
                        normalizer=1.0, engine="book-keeping", **COMMON)  # fmt: skip
COUNTED = StatisticsRecord(mechanism="dp-noise", planned=1, drawn=8,
                           made=(Released(name="c", parts=1, size=2, sigma=3.0),), **COMMON)  # fmt: skip


@pytest.mark.parametrize(
    ("kept", "event"),
    [
        ({"statistics": COUNTED, "fit": TRAINED}, Composed((Gaussian(3.0), PoissonGaussian(0.1, 2.0, 50)))),
        ({"statistics": COUNTED}, Gaussian(3.0)),
        ({"fit": TRAINED}, PoissonGaussian(0.1, 2.0, 50)),
    ],
)
def test_no_release_is_left_out(tmp_path, kept, event):
    for node in ("statistics", "fit"):
        (tmp_path / node).mkdir()
        if node in kept:
            write_report(tmp_path / node, PRIVACY_RECORD, kept[node])
    found = _of(SimpleNamespace(folder=tmp_path / "fit"))
    whole = Composed(tuple(read_record(folder / PRIVACY_RECORD).event for folder in found))
    assert eps_total(whole, 1e-5).eps == eps_total(event, 1e-5).eps
