"""Order, assignment and digests of a plan."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthspec.diag import Outcome
from synthspec.ir.ops import Edge, Emit, OpGraph, OpNode, Split
from synthspec.ir.plan import Plan
from synthspec.plan import plan, to_dot, to_mermaid
from synthspec.spec.data import HashSplit
from synthspec.spec.enginespec import EngineSpec
from synthspec.spec.sref import SRef
from synthspec.testing import catalogue

SPEC = EngineSpec.model_construct(apiVersion="synthspec/v1")
HEADER = Plan(
    name="p", version="1.0.0", spec_digest="0" * 64, compiler="test", spec=SPEC, sref=SRef.model_construct(), nodes=()
)


class Offer:
    """A backend that takes the ops in `takes`."""

    def __init__(self, name: str, *takes: str, version: str = "1") -> None:
        self.name, self.version, self.takes = name, version, takes

    def supports(self, op) -> tuple[str, ...]:
        return () if op.op in self.takes else (f"not {op.op}",)


def node(name: str, *feeds: str, licence: str = "") -> OpNode:
    return OpNode(id=name, op=Emit(licence=licence), inputs=tuple(Edge(port=feed, node=feed) for feed in feeds))


def planned(*nodes: OpNode, offers=None, wanted=None) -> Outcome[Plan]:
    return plan(OpGraph(nodes=nodes), offers or {}, core_version="1", wanted=wanted, header=HEADER)


def test_a_node_comes_after_what_it_reads_whatever_the_order_given() -> None:
    made = planned(node("c", "b"), node("b", "a"), node("a")).value
    assert made is not None
    assert [each.id for each in made.nodes] == ["a", "b", "c"]


@given(st.permutations(["a", "b", "c", "d"]))
def test_a_digest_does_not_depend_on_the_order_given(order: list[str]) -> None:
    nodes = {"a": node("a"), "b": node("b", "a"), "c": node("c", "a"), "d": node("d", "b", "c")}
    made = planned(*(nodes[name] for name in order)).value
    straight = planned(*nodes.values()).value
    assert made is not None
    assert straight is not None
    assert {n.id: n.digest for n in made.nodes} == {n.id: n.digest for n in straight.nodes}


def test_a_change_reaches_everything_downstream_and_nothing_else() -> None:
    before = planned(node("a"), node("b"), node("c", "a")).value
    after = planned(node("a", licence="other"), node("b"), node("c", "a")).value
    assert before is not None
    assert after is not None
    changed = {old.id for old, new in zip(before.nodes, after.nodes, strict=True) if old.digest != new.digest}
    assert changed == {"a", "c"}


@pytest.mark.parametrize(
    ("nodes", "says"),
    [
        ((node("a", "b"), node("b", "a")), "a cycle: "),
        ((node("a", "a"),), "a cycle: a -> a"),
        ((node("a", "x"),), "reads 'x', which does not exist"),
        ((node("a"), node("a")), "two nodes are called 'a'"),
    ],
)
def test_a_graph_without_an_order_says_why(nodes: tuple[OpNode, ...], says: str) -> None:
    outcome = planned(*nodes)
    assert outcome.value is None
    assert says in outcome.diagnostics[0].message


def split(name: str) -> OpNode:
    return OpNode(id=name, op=Split(rule=HashSplit(method="hash", key="k", train=0.5, val=0.25, test=0.25)))


def sampler() -> OpNode:
    return OpNode(id="fit", op=catalogue.fit("flow", "tabular"))


def test_the_core_computes_its_own_ops_and_backends_the_rest() -> None:
    made = planned(split("s"), sampler(), offers={"b": Offer("b", "fit"), "a": Offer("a")}).value
    assert made is not None
    assert [each.backend for each in made.nodes] == ["core", "b"]


def test_what_nobody_takes_stays_with_every_reason() -> None:
    made = planned(sampler(), offers={"a": Offer("a"), "b": Offer("b")}).value
    assert made is not None
    assert (made.nodes[0].backend, made.nodes[0].refusals) == ("", ("a: not fit", "b: not fit"))


def test_who_declines_the_family_is_heard_only_where_nobody_has_it() -> None:
    class Stranger(Offer):
        def supports(self, op) -> tuple[str, ...]:
            return (f"family {op.op} is not supported", "nor is anything else")

    both = planned(sampler(), offers={"a": Stranger("a"), "b": Offer("b")}).value
    assert both is not None
    assert both.nodes[0].refusals == ("b: not fit",)
    alone = planned(sampler(), offers={"a": Stranger("a")}).value
    assert alone is not None
    assert alone.nodes[0].refusals == ("a: family fit is not supported", "a: nor is anything else")


def test_the_backend_that_the_spec_names_is_the_only_one_asked() -> None:
    offers = {"a": Offer("a", "fit"), "b": Offer("b")}
    made = planned(sampler(), offers=offers, wanted="b").value
    assert made is not None
    assert made.nodes[0].refusals == ("b: not fit",)
    gone = planned(sampler(), offers=offers, wanted="z").value
    assert gone is not None
    assert gone.nodes[0].refusals == ("z: not installed (installed: a, b)",)


def test_null_and_reference_are_used_only_when_named() -> None:
    offers = {"null": Offer("null", "fit")}
    unnamed, named = planned(sampler(), offers=offers).value, planned(sampler(), offers=offers, wanted="null").value
    assert unnamed is not None
    assert named is not None
    assert (unnamed.nodes[0].backend, named.nodes[0].backend) == ("", "null")


def test_another_version_of_the_backend_is_another_digest() -> None:
    one = planned(sampler(), offers={"a": Offer("a", "fit")}).value
    two = planned(sampler(), offers={"a": Offer("a", "fit", version="2")}).value
    assert one is not None
    assert two is not None
    assert one.nodes[0].digest != two.nodes[0].digest


def test_the_drawings_name_every_node_and_arrow() -> None:
    made = planned(node("c", "b"), node("b", "a"), node("a")).value
    assert made is not None
    assert to_mermaid(made).count("-->") == 2
    dot = to_dot(made)
    assert dot.count("->") == 2
    assert all(f'"{name}" [label=' in dot for name in "abc")
