"""The program in this process, in a folder of its own with the digits example."""

import contextlib
import io
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import pytest

EXAMPLE = Path(__file__).parents[3] / "examples" / "digits-diffusion"


@dataclass(frozen=True)
class Answer:
    code: int
    out: str
    err: str


@pytest.fixture
def folder(tmp_path):
    """A copy of the example."""
    for file in EXAMPLE.glob("*.yaml"):
        shutil.copyfile(file, tmp_path / file.name)
    return tmp_path


@pytest.fixture
def program(folder):
    """`program(*words, stdin=b"")` runs the program in `folder`."""
    from synthspec.cli.main import run

    def call(*words, stdin=b""):
        out, err, code = io.StringIO(), io.StringIO(), 0
        with (
            contextlib.chdir(folder),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
            mock.patch.object(sys, "argv", ["synthspec", *map(str, words)]),
            mock.patch.object(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin))),
        ):
            try:
                run()
            except SystemExit as leaving:
                code = leaving.code or 0
        return Answer(code, out.getvalue(), err.getvalue())

    return call
