"""What runs, what is reused, what is refused, and what a crash at any moment leaves."""

from __future__ import annotations

import dataclasses
import errno
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from synthspec.backend.protocol import DataError
from synthspec.execute import CORE, execute, problems
from synthspec.execute.keys import execution_key
from synthspec.ir.families import FlowEngine, Nll, NoMechanism, Optimizer, SplineCoupling, Stability, Training
from synthspec.ir.ops import Bind, Edge, Emit, Enforce, Export, Fit, Judge, Split
from synthspec.ir.plan import Plan, PlanNode
from synthspec.ir.schema import Schema
from synthspec.spec.data import RandomSplit
from synthspec.spec.enginespec import EngineSpec
from synthspec.spec.sref import SRef
from synthspec.store import Store, StoreError

SCHEMA = Schema(modality="tabular", fields=())
SOURCE = "data.csv"


class Silent:
    def start(self, label, total, unit):
        """Say nothing."""

    def advance(self, count=1, note=""):
        """Say nothing."""


class Fake:
    """A backend whose kernels write down what they were given."""

    def __init__(self, **changes):
        self.name, self.version = "fake", "1"
        self.facts = {"library": "1.0"}
        self.reasons = {}
        self.needs = ""
        self.calls = []
        self.fault = {}
        for name, value in changes.items():
            setattr(self, name, value)

    def supports(self, op):
        return self.reasons.get(op.op, ())

    def missing(self):
        return self.needs

    def environment(self):
        return self.facts

    def kernels(self):
        return dict.fromkeys(("bind", "split", "enforce", "export"), self.kernel)

    def kernel(self, op, inputs, context):
        self.calls.append(op.op)
        assert list(context.out.iterdir()) == []
        (context.out / "half").write_text("half")
        if op.op in self.fault:
            raise self.fault[op.op]
        (context.out / "half").unlink()
        if op.op == "bind":
            text = (context.root / op.source).read_text()
        else:
            text = "".join(inputs[port].path("out/text").read_text() for port in sorted(inputs))
        told = {"enforce": lambda: str(op.n), "split": lambda: str(op.rule.seed)}.get(op.op, str)()
        (context.out / "out").mkdir()
        (context.out / "out" / "text").write_text(f"{op.op}({told};{text})")


def node(name, op, **inputs):
    edges = tuple(Edge(port=port, node=feed) for port, feed in sorted(inputs.items()))
    stage = op.op in ("judge", "emit")
    return PlanNode(
        id=name,
        op=op,
        inputs=edges,
        backend="core" if stage else "fake",
        backend_version=CORE.version if stage else "1",
        digest="",
    )


def plan_of(n=3, seed=1):
    shares = {"train": 0.5, "val": 0.25, "test": 0.25}
    nodes = (
        node("bind", Bind(source=SOURCE, schema=SCHEMA)),
        node("split", Split(rule=RandomSplit(method="random", seed=seed, **shares)), data="bind"),
        node("enforce", Enforce(schema=SCHEMA, n=n, near_copies=None), data="bind", split="split"),
        node("export", Export(schema=SCHEMA, format="csv"), samples="enforce"),
        node("judge", Judge(promises=()), evidence="export"),
        node("emit", Emit(licence=""), verdicts="judge"),
    )
    spec, sref = EngineSpec.model_construct(), SRef.model_construct()
    return Plan(name="x", version="1.0.0", spec_digest="", spec=spec, sref=sref, compiler="", nodes=nodes)


FIT = Fit(
    schema=SCHEMA,
    engine=FlowEngine(family="flow", architecture=SplineCoupling(name="spline_coupling", transforms=1, hidden=(2,))),
    objective=Nll(measure="nll"),
    training=Training(optimizer=Optimizer(name="sgd", lr=0.1)),
    stability=Stability(),
    privacy=NoMechanism(mechanism="none"),
    conditions=(),
    drop_rate=0.0,
)


