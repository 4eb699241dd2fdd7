"""What lies in the folder of a run, and what of it can be read back from plan and manifest alone.

A leaf: `verify` needs these and nothing that runs, measures or signs.
"""

from __future__ import annotations

from synthspec.ir import manifest_origin as origin
from synthspec.ir.manifest import Manifest
from synthspec.ir.ops import Judge
from synthspec.ir.plan import Plan
from synthspec.ir.verdict import Promise
from synthspec.spec.enginespec import EngineSpec

PLAN = "plan.json"
SPEC = "spec.resolved.yaml"
SREF = "sref.resolved.yaml"
EVIDENCE = "evidence.json"
REPORT = "report.html"
READ_BACK = frozenset({PLAN, SPEC, SREF, EVIDENCE})
"""What a verifier reads, beside hashing it."""
RESULTS = ("weights/", "samples.")
"""The files whose bytes a replay must give again. Timings, and what is derived from them, differ by nature."""


def promises_of(plan: Plan) -> tuple[Promise, ...]:
    """What the plan promises; nothing when it has no `judge` node, which leaves every contract unproven."""
    return tuple(promise for node in plan.nodes if isinstance(node.op, Judge) for promise in node.op.promises)


def waivers_of(plan: Plan) -> tuple[origin.WaiverEntry, ...]:
    """The accepted exceptions of the plan's spec, as the manifest lists them."""
    return waivers_in(plan.spec)


def waivers_in(spec: EngineSpec) -> tuple[origin.WaiverEntry, ...]:
    """The accepted exceptions of `spec`, as the manifest lists them."""
    return tuple(
        origin.WaiverEntry(id=each.id, reason=each.reason, approver=each.approver, expires=each.expires)
        for each in spec.waivers
        if each.reason and each.approver and each.expires
    )


def result_digests(manifest: Manifest) -> dict[str, str]:
    """SHA-256 by name of the files that a replay must give again, from the nodes that made them; the last one counts."""
    return {
        output.name: output.digest.sha256
        for node in manifest.dag
        if node.op in ("fit", "accelerate", "export")
        for output in node.outputs
        if output.name.startswith(RESULTS)
    }
