"""What other people's CI runs: the GitHub Action and the pre-commit hooks, with their commands really run."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[3]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
HOOKS = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
STEPS = {step.get("name"): step for step in ACTION["runs"]["steps"]}


def shell(script, folder, **variables):
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
        cwd=folder, env={**os.environ, "PATH": path, **variables}, capture_output=True, text=True, check=False,
    )  # fmt: skip


def validate(folder, paths, fail_on="error"):
    return shell(STEPS["Validate"]["run"], folder, SPECS=paths, FAIL_ON=fail_on)


def test_the_configuration_in_the_docs_is_a_whole_one():
    blocks = re.findall(
        r"```yaml\n(# .pre-commit-config.yaml\n.*?)```", (ROOT / "docs" / "validate.md").read_text(), re.DOTALL
    )
    (told,) = (yaml.safe_load(block) for block in blocks)
    (repository,) = told["repos"]
    assert {hook["id"] for hook in repository["hooks"]} <= {hook["id"] for hook in HOOKS}
    assert set(repository) == {"repo", "rev", "hooks"}


def test_the_action_passes_its_inputs_as_variables():
    for step in ACTION["runs"]["steps"]:
        assert "${{" not in step.get("run", "")
    used = set(re.findall(r"inputs\.([\w-]+)", str(ACTION["runs"])))
    assert used == set(ACTION["inputs"]) == {"paths", "version", "fail-on", "review", "review-fail-on", "approved"}


def test_the_action_annotates_and_fails(folder):
    done = validate(folder, ".\n")
    assert (done.returncode, done.stdout) == (0, "2 files checked: 0 errors, 0 warnings\n")
    spec = folder / "spec.yaml"
    spec.write_bytes(spec.read_bytes().replace(b"NFE: 40}", b"NFE: 39}"))
    done = validate(folder, "digits.sref.yaml\n\n  \nspec.yaml\n")
    assert done.returncode == 1
    assert done.stdout.startswith("::error file=spec.yaml,line=46,")
    assert done.stdout.endswith("2 files checked: 1 error, 0 warnings\n")


def test_the_action_takes_a_path_for_a_path(folder):
    (folder / "a b").mkdir()
    assert validate(folder, "$(touch hacked)").returncode == 2
    assert validate(folder, "--output-file=hacked").returncode == 2
    assert validate(folder, ".", "error; touch hacked").returncode == 2
    assert not (folder / "hacked").exists()


@pytest.mark.parametrize(("version", "wanted"), [("", "."), ("0.1.0", "synthspec==0.1.0")])
def test_the_action_installs_itself_or_the_version(folder, version, wanted):
    script = STEPS["Install synthspec"]["run"].replace("python -m pip install", "echo")
    done = shell(script, folder, VERSION=version, HERE=".", REVIEW="")
    assert done.stdout.split()[-1] == wanted


@pytest.mark.parametrize(
    "hook", [hook for hook in HOOKS if hook.get("pass_filenames", True)], ids=lambda hook: hook["id"]
)
def test_a_hook_runs_on_the_files_it_names(hook, program, folder):
    names = sorted(file.name for file in folder.glob("*.yaml"))
    assert all(re.search(hook["files"], name) for name in names)
    assert not re.search(hook["files"], "docker-compose.yaml")
    words = shlex.split(hook["entry"])
    assert words[0] == "synthspec"
    answer = program(*words[1:], *names)
    assert (answer.code, answer.out, answer.err) == (0, "", "")


@pytest.mark.parametrize(
    ("version", "wanted"), [("", ".[policy,privacy]"), ("0.1.0", "synthspec[policy,privacy]==0.1.0")]
)
def test_the_action_installs_what_a_review_needs(folder, version, wanted):
    script = STEPS["Install synthspec"]["run"].replace("python -m pip install", "echo")
    done = shell(script, folder, VERSION=version, HERE=".", REVIEW="origin/main")
    assert done.stdout.split()[-1] == wanted


def test_the_action_reviews_a_branch(folder):
    identity = "-c user.email=a@example.org -c user.name=a -c commit.gpgsign=false"
    made = shell(f"git init -q -b main && git add -A && git {identity} commit -q -m x", folder)
    assert made.returncode == 0, made.stderr

    def review(approved="", base="main", fail_on="loosened"):
        names = {
            "REVIEW": base,
            "APPROVED": approved,
            "REVIEW_FAIL_ON": fail_on,
            "SPECS": ".",
            "SUMMARY": str(folder / "summary.md"),
        }
        return shell(STEPS["Review"]["run"], folder, **names, GITHUB_STEP_SUMMARY=str(folder / "shown.md"))

    assert review().returncode == 0
    spec = folder / "spec.yaml"
    spec.write_bytes(spec.read_bytes().replace(b"mi_max: 0.30", b"mi_max: 0.50"))
    done = review()
    assert done.returncode == 1
    assert done.stdout.startswith("::error file=spec.yaml,line=")
    fingerprint = re.search(r"--approve ([0-9a-f]{16})", done.stdout)[1]
    assert review(f"\n{fingerprint}\n").returncode == 0
    assert "synthspec: this change passes" in (folder / "shown.md").read_text()
    assert review(base="$(touch hacked)").returncode == 2
    assert review(fail_on="$(touch hacked)").returncode == 2
    assert not (folder / "hacked").exists()


def test_a_spec_that_is_gone_can_be_made_to_wait_for_a_person(folder):
    identity = "-c user.email=a@example.org -c user.name=a -c commit.gpgsign=false"
    made = shell(f"git init -q -b main && git add -A && git {identity} commit -q -m x && git rm -q spec.yaml", folder)
    assert made.returncode == 0, made.stderr

    def review(fail_on, approved=""):
        names = {"REVIEW": "main", "APPROVED": approved, "REVIEW_FAIL_ON": fail_on, "SPECS": "."}
        (folder / "shown.md").unlink(missing_ok=True)
        done = shell(
            STEPS["Review"]["run"],
            folder,
            **names,
            SUMMARY=str(folder / "s.md"),
            GITHUB_STEP_SUMMARY=str(folder / "shown.md"),
        )
        return done, (folder / "shown.md").read_text()

    done, shown = review("loosened")
    assert done.returncode == 0
    assert "::warning" in done.stdout
    assert "this change passes" in shown
    done, shown = review("unknown")
    assert done.returncode == 1
    assert "this change is not allowed" in shown
    fingerprint = re.search(r"--approve ([0-9a-f]{16})", done.stdout)[1]
    done, shown = review("unknown", fingerprint)
    assert done.returncode == 0, done.stdout
    assert "allowed: approved" in shown


def test_the_review_hook_asks_the_base():
    (hook,) = [hook for hook in HOOKS if hook["id"] == "synthspec-review"]
    assert shlex.split(hook["entry"]) == ["synthspec", "review", "--against", "origin/main"]
    assert hook["pass_filenames"] is False