class Interrupted(Fake):
    """A backend whose fit is killed the first time, and then finds what it left."""

    def __init__(self):
        super().__init__()
        self.found = []

    def kernels(self):
        return {"bind": self.kernel, "split": self.plain, "fit": self.fit}

    def plain(self, op, inputs, context):
        assert context.unfinished is None
        self.kernel(op, inputs, context)

    def fit(self, op, inputs, context):
        self.found.append(sorted(path.name for path in context.unfinished.glob("*")))
        context.unfinished.mkdir(exist_ok=True)
        (context.unfinished / f"step-{len(self.found)}").touch()
        if len(self.found) < 3:
            raise KeyboardInterrupt
        (context.out / "out").mkdir()
        (context.out / "out" / "text").write_text("trained")


def test_a_training_finds_what_it_left_when_it_was_killed(root, tmp_path):
    plan = plan_of()
    nodes = (*plan.nodes[:2], node("fit", FIT, data="bind", split="split"))
    plan, backend = dataclasses.replace(plan, nodes=nodes), Interrupted()
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            run(plan, root, tmp_path / "store", backend)
    run(plan, root, tmp_path / "store", backend)
    assert backend.found == [[], ["step-1"], ["step-1", "step-2"]]
    assert list((tmp_path / "store" / "unfinished").iterdir()) == []


@pytest.fixture
def root(tmp_path):
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / SOURCE).write_text("a,b")
    return tmp_path / "root"


def run(plan, root, store_path, backend, on_node=lambda _: None):
    with Store(store_path, lambda _: None) as store:
        backends = {"fake": backend, "core": CORE}
        outcome = execute(plan, backends, store, root=root, workers=1, progress=Silent(), on_node=on_node)
        texts = (
            {}
            if outcome.value is None
            else {r.node: r.artifact.path("out/text").read_text() for r in outcome.value.nodes}
        )
    return outcome, texts


ALL = ["bind", "split", "enforce", "export"]


class Told(Fake):
    """A backend that keeps which execution each kernel was told that it is."""

    def kernel(self, op, inputs, context):
        self.told = {**getattr(self, "told", {}), op.op: context.identity}
        super().kernel(op, inputs, context)


def test_a_kernel_is_told_which_execution_it_is_and_any_other_one_is_another(root, tmp_path):
    """What serves one execution alone is made for this: op, inputs, version and the facts of the machine are in it."""
    first = Told()
    outcome, _ = run(plan_of(), root, tmp_path / "store", first)
    keys = {each.node: each.key for each in outcome.value.nodes}
    assert {name: each.key for name, each in first.told.items()} == keys
    assert first.told["split"].facts == {"backend": "fake 1", "library": "1.0"}
    changed = {"same": Told(), "version": Told(version="2"), "facts": Told(facts={"library": "1.1"}), "op": Told()}
    for name, backend in changed.items():
        plan = plan_of(seed=2 if name == "op" else 1)
        nodes = (dataclasses.replace(each, backend_version=backend.version) for each in plan.nodes[:4])
        run(dataclasses.replace(plan, nodes=(*nodes, *plan.nodes[4:])), root, tmp_path / name, backend)
    (root / SOURCE).write_text("a,b,c")
    changed["data"] = Told()
    run(plan_of(), root, tmp_path / "data", changed["data"])
    keys = {name: backend.told["split"].key for name, backend in changed.items()}
    assert keys.pop("same") == first.told["split"].key
    assert len({first.told["split"].key, *keys.values()}) == 5


def test_nodes_run_in_order_each_on_what_its_inputs_made(root, tmp_path):
    backend, heard = Fake(), []
    outcome, texts = run(plan_of(), root, tmp_path / "store", backend, heard.append)
    assert outcome.ok
    assert backend.calls == ALL
    assert [item.node for item in heard] == ALL == [item.node for item in outcome.value.nodes]
    assert texts["export"].endswith("(3;" + texts["bind"] + texts["split"] + "))")
    assert heard[0].line == f"bind: {heard[0].seconds:.1f} s"
    assert outcome.value.node("split").op == "split"
    with pytest.raises(KeyError):
        outcome.value.node("judge")


def test_a_second_run_computes_nothing(root, tmp_path):
    first, texts = run(plan_of(), root, tmp_path / "store", Fake())
    backend = Fake()
    second, again = run(plan_of(), root, tmp_path / "store", backend)
    assert backend.calls == []
    assert texts == again
    assert [item.line for item in second.value.nodes] == [f"{name}: reused" for name in ALL]
    assert [item.key for item in first.value.nodes] == [item.key for item in second.value.nodes]


