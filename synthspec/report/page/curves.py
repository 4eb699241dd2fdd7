"""The training: one chart a signal, with what the monitors did."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from synthspec.ir.manifest_engine import TrainingEvent
from synthspec.report.page.chart import (
    BOTTOM,
    HEIGHT,
    LEFT,
    RIGHT,
    TOP,
    WIDTH,
    Scale,
    frame,
    label,
    line,
    path,
    picture,
    scale,
)
from synthspec.report.page.markup import Markup, tag
from synthspec.report.page.parts import cards, section, table
from synthspec.report.page.shown import Curve, Shown
from synthspec.report.verdict_table import number

POINTS = 240
"""Points of a line: more than there are pixels say nothing more."""
WIDE = 1000.0
"""Ratio of the largest to the least value beyond which positive values are drawn by their logarithms."""
_VAL = "_val"


def training(page: Shown) -> Markup:
    """Charts of all signals over the steps, and a table of the events that they are marked with."""
    deep = page.manifest.deep
    if not page.curves:
        return section("training", "Training", tag("p", "This engine recorded no signals while it was fitted."))
    drawn = (
        _card(names, page.curves, deep.training, f"signal-{order}")
        for order, names in enumerate(_panels(tuple(page.curves)))
    )
    return section("training", "Training", *_events(deep.training), cards(drawn))


def _panels(names: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """A signal together with its twin on the validation split, where it has one."""
    for name in names:
        if name.endswith(_VAL) and name.removesuffix(_VAL) in names:
            continue
        yield (name, name + _VAL) if name + _VAL in names else (name,)


def _events(events: Sequence[TrainingEvent]) -> Iterator[Markup]:
    if not events:
        return
    rows = (
        (f"Event {order}", f"{event.step}", event.event, event.signal or "", event.detail or "")
        for order, event in enumerate(events, 1)
    )
    head = ("Event", "Step", "What happened", "Signal", "Detail")
    yield table("What the monitors did; the charts mark these steps by number", head, rows, "stacked")


def _card(names: tuple[str, ...], curves: Mapping[str, Curve], events: Sequence[TrainingEvent], ident: str) -> Markup:
    title = " and ".join(names)
    values = [value for name in names for _, value in curves[name]]
    wide = min(values) > 0 and max(values) > WIDE * min(values)
    up = scale(values, HEIGHT - BOTTOM, TOP, pad=0.0 if wide else 0.05, logarithmic=wide)
    steps = [step for curve in curves.values() for step, _ in curve]
    across = scale([min(steps), max(steps)], LEFT, WIDTH - RIGHT)
    lines = (_line(curves[name], across, up, f"curve c{order}") for order, name in enumerate(names))
    told = "; ".join(_told(name, curves[name]) for name in names)
    chart = picture(ident, title, told, (WIDTH, HEIGHT), *frame(across, up, "step"), *_marks(events, across), *lines)
    text = f"{told}.{' Logarithmic scale.' if wide else ''}"
    heading = tag("h3", title) if len(names) == 1 else tag("h3", *_legend(names))
    return tag("article", heading, chart, tag("p", text, class_="small"), class_="card")


def _legend(names: Sequence[str]) -> Iterator[Markup]:
    for order, name in enumerate(names):
        kind = "solid" if order == 0 else "dashed"
        yield tag("span", f"{name} ({kind}) ", class_=f"key c{order}")


def _told(name: str, curve: Curve) -> str:
    values = [value for _, value in curve]
    return (
        f"{name}: {number(values[0])} at step {curve[0][0]}, {number(values[-1])} at step {curve[-1][0]}, "
        f"least {number(min(values))}, most {number(max(values))}"
    )


def _line(curve: Curve, across: Scale, up: Scale, kind: str) -> Markup:
    points = [(across(step), up(value)) for step, value in thinned(curve)]
    if len(points) == 1:
        x, y = points[0]
        points = [(x - 3, y), (x + 3, y)]
    return tag("path", d=path(points), class_=kind)


def thinned(curve: Curve, most: int = POINTS) -> Curve:
    """`curve` in at most `most` points: of each stretch the least and the most value, where it has them."""
    if len(curve) <= most:
        return curve
    stretches = most // 2
    kept: list[tuple[int, float]] = []
    for order in range(stretches):
        part = curve[order * len(curve) // stretches : (order + 1) * len(curve) // stretches]
        ends = {min(range(len(part)), key=lambda at: part[at][1]), max(range(len(part)), key=lambda at: part[at][1])}
        kept.extend(part[at] for at in sorted(ends))
    return tuple(kept)


def _marks(events: Sequence[TrainingEvent], across: Scale) -> Iterator[Markup]:
    for order, event in enumerate(events, 1):
        x = across(event.step)
        yield line(x, TOP, x, HEIGHT - BOTTOM, "event")
        yield label(x - 3, TOP + 9, f"{order}", "end", "name")
