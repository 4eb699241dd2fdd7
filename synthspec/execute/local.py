"""The local executor: nodes one after another on this machine, each whole in the store before the next begins."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Protocol

from synthspec.backend.inspecting import Inspecting
from synthspec.backend.protocol import Artifact, Backend, Context, DataError, Identity, Progress, Shortfall
from synthspec.diag import Diagnostic, Outcome, failure
from synthspec.execute.execution import Execution, NodeRun
from synthspec.execute.fresh import compute_fresh, found_again
from synthspec.execute.keys import execution_key
from synthspec.execute.outside import Outside, outside, pin
from synthspec.execute.preflight import problems, runnable, unaligned
from synthspec.execute.topping import topped_up
from synthspec.ir.ops import Fit, Op, Replay
from synthspec.ir.plan import Plan, PlanNode
from synthspec.store import Record, Store, StoreError

OnNode = Callable[[NodeRun], None]


@dataclass(frozen=True, slots=True)
class Passage:
    """What a guard gives along: where releases are counted, and where the secret seeds are kept."""

    meter: Path | None = None
    secret: Path | None = None


class Guard(Protocol):
    """Who is asked before a node is computed, and told when it is done. Inputs come as digests by port."""

    def begin(self, op: Op, inputs: Mapping[str, str], secret: Path | None, identity: Identity) -> Passage:
        """`op` is about to be computed, as it is not in the store; `secret` is the file that was asked for.

        What is made of a secret is for the execution `identity` alone.

        Raises DataError to refuse it.
        """

    def done(self, node: NodeRun, inputs: Mapping[str, str]) -> None:
        """`node` is computed, or was found."""


def execute(  # noqa: PLR0913 - what to run, with what, and where
    plan: Plan,
    backends: Mapping[str, Backend],
    store: Store,
    *,
    root: Path,
    workers: int,
    progress: Progress,
    on_node: OnNode = lambda _: None,
    secret: Path | None = None,
    guard: Guard | None = None,
    keys: Path | None = None,
    batch: int | None = None,
) -> Outcome[Execution]:
    """Run every node of `plan` except `judge` and `emit`, reusing what `store` has; `on_node` hears of each when it is done.

    `root` is the folder that relative paths of the plan start from. A plan that cannot be run, or whose data do not allow
    it, gives diagnostics; everything that stands in the way beforehand is listed at once and nothing has run then.
    `workers` and `batch` (`Context`) are no part of any key.

    Raises ValueError for a `batch` that is `unaligned`, before anything runs; StoreError for a full disk or missing rights,
    and whatever a kernel raises that is not a `DataError`. Whenever
    it ends early, even by SIGKILL, the store keeps the finished nodes and the next run goes on there.
    """
    if reason := unaligned(plan, batch):
        raise ValueError(reason)
    seen, missing = _look_outside(plan, backends, root, keys)
    if found := (*problems(plan, backends), *missing):
        return failure(found)
    nodes = runnable(plan)
    # Asked once, before any kernel runs: a kernel that sets a variable must not change the keys of the nodes after it.
    facts = {name: dict(backends[name].environment()) for name in {node.backend for node in nodes}}
    run = _Run(
        nodes={node.id: node for node in nodes},
        backends=backends,
        facts=facts,
        outside=seen,
        store=store,
        root=root,
        workers=workers,
        progress=progress,
        secret=secret,
        guard=guard,
        keys=keys,
        batch=batch,
    )
    try:
        for node in nodes:
            for settled in run.reach(node.id):
                on_node(settled)
    except DataError as error:
        return failure([_diagnostic(error)])
    return Outcome(Execution(nodes=tuple(run.done.values())))


def obstacles(
    plan: Plan, backends: Mapping[str, Backend], root: Path, keys: Path | None = None
) -> tuple[Diagnostic, ...]:
    """Everything that `execute` would refuse before it runs a node, found without a store; empty when it can begin."""
    return (*problems(plan, backends), *_look_outside(plan, backends, root, keys)[1])


def _look_outside(
    plan: Plan, backends: Mapping[str, Backend], root: Path, keys: Path | None
) -> tuple[dict[str, Outside], list[Diagnostic]]:
    seen: dict[str, Outside] = {}
    missing: list[Diagnostic] = []
    for node in runnable(plan):
        try:
            seen[node.id] = outside(node.op, root, keys)
            backend = backends.get(node.backend)
            if isinstance(backend, Inspecting) and not backend.missing():
                backend.inspect(node.op, root)
        except DataError as error:
            missing.append(_diagnostic(error))
    return seen, list(dict.fromkeys(missing))


def _diagnostic(error: DataError) -> Diagnostic:
    return Diagnostic(code=error.code, message=error.message, help=error.help)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    nodes: dict[str, PlanNode]
    """The nodes by id, in order; those of a sample that ran short as they are with more candidates."""
    backends: Mapping[str, Backend]
    facts: Mapping[str, Mapping[str, str]]
    """The environment by backend."""
    outside: Mapping[str, Outside]
    """What each node reads beside its inputs."""
    store: Store
    root: Path
    workers: int
    progress: Progress
    secret: Path | None = None
    guard: Guard | None = None
    keys: Path | None = None
    batch: int | None = None
    done: dict[str, NodeRun] = field(default_factory=dict)

    def reach(self, name: str) -> Iterator[NodeRun]:
        """Settle the node `name`; while its candidates run short, first draw more, and settle all that came of them again."""
        while True:
            try:
                yield self.settle(self.nodes[name])
            except Shortfall as short:
                changed = topped_up(self.nodes, name, short.wanted)
                self.nodes.update(changed)
                for stale in [each for each in self.done if each in changed]:
                    yield self.settle(self.nodes[stale])
            else:
                return

    def settle(self, node: PlanNode) -> NodeRun:
        """Find or make the result of `node`, whose inputs are done."""
        begin = perf_counter()
        backend = self.backends[node.backend]
        op = pin(node.op, self.outside[node.id])
        inputs = {edge.port: self.done[edge.node] for edge in node.inputs}
        key = self._key(node.id, op, inputs, backend)
        digests = {port: run.record.digest for port, run in inputs.items()}
        found = self.store.lookup(key)
        if found is None:
            passage, identity = Passage(secret=self.secret), self._identity(key, backend)
            if self.guard is not None:
                passage = self.guard.begin(op, digests, self.secret, identity)
            artifacts = {port: run.artifact for port, run in inputs.items()}
            record = self._make(node.id, op, identity, artifacts, backend, passage)
        else:
            record = found
            self.store.journal.append("reused", node=node.id, op=op.op, key=key, detail=record.digest)
        run = NodeRun(
            node=node.id,
            op=op.op,
            backend=backend.name,
            key=key,
            record=record,
            artifact=Artifact(self.store.view(record), tuple(file.name for file in record.files)),
            reused=found is not None,
            seconds=perf_counter() - begin,
            outside=self.outside[node.id],
        )
        self.done[node.id] = run
        if self.guard is not None:
            self.guard.done(run, digests)
        return run

    def _key(self, node_id: str, op: Op, inputs: Mapping[str, NodeRun], backend: Backend) -> str:
        return execution_key(
            op,
            {port: run.record.digest for port, run in inputs.items()},
            backend=backend.name,
            version=backend.version,
            environment=self.facts[backend.name],
            outside=self.outside[node_id],
        )

    def _identity(self, key: str, backend: Backend) -> Identity:
        return Identity(key, {"backend": f"{backend.name} {backend.version}", **self.facts[backend.name]})

    def _make(
        self,
        node_id: str,
        op: Op,
        identity: Identity,
        inputs: Mapping[str, Artifact],
        backend: Backend,
        passage: Passage,
    ) -> Record:
        journal, key = self.store.journal, identity.key
        journal.append("running", node=node_id, op=op.op, key=key)
        try:
            with self.store.work() as out:
                context = Context(
                    out=out,
                    root=self.root,
                    workers=self.workers,
                    progress=self.progress,
                    batch=self.batch,
                    secret=passage.secret,
                    identity=identity,
                    meter=passage.meter,
                    keys=self.keys,
                    unfinished=self.store.unfinished(key) if isinstance(op, Fit) else None,
                )
                self._compute(node_id, op, inputs, backend, context)
                record = self.store.commit(key, node_id, op.op, out)
        except KeyboardInterrupt:
            journal.append("interrupted", node=node_id, op=op.op, key=key)
            raise
        except StoreError:
            raise  # the disk is what failed: do not write more to it
        except Shortfall as short:
            detail = f"{short.message}: {short.wanted} candidates next"[:500]
            journal.append("short", node=node_id, op=op.op, key=key, detail=detail)
            raise
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
            if isinstance(op, Replay) and found_again(backend):
                compute_fresh(op, backend.name, inputs, context)
            else:
                kernel(op, inputs, context)
        except OSError as error:
            if error.errno in {errno.ENOSPC, errno.EDQUOT}:
                message = f"the disk of {context.out.parent} is full; {node_id!r} could not write its result"
                raise StoreError(message, "free some space, then run again: finished nodes are kept") from error
            if error.errno == errno.EFBIG:
                message = f"a file in {context.out.parent} may not be as large as what {node_id!r} writes"
                advice = "raise the limit (`ulimit -f`) or choose another file system, then run again: finished nodes are kept"
                raise StoreError(message, advice) from error
            error.add_note(f"while computing {node_id!r} with backend {backend.name!r}")
            raise
        except Exception as error:
            error.add_note(f"while computing {node_id!r} with backend {backend.name!r}")
            raise
        if not any(path.is_file() for path in context.out.rglob("*")):
            raise RuntimeError(f"backend {backend.name!r} made nothing for {node_id!r}")
