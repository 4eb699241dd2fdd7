"""From text to plain values with places, and from values to models: the door to YAML."""

from synthspec.parse.composer import compose
from synthspec.parse.document import Composed, Recovered, Scalar, Value
from synthspec.parse.source import read_source
from synthspec.parse.validation import diagnose, read_model, validate_model

__all__ = [
    "Composed", "Recovered", "Scalar", "Value", "compose", "diagnose", "read_model", "read_source", "validate_model",
]  # fmt: skip