@pytest.mark.parametrize(
    ("change", "recomputed"),
    [
        ({"n": 4}, ["enforce", "export"]),
        ({"seed": 2}, ["split", "enforce", "export"]),
    ],
)
def test_a_change_recomputes_what_depends_on_it_and_no_more(root, tmp_path, change, recomputed):
    run(plan_of(), root, tmp_path / "store", Fake())
    backend = Fake()
    run(plan_of(**change), root, tmp_path / "store", backend)
    assert backend.calls == recomputed


@pytest.mark.parametrize("change", [{"facts": {"library": "1.1"}}, {"facts": {"library": "1.0", "cpu": "avx"}}])
def test_another_environment_is_another_computation(root, tmp_path, change):
    run(plan_of(), root, tmp_path / "store", Fake())
    backend = Fake(**change)
    run(plan_of(), root, tmp_path / "store", backend)
    assert backend.calls == ALL


def test_a_kernel_that_changes_the_environment_changes_no_key(root, tmp_path):
    class Meddling(Fake):
        def kernel(self, op, inputs, context):
            super().kernel(op, inputs, context)
            self.facts = {"library": op.op}

    run(plan_of(), root, tmp_path / "store", Meddling())
    backend = Meddling()
    run(plan_of(), root, tmp_path / "store", backend)
    assert backend.calls == []


def test_the_content_of_the_source_decides_not_its_name_or_age(root, tmp_path):
    run(plan_of(), root, tmp_path / "store", Fake())
    os.utime(root / SOURCE, (1, 1))
    same, changed = Fake(), Fake()
    run(plan_of(), root, tmp_path / "store", same)
    assert same.calls == []
    (root / SOURCE).write_text("a,c")
    _, texts = run(plan_of(), root, tmp_path / "store", changed)
    assert changed.calls == ALL
    assert "a,c" in texts["export"]


def test_equal_outputs_stop_the_recomputation(root, tmp_path):
    """Inputs count by content: a node that comes out the same changes nothing after it."""

    class Deaf(Fake):
        def kernel(self, op, inputs, context):
            self.calls.append(op.op)
            (context.out / "out").mkdir()
            (context.out / "out" / "text").write_text(op.op)

    run(plan_of(), root, tmp_path / "store", Deaf())
    (root / SOURCE).write_text("other")
    backend = Deaf()
    run(plan_of(), root, tmp_path / "store", backend)
    assert backend.calls == ["bind"]


def test_the_kernel_gets_the_digest_of_the_source_that_is_in_the_key(root, tmp_path):
    seen = []

    class Nosy(Fake):
        def kernel(self, op, inputs, context):
            seen.append(getattr(op, "sha256", None))
            super().kernel(op, inputs, context)

    outcome, _ = run(plan_of(), root, tmp_path / "store", Nosy())
    assert len(seen[0]) == 64
    assert outcome.value.node("bind").outside == ((SOURCE, seen[0]),)


KEY = {"inputs": {"data": "1"}, "backend": "b", "version": "1", "environment": {"e": "1"}, "outside": (("f", "1"),)}


@pytest.mark.parametrize(
    "change",
    [
        {"inputs": {"data": "2"}},
        {"inputs": {"samples": "1"}},
        {"backend": "c"},
        {"version": "2"},
        {"environment": {"e": "2"}},
        {"outside": (("f", "2"),)},
    ],
)
def test_everything_that_decides_the_bytes_is_in_the_key(change):
    op = Emit(licence="")
    assert execution_key(op, **KEY) != execution_key(op, **{**KEY, **change})
    assert execution_key(op, **KEY) == execution_key(Emit(licence=""), **KEY)
    assert execution_key(op, **KEY) == execution_key(op, **{**KEY, "outside": (("elsewhere", "1"),)})


