"""Codes of the reader: what is refused before a document means anything."""

from __future__ import annotations

from synthspec.rules.documented.form import Documented, documented

CODES: tuple[Documented, ...] = (
    documented(
        "syntax.yaml",
        "parse",
        "The text is no YAML.",
        why=("A parser that guesses what a broken line meant may guess wrong; the place is named and nothing is read."),
        bad="seed: [1, 2",
        good="seed: [1, 2]",
        refs="language 1",
    ),
    documented(
        "syntax.duplicate-key",
        "parse",
        "A key is written twice.",
        why="Most readers take the last one without a word, so a reviewer who sees the first is deceived.",
        bad="{seed: 1, seed: 2}",
        good="{seed: 1}",
        refs="language 1",
    ),
    documented(
        "syntax.ambiguous-scalar",
        "parse",
        "The scalar is read differently by different versions of YAML.",
        why=(
            "no, 010 and 1:30 are a boolean, an octal and a number of base 60 in YAML 1.1, and text or "
            "decimals in 1.2. Quotes say what is meant."
        ),
        bad="owner: no",
        good='owner: "no"',
        refs="language 1",
    ),
    documented(
        "syntax.tag",
        "parse",
        "A tag asks for a type of its own.",
        why="Tags are how YAML files make a program build objects. A spec is plain data.",
        bad="seed: !!python/int 1",
        good="seed: 1",
        refs="language 1",
    ),
    documented(
        "syntax.alias",
        "parse",
        "An anchor, alias or merge key is used.",
        why=(
            "What is written in one place would hold in another: a line cannot be reviewed on its own, "
            "and a small file can expand without end."
        ),
        bad="training: *defaults",
        good="training: {epochs: 60}",
        refs="language 1",
    ),
    documented(
        "syntax.too-deep",
        "parse",
        "The document is nested too deeply.",
        why=("Nothing of the language is nested 64 deep; such a file is an accident or an attack on the reader."),
        bad="[[[[...]]]]",
        good="[]",
        refs="language 1",
    ),
    documented(
        "syntax.too-large",
        "parse",
        "The file, or a scalar in it, is too large.",
        why=(
            "At most 1 MiB and 50,000 nodes are read, so that checking a spec stays quick. Data belong "
            "in files of their own."
        ),
        bad='source: "<2 MB of CSV>"',
        good="source: measurements.csv",
        refs="language 1",
    ),
    documented(
        "syntax.encoding",
        "parse",
        "The file is no UTF-8, or holds characters that cannot be seen.",
        why="Bidirectional overrides and invisible characters make a text read otherwise than it is.",
        bad='owner: "imag\\u202eing"',
        good="owner: imaging",
        refs="language 1",
    ),
    documented(
        "syntax.multi-document",
        "parse",
        "There is more than one document in the file.",
        why="One file is one spec: its digest, its findings and its manifest belong to one document.",
        bad="---\nkind: SRef\n---\nkind: EngineSpec",
        good="kind: EngineSpec",
        refs="language 1",
    ),
)
