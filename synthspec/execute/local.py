"""The local executor: nodes one after another on this machine, each whole in the store before the next begins."""

from __future__ import annotations

import errno
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

from synthspec.backend.protocol import Artifact, Backend, Context, DataError, Progress
from synthspec.diag import Diagnostic, Outcome, failure
from synthspec.execute.execution import Execution, NodeRun
from synthspec.execute.keys import execution_key
from synthspec.execute.outside import Outside, outside, pin
from synthspec.execute.preflight import problems, runnable
from synthspec.ir.ops import Op
from synthspec.ir.plan import Plan, PlanNode
from synthspec.store import Record, Store, StoreError

OnNode = Callable[[NodeRun], None]


def execute(
    plan: Plan,
    backends: Mapping[str, Backend],
    store: Store,
    *,
    root: Path,
    workers: int,
    progress: Progress,
    on_node: OnNode = lambda _: None,
) -> Outcome[Execution]:
    """Run every node of `plan` except `judge` and `emit`, reusing what `store` has; `on_node` hears of each when it is done.

    `root` is the folder that relative paths of the plan start from. A plan that cannot be run, or whose data do not allow
    it, gives diagnostics; everything that stands in the way beforehand is listed at once and nothing has run then.

    Raises StoreError for a full disk or missing rights, and whatever a kernel raises that is not a `DataError`. Whenever
    it ends early, even by SIGKILL, the store keeps the finished nodes and the next run goes on there.
    """
    found = problems(plan, backends)
    seen, missing = _look_outside(plan, root)
    if found or missing:
        return failure((*found, *missing))
    run = _Run(plan=plan, backends=backends, store=store, root=root, workers=workers, progress=progress, outside=seen)
    try:
        for node in runnable(plan):
            on_node(run.settle(node))
    except DataError as error:
        return failure([_diagnostic(error)])
    return Outcome(Execution(nodes=tuple(run.done.values())))


def _look_outside(plan: Plan, root: Path) -> tuple[dict[str, Outside], list[Diagnostic]]:
    seen: dict[str, Outside] = {}
    missing: list[Diagnostic] = []
    for node in runnable(plan):
        try:
            seen[node.id] = outside(node.op, root)
        except DataError as error:
            missing.append(_diagnostic(error))
    return seen, missing


def _diagnostic(error: DataError) -> Diagnostic:
    return Diagnostic(code=error.code, message=error.message, help=error.help)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    plan: Plan
    backends: Mapping[str, Backend]
    store: Store
    root: Path
    workers: int
    progress: Progress
    outside: Mapping[str, Outside]
    done: dict[str, NodeRun] = field(default_factory=dict)

    def settle(self, node: PlanNode) -> NodeRun:
        """Find or make the result of `node`, whose inputs are done."""
        begin = perf_counter()
        backend = self.backends[node.backend]
        op = pin(node.op, self.outside[node.id])
        inputs = {edge.port: self.done[edge.node] for edge in node.inputs}
        key = execution_key(
            op,
            {port: run.record.digest for port, run in inputs.items()},
            backend=backend.name,
            version=backend.version,
            environment=backend.environment(),
            outside=self.outside[node.id],
        )
        record = self.store.lookup(key)
        reused = record is not None
        if record is None:
            record = self._make(node.id, op, key, {port: run.artifact for port, run in inputs.items()}, backend)
        else:
            self.store.journal.append("reused", node=node.id, op=op.op, key=key, detail=record.digest)
        run = NodeRun(
            node=node.id,
            op=op.op,
            backend=backend.name,
            key=key,
            record=record,
            artifact=Artifact(self.store.view(record), tuple(file.name for file in record.files)),
            reused=reused,
            seconds=perf_counter() - begin,
            outside=self.outside[node.id],
        )
        self.done[node.id] = run
        return run

    def _make(self, node_id: str, op: Op, key: str, inputs: Mapping[str, Artifact], backend: Backend) -> Record:
        journal = self.store.journal
        journal.append("running", node=node_id, op=op.op, key=key)
        try:
            with self.store.work() as out:
                context = Context(out=out, root=self.root, workers=self.workers, progress=self.progress)
                self._compute(node_id, op, inputs, backend, context)
                record = self.store.commit(key, node_id, op.op, out)
        except KeyboardInterrupt:
            journal.append("interrupted", node=node_id, op=op.op, key=key)
            raise
        except StoreError:
            raise  # the disk is what failed: do not write more to it
        except Exception as error:
            journal.append("failed", node=node_id, op=op.op, key=key, detail=f"{type(error).__name__}: {error}"[:500])
            raise
        journal.append("done", node=node_id, op=op.op, key=key, detail=record.digest)
        return record

    @staticmethod
    def _compute(node_id: str, op: Op, inputs: Mapping[str, Artifact], backend: Backend, context: Context) -> None:
        kernel = backend.kernels().get(op.op)
        if kernel is None:
            raise RuntimeError(f"backend {backend.name!r} says that it supports {op.op!r} but has no kernel for it")
        try:
            kernel(op, inputs, context)
        except OSError as error:
            if error.errno in {errno.ENOSPC, errno.EDQUOT}:
                message = f"the disk of {context.out.parent} is full; {node_id!r} could not write its result"
                raise StoreError(message, "free some space, then run again: finished nodes are kept") from error
            error.add_note(f"while computing {node_id!r} with backend {backend.name!r}")
            raise
        except Exception as error:
            error.add_note(f"while computing {node_id!r} with backend {backend.name!r}")
            raise
        if not any(path.is_file() for path in context.out.rglob("*")):
            raise RuntimeError(f"backend {backend.name!r} made nothing for {node_id!r}")
