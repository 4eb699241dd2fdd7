"""report.html: one file, made of the run alone, signed with it, readable by people, programs and screen readers."""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import re
import shutil
from html.parser import HTMLParser

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from synthspec.ir.manifest import Manifest
from synthspec.report.page import run_page
from synthspec.sign import Subject

FORBIDDEN = {"script", "iframe", "object", "embed", "base", "form", "video", "audio"}
SECTIONS = ["verdict", "samples", "training", "figures", "privacy", "engine", "provenance", "environment", "files"]


class Page(HTMLParser):
    """The page as its tags in order, with what is in each of them that names something."""

    def __init__(self, data: bytes) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(data.decode())
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        assert len(dict(attrs)) == len(attrs), attrs
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "link", "img", "wbr"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.text += data

    def all(self, name):
        return [attributes for tag, attributes in self.tags if tag == name]


@pytest.fixture(scope="module")
def page(marks):
    return Page((marks.folder / "report.html").read_bytes())


def subjects(run):
    files = sorted(path for path in run.folder.rglob("*") if path.is_file() and not path.name.startswith("manifest."))
    return [
        Subject(
            path.relative_to(run.folder).as_posix(), hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_size
        )
        for path in files
    ]


def rendered(run, manifest=None, plan=None):
    said = Manifest.model_validate_json(json.dumps(run.manifest if manifest is None else manifest))

    def read(name):
        data = (run.folder / name).read_bytes()
        return json.dumps(plan).encode() if name == "plan.json" and plan is not None else data

    return run_page(said, subjects(run), read)


def test_the_same_run_gives_the_same_page(cli, marks, pictures, tmp_path):
    for run in (marks, pictures):
        answer = cli("report", run.folder, "--out", "again.html", cwd=tmp_path)
        assert (answer.code, answer.out) == (0, "wrote again.html\n")
        assert (tmp_path / "again.html").read_bytes() == (run.folder / "report.html").read_bytes()
    answer = cli("report", marks.folder, "--format", "json", cwd=tmp_path)
    assert answer.json["paths"] == ["marks.html"]
    assert (tmp_path / "marks.html").is_file()


def test_the_page_is_signed_and_a_changed_one_is_refused(cli, marks, run_copy):
    assert cli("verify", run_copy, cwd=run_copy.parent).code == 0
    path = run_copy / "report.html"
    path.write_bytes(path.read_bytes().replace(b"PASS", b"Pass", 1))
    answer = cli("verify", run_copy, "--format", "json", cwd=run_copy.parent)
    assert [(each["code"], each["where"]) for each in answer.json["refusals"]] == [("DIGEST", "report.html")]


def test_report_writes_nothing_for_a_run_that_does_not_verify(cli, run_copy):
    (run_copy / "overview.json").write_text("{}")
    answer = cli("report", run_copy, cwd=run_copy.parent)
    assert answer.code == 1
    assert answer.err.splitlines()[-1] == "report: REFUSED: the manifest does not verify"
    assert not list(run_copy.parent.glob("*.html"))


def test_report_writes_into_no_signed_folder_and_needs_one(cli, run_copy):
    answer = cli("report", run_copy, "--out", run_copy / "more.html", cwd=run_copy.parent)
    assert answer.code == 2
    assert "no longer verify" in answer.err
    assert not (run_copy / "more.html").exists()
    assert cli("report", run_copy.parent / "none", cwd=run_copy.parent).code == 2


def test_the_policy_of_the_page_forbids_every_request(marks, page):
    text = (marks.folder / "report.html").read_text(encoding="utf-8")
    (sheet,) = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(sheet.encode()).digest()).decode()
    (policy,) = [each["content"] for each in page.all("meta") if each.get("http-equiv") == "Content-Security-Policy"]
    assert policy.split("; ") == [
        "default-src 'none'",
        f"style-src 'sha256-{digest}'",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
    ]
    assert "url(" not in sheet
    assert "@import" not in sheet


