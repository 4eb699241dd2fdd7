"""What every key means, by the name of a model or of one that it extends; `synthspec.spec.words` reads it."""

from __future__ import annotations

from collections.abc import Mapping

from synthspec.spec.word_promises import PROMISES
from synthspec.spec.word_training import TRAINING
from synthspec.spec.words import Words

_HEAD: Words = {
    "apiVersion": "The version of the language.",
    "kind": "Which of the three documents this is.",
    "metadata": "What the document is called, and who answers for it.",
}

_DOCUMENT: Mapping[str, Words] = {
    "EngineSpec": {
        **_HEAD,
        "sref": "The SRef: the path of its file, as seen from the spec. Name, version and digest of a registered one are "
        "read, and refused as long as there is no registry.",
        "data": "Where the records are from, how they are split, and what is done to them before training.",
        "engine": "What is trained.",
        "objective": "What it is trained on: one explicit measure (P405-1.measure-missing).",
        "training": "How the weights are fitted. Every spec has it, but those of backends that learn nothing.",
        "conditioning": "The variables that a sample is made for, and how closely they are followed.",
        "stability": "What is watched while training.",
        "privacy": "The mechanism with its budget, or `mechanism: none` (P405-4.mechanism-unstated).",
        "timebase": "The clocks of data with times (P405-5.timebase-missing).",
        "arrival": "Arrival times along a path, in both forms.",
        "sampling": "How many records are made, and how.",
        "acceleration": "What is done to the trained engine, one after another; the last one is released.",
        "evaluation": "What is measured, on which split.",
        "contracts": "The promises, with their numbers. There are no default thresholds.",
        "release": "What leaves the house, and in which form.",
        "waivers": "Exceptions that somebody answers for. They stand in the manifest.",
    },
    "RegisteredSRef": {
        "name": "The name of the SRef.",
        "version": "Its version.",
        "sha256": "Its digest, as 64 hexadecimal digits.",
    },
    "Metadata": {
        "name": "The name of the document; that of a spec is the name of its stream of releases.",
        "version": "Its version (semantic versioning); `review` says which step a change asks for.",
        "owner": "Who answers for it, in words for people.",
        "description": "What it is for, in words for people.",
    },
    "Waiver": {
        "id": "The code of the rule or the id of the contract that is excused. P405-4 and P405-9 cannot be.",
        "reason": "Why (waiver.reason-missing).",
        "approver": "Who answers for it (waiver.reason-missing).",
        "expires": "The last day on which it counts, as a quoted date.",
    },
    "Timebase": {
        "train_on": "The field that training and sampling stand on: `time.tau_mono` of the SRef.",
        "publish_on": "The field that is published: `time.ts` of the SRef.",
        "fit": "How offset, skew and J between the two are fitted.",
    },
    "TimeFit": {
        "method": "The estimator of the line; `median` fits the offset alone.",
        "window": "The time over which one line is fitted.",
    },
    "Arrival": {
        "forms": "Which forms of T_arr are computed; one alone is refused (P405-6.one-form).",
        "quadrature": "How they are integrated; both by the same rule (P405-6.quadrature-missing asks for it).",
    },
}

_SPLIT: Words = {
    "method": "By the keyed hash of a field, at random, along time, or as a column of the data says.",
    "key": "The field that the split goes by: of `hash` one that names the record (or its entity), of `time` tau_mono.",
    "column": "The column of the source that holds `train`, `val` or `test`.",
    "train": "Share of the records to train on. The three add up to 1.",
    "val": "Share of the records that monitors look at.",
    "test": "Share of the records that nothing sees before it is measured against.",
    "gap": "Time that is left out between one split and the next; left out, none.",
}
_DATA: Mapping[str, Words] = {
    "Data": {
        "source": "A csv, jsonl, parquet, arrow, npz or npy file, a folder of pictures, or `sklearn://NAME` for a set that "
        "scikit-learn carries (breast_cancer, diabetes, digits, iris, wine).",
        "sha256": "SHA-256 of the source; a run refuses another content. Without it the manifest still has what was read. "
        "Refused under a mechanism (P405-4.private-digest).",
        "references": "The tables that foreign keys of the SRef point into, by name.",
        "split": "Which records are trained on and which are kept back (P405-9.split-missing).",
        "transform": "How a number is put before the network, by field: by its range (linear, log), or by the training "
        "split (standard, quantile). `gmm` is refused.",
        "impute": "What gaps are filled with: a statistic of the training split for every field, or one word or "
        "`{constant: VALUE}` by field. Left out, gaps are learned.",
    },
    "Constant": {"constant": "The value: a member of the enum, or a number in the unit of the field."},
    "Reference": {
        "source": "The file of the table, like `data.source`.",
        "sha256": "SHA-256 of the file; a run refuses another content.",
        "public": "Whether nothing in it is anybody's; a mechanism asks for it.",
    },
    **dict.fromkeys(("HashSplit", "RandomSplit", "TimeSplit", "ColumnSplit"), _SPLIT),
}

