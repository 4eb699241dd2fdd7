"""What `verify` says to somebody who named the wrong thing: what it is, and what to name instead."""

from __future__ import annotations

import json

import pytest

BUNDLE = "manifest.sigstore.json"


def refused(cli, path, code: str, exit_code: int) -> str:
    answer = cli("verify", path, cwd=path.parent)
    assert answer.code == exit_code, answer.out
    first, helped, last = answer.out.splitlines()
    assert first.startswith(f"refused[{code}]: ")
    assert helped == f"help: 'synthspec explain {code}' says what that means and what to do"
    assert last == "verify: REFUSED"
    assert cli("explain", code, cwd=path.parent).code == 0
    return first


@pytest.mark.parametrize(("disclosure", "meant"), [(None, BUNDLE), ("public", "manifest.public.sigstore.json")])
def test_the_readable_copy_names_the_file_that_is_signed(cli, run_copy, disclosure, meant):
    copy = run_copy / "manifest.json"
    copy.write_text(json.dumps(json.loads(copy.read_bytes()) | {"disclosure": disclosure}), encoding="utf-8")
    said = refused(cli, copy, "SCHEMA", 1)
    assert said.endswith(
        f"this is the readable copy of a manifest, which nobody signed: verify {meant}, which lies beside it"
    )


def test_another_file_of_a_run_is_told_to_be_no_bundle(cli, run_copy):
    assert BUNDLE in refused(cli, run_copy / "plan.json", "SCHEMA", 1)
    assert "is not JSON: Expecting value at character 0" in refused(cli, run_copy / "samples.csv", "BAD_JSON", 1)


def test_a_folder_without_a_manifest_is_told_to_be_none_of_a_run(cli, run_copy):
    said = refused(cli, run_copy / "weights", "IO", 2)
    assert f"there is no signed manifest in this folder: name the folder of a run, or its {BUNDLE}" in said


def test_a_page_is_named_once_for_many_refusals(cli, run_copy):
    for name in ("a", "b", "c"):
        (run_copy / name).touch()
    answer = cli("verify", run_copy, cwd=run_copy.parent)
    assert answer.out.count("refused[EXTRA_FILE]") == 3
    assert answer.out.count("synthspec explain EXTRA_FILE") == 1
