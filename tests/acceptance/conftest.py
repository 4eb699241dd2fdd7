"""The program as its users meet it: called in this process where that says the same, over a small table and the digits.

Everything is written below pytest's own folders; the development key lives in a configuration folder of its own.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import io
import json
import random
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import rfc8785

HERE = Path(__file__).parent
EXAMPLES = HERE.parents[1] / "examples"
BUNDLE = "manifest.sigstore.json"


@dataclass(frozen=True)
class Answer:
    """What a call of the program came to."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class Run:
    """A finished run that tests share: do not change its folder or its store, copy them."""

    folder: Path
    store: Path
    answer: Answer

    @property
    def manifest(self) -> Any:
        return json.loads((self.folder / "manifest.json").read_bytes())


def call(*words: object, cwd: Path, stdin: bytes = b"") -> Answer:
    """`synthspec WORDS` in the folder `cwd`, through the console script's own function."""
    from synthspec.cli.main import run

    out, err = io.StringIO(), io.StringIO()
    code: object = 0
    with (
        contextlib.chdir(cwd),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        mock.patch.object(sys, "argv", ["synthspec", *map(str, words)]),
        mock.patch.object(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin))),
    ):
        try:
            run()
        except SystemExit as leaving:
            code = leaving.code or 0
    assert isinstance(code, int), code
    return Answer(code, out.getvalue(), err.getvalue())


@pytest.fixture(scope="session")
def cli():
    return call


@pytest.fixture(scope="session", autouse=True)
def config(tmp_path_factory):
    """The configuration folder; the first run makes the development key in it."""
    folder = tmp_path_factory.mktemp("config")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SYNTHSPEC_CONFIG_DIR", str(folder))
        patch.setenv("SYNTHSPEC_STATE_DIR", str(tmp_path_factory.mktemp("state")))
        for name in ("SYNTHSPEC_STORE", "SOURCE_DATE_EPOCH", "NO_COLOR", "FORCE_COLOR"):
            patch.delenv(name, raising=False)
        yield folder


def lay_out(folder: Path) -> Path:
    """Put the small project into `folder`: a spec, its SRef, and 400 records drawn uniformly."""
    for name in ("marks.yaml", "marks.sref.yaml"):
        shutil.copy(HERE / "project" / name, folder / name)
    draw = random.Random(5)
    rows = [f"{rid},{draw.uniform(0, 1):.6f},{draw.uniform(-2, 2):.6f},{draw.choice('ab')}" for rid in range(400)]
    (folder / "marks.csv").write_text("\n".join(["rid,x,y,kind", *rows, ""]), encoding="utf-8")
    return folder


@pytest.fixture
def project(tmp_path):
    """A project of the test's own."""
    folder = tmp_path / "project"
    folder.mkdir()
    return lay_out(folder)


@pytest.fixture
def spec(project):
    return project / "marks.yaml"


@pytest.fixture(scope="session")
def examples(tmp_path_factory):
    """The normative examples, where nothing written beside them would be noticed in the repository."""
    return shutil.copytree(EXAMPLES, tmp_path_factory.mktemp("examples") / "examples")


@pytest.fixture(scope="session")
def marks(tmp_path_factory):
    """A run of the small project that holds all its contracts."""
    folder = lay_out(tmp_path_factory.mktemp("marks"))
    answer = call("run", "marks.yaml", "--store", "store", "--out", "run", cwd=folder)
    assert answer.code == 0, answer.err + answer.out
    return Run(folder / "run", folder / "store", answer)


@pytest.fixture(scope="session")
def pictures(tmp_path_factory, examples):
    """The demo's spec without training: every figure is measured, fidelity is broken."""
    folder = tmp_path_factory.mktemp("pictures")
    spec = examples / "digits-diffusion" / "spec.yaml"
    answer = call(
        "run", spec, "--set", 'engine.backend="null"', "--store", folder / "store", "--out", folder / "run", cwd=folder
    )
    return Run(folder / "run", folder / "store", answer)


@pytest.fixture(scope="session")
def private(tmp_path_factory, examples):
    """The folder of a short run under DP-SGD with an audit and exports: it holds no contract of fidelity."""
    pytest.importorskip("torch")
    house = tmp_path_factory.mktemp("house")
    spec = examples / "cancer-dp-vae" / "spec.yaml"
    changes = (
        "privacy.steps=40",
        "sampling.n=16",
        "release={licence: CC0-1.0, exports: [croissant, ml_bom, ro_crate]}",
    )
    words = [word for change in changes for word in ("--set", change)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SYNTHSPEC_STATE_DIR", str(house / "state"))
        words += ["--quiet", "--audit", "--store", str(house / "store"), "--out", str(house / "run")]
        answer = call("run", spec, *words, cwd=house)
    assert answer.code in (0, 1), answer.out + answer.err
    return house / "run"


@pytest.fixture
def run_copy(marks, tmp_path):
    """A copy of the good run, to be tampered with."""
    return shutil.copytree(marks.folder, tmp_path / "run")


@pytest.fixture
def store_copy(marks, tmp_path):
    return shutil.copytree(marks.store, tmp_path / "store")


@pytest.fixture
def found(cli):
    """What `verify` refuses in a folder, each refusal with its place; its answer and its exit code agree with them."""

    def refusals(folder: Path, *words: str) -> set[tuple[str, str]]:
        answer = cli("verify", folder, "--format", "json", *words, cwd=folder.parent)
        said = answer.json
        assert said["authentic"] == (not said["refusals"])
        assert answer.code in ((1, 2) if said["refusals"] else (0,))
        return {(each["code"], each["where"]) for each in said["refusals"]}

    return refusals


@pytest.fixture
def resign(config):
    """Change the statement of a run and sign it anew, digests and readable copy included."""
    from synthspec.sign import SigningKey, development_key
    from synthspec.sign.bundle import PAYLOAD_TYPE, bundle_bytes
    from synthspec.sign.pae import pae

    key = development_key(config)
    assert isinstance(key, SigningKey)

    def again(folder: Path, change: Callable[[dict], object] = lambda _: None) -> None:
        statement = json.loads(base64.b64decode(json.loads((folder / BUNDLE).read_bytes())["dsseEnvelope"]["payload"]))
        statement["subject"] = [each for each in statement["subject"] if (folder / each["name"]).exists()]
        for subject in statement["subject"]:
            data = (folder / subject["name"]).read_bytes()
            subject["digest"]["sha256"] = hashlib.sha256(data).hexdigest()
            for annotated in (subject, subject.get("annotations", {})):
                if "size" in annotated:
                    annotated["size"] = type(annotated["size"])(len(data))
        named = statement["predicate"]["spec"]
        named["digest"] = next(
            (each["digest"] for each in statement["subject"] if each["name"] == named["name"]), named["digest"]
        )
        change(statement)
        payload = rfc8785.dumps(statement)
        (folder / BUNDLE).write_bytes(bundle_bytes(payload, key.sign(pae(PAYLOAD_TYPE, payload)), key.key_id))
        (folder / "manifest.json").write_bytes(rfc8785.dumps(statement["predicate"]))

    return again
