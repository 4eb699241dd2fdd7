"""The front of the pipeline: which documents it reads, how it goes on after a fault, and what it never hides."""

from __future__ import annotations

import errno
from datetime import date
from pathlib import Path

import pytest

from synthspec.ir.resolved import CheckedSpec
from synthspec.pipeline.front import Options, Spot, load_spec, spot, validate
from synthspec.spec.sref import SRef

OPTIONS = Options(today=date(2026, 11, 22))
EXAMPLES = Path(__file__).parents[3] / "examples"
SPEC = EXAMPLES / "digits-diffusion" / "spec.yaml"
SREF = EXAMPLES / "digits-diffusion" / "digits.sref.yaml"


def said(text: str | bytes, name: str = "spec.yaml", options: Options = OPTIONS, where: Path = SPEC):
    """What is found in `text`, were it to lie at `where`."""
    return validate(Spot(where, name, text.encode() if isinstance(text, str) else text), options)


def codes(outcome) -> list[str]:
    return [finding.code for finding in outcome.diagnostics]


def altered(old: str, new: str) -> str:
    text = SPEC.read_text(encoding="utf-8")
    assert text.count(old) == 1
    return text.replace(old, new)


def test_a_spec_gives_a_checked_spec_and_a_schema_a_schema():
    spec, sref = validate(spot(SPEC), OPTIONS), validate(spot(SREF), OPTIONS)
    assert isinstance(spec.value, CheckedSpec)
    assert isinstance(sref.value, SRef)
    assert spec.ok
    assert sref.ok


@pytest.mark.parametrize(
    ("text", "code", "place", "help_part"),
    [
        ("apiVersion: synthspec/v1\nname: x\n", "schema.missing-key", (1, 1), "kind: EngineSpec"),
        ("kind: EngineSpek\n", "schema.bad-value", (1, 7), "'EngineSpec'"),
        ("a: 1\nkind: 3\n", "schema.bad-value", (2, 7), "known: "),
        ("kind: [EngineSpec]\n", "schema.bad-value", (1, 7), ""),
    ],
)
def test_a_document_of_no_known_kind_is_one_finding(text, code, place, help_part):
    outcome = said(text)
    assert outcome.value is None
    (finding,) = outcome.diagnostics
    assert finding.code == code
    assert finding.span is not None
    assert finding.span.begin == place
    assert help_part in finding.help


@pytest.mark.parametrize("data", [b"\xff\xfe", b"kind: [", b"", b"- 1\n", b"kind: EngineSpec\nkind: EngineSpec\n"])
def test_what_is_no_document_gives_findings_and_no_value(data):
    outcome = said(data)
    assert outcome.value is None
    assert outcome.diagnostics
    assert all(finding.is_error for finding in outcome.diagnostics)


def test_faults_of_one_stage_come_together():
    text = altered("batch_size", "batchsize").replace("family: diffusion", "family: difusion")
    assert sorted(codes(said(text))) == ["schema.bad-value", "schema.unknown-key"]


def test_a_slip_in_a_spec_does_not_hide_that_its_schema_is_not_there(tmp_path):
    (tmp_path / "spec.yaml").write_text(altered("batch_size", "batchsize"), encoding="utf-8")
    found = codes(validate(Spot(tmp_path / "spec.yaml", "spec.yaml"), OPTIONS))
    assert found == ["schema.unknown-key", "schema.not-found"]


def test_a_spec_of_which_too_little_is_left_sends_nobody_to_other_files(tmp_path):
    (tmp_path / "spec.yaml").write_text(altered("synthspec/v1", "synthspec/v2"), encoding="utf-8")
    assert codes(validate(Spot(tmp_path / "spec.yaml", "spec.yaml"), OPTIONS)) == ["schema.version"]


@pytest.mark.parametrize("schema", [None, b"kind: [", b"apiVersion: synthspec/v2\nkind: SRef\n"])
def test_without_its_schema_a_spec_is_still_asked_what_the_schema_has_no_part_in(schema, tmp_path):
    text = (
        altered("w_cfg: 0.5", "w_cfg: 2.5")
        .replace("digit: {interface", "ghost: {interface")
        .replace("key: rid", "key: q")
    )
    text = text.replace("sklearn://digits", "sklearn://digit").replace("family: diffusion", "family: 3")
    (tmp_path / "spec.yaml").write_text(text, encoding="utf-8")
    if schema is not None:
        (tmp_path / "digits.sref.yaml").write_bytes(schema)
    found = validate(Spot(tmp_path / "spec.yaml", "spec.yaml"), OPTIONS)
    assert found.value is None
    of_the_schema = {None: "schema.not-found", b"kind: [": "syntax.yaml"}.get(schema, "schema.version")
    assert codes(found) == ["schema.bad-value", of_the_schema, "schema.not-found", "P405-2.w-cfg-over-max"]


