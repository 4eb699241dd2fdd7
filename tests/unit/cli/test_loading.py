"""What a command loads, and that what is kept between files changes no answer."""

import gc
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from synthspec.cli.loading import loading
from synthspec.cli.program import VERBS, program

ROOT = Path(__file__).parents[3]
EXAMPLES = sorted((ROOT / "examples").glob("*/spec.yaml"))
CASES = sorted((ROOT / "tests" / "cases").glob("*.yaml"))
PROGRAM = "from synthspec.cli.main import run; run()"
SHARED = "sref: digits.sref.yaml"
NEVER = {
    *("torch", "diffusers", "scipy", "numpy", "sklearn", "pandas", "networkx", "pint", "jsonschema", "cryptography"),
    *("rich", "zuko", "rfc8785", "PIL"),
}


def fresh(*words: str, program: str = PROGRAM) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program, *words], capture_output=True, text=True, check=False, cwd=ROOT
    )


def loaded(*words: str) -> set[str]:
    """Every module that a fresh process holds when it has answered a command line."""
    done = fresh(*words, program=f"import atexit, sys; atexit.register(lambda: print(*sys.modules)); {PROGRAM}")
    assert done.returncode == 0, done.stderr[-2000:]
    return set(done.stdout.splitlines()[-1].split())


@pytest.mark.parametrize("spec", EXAMPLES, ids=lambda path: path.parent.name)
def test_validate_loads_nothing_heavy(spec):
    modules = loaded("validate", str(spec))
    assert "synthspec.rules" in modules
    assert not NEVER & {name.partition(".")[0] for name in modules}


def test_validate_loads_no_other_verb_and_no_later_stage():
    modules = loaded("validate", str(EXAMPLES[0].parents[1] / "digits-diffusion" / "spec.yaml"))
    verbs = {f"synthspec.cli.{place.partition(':')[0]}" for place in VERBS.values()}
    assert modules & verbs == {"synthspec.cli.validate"}
    parts = {".".join(name.split(".")[:2]) for name in modules if name.startswith("synthspec.")}
    assert (
        not {f"synthspec.{stage}" for stage in ("lower", "plan", "execute", "judge", "sign", "store", "backend")}
        & parts
    )
    # What only speaks of faults, of operations or of verdicts is no part of a clean answer.
    assert not {"synthspec.ir.ops", "synthspec.ir.manifest", "synthspec.ir.verdict", "synthspec.parse.faults"} & modules


def test_the_help_of_verify_loads_no_model_of_the_language():
    modules = loaded("verify", "--help")
    assert not {"synthspec.spec", "synthspec.ir", "synthspec.sign", "yaml", "cryptography", "rich"} & modules


def test_no_plugin_of_pydantic_is_looked_for():
    shown = fresh(
        "backends",
        program=f"import os, atexit; atexit.register(lambda: print(os.environ['PYDANTIC_DISABLE_PLUGINS'])); {PROGRAM}",
    )
    assert shown.stdout.splitlines()[-1] == "__all__"


MODELS = [
    path
    for path in (*(ROOT / "synthspec" / "spec").glob("*.py"), *(ROOT / "synthspec" / "ir").glob("manifest*.py"))
    if re.search(r"^class \w+\((Model|Group|BaseModel)\)", path.read_text(), re.MULTILINE)
]


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_annotations_of_models_are_no_text(path):
    assert "from __future__ import annotations" not in path.read_text()


def test_what_runs_is_loaded_without_what_only_an_extra_brings():
    """Without the extras `run` answers with the command that installs them: it must come that far."""
    told = "import sys, synthspec.cli.running, synthspec.pipeline.running, synthspec.pipeline.verifying; print(*sys.modules)"
    done = fresh(program=told)
    assert done.returncode == 0, done.stderr[-2000:]
    heavy = {"numpy", "scipy", "sklearn", "torch", "safetensors", "sqlalchemy", "dp_accounting", "pyarrow"}
    assert not heavy & {name.partition(".")[0] for name in done.stdout.split()}


def test_the_help_names_every_verb_and_a_misspelt_one_is_recognised():
    shown = fresh("--help")
    assert shown.returncode == 0
    assert all(re.search(rf"^  {verb} ", shown.stdout, re.MULTILINE) for verb in VERBS)
    wrong = fresh("valdate")
    assert wrong.returncode == 2
    assert "'validate'" in wrong.stderr


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_is_found_alone_and_among_all(verb):
    for words in ([verb], ["--help"]):
        app = program(words)
        found = [command.name for command in app.registered_commands] + [group.name for group in app.registered_groups]
        assert verb in found
        assert len(found) == (1 if words == [verb] else len(VERBS))


def test_many_files_get_the_answers_that_each_gets_alone():
    files = [str(path.relative_to(ROOT)) for path in CASES if SHARED in path.read_text()]
    together = json.loads(fresh("validate", "--format", "json", *files).stdout)["findings"]
    assert len(together) > 20
    alone = {}
    for file in files:
        for finding in json.loads(fresh("validate", "--format", "json", file).stdout)["findings"]:
            alone.setdefault(finding["fingerprint"], finding)
    assert {finding["fingerprint"]: finding for finding in together} == alone


def test_an_sref_that_changed_between_two_checks_is_read_again(tmp_path, monkeypatch):
    from datetime import date

    from synthspec.pipeline.front import Options, spot, validate

    monkeypatch.chdir(tmp_path)
    folder = ROOT / "examples" / "digits-diffusion"
    (tmp_path / "spec.yaml").write_text((folder / "spec.yaml").read_text())
    sref = (folder / "digits.sref.yaml").read_text()
    (tmp_path / "digits.sref.yaml").write_text(sref)
    written = Path("digits.sref.yaml").stat()
    options = Options(today=date(2027, 1, 1))
    assert validate(spot(Path("spec.yaml")), options).ok
    Path("digits.sref.yaml").write_text(sref.replace("modality: image", "modality: imaqe"))
    # As large and, to the clock, as old as before.
    os.utime("digits.sref.yaml", ns=(written.st_atime_ns, written.st_mtime_ns))
    assert not validate(spot(Path("spec.yaml")), options).ok


def test_the_collector_rests_only_while_something_loads(monkeypatch):
    monkeypatch.setattr(gc, "freeze", lambda: None)
    assert gc.isenabled()
    with loading():
        assert not gc.isenabled()
    assert gc.isenabled()
    with pytest.raises(ImportError), loading():
        raise ImportError
    assert gc.isenabled()
