"""A spec as far as its engine, its records or its figures: what a notebook asks for before anything is promised.

The nodes are those of a run and lie in the same store, so a run of the finished spec trains and samples nothing again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from synthspec.backend.protocol import Progress
from synthspec.diag import Outcome, failure
from synthspec.execute import Execution, NodeRun, execute
from synthspec.ir.canonical import canonical_bytes, digest
from synthspec.ir.plan import Plan
from synthspec.lower import Goal
from synthspec.pipeline.compiling import compile_draft
from synthspec.pipeline.front import Options, Spot, draft
from synthspec.pipeline.running import backends, guarded, mark_keys
from synthspec.pipeline.starting import unverified_start
from synthspec.sign import state_dir
from synthspec.store import Store
from synthspec.store.folder import replace_folder

MARK = "made.json"
UNPROMISED = frozenset({"C40.missing", "C40.threshold-missing", "C40.metric-not-evaluated"})
"""What a spec that nobody is to be shown a verdict of need not say."""
UNSAMPLED = UNPROMISED | {"P405-8.solver-missing", "P405-8.nfe-missing"}
"""What a spec that is only trained need not say either."""
_KEPT: Mapping[Goal, frozenset[str]] = {
    "engine": frozenset({"statistics", "fit", "accelerate"}),
    "records": frozenset({"sample", "enforce", "refer", "align", "export"}),
    "figures": frozenset({"measure", "compare"}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeOptions:
    """Where things lie, and how fast they are made; no byte of a result depends on it."""

    store: Path
    folder: Path
    """Results appear below it, each in a folder of its own."""
    progress: Progress
    workers: int = 1
    secret: Path | None = None
    """Where the secret seeds of a mechanism are kept; None: nobody keeps them."""
    ledger: str | None = None
    """URL of the ledger that a training under a mechanism is entered in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What came out: the files of the nodes that `goal` is about lie in ``folder/<node>/``."""

    plan: Plan
    folder: Path
    nodes: tuple[str, ...]
    """The nodes whose files are kept, in the order of the plan; the last one is the goal."""
    digest: str
    """Of the contents of all nodes: equal for equal results."""


def make(place: Spot, goal: Goal, options: Options, how: MakeOptions) -> Outcome[Made]:
    """Run what leads to `goal` of the spec at `place`, whose rules all hold but those about promises.

    Raises StoreError and OSError as `run_plan`; then nothing new lies in ``how.folder``.
    """
    drafted = draft(place, options, UNSAMPLED if goal == "engine" else UNPROMISED)
    planned = drafted.then(lambda resolved: compile_draft(resolved, goal))
    if planned.value is None:
        return failure(planned.diagnostics)
    plan = planned.value
    base = place.path.absolute().parent
    if unbelieved := unverified_start(plan, base):
        return failure(unbelieved)
    with Store(how.store) as store, guarded(plan, how.ledger, state_dir()) as guard:
        executed = execute(
            plan,
            backends(),
            store,
            root=base,
            workers=how.workers,
            progress=how.progress,
            secret=how.secret,
            guard=guard,
            keys=mark_keys(plan),
        )
        if executed.value is None:
            return failure(executed.diagnostics)
        return Outcome(_kept(plan, goal, executed.value, store, how.folder), drafted.diagnostics)


def _kept(plan: Plan, goal: Goal, execution: Execution, store: Store, folder: Path) -> Made:
    contents = {node.node: node.record.digest for node in execution.nodes}
    whole = digest("synthspec.made.v1", contents)
    kept: tuple[NodeRun, ...] = tuple(node for node in execution.nodes if node.op in _KEPT[goal])
    target = folder.absolute() / f"{goal}-{whole[:16]}"
    with replace_folder(target, MARK) as draft_folder:
        for node in kept:
            store.materialise(node.record, draft_folder / node.node)
        (draft_folder / MARK).write_bytes(canonical_bytes({"plan": plan.digest, "nodes": contents}))
    return Made(plan=plan, folder=target, nodes=tuple(node.node for node in kept), digest=whole)
