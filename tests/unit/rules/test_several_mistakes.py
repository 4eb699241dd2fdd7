"""Several mistakes in one spec: each is found, none hides another, and nothing is said that only follows from one."""

import copy
import random
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from pathlib import Path

import pytest

from synthspec.check.witness import Witness, stand_in
from synthspec.ir.document import Document
from synthspec.pipeline.front import Options, read_written, spot, validate
from synthspec.resolve import Folders, link
from synthspec.rules import RULES
from synthspec.rules.form import Rule

OPTIONS = Options(today=date(2026, 6, 1))
CHOICES = {"name", "kind", "method", "family", "measure", "mechanism"}
"""Keys that choose what the keys beside them mean."""
ABSENT = object()
BASES = ("digits-diffusion", "cancer-dp-vae", "fiber-link-flow")


def changes(old, new, path=()):
    """The places at which two trees differ, each with what the second one has there."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in {**old, **new}:
            yield from changes(old.get(key, ABSENT), new.get(key, ABSENT), (*path, key))
    elif isinstance(old, list | tuple) and isinstance(new, list | tuple) and len(old) == len(new):
        for number, (before, after) in enumerate(zip(old, new, strict=True)):
            yield from changes(before, after, (*path, number))
    elif old is ABSENT or new is ABSENT or repr(old) != repr(new):
        yield path, new


def apart(some, others):
    return not any(one[: len(two)] == two or two[: len(one)] == one for one, _ in some for two, _ in others)


def applied(trees, made):
    """`trees` with the changes; they stand at places that exist before any of them is made."""
    trees = copy.deepcopy(trees)
    for (*way, last), value in made:
        node = trees
        for part in way:
            node = node[part]
        if value is ABSENT:
            node.pop(last, None)
        else:
            node[last] = copy.deepcopy(value)
    return trees


@dataclass(frozen=True, eq=False)
class Mistake:
    """The Bad of a rule's page as changes of a normative example, and what the rule looks at there."""

    rule: Rule
    base: str
    trees: tuple = field(repr=False)
    made: tuple
    found: frozenset
    path: Path

    @cached_property
    def resolved(self):
        return resolved(self.path)

    def looks_at(self, made):
        """Whether the rule looks at one of the places that are changed by `made`."""
        lost = [(path[0], path[1:-1] if path[-1] in CHOICES else path[1:]) for path, _ in made]
        damaged = replace(
            self.resolved,
            spec_lost=frozenset(path for document, path in lost if document == 0),
            sref_lost=frozenset(path for document, path in lost if document == 1),
        )
        witness = Witness()
        seen, sound = stand_in(damaged, witness), witness.fresh()
        list(self.rule.check(seen))
        return not sound()


def resolved(path):
    written = [read_written(spot(file)).value for file in (path, path.with_suffix(".sref.yaml"))]
    spec, sref = (Document(each.model, each.composed.places) for each in written)
    return link(spec, sref, Folders(spec=path.parent, sref=path.parent, root=path.parent)).value


def findings(bench, base, trees):
    return {(each.code, each.path) for each in validate(spot(bench.written(base, *trees)), OPTIONS).diagnostics}


@pytest.fixture(scope="session")
def mistakes(bench, trees):
    """The Bads by the example that they are changes of."""
    found = {}
    for rule in RULES:
        example = rule.page.bad
        new, old = trees(example)
        made, path = tuple(changes(old, new)), bench.written(example.base, *new)
        said = frozenset((each.code, each.path) for each in bench.findings(example))
        found.setdefault(example.base, []).append(Mistake(rule, example.base, old, made, said, path))
    return found


def independent(one, other):
    return (
        apart(one.made, other.made)
        and one.rule.code not in other.rule.after
        and other.rule.code not in one.rule.after
        and not one.looks_at(other.made)
        and not other.looks_at(one.made)
    )


@pytest.mark.parametrize("seed", range(40))
def test_independent_mistakes_are_found_together(seed, mistakes, bench):
    draw = random.Random(seed)
    some = mistakes[draw.choice(BASES)]
    chosen: list = []
    for mistake in draw.sample(some, len(some)):
        if len(chosen) < 4 and all(independent(mistake, other) for other in chosen):
            chosen.append(mistake)
    together = applied(some[0].trees, [change for mistake in chosen for change in mistake.made])
    assert len(chosen) > 1
    assert findings(bench, some[0].base, together) == set().union(*(mistake.found for mistake in chosen))


def leaves(node, path=()):
    entries = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list | tuple) else ()
    for key, inner in entries:
        yield (*path, key)
        yield from leaves(inner, (*path, key))


WHO_IT_IS = {(0, "sref"), (0, "kind"), (0, "apiVersion"), (1, "kind"), (1, "apiVersion")}
UNREADABLE = ([[[]]], {"x": {"y": 1}}, "qzqzqz", -1e9)


@pytest.mark.parametrize("seed", range(40))
def test_what_cannot_be_read_hides_only_what_rests_on_it(seed, mistakes, bench):
    draw = random.Random(seed)
    mistake = draw.choice(mistakes[draw.choice(BASES)])
    places = [path for path in leaves(mistake.trees) if len(path) > 1 and path not in WHO_IT_IS]
    draw.shuffle(places)
    junk: list = []
    for path in places:
        one = [(path, draw.choice(UNREADABLE))]
        if len(junk) < 3 and apart(one, (*mistake.made, *junk)) and not mistake.looks_at([(left_out(path), None)]):
            junk += one
    alone = findings(bench, mistake.base, applied(mistake.trees, junk))
    together = findings(bench, mistake.base, applied(mistake.trees, (*mistake.made, *junk)))
    assert len(junk) == 3
    assert together == alone | mistake.found


def left_out(path):
    """The key that is left out with what stands at `path`: of a list, the whole of it."""
    return path[: 1 + max(number for number, part in enumerate(path) if isinstance(part, str))]


def test_there_is_enough_to_choose_from(mistakes):
    assert sum(len(each) for each in mistakes.values()) == len(RULES)
    assert len(mistakes["digits-diffusion"]) > 40
