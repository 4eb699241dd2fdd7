"""Every key of the language has words, a place in the page of keys, and an answer of `explain`."""

import re

import pytest
from typer.testing import CliRunner

from synthspec.cli.program import program
from synthspec.ir.solvers import SOLVERS, TOLERANCE
from synthspec.lower.sampling import ATTEMPTS
from synthspec.parse.blueprint import Blueprint
from synthspec.report.docs import pages
from synthspec.report.explanation import explain_name
from synthspec.report.json_schemas import json_schema
from synthspec.report.key_words import loosening, spelled
from synthspec.report.keys import DOCUMENTS, find_keys, keys, section_at, sections, spelled_paths
from synthspec.report.references import anchor
from synthspec.report.style import PLAIN
from synthspec.resolve.sources import CARRIED
from synthspec.rules.codes import CODES
from synthspec.rules.p405_04_privacy.accountant_unknown import BOUNDS
from synthspec.rules.p405_04_privacy.delta_too_large import MAX_DELTA
from synthspec.spec.engine import Unlisted
from synthspec.spec.evaluation import Features
from synthspec.spec.guards import down, free, pin, scale, up
from synthspec.spec.word_table import WORDS
from synthspec.spec.words import words_of

ENTRIES = keys()
PAGE = pages()["keys.md"]
CODE = re.compile(r"\((?:P405-\d+|C40|sref|waiver|engine)\.[a-z-]+")


def models():
    """Every model that a document may hold, found in the core schemas alone."""
    found, ahead = {}, [Blueprint(document).root for document in DOCUMENTS]
    printer = Blueprint(DOCUMENTS[0])
    while ahead:
        node = ahead.pop()
        if isinstance(node, dict):
            if node.get("type") == "model":
                found[node["cls"].__name__] = node["cls"]
            if node.get("type") == "definition-ref":
                ahead.append(printer.peel(node))
            ahead += [value for key, value in node.items() if key != "cls"]
        elif isinstance(node, (list, tuple)):
            ahead += node
    return found


MODELS = models()
FIELDS = [(model, name) for model in MODELS.values() if not issubclass(model, Unlisted) for name in model.model_fields]


def test_every_key_has_words():
    assert len(FIELDS) > 300
    assert [f"{model.__name__}.{name}" for model, name in FIELDS if len(words_of(model, name)) < 8] == []
    assert all(re.match(r"[^ ].*[.:]$", words_of(*field)) for field in FIELDS)


def test_words_stand_in_one_place():
    in_table = {(owner, name) for owner, words in WORDS.items() for name in words}
    twice = [
        f"{model.__name__}.{name}"
        for model, name in FIELDS
        if model.model_fields[name].description and any((each.__name__, name) in in_table for each in model.__mro__)
    ]
    assert twice == []


def test_no_words_are_left_over():
    for owner, words in WORDS.items():
        same = {other for other, table in WORDS.items() if table is words}
        users = [model for model in MODELS.values() if same & {base.__name__ for base in model.__mro__}]
        assert users, owner
        assert set(words) <= {name for model in users for name in model.model_fields}, owner


def test_codes_in_words_exist():
    said = {code[1:] for field in FIELDS for code in CODE.findall(words_of(*field))}
    assert len(said) > 20
    assert said <= set(CODES)


def test_words_repeat_what_the_code_holds():
    def words(path):
        return " ".join(key.words for key in find_keys(path))

    assert f"section, {ATTEMPTS}." in words("conditioning.rejection.max_attempts")
    assert f"left out, {TOLERANCE}." in words("sampling.tolerance")
    assert set(SOLVERS) <= set(re.findall(r"[\w+]+", words("sampling.solver")))
    assert f"({', '.join(CARRIED)})" in words("data.source")
    assert all(f"`{name}`" in words("privacy.accountant") for name in BOUNDS)
    assert f"at most {MAX_DELTA:.0e}".replace("e-0", "e-") in words("privacy.delta")


def test_every_model_is_in_a_section():
    read = {(words_of(model, name), name) for model, name in FIELDS}
    told = {(key.words, key.name) for key in ENTRIES}
    renamed = {f"c40_{number}" for number in range(511, 520)}
    assert {each for each in read if each[1] not in renamed} <= told