def test_a_damaged_object_is_recomputed(root, tmp_path):
    first, texts = run(plan_of(), root, tmp_path / "store", Fake())
    victim = first.value.node("enforce").record.files[0].sha256
    path = tmp_path / "store" / "objects" / "sha256" / victim[:2] / victim
    path.chmod(0o644)
    path.write_text("something else")
    backend = Fake()
    second, again = run(plan_of(), root, tmp_path / "store", backend)
    assert backend.calls == ["enforce"]
    assert texts == again
    assert second.value.node("export").reused


# -- refusals ---------------------------------------------------------------------------------------------------------


def test_all_that_stands_in_the_way_is_listed_and_nothing_runs(root, tmp_path):
    backend = Fake(reasons={"split": ("no splits", "no seeds"), "export": ("no splits",)}, needs="pip install 'x[y]'")
    plan = plan_of()
    orphan = dataclasses.replace(plan.nodes[2], backend="", refusals=("torch: too big", "null: too small"))
    plan = dataclasses.replace(plan, nodes=(plan.nodes[0], plan.nodes[1], orphan, *plan.nodes[3:]))
    (root / SOURCE).unlink()
    outcome, _ = run(plan, root, tmp_path / "store", backend)
    assert outcome.value is None
    told = "not supported by any installed backend: "
    assert [d.message for d in outcome.diagnostics] == [
        told + "fake: no splits (needed for split, export)",
        told + "fake: no seeds (needed for split)",
        told + "torch: too big (needed for enforce)",
        told + "null: too small (needed for enforce)",
        "backend 'fake' is not complete here",
        "data.csv does not exist",
    ]
    assert {d.code for d in outcome.diagnostics[:5]} == {"engine.backend-unsupported"}
    assert outcome.diagnostics[4].help == "run: pip install 'x[y]'"
    assert backend.calls == []


def test_a_plan_for_another_backend_or_version_is_refused():
    plan = plan_of()
    assert problems(plan, {"fake": Fake()}) == ()
    (absent,) = problems(plan, {"core": CORE})
    assert "fake: the plan names it, but it is not installed (installed: core)" in absent.message
    (older,) = problems(plan, {"fake": Fake(version="2")})
    assert "the plan was made for version 1, installed is 2" in older.message


def test_a_pinned_source_that_changed_is_refused_before_anything_runs(root, tmp_path):
    plan = plan_of()
    pinned = dataclasses.replace(plan.nodes[0].op, sha256="0" * 64)
    plan = dataclasses.replace(plan, nodes=(dataclasses.replace(plan.nodes[0], op=pinned), *plan.nodes[1:]))
    backend = Fake()
    outcome, _ = run(plan, root, tmp_path / "store", backend)
    assert [d.code for d in outcome.diagnostics] == ["data.digest"]
    assert backend.calls == []


def test_a_fault_in_the_data_is_a_diagnostic_and_what_was_done_is_kept(root, tmp_path):
    backend = Fake(fault={"enforce": DataError("P405-2.too-few-accepted", "too few", "ask for fewer")})
    outcome, _ = run(plan_of(), root, tmp_path / "store", backend)
    (found,) = outcome.diagnostics
    assert (found.code, found.message, found.help) == ("P405-2.too-few-accepted", "too few", "ask for fewer")
    again = Fake()
    run(plan_of(), root, tmp_path / "store", again)
    assert again.calls == ["enforce", "export"]


@pytest.mark.parametrize("fault", [KeyboardInterrupt(), RuntimeError("a bug"), SystemExit(1)])
def test_what_is_no_fault_of_the_data_gets_through_and_the_next_run_goes_on(root, tmp_path, fault):
    with pytest.raises(type(fault)):
        run(plan_of(), root, tmp_path / "store", Fake(fault={"enforce": fault}))
    assert list((tmp_path / "store" / "scratch").iterdir()) == []
    again = Fake()
    run(plan_of(), root, tmp_path / "store", again)
    assert again.calls == ["enforce", "export"]


def test_a_full_disk_under_a_kernel_is_said_as_such(root, tmp_path):
    full = OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(StoreError, match="is full; 'split' could not write"):
        run(plan_of(), root, tmp_path / "store", Fake(fault={"split": full}))


def test_a_file_over_the_limit_of_its_size_is_said_as_such(root, tmp_path):
    over = OSError(errno.EFBIG, "File too large")
    with pytest.raises(StoreError, match="may not be as large as what 'split' writes") as caught:
        run(plan_of(), root, tmp_path / "store", Fake(fault={"split": over}))
    assert "ulimit -f" in caught.value.help