@pytest.mark.parametrize("name", ["marks", "pictures"])
def test_nothing_in_the_page_leads_out_of_it_or_runs(name, request):
    found = Page((request.getfixturevalue(name).folder / "report.html").read_bytes())
    idents = [attributes["id"] for _, attributes in found.tags if "id" in attributes]
    assert len(set(idents)) == len(idents)
    for tag, attributes in found.tags:
        assert tag not in FORBIDDEN
        assert not {key for key in attributes if key.startswith("on") or key == "style"}, attributes
        for key in ("href", "src", "xlink:href"):
            value = attributes.get(key) or ""
            assert not value or value.startswith("data:") or value.removeprefix("#") in idents, value
        assert set((attributes.get("aria-labelledby") or "").split()) <= set(idents)


@pytest.mark.parametrize("name", ["marks", "pictures"])
def test_the_page_is_built_for_keyboards_and_screen_readers(name, request):
    found = Page((request.getfixturevalue(name).folder / "report.html").read_bytes())
    names = [tag for tag, _ in found.tags]
    for landmark in ("header", "nav", "main", "footer", "h1", "title"):
        assert names.count(landmark) == (1 + names.count("svg") if landmark == "title" else 1), landmark
    levels = [int(tag[1]) for tag in names if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert all(b - a <= 1 for a, b in itertools.pairwise(levels))
    assert [each["id"] for each in found.all("section")] == SECTIONS
    assert names.count("caption") == names.count("table")
    assert all(each["scope"] in ("col", "row") for each in found.all("th"))
    assert all(each["alt"] for each in found.all("img"))
    assert names.count("svg") == names.count("desc")
    assert all(each["role"] == "img" and each["aria-labelledby"] for each in found.all("svg"))
    assert found.all("html")[0]["lang"] == "en"
    assert found.all("a")[0]["href"] == "#verdict"


def test_every_contract_figure_file_seed_and_node_is_told(marks, page):
    manifest = marks.manifest
    told = [entry["id"] for entry in manifest["contracts"]] + [each["name"] for each in manifest["metrics"]]
    told += [node["node"] for node in manifest["dag"]] + list(manifest["environment"]["packages"])
    told += [each.name for each in subjects(marks) if each.name != "report.html"]
    told += [each.sha256 for each in subjects(marks) if each.name != "report.html"]
    told += [*list(manifest["randomness"]["seeds"].values()), "mechanism: none", "Of 200 synthetic records"]
    for each in told:
        assert each in page.text, each
    assert "PASS" in page.text
    assert "Restricted" not in page.text


def test_pictures_are_in_the_page_and_a_failure_is_the_first_word(pictures):
    found = Page((pictures.folder / "report.html").read_bytes())
    (image,) = found.all("img")
    assert (
        base64.b64decode(image["src"].removeprefix("data:image/png;base64,"))
        == (pictures.folder / "samples.png").read_bytes()
    )
    assert found.text.index("FAIL") < found.text.index("C40-511")
    assert "broken" in found.text


def leaves(value, path=()):
    """Every string of a tree, with where it stands."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        if isinstance(inner, str):
            yield (*path, key)
        else:
            yield from leaves(inner, (*path, key))


def put(tree, path, value):
    for key in path[:-1]:
        tree = tree[key]
    tree[path[-1]] = value


def test_what_is_not_held_comes_with_its_action_plan(marks):
    manifest = json.loads(json.dumps(marks.manifest))
    kept, lost = manifest["contracts"][0], next(each for each in manifest["contracts"] if each["id"] == "C40-516")
    assert "What the spec says to do" not in Page(rendered(marks, manifest)).text
    kept["action_plan"], lost["action_plan"], lost["result"] = "rest", "<b>train less</b>", "broken"
    _, told = Page(rendered(marks, manifest)).text.split("What the spec says to do about contracts that are not held")
    assert told.startswith("ContractAction planC40-516<b>train less</b>")


HOSTILE = [
    "</title></style><script>alert(1)</script>",
    "\" onload='x' x=\"",
    "<img src=//evil>",
    "-->]]>{}",
    "\u202ex\0",
]


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_what_others_wrote_becomes_no_markup(marks, data):
    """Every string that the manifest leaves free, and the plan's names, may be anything: the tags stay the same."""
    hostile = data.draw(st.sampled_from(HOSTILE) | st.text("<>\"'&/= ax\n", min_size=1, max_size=12))
    manifest = json.loads(json.dumps(marks.manifest))
    for entry in manifest["contracts"]:
        entry["reason"] = entry["reason"] or "plain"
    for metric in manifest["metrics"]:
        metric["reason"], metric["label"] = "plain", "plain"
    manifest["waivers"] = [{"id": "plain", "reason": "plain", "approver": "plain", "expires": "2030-01-01"}]
    manifest["overrides"] = [{"path": "plain", "value": "plain"}]
    plan = json.loads((marks.folder / "plan.json").read_bytes())
    benign = json.loads(json.dumps(manifest))
    changed = 0
    for path in leaves(manifest):
        if path[-1] in CHECKED or path[0] in ("verdict", "sign", "schemaVersion", "version", "privacy"):
            continue
        put(manifest, path, hostile)
        put(benign, path, "plain")
        changed += 1
    manifest["environment"]["packages"][hostile] = benign["environment"]["packages"]["plain"] = "plain"
    assert changed > 200
    plan["name"] = plan["spec"]["metadata"]["owner"] = hostile
    seen = Page(rendered(marks, manifest, plan)), Page(rendered(marks, benign))
    tags = [[(tag, sorted(more)) for tag, more in each.tags if tag != "wbr"] for each in seen]
    assert tags[0] == tags[1]


CHECKED = {
    "sha256", "key", "timestamp", "createdAt", "expiresAt", "canonicalDigest", "sref_hash", "key_id", "kind", "id", "severity",
    "result", "relation", "at", "split", "modality", "type", "seed", "family", "measure", "equation", "interface",
    "cfg_convention", "mechanism", "expires", "training", "sampling", "distribution", "metric", "name", "limit", "node",
    "on_gap", "policy", "released",
}  # fmt: skip
"""What the manifest's own models, or the page's order of sections, leave no freedom in; `name` is tried by the plan's."""


def private(manifest, eps):
    """The manifest as it would be under a mechanism."""
    spent = {
        "eps_total": eps, "delta_total": 1e-5, "accounting_method": "pld", "adjacency": "add_remove", "unit": "patient",
        "steps": 40, "accesses": {"gradients": "ledger"},
    }  # fmt: skip
    manifest["privacy"] = {"mechanism": "dp-sgd", "dp": spent, "attack_suite": []}
    return manifest


def test_under_a_mechanism_the_page_says_that_it_is_restricted_and_what_is_covered(marks):
    text = Page(rendered(marks, private(marks.manifest, 2.71831))).text
    assert text.index("Restricted.") < text.index("Verdict")
    assert "(epsilon = 2.719, delta = 1e-05)-differentially private (dp-sgd)" in text
    assert "one of them has one patient more than the other (adjacency: add_remove)" in text
    assert "over 40 noisy releases" in text
    assert "Not covered: the figures" in text


def test_a_mechanism_that_guarantees_nothing_is_said_to(marks):
    text = Page(rendered(marks, private(marks.manifest, "inf"))).text
    assert "guarantees nothing: no finite epsilon" in text
    assert "differentially private (dp-sgd)" not in text


def test_a_private_run_has_the_same_page_again_which_tells_what_it_does_not_list(cli, private, tmp_path):
    """`private` here is the folder of a run: its public half is made after the page, and signed with it."""
    answer = cli("report", private, "--out", "again.html", cwd=tmp_path)
    assert answer.code == 0, answer.err
    assert (tmp_path / "again.html").read_bytes() == (private / "report.html").read_bytes()
    text = Page((private / "report.html").read_bytes()).text
    signed = {path.relative_to(private).as_posix() for path in private.rglob("*") if path.is_file()}
    unsigned = {"manifest.json", "manifest.sigstore.json", "report.html"}
    assert [name for name in sorted(signed - unsigned) if name not in text] == []
    assert "not listed is this page, which cannot hold its own digest" in text
    assert json.loads((private / "manifest.public.json").read_text())["dataset"]["n_real"] == 398
    assert "398 (privacy.dataset_size)" in text
    assert "Real records, all splits" in text


def test_a_run_from_before_there_were_pages_has_one(marks, tmp_path):
    folder = shutil.copytree(marks.folder, tmp_path / "old")
    listed = [each for each in subjects(marks) if each.name not in ("report.html", "overview.json", "training.jsonl")]
    said = Manifest.model_validate_json(json.dumps(marks.manifest))
    found = Page(run_page(said, listed, lambda name: (folder / name).read_bytes()))
    assert "Shares by value" not in found.text
    assert [each["id"] for each in found.all("section")] == SECTIONS
