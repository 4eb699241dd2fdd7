"""Scales, ticks and lines for the few charts of the page: small SVG, the same bytes for the same numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from synthspec.report.page.markup import Markup, tag

WIDTH, HEIGHT = 320, 180
LEFT, RIGHT, TOP, BOTTOM = 50, 10, 10, 28

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Scale:
    """From the numbers ``low..high`` to the places ``start..end``, evenly or by the logarithm."""

    low: float
    high: float
    start: float
    end: float
    logarithmic: bool = False

    def __call__(self, value: float) -> float:
        """The place of `value`, which may lie beyond the ends."""
        low, high = self._at(self.low), self._at(self.high)
        return self.start + (self._at(value) - low) / (high - low) * (self.end - self.start)

    def _at(self, value: float) -> float:
        return math.log10(value) if self.logarithmic else value

    @property
    def ticks(self) -> tuple[float, ...]:
        """Round numbers between the ends: powers of ten where that is the scale."""
        if not self.logarithmic:
            return ticks(self.low, self.high)
        first, last = math.ceil(math.log10(self.low)), math.floor(math.log10(self.high))
        step = max(1, -(-(last - first) // 4))
        return tuple(10.0**power for power in range(first, last + 1, step))


def scale(values: Sequence[float], start: float, end: float, *, pad: float = 0.0, logarithmic: bool = False) -> Scale:
    """A scale over finite `values`, with `pad` of their spread left free at both ends; one lone value gets room around it.

    Raises ValueError without values.
    """
    low, high = min(values), max(values)
    if logarithmic:
        low, high = (low, high) if high > low else (low / 2, high * 2)
        return Scale(low, high, start, end, logarithmic=True)
    if not high - low > 1e-12 * max(abs(low), abs(high)):
        room = max(abs(high), 1e-9) / 2
        low, high = low - room, high + room
    room = (high - low) * pad
    return Scale(low - room, high + room, start, end)


def ticks(low: float, high: float, about: int = 4) -> tuple[float, ...]:
    """About `about` multiples of 1, 2 or 5 times a power of ten within ``low..high``."""
    raw = (high - low) / about
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= raw * 0.7)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return tuple(round(each * step, 12 - math.floor(math.log10(step))) for each in range(first, last + 1))


def place(value: float) -> str:
    """A coordinate: a tenth of a pixel is enough, and minus nothing is nothing."""
    return f"{value + 0.0:.1f}".replace("-0.0", "0.0").removesuffix(".0")


def path(points: Sequence[Point]) -> str:
    """The ``d`` of a line through `points`."""
    return "M" + "L".join(f"{place(x)} {place(y)}" for x, y in points) if points else ""


def line(x1: float, y1: float, x2: float, y2: float, kind: str) -> Markup:
    """A straight line in the style `kind`."""
    return tag("line", x1=place(x1), y1=place(y1), x2=place(x2), y2=place(y2), class_=kind)


def label(x: float, y: float, text: str, anchor: str = "start", kind: str | None = None) -> Markup:
    """Text at a place, of which `x` is the start, the middle or the end."""
    return tag("text", text, x=place(x), y=place(y), text_anchor=anchor, class_=kind)


def box(x: float, y: float, width: float, height: float, kind: str) -> Markup:
    """A rectangle from its upper left corner, in the style `kind`."""
    return tag("rect", x=place(x), y=place(y), width=place(width), height=place(height), class_=kind)


def picture(ident: str, title: str, text: str, size: tuple[int, int], *children: Markup) -> Markup:
    """An SVG that a screen reader reads as `title` and `text`, the same that the eye finds in it."""
    return tag(
        "svg",
        tag("title", title, id=f"{ident}-t"),
        tag("desc", text, id=f"{ident}-d"),
        *children,
        viewBox=f"0 0 {size[0]} {size[1]}",
        role="img",
        aria_labelledby=f"{ident}-t {ident}-d",
    )


def frame(across: Scale, up: Scale, name: str) -> tuple[Markup, ...]:
    """The two axes with ticks, their lines, and the name of the one across."""
    bottom, right = HEIGHT - BOTTOM, WIDTH - RIGHT
    marks: list[Markup] = []
    for value, text in zip(up.ticks, told(up.ticks), strict=True):
        marks.append(line(LEFT, up(value), right, up(value), "grid"))
        marks.append(label(LEFT - 5, up(value) + 4, text, "end"))
    marks.extend(named(across, bottom + 14))
    marks.append(line(LEFT, bottom, right, bottom, "axis"))
    marks.append(label(right, HEIGHT - 2, name, "end", "name"))
    return tuple(marks)


def named(across: Scale, y: float) -> tuple[Markup, ...]:
    """The ticks of an axis across, told at the height `y`."""
    ticked = zip(across.ticks, told(across.ticks), strict=True)
    return tuple(label(across(value), y, text, "middle") for value, text in ticked)


def told(values: Sequence[float]) -> tuple[str, ...]:
    """Ticks as text: ``1500``, ``0.02``, ``1e-05``; as many digits as tell them apart."""
    tries = (tuple(_short(value, digits) for value in values) for digits in range(4, 18))
    return next((texts for texts in tries if len(set(texts)) == len(values)), tuple(map(repr, values)))


def _short(value: float, digits: int) -> str:
    return f"{value:.0f}" if abs(value) < 1e5 and value == round(value) else f"{value:.{digits}g}"