_SREF: Mapping[str, Words] = {
    "SRef": {
        **_HEAD,
        "modality": "What a record is. Engines make tables, pictures and series today; the other kinds are refused by "
        "name.",
        "fields": "The fields of a record.",
        "keys": "What names a record, and what it points to (sref.pk-missing).",
        "alias_map": "Columns of the source whose name is not that of their field: `column: field`.",
        "policy": "What binding does with records that the fields do not allow as they are; left out, it refuses the "
        "source.",
        "constraints": "Rules over the fields of one record.",
        "time": "Which fields are the two clocks.",
        "path": "The path that arrival times are integrated along.",
    },
    "SRefField": {
        "name": "Its name, which expressions use. Some are taken by the standard (sref.name-collision).",
        "role": "What it is for: naming a record, being learned, being a condition, being a time, or following from other "
        "fields.",
        "dtype": "The kind of its values.",
        "shape": "The sizes of its axes, such as `[1, 8, 8]` of a picture (channels, height, width); left out, one value.",
        "unit": "What a number is measured in; `dimensionless` is written out (sref.unit-missing). Other kinds have none.",
        "dim": "Its dimension, where one wants to say it, too; it has to agree with the unit.",
        "nullable": "Whether a record may lack it. Engines learn gaps, unless `policy` or `data.impute` says otherwise.",
        "enum": "Its members. A categorical field needs them (sref.enum-missing).",
        "range": "The least and the greatest value that can be, in its unit. Runs refuse records outside and make none "
        "outside.",
        "resolution": "The step of its values, in its unit (of instants in seconds); made values are put on it.",
        "expr": "Of a derived field: the expression over other fields that it is computed by.",
        "description": "What it is, in words for people.",
    },
    "Keys": {
        "pk": "The fields that name a record together.",
        "entity": "The field that names the person, device or site that several records belong to.",
        "fk": "Foreign keys: `field: table.column`, the table being one of `data.references`.",
    },
    "Policies": {
        "nulls": "By field, what is done with a record that lacks a value: `refuse` (where nothing is said), `drop` it, "
        "`impute`.",
        "enums": "By field, what is done with a value that is no member: `refuse` (where nothing is said), `drop` the "
        "record, or `{into: MEMBER}`.",
        "orphans": "By foreign key, what is done with a record that points to nothing: `refuse` (where nothing is said), "
        "`drop` or `keep` it.",
    },
    "Into": {"into": "The member that stands for every value that is none."},
    "Constraint": {
        "id": "Its name, by which findings speak of it.",
        "expr": "An expression over fields that is true of every record (language 3).",
        "severity": "`block`: records that break it are drawn again, or moved. The others are counted.",
    },
    "TimeAnchors": {
        "tau_mono": "The field that never goes back, in a unit of time.",
        "ts": "The published time.",
        "timezone": "The zone of the published time, such as UTC (P405-5.timezone-missing).",
        "window": "The time over which one line is fitted; it has to be that of `timebase.fit`.",
    },
    "SignalPath": {
        "source": "The file of the nodes of the path, as seen from the SRef.",
        "fields": "Its columns: `ell`, or `x`, `y` and `z`; `n_eff`; `c_ref`.",
        "c_ref0": "The constant speed of reference, which form 1 divides by (P405-6.c-ref-missing).",
    },
    "PathField": {
        "name": "The name of the column.",
        "dtype": "The kind of its numbers.",
        "unit": "What they are measured in.",
        "range": "The least and the greatest value that can be, in its unit.",
    },
}

_POLICY: Mapping[str, Words] = {
    "Policy": {
        **_HEAD,
        "scope": "Which documents it governs; left out, all beside and below its folder.",
        "rules": "What has to be true of every change.",
        "allow": "Which single changes may loosen something.",
        "examples": "Changes with what the policy has to say of them; `synthspec policy test` tries them.",
    },
    "Scope": {
        "paths": "Globs from the folder that the policy governs; empty means all.",
        "labels": "Labels of the document's metadata, any of them; empty means all.",
    },
    "PolicyRule": {
        "id": "Its name, by which findings speak of it.",
        "when": "An expression of CEL; where it is plainly false the rule does not ask. Left out, it always asks.",
        "expr": "An expression of CEL; anything but true denies the change.",
        "message": "What whoever is denied reads.",
        "severity": "What a denial does; `block` fails the review.",
        "scope": "Which of the governed documents it is about; left out, all.",
    },
    "Allowance": {
        "id": "Its name, by which findings speak of it.",
        "expr": "An expression of CEL over `change`; true allows it.",
        "message": "Why it may, in words for people.",
        "scope": "Which of the governed documents it is about; left out, all.",
    },
    "PolicyExample": {
        "name": "What the example shows.",
        "spec": "The document that both sides start from, as seen from the policy.",
        "old": "Values at dotted paths of the old side; null takes one away, and `none` is a document that is new.",
        "new": "Values at dotted paths of the new side; null takes one away.",
        "denies": "The ids of the rules that deny the change.",
        "allows": "The pointers of the changes that an allowance lets pass.",
    },
}

WORDS: Mapping[str, Words] = {**_DOCUMENT, **_DATA, **_SREF, **_POLICY, **PROMISES, **TRAINING}
"""By the name of a model, or of a model that it extends: its fields."""