@pytest.mark.parametrize(
    ("old", "new", "advice"),
    [
        ("sklearn://digits", "digits.csv", "it would end in .csv"),
        ("digits.sref.yaml", "digit.sref.yml", "did you mean 'digits.sref.yaml'?"),
        ("features: {name: embedded}", "features: {name: inception, weights: digits.csv}", "features.safetensors"),
    ],
)
def test_advice_on_a_file_names_files_of_its_kind(old, new, advice, tmp_path):
    (tmp_path / "spec.yaml").write_text(altered(old, new), encoding="utf-8")
    for name in ("digits.sref.yaml", "features.safetensors"):
        (tmp_path / name).write_bytes(SREF.read_bytes())
    found = validate(Spot(tmp_path / "spec.yaml", "spec.yaml"), OPTIONS).diagnostics
    assert [advice in each.help for each in found if each.code == "schema.not-found"] == [True]


def test_a_fault_in_the_schema_is_named_with_the_schema(tmp_path):
    (tmp_path / "spec.yaml").write_bytes(SPEC.read_bytes())
    (tmp_path / "digits.sref.yaml").write_text(SREF.read_text(encoding="utf-8").replace("role: key", "role: kee"))
    outcome = validate(Spot(tmp_path / "spec.yaml", "spec.yaml"), OPTIONS)
    assert codes(outcome) == ["schema.bad-value"]
    assert outcome.diagnostics[0].file.endswith("digits.sref.yaml")


def test_bytes_from_elsewhere_are_checked_as_if_they_lay_there():
    outcome = said(altered("seed: 7, ", ""), name="<stdin>")
    assert codes(outcome) == ["P405-8.seed-missing"]
    assert outcome.diagnostics[0].file == "<stdin>"


def test_changes_are_checked_and_go_along_with_the_spec():
    options = Options(today=OPTIONS.today, overrides=(("sampling.n", "64"), ("training.epochs", "1")))
    outcome = load_spec(spot(SPEC), options)
    assert outcome.value is not None
    assert outcome.value.resolved.overrides == options.overrides
    assert outcome.value.resolved.spec.sampling is not None
    assert outcome.value.resolved.spec.sampling.n == 64
    assert codes(said(SPEC.read_bytes(), options=Options(today=OPTIONS.today, overrides=(("a..b", "1"),)))) == [
        "schema.bad-value"
    ]


def test_a_schema_cannot_be_run():
    outcome = load_spec(spot(SREF), OPTIONS)
    assert outcome.value is None
    (finding,) = outcome.diagnostics
    assert "has nothing to run" in finding.message


def test_paths_leave_the_root_only_when_that_is_allowed(tmp_path):
    inside = tmp_path / "inside"
    inside.mkdir()
    (tmp_path / "digits.sref.yaml").write_bytes(SREF.read_bytes())
    (inside / "spec.yaml").write_text(altered("sref: digits.sref.yaml", "sref: ../digits.sref.yaml"), encoding="utf-8")
    (inside / "synthspec.toml").write_text("", encoding="utf-8")
    place = Spot(inside / "spec.yaml", "spec.yaml")
    assert codes(validate(place, OPTIONS)) == ["schema.path-escape"]
    assert validate(place, Options(today=OPTIONS.today, allow_outside=True)).ok


def test_a_file_that_cannot_be_read_is_an_error_of_the_world_with_its_name(monkeypatch):
    def broken(_):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(Path, "read_bytes", broken)
    with pytest.raises(OSError, match="Input/output error") as caught:
        validate(spot(SPEC), OPTIONS)
    assert caught.value.filename == str(SPEC)


def test_a_file_is_shown_as_its_user_would_type_it(monkeypatch, tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    monkeypatch.chdir(tmp_path / "a")
    assert spot(tmp_path / "a" / "x.yaml").name == "x.yaml"
    assert spot(Path("x.yaml")).name == "x.yaml"
    assert spot(tmp_path / "b" / "x.yaml").name == str(tmp_path / "b" / "x.yaml")
    assert spot(Path("../b/x.yaml")).name == "../b/x.yaml"


def test_the_day_decides_about_a_waiver():
    waiver = "\nwaivers:\n  - {id: P405-3.no-rollback, reason: a test, approver: me, expires: '2026-12-31'}\n"
    text = altered("\n  rollback: {to: best, lr_factor: 0.5, max_rollbacks: 2}", "")
    text = text.replace("action: rollback", "action: stop") + waiver
    assert "waiver.expired" not in codes(said(text))
    assert "waiver.expired" in codes(said(text, options=Options(today=date(2027, 1, 1))))
