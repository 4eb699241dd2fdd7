"""The page of a rule: title, Why, Refs, and a Bad and a Good spec, written as a docstring.

An example is a fragment: its top-level sections take the place of those of one of the normative examples (sections of
the SRef those of its SRef), and what stands after ``without`` is left out. So ``Bad on digits-vae without objective:``
needs no lines at all.
"""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass

DEFAULT_BASE = "digits-diffusion"
_HEAD = re.compile(r"^(Why|Refs|Bad|Good)((?: on [\w-]+)?(?: without [\w., -]+)?):[ \t]*(.*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A fragment on top of the normative example `base`, `without` some of its sections."""

    base: str
    without: tuple[str, ...]
    text: str

    @property
    def heading(self) -> str:
        """What it is a change of, for people."""
        left_out = f" without {', '.join(self.without)}" if self.without else ""
        return f"in {self.base}{left_out}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What ``synthspec explain`` shows of a code."""

    title: str
    why: str
    refs: tuple[str, ...]
    bad: Example
    good: Example


def parse_page(docstring: str) -> Page:
    """Read a docstring. Raises ValueError when a part is missing: every rule answers all four."""
    text = inspect.cleandoc(docstring)
    heads = list(_HEAD.finditer(text))
    ends = [head.start() for head in heads[1:]] + [len(text)]
    parts = {
        head[1]: (head[2], (head[3] + "\n" + text[head.end() : end]).strip("\n"))
        for head, end in zip(heads, ends, strict=True)
    }
    missing = [name for name in ("Why", "Refs", "Bad", "Good") if name not in parts]
    if missing:
        raise ValueError(f"the page {text[:60]!r} has no {', '.join(missing)}")
    title = " ".join(text[: heads[0].start()].split())
    bad = _example(*parts["Bad"], DEFAULT_BASE)
    return Page(
        title=title,
        why=" ".join(parts["Why"][1].split()),
        refs=tuple(ref.strip() for ref in parts["Refs"][1].split(";")),
        bad=bad,
        good=_example(*parts["Good"], bad.base),
    )


def _example(options: str, body: str, base: str) -> Example:
    named = re.search(r" on ([\w-]+)", options)
    without = re.search(r" without ([\w., -]+)", options)
    return Example(
        base=named[1] if named else base,
        without=tuple(part.strip() for part in without[1].split(",")) if without else (),
        text=inspect.cleandoc("\n" + body),
    )
