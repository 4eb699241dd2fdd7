"""Every field of every model declares its direction, and no declaration is left over."""

import typing

import pydantic
import pytest

from synthspec.review.compare import Pair
from synthspec.review.laws import direction
from synthspec.spec.enginespec import EngineSpec
from synthspec.spec.guard_table import GUARDS
from synthspec.spec.guards import UNDECLARED, guard_of
from synthspec.spec.policy import Policy
from synthspec.spec.sref import SRef

NOT_WALKED = {"PolicyExample"}
"""Parts of a field that is free as a whole."""


def _models(annotation):
    if isinstance(annotation, type) and issubclass(annotation, pydantic.BaseModel):
        yield annotation
    for part in typing.get_args(annotation):
        yield from _models(part)


def reachable():
    found, ahead = {}, [EngineSpec, SRef, Policy]
    while ahead:
        model = ahead.pop()
        if model.__name__ in found:
            continue
        found[model.__name__] = model
        for info in model.model_fields.values():
            ahead += _models(info.annotation)
    return found


MODELS = reachable()
FIELDS = [(model, name) for model in MODELS.values() if model.__name__ not in NOT_WALKED for name in model.model_fields]


def test_every_field_declares_its_direction_or_why_it_has_none():
    assert [f"{model.__name__}.{name}" for model, name in FIELDS if guard_of(model, name) is UNDECLARED] == []
    guards = [guard_of(*each) for each in FIELDS]
    assert all(len(guard.why) > 10 for guard in guards if guard.how in ("free", "review"))
    assert len(FIELDS) > 300


def test_no_declaration_is_left_over():
    shared = {"_Contract"}
    assert set(GUARDS) - set(MODELS) <= shared
    for owner, fields in GUARDS.items():
        users = [model for model in MODELS.values() if owner in {base.__name__ for base in model.__mro__}]
        # A table that several kinds share names the fields of all of them.
        same = [model for other, table in GUARDS.items() if table is fields for model in MODELS.values()
                if other in {base.__name__ for base in model.__mro__}]  # fmt: skip
        known = {name for model in (*users, *same) for name in model.model_fields}
        extra = set(fields) - known
        assert not extra, (owner, extra)


SCALES = [each for each in FIELDS if guard_of(*each).scale and each[1] != "mechanism"]


@pytest.mark.parametrize(("model", "name"), SCALES)
def test_a_scale_names_every_word_of_its_field(model, name):
    guard = guard_of(model, name)
    words = {
        str(word).lower() if isinstance(word, bool) else word for word in _words(model.model_fields[name].annotation)
    }
    assert words <= {word for step in guard.scale for word in step}


def _words(annotation):
    if annotation is bool:
        yield from (True, False)
    if typing.get_origin(annotation) is typing.Literal:
        yield from (word for word in typing.get_args(annotation) if word is not None)
    else:
        for part in typing.get_args(annotation):
            yield from _words(part)


def test_an_undeclared_field_is_for_a_person_to_judge():
    class Newer(pydantic.BaseModel):
        knob: int = 1

    guard = guard_of(Newer, "knob")
    assert guard is UNDECLARED
    assert direction(Pair(guard=guard, old=1, new=2)).value == "unknown"
    assert direction(Pair(guard=guard, old=2, new=2)) is None
