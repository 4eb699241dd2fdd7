"""The page about the language is tried as a reader would: its files are written, its commands run, its tables asked."""

import re
import shlex
from pathlib import Path

import pytest
from pydantic import TypeAdapter, ValidationError
from typer.testing import CliRunner

from synthspec.cli.program import VERBS, program
from synthspec.contracts import CONTRACTS
from synthspec.expr.algebra import MAX_POWER
from synthspec.expr.functions import NAMES
from synthspec.expr.parser import MAX_LENGTH, MAX_NESTING
from synthspec.parse.document import MAX_BYTES, MAX_DEPTH, MAX_NODES
from synthspec.report.docs import AREAS
from synthspec.report.keys import sections
from synthspec.spec.base import Duration
from synthspec.spec.engine import Family
from synthspec.spec.enginespec import EngineSpec
from synthspec.spec.objective import MEASURES
from synthspec.spec.sref import MAX_EXPRESSIONS
from synthspec.units import UnitError, parse_quantity

PAGE = Path(__file__).parents[3] / "docs" / "language.md"
TEXT = PAGE.read_text(encoding="utf-8")
CONSOLE = re.findall(r"```console\n(.*?)```", TEXT, re.DOTALL)
FILES = dict(re.findall(r"```yaml\n# (\S+)\n(.*?)```", TEXT, re.DOTALL))
CODE = re.compile(r"`([A-Za-z0-9-]+\.[a-z-]+)`")


def chapter(number):
    """The text of one section."""
    return re.search(rf"^## {number}\. .*?(?=^## |\Z)", TEXT, re.MULTILINE | re.DOTALL)[0]


def table(number, first):
    """The rows of the table of a section whose head begins with `first`: (first cell without ticks, second cell)."""
    found = []
    for block in re.findall(r"(?:^\|.*\n)+", chapter(number), re.MULTILINE):
        rows = [[cell.strip() for cell in line.strip("|\n").split(" | ")] for line in block.splitlines()]
        if rows[0][0].strip() == first:
            found += [(row[0].strip().strip("`"), row[1].rstrip("| ")) for row in rows[2:]]
    assert found, (number, first)
    return found


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SYNTHSPEC_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setenv("SYNTHSPEC_STATE_DIR", str(tmp_path / "state"))
    for name, text in FILES.items():
        # The comment with the name is a line of the file, so that places in answers are those that a reader counts.
        (tmp_path / name).write_text(f"# {name}\n{text}", encoding="utf-8")
    return tmp_path


def synthspec(line):
    words = shlex.split(line)
    return CliRunner().invoke(program(words), words)


def findings(name):
    return re.findall(r"(?:error|warning)\[([^\]]+)\]", synthspec(f"validate {name} --format concise").output)


@pytest.mark.parametrize("cell", CONSOLE, ids=range(len(CONSOLE)))
def test_commands_answer_as_the_page_says(cell, folder):
    bad = (folder / "spec.yaml").read_text(encoding="utf-8").replace("seed: 7", "sead: 7")
    (folder / "bad.yaml").write_text(bad, encoding="utf-8")
    code = None
    for command, said in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", cell, re.MULTILINE):
        if command == "echo $?":
            assert said == f"{code}\n"
            continue
        if command.startswith("synthspec account"):
            pytest.importorskip("dp_accounting")
        done = synthspec(command.removeprefix("synthspec "))
        code = done.exit_code
        wanted = "[^\0]*".join(re.escape(part) for part in re.split(r"(?<=\n)\.\.\.\n", said))
        assert re.fullmatch(wanted, done.stdout), done.stdout


def test_there_are_commands_and_files():
    assert len(CONSOLE) >= 5
    assert set(FILES) == {"iris.sref.yaml", "spec.yaml"}


@pytest.mark.parametrize(("written", "answer"), table(1, "written"))
def test_what_yaml_leaves_open_is_refused(written, answer, folder):
    text = (folder / "spec.yaml").read_text(encoding="utf-8")
    (folder / "spec.yaml").write_text(text.replace("owner: botany", f"owner: {written}"), encoding="utf-8")
    found = findings("spec.yaml")
    assert found[:1] == CODE.findall(answer) if not answer.startswith("fine") else found == []


