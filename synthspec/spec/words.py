"""What every key of the language means, in the words that `explain`, the JSON Schemas and ``docs/keys.md`` show.

Words stand with a field itself (`description`) or, by the name of a model or of one that it extends, in a table: it is read
only where somebody asks, so that `validate` does not load it, and what several kinds have in common is said once.
"""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel

Words = Mapping[str, str]
ASKED: Mapping[str, tuple[str, ...]] = {
    "EngineSpec": ("objective", "training", "stability", "privacy", "evaluation", "contracts")
}
"""Sections that the models leave optional, so that the rule of an axiom answers; an editor should ask for them."""


def words_of(model: type[BaseModel], name: str) -> str:
    """What the field `name` of `model` means; empty where nobody has said it."""
    # The table is long, and few commands ask for it.
    from synthspec.spec.word_table import WORDS

    for owner in model.__mro__:
        found = WORDS.get(owner.__name__, {}).get(name)
        if found is not None:
            return found
    return model.model_fields[name].description or ""