def test_a_kernel_that_makes_nothing_is_a_bug(root, tmp_path):
    class Lazy(Fake):
        def kernel(self, op, inputs, context):
            """Make nothing."""

    with pytest.raises(RuntimeError, match="made nothing for 'bind'"):
        run(plan_of(), root, tmp_path / "store", Lazy())


def test_the_journal_tells_the_story(root, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        run(plan_of(), root, tmp_path / "store", Fake(fault={"split": KeyboardInterrupt()}))
    run(plan_of(), root, tmp_path / "store", Fake())
    with Store(tmp_path / "store") as store:
        told = [(entry.node, entry.state) for entry in store.journal.entries]
    assert told == [
        *(("bind", state) for state in ("running", "done")),
        *(("split", state) for state in ("running", "interrupted")),
        ("bind", "reused"),
        *((name, state) for name in ALL[1:] for state in ("running", "done")),
    ]


# -- crashes ----------------------------------------------------------------------------------------------------------


def dies_at(step, plan, root, store):
    """Run in a child that is gone at its `step`-th touch of the disk, as if killed: no handler, no cleanup."""
    child = os.fork()
    if not child:
        count = 0

        def counted(real):
            def touch(*args, **kwargs):
                nonlocal count
                count += 1
                if count == step:
                    os._exit(9)
                return real(*args, **kwargs)

            return touch

        try:
            for owner, name in ((os, "fsync"), (os, "write"), (Path, "replace"), (Path, "write_text"), (Path, "mkdir")):
                setattr(owner, name, counted(getattr(owner, name)))
            run(plan, root, store, Fake())
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@given(steps=st.lists(st.integers(1, 99), min_size=1, max_size=3))
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_crashes_the_end_is_the_same(root, tmp_path, steps):
    store = tmp_path / "crashing"
    shutil.rmtree(store, ignore_errors=True)
    reference, _ = run(plan_of(), root, tmp_path / "undisturbed", Fake())  # reused after the first example
    finished = set()
    for step in steps:
        dies_at(step, plan_of(), root, store)
        if (store / "journal.jsonl").exists():
            with Store(store, pytest.fail) as opened:
                done = {entry.node for entry in opened.journal.entries if entry.state == "done"}
            assert finished <= done
            finished = done
    backend = Fake()
    outcome, _ = run(plan_of(), root, store, backend)
    assert not finished & set(backend.calls), "a finished node was computed again"
    assert [item.record for item in outcome.value.nodes] == [item.record for item in reference.value.nodes]


SLEEPER = """
import sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import test_executor as t

class Slow(t.Fake):
    def kernel(self, op, inputs, context):
        super().kernel(op, inputs, context)
        if op.op == "enforce":
            (context.out / "half").write_text("half")
            print("inside", flush=True)
            time.sleep(60)

t.run(t.plan_of(), Path(sys.argv[2]), Path(sys.argv[3]), Slow())
"""


def test_killed_inside_a_node_only_that_node_is_lost(root, tmp_path):
    here, store = str(Path(__file__).parent), tmp_path / "store"
    child = subprocess.Popen([sys.executable, "-c", SLEEPER, here, str(root), str(store)], stdout=subprocess.PIPE)
    assert child.stdout.readline() == b"inside\n"
    assert list((store / "scratch").rglob("half"))
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()
    backend, begin = Fake(), time.monotonic()
    outcome, _ = run(plan_of(), root, store, backend)
    assert backend.calls == ["enforce", "export"]
    assert time.monotonic() - begin < 30, "the lock of a dead process was waited for"
    assert list((store / "scratch").iterdir()) == []
    undisturbed, _ = run(plan_of(), root, tmp_path / "fresh", Fake())
    assert [item.record for item in outcome.value.nodes] == [item.record for item in undisturbed.value.nodes]


def test_importing_the_stage_loads_no_library():
    code = (
        "import sys, synthspec.execute; print([m for m in ('numpy', 'scipy', 'sklearn', 'torch') if m in sys.modules])"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"
