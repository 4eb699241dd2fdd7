"""Specs that say themselves what is wrong with them: ``# expect: CODE`` comments, compared with the findings both ways.

A comment at the end of a line speaks of that line; one on a line of its own speaks of the next line that is not such a
comment. Several codes are separated by commas. ``# expect-file: CODE`` is for a finding without a place.

    privacy: {mechanism: dp-sgd}        # expect: P405-4.budget-missing, P405-4.delta-missing
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from synthspec.diag import Diagnostic

NO_LINE = 0
"""The line of a finding that has no place."""

_COMMENT = re.compile(r"#\s*(expect|expect-file):\s*(?P<codes>[\w.-]+(?:\s*,\s*[\w.-]+)*)\s*$")


@dataclass(frozen=True, slots=True, order=True)
class Expected:
    """One finding: the file's name, its 1-based line, its code."""

    file: str
    line: int
    code: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.code}" if self.line else f"{self.file}: {self.code}"


@dataclass(frozen=True, slots=True)
class CaseResult:
    """What a case said against what was found, each sorted."""

    missing: tuple[Expected, ...]
    """Expected, but not found."""
    surprising: tuple[Expected, ...]
    """Found, but not expected."""

    @property
    def ok(self) -> bool:
        return not self.missing and not self.surprising

    def __str__(self) -> str:
        lines = [f"not found:    {each}" for each in self.missing]
        lines += [f"not expected: {each}" for each in self.surprising]
        return "\n".join(lines) or "as expected"


def cases(folder: Path) -> tuple[Path, ...]:
    """The specs under `folder`, sorted; the SRefs beside them (``*.sref.yaml``) are not cases of their own."""
    return tuple(path for path in sorted(folder.rglob("*.yaml")) if not path.name.endswith(".sref.yaml"))


def expectations(text: str, file: str) -> frozenset[Expected]:
    """What the comments of `text` expect. Raises ValueError for a comment that speaks of no line."""
    return frozenset(_expectations(text, file))


def _expectations(text: str, file: str) -> Iterator[Expected]:
    waiting: list[str] = []
    for number, line in enumerate(text.split("\n"), start=1):
        found = _COMMENT.search(line.rstrip())
        codes = [code.strip() for code in found["codes"].split(",")] if found else []
        if found and found[1] == "expect-file":
            yield from (Expected(file, NO_LINE, code) for code in codes)
        elif found and not line[: found.start()].strip():
            waiting.extend(codes)
        else:
            yield from (Expected(file, number, code) for code in [*waiting, *codes])
            waiting.clear()
    if waiting:
        raise ValueError(f"{file}: nothing follows the comment that expects {', '.join(waiting)}")


def findings(diagnostics: Iterable[Diagnostic], case: Path) -> frozenset[Expected]:
    """`diagnostics` as (file, line, code); one without a place belongs to the case itself."""
    return frozenset(
        Expected(Path(d.file).name, d.span.begin[0], d.code) if d.span else Expected(case.name, NO_LINE, d.code)
        for d in diagnostics
    )


def run_case(case: Path, check: Callable[[Path], Iterable[Diagnostic]]) -> CaseResult:
    """Compare what `check` finds in `case` with what it, and the SRefs beside it that it names, expect."""
    text = case.read_text(encoding="utf-8", errors="replace")
    expected = set(expectations(text, case.name))
    for beside in sorted(case.parent.glob("*.sref.yaml")):
        if beside.name in text:
            expected |= expectations(beside.read_text(encoding="utf-8"), beside.name)
    found = findings(check(case), case)
    return CaseResult(tuple(sorted(expected - found)), tuple(sorted(found - expected)))


def assert_case(case: Path, check: Callable[[Path], Iterable[Diagnostic]]) -> None:
    """Raise an AssertionError that lists every difference, or return."""
    result = run_case(case, check)
    if not result.ok:
        raise AssertionError(f"{case}\n{result}")
