"""Every figure of the evidence against its null and its limits, drawn and told."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeGuard

from synthspec.ir.manifest_base import Scalar
from synthspec.ir.manifest_engine import TimePath
from synthspec.ir.manifest_evidence import BoundEntry, Metric
from synthspec.report.page.chart import Scale, box, line, named, picture, place, scale
from synthspec.report.page.markup import Markup, breakable, join, tag
from synthspec.report.page.parts import RESULT, cards, facts, more, result, section
from synthspec.report.page.shown import Shown
from synthspec.report.page.verdicts import measured, promise, sizes, unit_of
from synthspec.report.verdict_table import number

_SIZE = (320, 72)
_LEFT, _RIGHT, _MIDDLE = 10, 310, 28


def figures(page: Shown) -> Markup:
    """One card a figure, those that a contract judges first."""
    judged = [each for each in page.manifest.metrics if page.bounds(each.name)]
    others = [each for each in page.manifest.metrics if not page.bounds(each.name)]
    listed = (_card(each, page.bounds(each.name), order) for order, each in enumerate((*judged, *others)))
    key = (
        "The dot is the value and the bar its bounds; the diamond is the null, what two halves of the real split "
        "show of each other; the dashed line is the limit, and the shaded side of it is where the promise is broken."
    )
    return section("figures", "Figures", tag("p", key), cards(listed), *_time(page.manifest.generation.timepath))


def _card(metric: Metric, bounds: tuple[BoundEntry, ...], order: int) -> Markup:
    drawn = _gauge(metric, bounds, f"figure-{order}")
    interval = (
        None
        if metric.lower is None and metric.upper is None
        else f"{_end(metric.lower, '−∞')} to {_end(metric.upper, '∞')}{unit_of(metric.unit)}"
    )
    told = facts(
        (
            ("Value", measured(metric.value, metric.u, metric.unit) or "not computed"),
            ("Bounds", interval),
            ("Null", None if metric.null is None else number(metric.null) + unit_of(metric.unit)),
            *(("Limit", join(promise(each), " ", result(each.result))) for each in bounds),
            ("Real / synthetic", sizes(metric.n_real, metric.n_syn)),
            ("Split", metric.split),
            ("Uncertainty by", metric.method),
            ("Note", metric.reason),
        )
    )
    details = facts((key, _scalar(value)) for key, value in sorted(metric.details.items()))
    below = (more("Details", details),) if metric.details else ()
    title = join(
        breakable(metric.name),
        tag("span", breakable(metric.label), class_="under") if metric.label != metric.name else "",
    )
    return tag("article", tag("h3", title), drawn, told, *below, class_="card")


def _end(value: float | None, open_: str) -> str:
    return open_ if value is None else number(value)


def _scalar(value: Scalar) -> str:
    return number(value) if isinstance(value, float) else str(value)


def _gauge(metric: Metric, bounds: tuple[BoundEntry, ...], ident: str) -> Markup:
    """Value, bounds, null and limits on one axis; nothing where there is too little to compare."""
    value, null = metric.value, metric.null
    limits = [each for each in bounds if _finite(each.limit)]
    ends = [each for each in (metric.lower, metric.upper) if _finite(each)]
    places = [each for each in (value, null, *ends, *(each.limit for each in limits)) if _finite(each)]
    if value is None or not _finite(value) or len(set(places)) < 2:
        return join()
    across = scale(places, _LEFT, _RIGHT, pad=0.12)
    low, high = (across(each) if _finite(each) else across(value) for each in (metric.lower, metric.upper))
    marks = [line(_LEFT, _MIDDLE, _RIGHT, _MIDDLE, "axis")]
    marks += [mark for each in limits for mark in _limit(each, across)]
    if ends:
        marks.append(box(low, _MIDDLE - 5, max(high - low, 1), 10, "interval"))
    if null is not None and _finite(null):
        marks.append(_diamond(across(null)))
    marks.append(tag("circle", cx=place(across(value)), cy=_MIDDLE, r=5, class_="value"))
    marks += named(across, _SIZE[1] - 4)
    told = "; ".join(
        [
            f"value {number(value)}",
            *([f"bounds {_end(metric.lower, 'open')} to {_end(metric.upper, 'open')}"] if ends else []),
            *([] if null is None else [f"null {number(null)}"]),
            *(f"{promise(each)} is {each.result}" for each in limits),
        ]
    )
    return picture(ident, metric.name, told, _SIZE, *marks)


def _finite(value: float | None) -> TypeGuard[float]:
    return value is not None and abs(value) < float("inf")


def _limit(bound: BoundEntry, across: Scale) -> Iterator[Markup]:
    at = across(bound.limit)
    start, end = (at, _RIGHT) if bound.relation == "<=" else (_LEFT, at)
    yield box(start, _MIDDLE - 18, end - start, 36, "beyond")
    yield line(at, _MIDDLE - 20, at, _MIDDLE + 20, f"limit {RESULT[bound.result]}")


def _diamond(x: float) -> Markup:
    corners = ((x, _MIDDLE - 7), (x + 7, _MIDDLE), (x, _MIDDLE + 7), (x - 7, _MIDDLE))
    return tag("polygon", points=" ".join(f"{place(a)},{place(b)}" for a, b in corners), class_="null")


def _time(found: TimePath | None) -> Iterator[Markup]:
    if found is not None:
        told = ((key, value if isinstance(value, str) else number(float(value))) for key, value in _given(found))
        yield join(tag("h3", "Time base and arrival"), tag("p", "In seconds and metres."), facts(told))


def _given(found: TimePath) -> Iterator[tuple[str, str | float]]:
    for key in TimePath.model_fields:
        value = getattr(found, key)
        if value is not None:
            yield key, value
