"""Codes of the models: what a document must look like, and what it may name."""

from __future__ import annotations

from synthspec.rules.documented.form import Documented, documented

CODES: tuple[Documented, ...] = (
    documented(
        "schema.unknown-key",
        "parse, resolve",
        "There is no such key here.",
        why=("A misspelt key that is passed over leaves the default in force while the author believes otherwise."),
        bad="training: {seeed: 1}",
        good="training: {seed: 1}",
        refs="language 1; language 4",
    ),
    documented(
        "schema.wrong-type",
        "parse, resolve",
        "The value is of another type.",
        why="A number in quotes is text. Converting it would accept what nobody meant.",
        bad='eps_budget: "4"',
        good="eps_budget: 4.0",
        refs="language 1; language 4",
    ),
    documented(
        "schema.version",
        "parse, resolve",
        "The document is written for another version of the language.",
        why="Keys change their meaning between versions; a document is read by the version it names.",
        bad="apiVersion: synthspec/v0",
        good="apiVersion: synthspec/v1",
        refs="language 1; language 4",
    ),
    documented(
        "schema.path-escape",
        "parse, resolve",
        "A path leaves the root of the spec.",
        why=(
            "A spec that somebody else wrote must not read files outside of its own folder. Symbolic "
            "links are followed first."
        ),
        bad="source: ../../etc/passwd",
        good="source: measurements.csv",
        refs="language 1; language 4",
    ),
    documented(
        "schema.not-found",
        "parse, resolve",
        "What is named is not there.",
        why="Files, fields and data sets are looked up before anything is trained.",
        bad="sref: digit.sref.yaml",
        good="sref: digits.sref.yaml",
        refs="language 1; language 4",
    ),
)
