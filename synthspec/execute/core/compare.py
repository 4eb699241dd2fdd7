"""P405-10: the figures of the engines that another one was made from, and what the made one is worse by."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from synthspec.backend.artifacts import DATA, FIGURES, read_figures, write_report
from synthspec.backend.dataset import read_dataset
from synthspec.backend.protocol import Artifact, Context
from synthspec.execute.core.measure import label_field, request_of, sample_of, writable
from synthspec.ir.evidence import Figure
from synthspec.ir.ops import Compare
from synthspec.metrics.figures import Z95
from synthspec.metrics.paired import against_teacher, members_against_teacher

Inputs = Mapping[str, Artifact]
PAIRED = frozenset({"FID", "KID", "covg"})
"""What is compared record by record; other figures by their values alone."""
OTHER_PORTS = frozenset({"data", "split", "samples", "teacher_samples", "measured"})


def compare(op: Compare, inputs: Inputs, context: Context) -> None:
    """Write ``figures.json``: every figure of each earlier engine under ``<engine>.<name>``, and the differences."""
    earlier = {port: read_figures(inputs[port].path(FIGURES)) for port in sorted(set(inputs) - OTHER_PORTS)}
    context.progress.start("compare", 1 + len(earlier), "engines")
    figures = [replace(each, name=f"{port}.{each.name}") for port, found in earlier.items() for each in found]
    context.progress.advance(len(earlier))
    figures += differences(read_figures(inputs["measured"].path(FIGURES)), earlier["teacher"])
    figures += map(writable, _paired(op, inputs))
    context.progress.advance()
    write_report(context.out, FIGURES, tuple(figures))


def differences(measured: tuple[Figure, ...], teacher: tuple[Figure, ...]) -> Iterator[Figure]:
    """``<name>_delta`` of every figure that both engines have with an uncertainty, taken for independent: too wide if anything.

    Figures that are counted or exact have no uncertainty to speak of, and stand beside each other as they are.
    """
    before = {figure.name: figure for figure in teacher}
    for now in measured:
        then = before.get(now.name)
        if then is None or now.name in PAIRED or now.value is None or then.value is None:
            continue
        if now.u is None or then.u is None or now.unit != then.unit or now.method == "exact":
            continue
        value, u = now.value - then.value, float(np.hypot(now.u, then.u))
        yield Figure(
            name=f"{now.name}_delta",
            label=f"{now.name}_delta[accelerated less teacher]",
            value=value,
            unit=now.unit,
            u=u,
            lower=value - Z95 * u,
            upper=value + Z95 * u,
            method="independent",
            n_real=now.n_real,
            n_syn=now.n_syn,
            split=now.split,
            details=(("accelerated", now.value), ("teacher", then.value)),
        )


def _paired(op: Compare, inputs: Inputs) -> tuple[Figure, ...]:
    """From the candidates of both, before anything is turned down: record i of both has the same noise and condition.

    Whether the members are told is measured whatever the spec asks for. With features that the user brings there are none of
    candidates, and the figures that need them say so.
    """
    measure = op.measure
    asked = [name for name in measure.metrics if name in PAIRED]
    label = label_field(measure)
    bare = {port: inputs[port] for port in ("data", "split", "samples")}
    requests = []
    for port in ("samples", "teacher_samples"):
        drawn = read_dataset(inputs[port].path(DATA))
        first = drawn.take(np.arange(min(op.pairs, len(drawn))))
        requests.append(replace(request_of(measure, bare), synthetic=sample_of(measure.schema, first, label)))
    told = members_against_teacher(*requests)
    if measure.features.name != "embedded":
        reason = f"features {measure.features.name} are made of the records that were kept, which are no pairs"
        names = [f"{name}_{what}" for name in asked for what in (("delta", "ratio") if name == "FID" else ("delta",))]
        return (*(Figure(name=name, label=name, value=None, reason=reason) for name in names), *told)
    return (*against_teacher(asked, *requests), *told)
