"""Metrics: arrays in, figures with their uncertainty out. Imports numpy and scipy; load it only where it is used."""

from __future__ import annotations

from synthspec.metrics.measuring import METRICS, measure
from synthspec.metrics.membership import ATTACKS
from synthspec.metrics.request import Component, Counted, Extractor, Field, Given, Latencies, Request, Sample

__all__ = [
    "ATTACKS",
    "METRICS",
    "Component",
    "Counted",
    "Extractor",
    "Field",
    "Given",
    "Latencies",
    "Request",
    "Sample",
    "measure",
]
