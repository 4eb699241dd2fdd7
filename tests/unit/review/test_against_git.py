"""`synthspec review --against`: real repositories, from the command line."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
WAIVER = 'waivers: [{id: C40-515, reason: pilot, approver: q.a, expires: "2999-01-31"}]\nrelease:\n'
ANYTHING = """\
apiVersion: synthspec/v1
kind: Policy
metadata: {name: ours, version: 1.0.0}
allow: [{id: all, expr: 'true'}]
"""


def test_nothing_changed_is_said(repository):
    code, answer = repository.answer("--against", "main")
    assert (code, answer["changes"], answer["summary"]["same"]) == (0, [], 2)


def test_a_loosening_is_told_at_its_line(repository):
    repository.edit("spec.yaml", "mi_max: 0.30", "mi_max: 0.50")
    code, answer = repository.answer("--against", "main")
    (change,) = answer["changes"]
    assert code == 1
    assert (change["pointer"], change["direction"], change["risk"]) == ("/contracts/C40-516/mi_max", "loosened", "high")
    assert (change["old"], change["new"]) == (0.3, 0.5)
    line = change["range"]["start"]["line"]
    assert "mi_max: 0.50" in (repository.folder / "spec.yaml").read_text().splitlines()[line - 1]
    assert change["before"]["path"] == "main:spec.yaml"
    assert answer["documents"][0]["blast"]["rerun"] == ["judge", "emit"]
    assert answer["documents"][0]["version"] == {"old": "1.0.0", "new": "1.0.0", "required": "major", "enough": False}
    assert repository.review("--against", "main", "--format", "github")[1].startswith(
        f"::error file=spec.yaml,line={line},"
    )
    assert repository.review("--against", "main", "--approve", change["fingerprint"])[0] == 0
    (repository.folder / "elsewhere").mkdir()
    assert repository.review("--against", "main", "elsewhere")[0] == 0


def test_the_fingerprint_stays_when_lines_move_and_goes_with_the_value(repository):
    def fingerprint(value, before=""):
        repository.git("checkout", "-q", ".")
        repository.edit("spec.yaml", "contracts:", before + "contracts:")
        repository.edit("spec.yaml", "mi_max: 0.30", f"mi_max: {value}")
        return repository.answer("--against", "main")[1]["changes"][0]["fingerprint"]

    assert fingerprint("0.50") == fingerprint("0.5", "# a line\n\n") != fingerprint("0.51")


def test_the_schema_is_that_of_the_same_revision(repository):
    repository.edit("digits.sref.yaml", "range: [0, 16]", "range: [0, 32]")
    code, answer = repository.answer("--against", "main")
    assert code == 1
    assert [(each["document"], each["pointer"]) for each in answer["changes"]] == [("SRef", "/fields/1/range")]
    assert "fit" in answer["documents"][0]["blast"]["rerun"]


def test_main_moving_on_is_no_change_of_this_branch(repository):
    repository.git("checkout", "-q", "main")
    repository.edit("spec.yaml", "mi_max: 0.30", "mi_max: 0.20")
    repository.commit()
    repository.git("checkout", "-q", "feature")
    assert repository.answer("--against", "main")[1]["changes"] == []


def test_a_renamed_document_is_the_same_document(repository):
    repository.edit("spec.yaml", "mi_max: 0.30", "mi_max: 0.50")
    repository.git("mv", "spec.yaml", "renamed.yaml")
    repository.commit()
    code, answer = repository.answer("--against", "main", "--head", "HEAD")
    assert code == 1
    assert [each["pointer"] for each in answer["changes"]] == ["/contracts/C40-516/mi_max"]


def test_documents_that_come_and_go_are_told(repository):
    (repository.folder / "spec.yaml").unlink()
    assert [each["kind"] for each in repository.answer("--against", "main")[1]["changes"]] == ["document-removed"]
    repository.git("checkout", "-q", ".")
    text = (repository.folder / "spec.yaml").read_text(encoding="utf-8").replace("release:\n", WAIVER, 1)
    (repository.folder / "other.yaml").write_text(
        text.replace("name: digits-diffusion", "name: other"), encoding="utf-8"
    )
    code, answer = repository.answer("--against", "main")
    assert code == 1
    assert [each["kind"] for each in answer["changes"]] == ["waiver-added", "document-added"]


def test_what_cannot_be_read_does_not_pass(repository):
    repository.edit("spec.yaml", "mi_max: 0.30", "mi_maks: 0.30")
    code, answer = repository.answer("--against", "main")
    assert code == 1
    assert [each["kind"] for each in answer["changes"]] == ["unreadable"]
    assert "schema.unknown-key" in [each["code"] for each in answer["findings"]]


@pytest.mark.parametrize("base", ["nowhere", "--output=x", ""])
def test_a_base_that_git_does_not_know_is_exit_2(repository, base):
    code, out, err = repository.review(f"--against={base}")
    assert (code, out) == (2, "")
    assert "revision" in err
    assert not (repository.folder / "x").exists()


def test_links_are_not_followed(repository):
    (repository.folder / "spec.yaml").unlink()
    (repository.folder / "spec.yaml").symlink_to(ROOT / "examples" / "digits-vae" / "spec.yaml")
    assert [each["kind"] for each in repository.answer("--against", "main")[1]["changes"]] == ["document-removed"]


def test_the_policy_of_the_base_allows_and_denies(governed):
    governed.edit("spec.yaml", "tol_FID: 60.0", "tol_FID: 65.0")
    code, answer = governed.answer("--against", "main")
    assert (code, answer["changes"][0]["allowed_by"]) == (0, "ours fid")
    governed.edit("spec.yaml", "tol_FID: 65.0", "tol_FID: 75.0")
    code, answer = governed.answer("--against", "main")
    assert code == 1
    (denied,) = [each for each in answer["findings"] if each["code"] == "policy.denied"]
    assert (denied["message"], denied["pointer"]) == ("ours fid: FID is at most 70", "/contracts/C40-511/tol_FID")
    assert denied["related"][0]["path"] == "main:policies/ours.yaml"


@pytest.mark.parametrize("how", ["untouched", "edited", "removed", "shadowed", "committed"])
def test_a_change_that_waives_itself_is_judged_by_the_policy_of_the_base(governed, how):
    governed.edit("spec.yaml", "release:\n", WAIVER)
    law = governed.folder / "policies" / "ours.yaml"
    if how in ("edited", "committed"):
        law.write_text(ANYTHING, encoding="utf-8")
    if how == "removed":
        law.unlink()
    if how == "shadowed":
        (governed.folder / "synthspec.toml").write_text("", encoding="utf-8")
        (governed.folder / "more.yaml").write_text(ANYTHING.replace("ours", "more"), encoding="utf-8")
    if how == "committed":
        governed.commit()
    code, answer = governed.answer("--against", "main")
    assert code == 1
    assert [each["message"] for each in answer["findings"] if each["code"] == "policy.denied"] == [
        "ours no-waivers: there are no exceptions"
    ]
    waiver = next(each for each in answer["changes"] if each["kind"] == "waiver-added")
    assert (waiver["direction"], waiver["allowed_by"]) == ("loosened", None)
    assert (how == "untouched") == ("policy-changed" not in [each["kind"] for each in answer["changes"]])
    assert answer["policies"] == ["main:policies/ours.yaml"]


def test_an_unusable_policy_of_the_base_lets_nothing_pass(governed):
    governed.git("checkout", "-q", "main")
    governed.edit("policies/ours.yaml", "new.waivers", "new.waiverz")
    governed.commit()
    governed.git("checkout", "-q", "-B", "feature")
    governed.edit("spec.yaml", "tol_FID: 60.0", "tol_FID: 50.0")
    code, answer = governed.answer("--against", "main")
    assert code == 1
    assert [each["code"] for each in answer["findings"] if each["severity"] == "error"] == ["policy.invalid"]


@pytest.mark.parametrize("form", ["text", "json", "markdown", "github", "sarif", "gitlab", "junit"])
def test_every_form_names_the_change(repository, form):
    repository.edit("spec.yaml", "mi_max: 0.30", "mi_max: 0.50")
    code, out, _ = repository.review("--against", "main", "--format", form)
    assert code == 1
    assert "mi" in out
    assert "0.5" in out
    if form == "markdown":
        assert out.startswith("<!-- synthspec review -->\n")


def test_two_files_that_mean_the_same_are_proved_to(repository):
    shutil.copyfile(repository.folder / "spec.yaml", repository.folder / "copy.yaml")
    repository.edit("copy.yaml", "SLO_latency: 2000 ms", "SLO_latency: 2 s")
    code, out, _ = repository.review("spec.yaml", "copy.yaml")
    assert code == 0
    assert out.splitlines()[-1].startswith("0 of ")
    assert int(out.splitlines()[-1].split()[2]) > 30
    assert repository.review("spec.yaml")[0] == repository.review("spec.yaml", "nowhere.yaml")[0] == 2


def test_git_shows_reviews_as_its_diff(repository):
    program = Path(sys.executable).parent / "synthspec"
    (repository.folder / ".gitattributes").write_text("*.yaml diff=synthspec\n", encoding="utf-8")
    repository.git("config", "diff.synthspec.command", f"{program} review --git-diff")
    repository.edit("spec.yaml", "mi_max: 0.30", "mi_max: 0.50")
    shown = subprocess.run(["git", "diff"], cwd=repository.folder, capture_output=True, text=True, check=True)
    assert "loosened  high   C40-516 mi_max: 0.3 -> 0.5" in shown.stdout


def test_a_file_that_is_none_of_ours_keeps_its_lines_in_a_diff_of_git(repository):
    """Whoever has the driver for all of ``*.yaml`` sees a changed workflow, too."""
    old, new = repository.folder / "old.yaml", repository.folder / "new.yaml"
    old.write_text("on: push\njobs: {}\n", encoding="utf-8")
    new.write_text("on: schedule\njobs: {}", encoding="utf-8")
    words = ("ci.yaml", "old.yaml", "0" * 40, "100644", "new.yaml", "1" * 40, "100644")
    code, out, _ = repository.review("--git-diff", *words)
    assert code == 0
    assert {"-on: push", "+on: schedule", "--- a/ci.yaml", "\\ No newline at end of file"} <= set(out.splitlines())


def test_a_path_that_neither_side_has_is_no_review(repository):
    repository.edit("spec.yaml", "mi_max: 0.30", "mi_max: 0.50")
    code, out, err = repository.review("--against", "main", "spec.yml")
    assert (code, out) == (2, "")
    assert "spec.yml" in err
    assert repository.review("--against", "main", "spec*")[0] == 1
    (repository.folder / "spec.yaml").unlink()
    assert repository.answer("--against", "main", "spec.yaml")[1]["changes"], "a path of the base is one"


def test_the_text_tells_how_to_approve_and_which_approval_is_of_nothing(repository):
    repository.edit("spec.yaml", "mi_max: 0.30", "mi_max: 0.50")
    (change,) = repository.answer("--against", "main")[1]["changes"]
    word = f"--approve {change['fingerprint']}"
    assert word in repository.review("--against", "main")[1]
    code, out, err = repository.review("--against", "main", *word.split(), "--approve", "0123456789abcdef")
    assert (code, word in out) == (0, False)
    assert "0123456789abcdef" in err
    assert change["fingerprint"] not in err


def test_a_folder_beside_a_file_is_told_as_what_it_is(repository):
    (repository.folder / "specs").mkdir()
    code, _, err = repository.review("specs", "spec.yaml")
    assert (code, "no such file" in err, "specs: a folder" in err) == (2, False, True)


def test_two_rules_of_one_id_are_no_policy(governed):
    governed.git("checkout", "-q", "main")
    governed.edit("policies/ours.yaml", "{id: fid, expr: 'new", "{id: no-waivers, expr: 'new")
    governed.commit()
    governed.git("checkout", "-q", "-B", "feature")
    governed.edit("spec.yaml", "tol_FID: 60.0", "tol_FID: 50.0")
    code, answer = governed.answer("--against", "main")
    (found,) = (each for each in answer["findings"] if each["code"] == "policy.invalid")
    assert (code, found["message"]) == (1, "rules[0] is called 'no-waivers', too")
