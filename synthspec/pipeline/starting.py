"""A run whose weights another training starts from: it must verify, and have signed those very weights."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from synthspec.diag import Diagnostic
from synthspec.ir.ops import Fit
from synthspec.ir.plan import Plan
from synthspec.spec.training import Pretrained

UNVERIFIED = "weights.run-unverified"


def unverified_start(plan: Plan, base: Path) -> tuple[Diagnostic, ...]:
    """Why the run that `plan` starts from cannot be believed; empty when it can, or when there is none.

    Paths are relative to `base`. Trusted are one's own keys and those of the trust file, as `verify` trusts them.
    """
    starts = [node.op.training.init_from for node in plan.nodes if isinstance(node.op, Fit)]
    named = [start for start in starts if start is not None and start.run is not None]
    return tuple(found for start in named for found in _seen(start, base))


def _seen(start: Pretrained, base: Path) -> Iterator[Diagnostic]:
    from synthspec.pipeline.verifying import verify  # cryptography: most runs start from none

    folder = base / (start.run or "")
    if not folder.is_dir():
        yield _fault(f"{start.run} is no folder of a finished run", "name the folder that `synthspec run` wrote")
        return
    checked = verify(folder)
    if checked.statement is None or checked.refusals:
        for refusal in checked.refusals:
            message = f"the run {start.run} does not verify: {refusal.code}: {refusal}"
            yield _fault(message, f"see: synthspec verify {start.run}")
        return
    signed = {subject.name: subject.sha256 for subject in checked.statement.subjects}
    if start.weights not in signed:
        weights = ", ".join(sorted(name for name in signed if name.startswith("weights/"))) or "none"
        yield _fault(f"the run {start.run} has not signed {start.weights}", f"its weights: {weights}")
    elif signed[start.weights] != start.sha256:
        message = f"the run {start.run} signed {start.weights} with SHA-256 {signed[start.weights]}, not {start.sha256}"
        yield _fault(message, "pin the digest that the run signed, after looking at which run it is")


def _fault(message: str, advice: str) -> Diagnostic:
    return Diagnostic(code=UNVERIFIED, message=message, help=advice)
