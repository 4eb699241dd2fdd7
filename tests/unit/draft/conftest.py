"""Tables to draft from, and drafts with the numbers that only a person has."""

from __future__ import annotations

import csv

import pytest

from synthspec.draft.making import Asked, draft


@pytest.fixture
def drafted(tmp_path, monkeypatch):
    """`drafted(columns)` writes a csv of columns by header and drafts from it; `more` goes into `Asked`."""
    monkeypatch.chdir(tmp_path)

    def call(columns, **more):
        with (tmp_path / "table.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(columns)
            writer.writerows(zip(*columns.values(), strict=True))
        return draft(Asked(name="mine", table="table.csv", source="table.csv", **more))

    return call


@pytest.fixture
def fields(drafted):
    """`fields(columns)` is the drafted fields by column; what was left out is the reason."""

    def call(columns, **more):
        made = drafted(columns, **more).value
        assert made is not None
        return {each.heading.column: each for each in (made.key, *made.fields)} | {
            each.column: each.why for each in made.left_out
        }

    return call