@pytest.mark.parametrize(("written", "answer"), table(2, "written"))
def test_what_a_time_may_be(written, answer):
    read = TypeAdapter(Duration).validate_python
    if answer.startswith("fine"):
        assert read(written).si == pytest.approx(0.05)
        return
    with pytest.raises(ValidationError) as refused:
        read(written)
    assert [each["type"] for each in refused.value.errors()] == CODE.findall(answer)


@pytest.mark.parametrize(("written", "dimension"), table(2, "quantity"))
def test_dimensions_of_quantities(written, dimension):
    assert f"`{parse_quantity(written).unit.dimension}`" == dimension


def test_offsets_are_not_multiplied():
    assert "`0.2 nm/degC` is `unit.offset-product`, `0.2 nm/delta_degC` is fine" in chapter(2)
    parse_quantity("0.2 nm/delta_degC")
    with pytest.raises(UnitError) as refused:
        parse_quantity("0.2 nm/degC")
    assert refused.value.code == "unit.offset-product"


@pytest.mark.parametrize(("written", "answer"), table(3, "written"))
def test_what_expressions_may_say(written, answer, folder):
    text = (folder / "iris.sref.yaml").read_text(encoding="utf-8")
    quoted = f"'{written}'"
    (folder / "iris.sref.yaml").write_text(text.replace("petal_width <= petal_length", quoted), encoding="utf-8")
    assert findings("iris.sref.yaml") == ([] if answer.startswith("fine") else CODE.findall(answer))


def test_limits_are_those_of_the_code():
    files, expressions = " ".join(chapter(1).split()), " ".join(chapter(3).split())
    assert MAX_BYTES == 1 << 20
    assert f"more than {MAX_DEPTH} levels, 1 MiB or {MAX_NODES:,} nodes" in files
    assert f"at most {MAX_LENGTH:,} characters and {MAX_NESTING} levels" in expressions
    assert f"together {MAX_EXPRESSIONS:,} characters; exponents are whole numbers to {MAX_POWER} and" in expressions
    told = set(re.findall(r"`(\w+)`", re.search(r"and the functions (.*?) An expression always", expressions)[1]))
    assert told - {"SPEC"} == NAMES


def test_the_files_are_in_the_layout_of_fmt(folder):
    assert [synthspec(f"fmt --check {name}").exit_code for name in FILES] == [0, 0]


def test_every_section_is_told_of():
    told = [re.search(r"\[`(\w+)`\]\(keys\.md#\1\)", f"{name}`")[0] for name, _ in table(4, "section")]
    assert [re.search(r"\w+", each)[0] for each in told] == [
        name for name in EngineSpec.model_fields if name not in ("apiVersion", "kind")
    ]
    assert {"metadata", "acceleration[]", "waivers[]"} <= {section.title for section in sections()}


def test_measures_belong_to_the_families_that_the_page_names(folder):
    said = re.search(r"\*\*Measures\.\*\* (.*?)\. ", chapter(4).replace("\n", " "))[1]
    for part in said.split(";"):
        measures, _, family = part.rpartition(" to ")
        family = family.removeprefix("the family ").strip()
        family = re.sub(r"^.*the family ", "", family)
        for measure in re.findall(r"`(\w+)`", measures):
            assert measure in MEASURES
            assert family in Family.__args__
    assert set(re.findall(r"`(\w+)`", said)) == set(MEASURES)


def test_contracts_are_owed_by_whom_the_page_says():
    told = dict(table(5, "contract"))
    assert list(told) == [contract.id for contract in CONTRACTS]
    for contract in CONTRACTS:
        if contract.families:
            assert told[contract.id] == ", ".join(sorted(contract.families))
        else:
            assert told[contract.id] == ("a spec with a time field" if contract.when == "time" else "every spec")


def test_every_area_of_codes_is_told_of():
    told = set(re.findall(r"`([\w-]+)`", " ".join(line.split(" | ")[0] for line in chapter(6).splitlines())))
    axioms = {area for area in AREAS if area.startswith("P405")}
    assert set(AREAS) - axioms <= told
    assert {"P405-1", "P405-10"} <= told


def test_every_verb_is_told_of():
    assert [name for name, _ in table(7, "verb")] == list(VERBS)
