"""An op in a process of its own, which remembers nothing (C40-519)."""

import io
import json
import subprocess
import sys
from types import SimpleNamespace

import pytest

from synthspec.backend.discovery import installed
from synthspec.backend.protocol import Artifact, Context, DataError
from synthspec.execute import fresh
from synthspec.ir.ops import Bind
from synthspec.ir.schema import Schema

OP = Bind(source="a.csv", schema=Schema(modality="tabular", fields=()))


class Silent:
    def start(self, label, total, unit): ...

    def advance(self, count=1, note=""): ...


@pytest.fixture
def context(tmp_path):
    return Context(
        out=tmp_path / "out", root=tmp_path, workers=3, batch=128, progress=Silent(), secret=tmp_path / "seeds"
    )


@pytest.fixture
def in_here(monkeypatch):
    """Serve the request in this process, with one backend whose only kernel is given."""

    def serving(kernel):
        backend = SimpleNamespace(kernels=lambda: {"bind": kernel})
        monkeypatch.setattr(fresh, "installed", lambda: {"mine": backend})

        def run(words, *, input, **_):  # noqa: A002 - as subprocess.run calls it
            assert words[:3] == [sys.executable, "-P", "-c"]
            said = io.StringIO()
            monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(input)))
            monkeypatch.setattr(sys, "stdout", said)
            code = fresh.main()
            return subprocess.CompletedProcess(words, code, said.getvalue().encode(), b"")

        monkeypatch.setattr(subprocess, "run", run)

    return serving


def test_the_kernel_gets_what_it_would_have_got_here(context, in_here, tmp_path):
    got = []
    in_here(lambda *arguments: got.append(arguments))
    inputs = {"data": Artifact(tmp_path, ("a", "b"))}
    fresh.compute_fresh(OP, "mine", inputs, context)
    op, artifacts, told = got[0]
    assert (op, artifacts) == (OP, inputs)
    assert (told.out, told.root, told.workers, told.secret) == (context.out, context.root, 3, context.secret)
    assert told.batch == 128
    assert (told.fresh, context.fresh) == (True, False)


def test_a_fault_in_the_data_comes_back_as_one(context, in_here):
    def kernel(*_):
        raise DataError("data.x", "what is wrong", "what to do")

    in_here(kernel)
    with pytest.raises(DataError) as error:
        fresh.compute_fresh(OP, "mine", {}, context)
    assert (error.value.code, error.value.message, error.value.help) == ("data.x", "what is wrong", "what to do")


def test_another_fault_comes_back_with_its_traceback(context):
    with pytest.raises(RuntimeError, match="KeyError: 'bind'"):
        fresh.compute_fresh(OP, "null", {}, context)


def test_a_backend_that_somebody_made_here_is_not_looked_for_elsewhere():
    assert fresh.found_again(installed()["null"])
    assert not fresh.found_again(SimpleNamespace(name="null"))
    assert not fresh.found_again(SimpleNamespace(name="nobody"))


def test_what_is_asked_is_plain_json(context, monkeypatch):
    asked = []

    def run(words, *, input, **_):  # noqa: A002 - as subprocess.run calls it
        asked.append(json.loads(input))
        return subprocess.CompletedProcess(words, 0, b"", b"")

    monkeypatch.setattr(subprocess, "run", run)
    fresh.compute_fresh(OP, "null", {}, context)
    assert asked[0]["op"]["source"] == "a.csv"
