"""The network that features of a module are taken by: which installed distribution offers it."""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.backend.extractors import UnknownModuleError, feature_module
from synthspec.spec.evaluation import Features


def provided(features: Features) -> str:
    """What the plan says of the network of a module; empty for other features, and where `unoffered` says why not."""
    if features.name != "module" or features.entry is None:
        return ""
    try:
        return feature_module(features.entry).provided
    except UnknownModuleError:
        return ""


def unoffered(features: Features) -> Iterator[tuple[str, str]]:
    """Why no installed distribution gives the network of `features`, and what to do."""
    if features.name == "module" and features.entry is not None:
        try:
            feature_module(features.entry)
        except UnknownModuleError as error:
            yield error.message, error.help
