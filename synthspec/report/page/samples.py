"""What was made, to be looked at: a grid of pictures, shares by value, a few series."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from synthspec.ir.manifest_engine import ConditionVariable
from synthspec.pipeline.overview import Marginal, Overview, Trace
from synthspec.pipeline.stated import public_size
from synthspec.report.page.chart import (
    BOTTOM,
    HEIGHT,
    LEFT,
    RIGHT,
    TOP,
    WIDTH,
    Point,
    Scale,
    box,
    frame,
    label,
    line,
    named,
    path,
    picture,
    scale,
)
from synthspec.report.page.markup import Markup, tag
from synthspec.report.page.parts import cards, facts, more, section, table
from synthspec.report.page.shown import PICTURE, Shown
from synthspec.report.page.verdicts import unit_of
from synthspec.report.verdict_table import number

_LETTERS = 12
"""Characters of a member's name below its bars."""
_DAY = 86400.0
_YEARS = 250 * 365 * _DAY
"""Instants further from 1970 than this are told in seconds."""


def samples(page: Shown) -> Markup:
    """The samples of the run, as far as they can be seen."""
    data = page.manifest.dataset
    told = facts(
        (
            ("Data set", data.name),
            ("Schema", data.SRef),
            ("Modality", data.modality),
            ("Synthetic records", f"{data.n_syn}"),
            ("Real records, all splits", f"{data.n_real}"),
            ("Real records of training, which the public manifest tells", _size(public_size(page.plan.spec))),
            *((f"Condition {each.name}", f"{each.interface}, {_law(each.distribution)}") for each in _conditions(page)),
        )
    )
    parts = [told, *_grid(page)]
    if page.overview is not None:
        parts += [*_series(page.overview.traces), *_marginals(page.overview)]
    return section("samples", "Samples", *parts)


def _size(size: int | None) -> str | None:
    return None if size is None else f"{size} (privacy.dataset_size)"


def _conditions(page: Shown) -> Sequence[ConditionVariable]:
    return page.manifest.generation.condition


def _law(distribution: object) -> str:
    if isinstance(distribution, str):
        return distribution
    return "shares as in the spec"


def _grid(page: Shown) -> Iterator[Markup]:
    if page.picture is None:
        return
    data = page.manifest.dataset
    by = [each.name for each in _conditions(page) if each.interface == "categorical"]
    rows = f", one row for each value of {by[0]}" if len(by) == 1 else ""
    alt = f"A grid of synthetic pictures of {data.name}{rows}: the first of {data.n_syn} records."
    source = "data:image/png;base64," + base64.b64encode(page.picture).decode()
    image = tag("img", src=source, alt=alt)
    told = f"{PICTURE}{rows}; the first of {data.n_syn} synthetic records."
    yield tag("figure", image, tag("figcaption", told), class_="grid")


def _marginals(overview: Overview) -> Iterator[Markup]:
    if not overview.marginals:
        return
    yield tag("h3", "Shares by value")
    if overview.split is None:
        yield tag("p", "Of the synthetic records alone: how real records are distributed is not for publication.")
    else:
        real = f"the {overview.n_real} real records of the split {overview.split}"
        yield tag("p", f"Of {overview.n_synthetic} synthetic records (filled) and {real} (outlined, dashed).")
    yield cards(_marginal(each, f"marginal-{order}") for order, each in enumerate(overview.marginals))
    if overview.left_out:
        yield tag("p", f"Without a chart: {', '.join(overview.left_out)}.")


def _marginal(found: Marginal, ident: str) -> Markup:
    highest = max((*found.synthetic, *(found.real or ())), default=0.0) or 1.0
    up = Scale(0.0, highest * 1.05, HEIGHT - BOTTOM, TOP)
    drawn = _members(found, up) if found.members else _bins(found, up)
    told = f"{_told(found)}."
    chart = picture(ident, f"Shares of {found.field}", told, (WIDTH, HEIGHT), *drawn)
    unit = tag("span", unit_of(found.unit), class_="under")
    head = ("Value", "Synthetic", *(("Real",) if found.real is not None else ()))
    rows = (
        (name, f"{share:.1%}", *((f"{found.real[order]:.1%}",) if found.real is not None else ()))
        for order, (name, share) in enumerate(zip(_names(found), found.synthetic, strict=True))
    )
    shares = more("Shares as a table", table(f"Shares of {found.field}", head, rows))
    return tag("article", tag("h4", found.field, unit), chart, shares, class_="card")