@pytest.mark.parametrize("key", ENTRIES, ids=lambda key: f"{key.dotted} {' '.join(key.of)}")
def test_a_key_is_found_by_its_path_and_told_on_the_page(key):
    assert key in find_keys(key.dotted)
    assert f"| `{key.name}` |" in PAGE
    text = " ".join((explain_name(key.dotted, PLAIN) or "").split())
    assert key.takes in text


def test_paths_may_have_indices_and_chosen_names():
    (unit,) = find_keys("SRef.fields[0].unit")
    assert find_keys("fields.3.unit") == find_keys("SRef.fields[].unit") == (unit,)
    assert find_keys("conditioning.variables.digit.interface") == find_keys("conditioning.variables.interface")
    assert [key.dotted for key in find_keys("clip.norm")] == ["privacy.clip.norm"]
    assert {key.dotted for key in find_keys("norm")} == {"engine.architecture.norm", "privacy.clip.norm"}
    assert {key.kind for key in find_keys("metadata.name")} == {"EngineSpec"}
    assert find_keys("") == find_keys(".") == find_keys("privacy.clip.nrom") == ()


def test_kinds_that_take_a_key_differently_are_told_apart():
    steps = {key.default: key.of for key in find_keys("objective.critic_steps")}
    assert steps == {"1": ("gan", "hinge", "rpgan"), "5": ("wgan_gp",)}
    (schedule,) = find_keys("engine.noise_schedule")
    assert schedule.of == ("diffusion",)
    (family,) = find_keys("engine.family")
    assert family.takes == "`vae` or `gan` or `flow` or `diffusion`"
    (norm,) = find_keys("privacy.clip.norm")
    assert norm.where == ("mechanism: dp-sgd",)
    assert norm.loosens == "a larger one loosens (high)"


def test_defaults_are_spelled_as_one_writes_them():
    assert spelled(Features()) == "{name: embedded}"
    assert {key.default for key in find_keys("acceleration.reevaluate")} == {"true"}
    assert {key.default for key in find_keys("sampling.block")} == {"64"}
    assert {key.default for key in find_keys("acceleration")} == {"[]"}


def test_what_a_change_does_is_what_the_guard_says():
    assert loosening(up("high"), optional=True) == "a larger one loosens; leaving it out loosens (high)"
    assert loosening(down("low"), optional=False) == "a smaller one loosens (low)"
    assert loosening(pin("high", absent="tight"), optional=True).endswith("writing it loosens (high)")
    assert loosening(scale("a", ("b", "c")), optional=False) == "from tight to loose: `a`, then `b` or `c` (medium)"
    assert loosening(free("because"), optional=True) == "guards nothing: because"


def test_sections_tell_what_stands_below():
    (clip,) = find_keys("privacy.clip")
    below = section_at(clip)
    assert below is not None
    assert [key.name for key in below.keys] == ["norm", "per", "scope", "nonfinite"]
    titles = [section.title for section in sections()]
    assert len(titles) == len(set(titles))


@pytest.mark.parametrize("kind", ["EngineSpec", "SRef", "Policy"])
def test_editors_are_told_what_a_key_means(kind):
    body = json_schema(kind, "draft-07")
    for node in (body, *body["definitions"].values()):
        assert all("description" in each for each in node.get("properties", {}).values())


def test_explain_answers_for_a_key_and_says_what_was_meant():
    def run(*words):
        return CliRunner().invoke(program(["explain"]), ["explain", *words])

    told = run("privacy.clip.norm")
    assert told.exit_code == 0
    assert "the largest L2 norm" in told.output
    wrong = run("privacy.clip.nrom")
    assert wrong.exit_code == 2
    assert "did you mean 'privacy.clip.norm'?" in wrong.output
    cased = run("tol_fid")
    assert "did you mean 'tol_FID'?" in cased.output
    assert "it is no code, id or key" in run("...").output
    whole = run("Policy")
    assert whole.exit_code == 0
    assert "allow " in whole.output
    both = run("data")
    assert "data.orphan" in both.output
    assert "transform " in both.output


def test_no_two_places_of_the_page_have_one_anchor():
    anchors = [anchor(heading) for heading in re.findall(r"^#+ (.*)$", PAGE, re.MULTILINE)]
    assert len(anchors) == len(set(anchors)) > 50


def test_no_path_hides_a_code():
    assert not set(spelled_paths()) & set(CODES)
