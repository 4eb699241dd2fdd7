"""Validate a composed document against a model, and say what is wrong in the document's own terms."""

from __future__ import annotations

from typing import TypeVar

from pydantic import BaseModel, ValidationError

from synthspec.diag import Diagnostic, Outcome, failure
from synthspec.parse.document import MAX_FINDINGS, Composed, Recovered, Value
from synthspec.text import Places

ModelT = TypeVar("ModelT", bound=BaseModel)


def validate_model(composed: Composed, model: type[ModelT]) -> Outcome[ModelT]:
    """Build `model` from a document, strictly: nothing is converted, nothing unknown is passed over.

    There is no value when the reader had refused part of the document, even if the rest of it is sound; what follows
    only from that refusal is not reported again.
    """
    try:
        built = model.model_validate(composed.value, strict=True)
    except ValidationError as error:
        return failure(_diagnose(error, composed, model))
    return Outcome(None if composed.doubtful or composed.incomplete else built)


def read_model(composed: Composed, model: type[ModelT]) -> Outcome[Recovered[ModelT]]:
    """`validate_model`, with what is left of the document where there are faults: enough to ask the rules about the rest."""
    strict = validate_model(composed, model)
    if strict.value is not None:
        return Outcome(Recovered(strict.value), strict.diagnostics)
    from synthspec.parse.recovery import recover

    return Outcome(recover(composed, model), strict.diagnostics)


def diagnose(error: ValidationError, value: Value, places: Places, model: type[BaseModel]) -> tuple[Diagnostic, ...]:
    """Put `error`, raised when `model` was built from `value`, into findings at their places.

    One finding for each offence: of a union only the branch that was meant, no missing key beside its misspelling. A
    validator's own ``PydanticCustomError(code, message, {"help": ...})`` with a rule's code passes as it is.
    """
    return _diagnose(error, Composed(value if isinstance(value, dict) else {}, places), model)


def _diagnose(error: ValidationError, composed: Composed, model: type[BaseModel]) -> tuple[Diagnostic, ...]:
    # Loaded with the first fault: a sound document needs none of it.
    from synthspec.parse.blueprint import Blueprint
    from synthspec.parse.faults import faults_of
    from synthspec.parse.wording import Wording

    blueprint = Blueprint(model)
    wording = Wording(composed.value, composed.places, blueprint)
    found: dict[tuple[object, ...], Diagnostic] = {}
    for fault in faults_of(error, composed, blueprint)[:MAX_FINDINGS]:
        diagnostic = wording.diagnostic(fault)
        found.setdefault((diagnostic.code, diagnostic.path, diagnostic.message), diagnostic)
    return tuple(sorted(found.values(), key=lambda diagnostic: diagnostic.span.start if diagnostic.span else -1))