def _told(found: Marginal) -> str:
    names = _names(found)
    top = max(range(len(found.synthetic)), key=lambda at: found.synthetic[at])
    kind = "values" if found.members else "bins"
    told = f"{len(names)} {kind}; most synthetic values at {names[top]} ({found.synthetic[top]:.1%})"
    if found.real is None:
        return told
    apart = sum(abs(a - b) for a, b in zip(found.synthetic, found.real, strict=True)) / 2
    return f"{told}; the shares differ from the real ones by {apart:.1%} in all"


def _names(found: Marginal) -> tuple[str, ...]:
    if found.members:
        return found.members
    write = _instant if _is_time(found) else number
    return tuple(f"{write(low)} to {write(high)}" for low, high in zip(found.edges, found.edges[1:], strict=False))


def _is_time(found: Marginal) -> bool:
    return found.instants and abs(found.edges[0]) < _YEARS and abs(found.edges[-1]) < _YEARS


def _instant(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _bins(found: Marginal, up: Scale) -> Iterator[Markup]:
    across = Scale(found.edges[0], found.edges[-1], LEFT, WIDTH - RIGHT)
    yield from _upright(up)
    bins = list(zip(found.edges, found.edges[1:], strict=False))
    for (low, high), share in zip(bins, found.synthetic, strict=True):
        yield box(across(low), up(share), across(high) - across(low), up(0.0) - up(share), "bar")
    if found.real is not None:
        stairs: list[Point] = [(across(found.edges[0]), up(0.0))]
        for (low, high), share in zip(bins, found.real, strict=True):
            stairs += [(across(low), up(share)), (across(high), up(share))]
        stairs.append((across(found.edges[-1]), up(0.0)))
        yield tag("path", d=path(stairs), class_="curve c1")
    if _is_time(found):
        for at, anchor in ((0, "start"), (-1, "end")):
            yield label(across(found.edges[at]), HEIGHT - BOTTOM + 14, _instant(found.edges[at])[:10], anchor)
        return
    yield from named(across, HEIGHT - BOTTOM + 14)


def _members(found: Marginal, up: Scale) -> Iterator[Markup]:
    yield from _upright(up)
    width = (WIDTH - RIGHT - LEFT) / len(found.members)
    every = -(-max(len(name[:_LETTERS]) for name in found.members) * 7 // max(int(width), 1))
    for order, (name, share) in enumerate(zip(found.members, found.synthetic, strict=True)):
        left = LEFT + order * width
        yield box(left + width * 0.15, up(share), width * 0.7, up(0.0) - up(share), "bar")
        if found.real is not None:
            y = up(found.real[order])
            yield line(left + width * 0.05, y, left + width * 0.95, y, "curve c1")
        if order % max(every, 1) == 0:
            yield label(left + width / 2, HEIGHT - BOTTOM + 14, name[:_LETTERS], "middle")


def _upright(up: Scale) -> Iterator[Markup]:
    for value in up.ticks:
        yield line(LEFT, up(value), WIDTH - RIGHT, up(value), "grid")
        yield label(LEFT - 5, up(value) + 4, f"{value * 100:g} %", "end")


def _series(traces: Sequence[Trace]) -> Iterator[Markup]:
    if not traces:
        return
    yield tag("h3", "Example series")
    yield tag("p", f"The first {len(traces)} synthetic records of {traces[0].field}, in the order of the file.")
    yield cards(_trace(each, f"trace-{order}") for order, each in enumerate(traces))


def _trace(found: Trace, ident: str) -> Markup:
    values = [value for channel in found.channels for value in channel if value is not None]
    title = f"Record {found.record}"
    if not values:
        return tag("article", tag("h4", title), tag("p", "Every value is missing."), class_="card")
    across = Scale(0, max(found.stride * (len(found.channels[0]) - 1), 1), LEFT, WIDTH - RIGHT)
    up = scale(values, HEIGHT - BOTTOM, TOP, pad=0.05)
    lines = (
        tag("path", d="".join(path(run) for run in _runs(channel, found.stride, across, up)), class_=f"curve c{order}")
        for order, channel in enumerate(found.channels)
    )
    told = (
        f"{len(found.channels)} channels of {len(found.channels[0])} values from {number(min(values))} to "
        f"{number(max(values))}{unit_of(found.unit)}."
    )
    chart = picture(
        ident, f"{found.field}, {title.lower()}", told, (WIDTH, HEIGHT), *frame(across, up, "index"), *lines
    )
    return tag("article", tag("h4", title), chart, tag("p", told, class_="small"), class_="card")


def _runs(channel: Sequence[float | None], stride: int, across: Scale, up: Scale) -> Iterator[list[Point]]:
    """The stretches between missing values."""
    run: list[Point] = []
    for order, value in enumerate(channel):
        if value is None:
            yield run
            run = []
        else:
            run.append((across(order * stride), up(value)))
    yield run
