"""`audit`: whether the private training of a spec does what its claim says, as far as canaries can show (P405-4)."""

from __future__ import annotations

from dataclasses import dataclass

from synthspec.accounting import Event, available, eps_total, quick_bound
from synthspec.accounting.one_run import CONFIDENCE, guessed, lower_bound
from synthspec.backend.auditing import Audited, CanaryRun
from synthspec.backend.discovery import installed
from synthspec.diag import Diagnostic, Outcome, failure
from synthspec.ir.manifest_engine import AuditEvidence
from synthspec.ir.ops import Fit, Statistics
from synthspec.ir.plan import Plan
from synthspec.ir.privacy import accountant_of, planned_event, stated_multiplier
from synthspec.ir.statistics import statistics_event
from synthspec.spec.privacy import DpNoise, DpSgd, Pate

GUESSED = 0.1
"""The share of the canaries that is guessed about: fixed, since a share that was chosen by its success proves nothing."""
CALIBRATED, SAMPLED, REPLAYED = 4.5, 5.0, 1 + 1e-5
"""Standard errors of a release and of a sampler, and clip norms, beyond which a layer has found a defect."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """The claim and what was found; `lower` is evidence at 95 %, and never the guarantee."""

    claimed: float
    delta: float
    lower: float
    canaries: int
    guesses: int
    correct: int
    run: CanaryRun
    unit: str = "clip norms"
    """What a replay counts in."""

    @property
    def defects(self) -> tuple[str, ...]:
        """The layers that found something, each with its number."""
        found = []
        if self.run.replay_ratio > REPLAYED or not self.run.replay_same:
            found.append(f"replay: one record moves what is released by {self.run.replay_ratio:.4g} {self.unit}")
        for name, z in self.run.z:
            limit = SAMPLED if name in ("batch_size", "participation") else CALIBRATED
            if not abs(z) <= limit:
                layer = "sampler" if limit == SAMPLED else "calibration"
                found.append(f"{layer}: {name} is {z:+.3g} standard errors from what is accounted for")
        if self.lower > self.claimed:
            found.append(f"one-run: at {CONFIDENCE:.0%}, eps is at least {self.lower:.4g}")
        return tuple(found)

    def evidence(self) -> AuditEvidence:
        """What a manifest says of an audit that found nothing. Raises ValueError where a lower bound refutes the claim."""
        return AuditEvidence(
            eps_claimed=self.claimed,
            delta=self.delta,
            eps_lower_bound=self.lower,
            confidence=CONFIDENCE,
            canaries=self.canaries,
            guesses=self.guesses,
            correct=self.correct,
            replay_ratio=self.run.replay_ratio,
            standard_errors=dict(self.run.z),
        )


def audit_plan(plan: Plan, canaries: int, seed: int | None = None) -> Outcome[Audit]:
    """Send canaries through the training core of the backend that `plan` gives its training to, or through its statistics."""
    counted = next((node.op for node in plan.nodes if isinstance(node.op, Statistics)), None)
    if counted is not None and isinstance(counted.privacy, DpNoise):
        return _counted(counted, counted.privacy, canaries, seed)
    node = plan.node("fit")
    block = node.op.privacy if isinstance(node.op, Fit) else None
    multiplier = stated_multiplier(block) if isinstance(block, DpSgd | Pate) else None
    if not isinstance(block, DpSgd | Pate) or multiplier is None:
        message = "only a training under dp-sgd or pate, or statistics under dp-noise, with the noise in numbers can be audited"
        return _refused(message, "audit such a spec; --shadows 16 asks the engines of any")
    backend = installed().get(node.backend)
    if not isinstance(backend, Audited):
        return _refused(f"backend {node.backend or 'none'} offers no audit", "choose torch or diffusers")
    run = backend.audit(block, canaries, seed)
    return _judged(block, planned_event(block, multiplier), run, "votes" if isinstance(block, Pate) else "clip norms")


def _counted(op: Statistics, block: DpNoise, canaries: int, seed: int | None) -> Outcome[Audit]:
    if not op.sigma > 0:
        return _refused("the noise of the statistics is not solved here", "pip install 'synthspec[privacy]'")
    from synthspec.backend.counted_canaries import audit_statistics

    run = audit_statistics(op.kind, op.sigma, canaries, seed)
    return _judged(block, statistics_event(op.kind, op.sigma), run, "times what its noise is for")


def _judged(block: DpSgd | Pate | DpNoise, event: Event, run: CanaryRun, unit: str) -> Outcome[Audit]:
    """The claim of `block` for `event` beside what `run` shows."""
    delta, adjacency = block.delta or 0.0, block.adjacency or "add_remove"
    accountant = accountant_of(block) or "pld"
    if available() or accountant == "analytic":
        claimed = eps_total(event, delta, accountant, adjacency).eps
    else:
        claimed = quick_bound(event, delta, adjacency).eps
    canaries = len(run.present)
    guesses = 2 * max(1, round(canaries * GUESSED / 2))
    correct = guessed(run.scores, run.present, guesses)
    lower = lower_bound(correct, guesses, canaries, delta)
    return Outcome(
        Audit(
            claimed=claimed,
            delta=delta,
            lower=lower,
            canaries=canaries,
            guesses=guesses,
            correct=correct,
            run=run,
            unit=unit,
        )
    )


def _refused(message: str, advice: str) -> Outcome[Audit]:
    return failure([Diagnostic(code="engine.backend-unsupported", message=message, help=advice)])
