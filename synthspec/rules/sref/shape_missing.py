"""A picture, clip or sound has no shape.

Why: the network, the number of dimensions that bits are counted over, and the files that are written all follow from the
    shape. It is declared, not found out.

Refs: P403-1; S405-3

Bad without fields.pixels.shape:

Good:
    fields.pixels.shape: [1, 8, 8]
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.field_types import NUMBERS
from synthspec.rules.form import Finding, Note, at_sref, sref_rule
from synthspec.spec.sref import SRef

SHAPED = {"image": "[channels, height, width]", "audio": "[samples]", "video": "[frames, channels, height, width]"}


@sref_rule(code="sref.shape-missing")
def check(sref: SRef) -> Iterator[Finding]:
    for number, field in enumerate(sref.fields):
        if sref.modality in SHAPED and field.role == "content" and field.dtype in NUMBERS and field.shape is None:
            message = f"the modality is {sref.modality}, but {field.name!r} has no shape"
            advice = f"write shape: {SHAPED[sref.modality]}"
            because = Note("the modality", at_sref("modality"))
            yield Finding(at_sref("fields", number, "shape"), message, advice, (because,))
