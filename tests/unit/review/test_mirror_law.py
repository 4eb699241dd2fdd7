"""Told backwards, every answer is the mirrored one; the answers of ordered guards follow their order."""

from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthspec.ir.change import Direction
from synthspec.review.compare import Pair
from synthspec.review.laws import direction
from synthspec.spec.guard_table import GUARDS
from synthspec.spec.guards import Guard
from synthspec.spec.privacy import Accountant, Multiplicity, PublicNormalizer
from synthspec.units import parse_quantity

NESTED = ("section", "items", "entries")
LEAVES = {
    (guard.how, guard.loosens, guard.scale, guard.absent): guard
    for fields in GUARDS.values()
    for guard in fields.values()
    if guard.how not in NESTED
}
"""All leaves of the table; what is answered depends on these four alone."""

NUMBERS = (
    st.floats(-1e6, 1e6) | st.integers(-99, 99) | st.builds(lambda n: parse_quantity(f"{n} ms"), st.integers(1, 9))
)
WORDS = st.sampled_from(["a", "b", "record", "patient"])
TRIPS = [
    "loss > 2",
    "loss > 3",
    "loss >= 2",
    "loss > 2 and kl < 1",
    "loss > 2 or kl < 1",
    "abs(loss) > 4",
    "not loss > 2",
]
VALUES = {
    "number": st.none() | NUMBERS | st.just("auto"),
    "pin": st.none() | WORDS,
    "set": st.none() | st.lists(st.integers(0, 4) | st.booleans(), max_size=4).map(tuple),
    "review": st.none() | WORDS | NUMBERS,
    "free": st.none() | WORDS | NUMBERS,
    "interval": st.none() | st.tuples(st.floats(-9, 0), st.floats(0, 9)),
    "constraint": st.sampled_from(TRIPS),
    "trip": st.sampled_from(TRIPS),
    "multiplier": st.none() | st.sampled_from([0.5, 1.0, 2.0, "auto"]),
    "distribution": st.sampled_from(["empirical", "uniform"]) | st.dictionaries(WORDS, st.sampled_from([0.0, 0.5]), max_size=3),
    "unit": st.none() | st.sampled_from(["mm", "m", "millimetre", "nonsense"]),
    "privacy_unit": st.none() | WORDS,
    "end": st.none() | st.dates().map(str),
    "sensitivity": st.just("derived") | st.floats(0.1, 9),
    "multiplicity": st.integers(1, 4) | st.builds(Multiplicity, k=st.integers(1, 4), clip=st.sampled_from(["after", "each"])),
    "constant": st.none() | WORDS | st.floats(1, 9) | st.builds(Accountant, kind=WORDS)
    | st.builds(PublicNormalizer, public_constant=st.sampled_from([1.0, 2.0])),
    "schema": WORDS,
    "transform": st.none() | st.dictionaries(WORDS, st.sampled_from(["linear", "log", "gmm", "median"]), max_size=3)
    | st.just("mean"),
}  # fmt: skip


def values_of(guard):
    if guard.how != "scale":
        return VALUES[guard.how]
    words = [word for step in guard.scale for word in step]
    return st.none() | st.sampled_from([{"true": True, "false": False}.get(word, word) for word in words])


def _solved(value):
    return 1.0 if value == "auto" else value


def pair(guard, old, new):
    owners = [SimpleNamespace(unit=unit) for unit in ("mm", "mm")]
    return Pair(
        guard=guard, old=old, new=new, old_owner=owners[0], new_owner=owners[1],
        multipliers=(_solved(old), _solved(new)) if guard.how == "multiplier" else (None, None),
    )  # fmt: skip


def there_and_back(guard, old, new):
    there, back = direction(pair(guard, old, new)), direction(pair(guard, new, old))
    assert (there is None) == (back is None)
    assert there is None or back is there.mirrored
    return there


@pytest.mark.parametrize("guard", LEAVES.values(), ids=lambda guard: f"{guard.how} {guard.loosens} {guard.absent}")
@settings(max_examples=40, deadline=None, derandomize=True)
@given(data=st.data())
def test_the_opposite_change_is_the_mirrored_one(guard, data):
    old, new = data.draw(values_of(guard)), data.draw(values_of(guard))
    found = there_and_back(guard, old, new)
    if (
        guard.guards
        and guard.how != "set"
        and repr(old) != repr(new)
        and guard.how in ("number", "scale", "pin", "end")
    ):
        same = found is None and old is not None and new is not None
        assert found is not Direction.NEUTRAL
        assert found is not None or same


@settings(deadline=None, derandomize=True)
@given(low=st.floats(0, 1e6), more=st.floats(1e-3, 1e6))
@pytest.mark.parametrize("loosens", ["up", "down"])
def test_a_number_loosens_its_way(loosens, low, more):
    guard = Guard(how="number", loosens=loosens)
    found = there_and_back(guard, low, low + more)
    assert found is (Direction.LOOSENED if loosens == "up" else Direction.TIGHTENED)
    assert there_and_back(guard, low, None) is Direction.LOOSENED


def test_a_quantity_is_compared_by_its_size():
    guard = Guard(how="number", loosens="up")
    assert there_and_back(guard, parse_quantity("5 ms"), parse_quantity("0.005 s")) is None
    assert there_and_back(guard, parse_quantity("5 ms"), parse_quantity("6000 us")) is Direction.LOOSENED


def test_a_range_is_compared_in_si():
    guard = Guard(how="interval")
    millimetres, metres = SimpleNamespace(unit="mm"), SimpleNamespace(unit="m")
    same = Pair(guard=guard, old=(0, 60), new=(0, 0.06), old_owner=millimetres, new_owner=metres)
    assert direction(same) is None
    wider = Pair(guard=guard, old=(0, 60), new=(0, 0.07), old_owner=millimetres, new_owner=metres)
    assert direction(wider) is Direction.LOOSENED
