"""The page about the bindings is run, cell after cell, as a reader would."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[3] / "docs" / "bindings.md"


def test_every_cell_of_the_page_runs(tmp_path, monkeypatch):
    pytest.importorskip("torch")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SYNTHSPEC_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setenv("SYNTHSPEC_STATE_DIR", str(tmp_path / "state"))
    text = PAGE.read_text(encoding="utf-8")
    cells = [
        (match[1], text.count("\n", 0, match.start(1)))
        for match in re.finditer(r"```python\n(.*?)```", text, re.DOTALL)
    ]
    assert len(cells) > 5
    names: dict[str, object] = {"__name__": "page"}
    for cell, line in cells:
        exec(compile("\n" * line + cell, str(PAGE), "exec"), names)
    assert (tmp_path / "release" / "manifest.sigstore.json").is_file()
