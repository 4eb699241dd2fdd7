"""The direction of every field of the surface language, model by model; `synthspec.spec.guards` says what the words mean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

from synthspec.spec.evaluation import Contract
from synthspec.spec.guard_training import TRAINING
from synthspec.spec.guards import (
    Fields,
    answers,
    down,
    entries,
    free,
    items,
    law,
    members,
    pin,
    review,
    scale,
    section,
    up,
)

_FORM = free("it says how the document is to be read")
_TEXT = free("words for people")
_SWITCH = "it chooses which other fields there are"

_DOCUMENT: Mapping[str, Fields] = {
    "EngineSpec": {
        "apiVersion": _FORM,
        "kind": _FORM,
        "metadata": section(),
        "sref": law("schema", "high", unknown="review.schema-changed"),
        "data": section(),
        "engine": section(),
        "objective": section("high", absent="review"),
        "training": section(absent="review"),
        "conditioning": section(absent="empty"),
        "stability": section(absent="empty"),
        "privacy": section("high"),
        "timebase": section(),
        "arrival": section(),
        "sampling": section(),
        "acceleration": items("medium", "", "kind"),
        "evaluation": section("high", absent="empty"),
        "contracts": section("high", absent="empty"),
        "release": section(absent="empty"),
        "waivers": items("high", "more", "id", loosened="review.waiver-added"),
    },
    "Metadata": {
        "name": review("under another name it is another engine", "low"),
        "version": free("it is judged as the step that the changes ask for"),
        "owner": _TEXT,
        "description": _TEXT,
        "labels": members("medium", "fewer", absent="loose"),
    },
    "RegisteredSRef": {
        "name": free("the schemas themselves are compared"),
        "version": free("the schemas themselves are compared"),
        "sha256": free("the schemas themselves are compared"),
    },
    "Waiver": {
        "id": review(_SWITCH, "high"),
        "reason": review("the exception is made for another reason", "low"),
        "approver": review("somebody else answers for it"),
        "expires": law("end", "high", loosened="review.waiver-extended"),
    },
}

_SPLIT: Fields = {
    "method": review("records fall into other splits", "high", "review.split-changed"),
    "key": review("records fall into other splits", "high", "review.split-changed"),
    "column": review("records fall into other splits", "high", "review.split-changed"),
    "train": free("what is left for val and test is guarded there"),
    "val": down("medium", loosened="review.split-changed"),
    "test": down("high", loosened="review.split-changed"),
    "seed": review("another draw of the test records", "high", "review.split-changed"),
    "gap": down("high", loosened="review.split-changed"),
}

_DATA: Mapping[str, Fields] = {
    "Data": {
        "source": review("it reads other data", "high", "review.source-changed"),
        "sha256": pin("high", unknown="review.source-changed", loosened="review.source-changed"),
        "references": entries("medium", ""),
        "split": section("high", loosened="review.split-changed"),
        "transform": law("transform"),
        "impute": law("transform", "medium"),
    },
    "Constant": {"constant": review("gaps are filled with another value")},
    "Reference": {
        "source": review("foreign keys are looked up in another table", "high", "review.source-changed"),
        "sha256": pin("high", unknown="review.source-changed", loosened="review.source-changed"),
        "public": scale("false", "true", risk="high"),
    },
    "HashSplit": _SPLIT,
    "RandomSplit": _SPLIT,
    "TimeSplit": _SPLIT,
    "ColumnSplit": _SPLIT,
}

_CONDITION: Mapping[str, Fields] = {
    "Conditioning": {
        "variables": entries("medium", "more", loosened="review.condition-widened"),
        "guidance": section("medium", absent="tight"),
        "rejection": section("medium"),
        "projection": section("medium", absent="tight"),
    },
    "Variable": {
        "interface": review("the condition means something else"),
        "distribution": law("distribution", "medium", loosened="review.condition-widened"),
        "coverage_min": down("medium"),
    },
    "Guidance": {
        "w_cfg": up("low"),
        "cfg_max": up("medium"),
        "drop_rate": free("how the unconditional model is trained; what comes out is measured"),
        "schedule": review("guidance acts at other times", "low"),
    },
    "IntervalGuidance": {"name": free(_SWITCH), "low": down("low"), "high": up("low")},
    "LinearGuidance": {"name": free(_SWITCH), "start": up("low"), "end": up("low")},
    "Rejection": {"max_attempts": up("medium")},
    "Projection": {"max_cost": up("medium")},
}

_PRIVACY_SHARED: Fields = {
    "mechanism": scale(
        ("dp-sgd", "pate", "dp-noise"),
        "none",
        risk="high",
        loosened="review.dp-off",
        unknown="review.mechanism-changed",
    ),
    "unit": law("privacy_unit", "high"),
    "max_contributions": up("high", absent="review"),
    "adjacency": scale("replace_one", "add_remove", "zero_out", risk="high"),
    "dataset_size": section("medium", absent="review"),
    "sampling": section("high", absent="review"),
    "steps": up("high", absent="review"),
    "clip": section("high"),
    "noise": section("high"),
    "normalizer": law("constant", "medium", absent="review"),
    "accountant": law("constant", "high"),
    "eps_budget": up("high"),
    "delta": up("high"),
    "bounds": scale("sref", "data", risk="high"),
    "ledger": pin("high"),
    "multiplicity": law("multiplicity", "high"),
    "teachers": law("constant", "high", absent="review"),
    "partition": scale("disjoint", "overlapping", risk="high"),
    "aggregation": review("other noise on other votes", "high"),
    "queries": up("high", absent="review"),
    "report": scale("data_independent", "data_dependent", risk="high"),
    "statistics": members("high", "more", absent="tight"),
    "condition_histogram": section("high", absent="tight"),
    "imputation": section("high", absent="tight"),
    "records": free("how many records are drawn of what was released already"),
    "sensitivity": law("sensitivity", "high"),
}

_PRIVACY: Mapping[str, Fields] = {
    "NoMechanism": _PRIVACY_SHARED,
    "UnstatedMechanism": _PRIVACY_SHARED,
    "DpSgd": _PRIVACY_SHARED,
    "ConditionHistogram": {"multiplier": down("high")},
    "NoisyImputation": {"multiplier": down("high")},
    "Pate": _PRIVACY_SHARED,
    "DpNoise": _PRIVACY_SHARED,
    "DatasetSize": {
        "public": scale("false", "true", risk="high"),
        "value": review("another number is called public"),
    },
    "PrivateSampling": {
        "scheme": review("records are drawn otherwise", "high"),
        "rate": up("high", absent="review"),
        "on_empty": review("an empty draw is answered otherwise", "high"),
        "by": review("records are weighted by something else", "high"),
    },
    "Clip": {
        "norm": up("high"),
        "per": scale("entity", "record", "batch", risk="high"),
        "scope": review("other parts are clipped together", "medium"),
        "nonfinite": _FORM,
    },
    "Noise": {
        "multiplier": law("multiplier", "high"),
        "rng": _FORM,
        "dtype": scale("float64", "float32", risk="medium"),
        "seed": pin("high", absent="tight"),
        "per": scale("step", "microbatch", risk="high"),
    },
    "PublicNormalizer": {"public_constant": review("another constant is called public")},
    "Accountant": {
        "kind": review("eps is computed otherwise", "high"),
        "neighbours": scale("replace_one", "add_remove", "zero_out", risk="high", absent="review"),
    },
    "Multiplicity": {
        "k": free("draws of one record are averaged before its one clip"),
        "clip": scale("after", "each", risk="high"),
    },
}

_EVALUATION: Mapping[str, Fields] = {
    "Evaluation": {
        "reference": scale("test", "val", "train", risk="high"),
        "features": section("medium", absent="review"),
        "metrics": members("medium", "fewer", loosened="review.metric-removed", both="review.metric-removed"),
        "membership_attack": section("high"),
        "target": review("utility is measured on another field"),
        "replay_share": down("medium"),
        "disclosure": scale("restricted", "public", risk="high"),
    },
    "Features": {
        "name": review("distances are taken in another space", "high"),
        "weights": review("distances are taken in another space", "high"),
        "sha256": pin("high"),
        "entry": review("distances are taken in another space", "high"),
        "provenance": scale("public", "private", risk="high"),
        "id": review("features rest on other weights", "high"),
    },
    "MembershipAttack": {
        "members": scale("train", ("val", "test"), risk="high"),
        "non_members": scale(("val", "test"), "train", risk="high"),
        "knows": scale("engine", "samples", risk="high"),
    },
}

_THRESHOLDS: Fields = {
    name: down("high") if name.endswith("_min") else up("high")
    for contract in get_args(Contract)
    for name in contract.model_fields
    if name.startswith(("tol_", "SLO_")) or name.endswith(("_min", "_max", "_budget"))
}
"""The language names its thresholds by what they are: ``_min`` is a floor, anything else a tolerance, a budget or a cap."""

_CONTRACTS: Mapping[str, Fields] = {
    "Contracts": {f"c40_{number}": section("high", loosened="review.contract-removed") for number in range(511, 520)},
    "_Contract": {
        **_THRESHOLDS,
        "severity": scale("block", "warn", "info", risk="high", loosened="review.contract-downgraded"),
        "action_plan": review("another answer to a breach", "low"),
        "tol_source": review("the number is justified otherwise", "low"),
        "publish": scale("verdict", "", "mi_value", risk="high"),
    },
}

_RELEASE: Mapping[str, Fields] = {
    "Release": {
        "licence": review("others may do other things with it"),
        "near_copies": section("high"),
        "watermark": section("medium"),
        "format": free("the same records in another container"),
        "provenance": scale("embedded", "", "sidecar", "none", risk="low"),
        "exports": free("the same facts for other tools"),
        "max_age_days": up("low"),
    },
    "NearCopies": {
        "tau_nn": down("high"),
        "action": scale(("remove", "resample"), "report", risk="high"),
    },
    "Watermark": {
        "method": _FORM,
        "candidates": down("low"),
        "alpha": up("low"),
        "key": review("marks are told by another key"),
    },
    "Timebase": {
        "train_on": review("series are trained on another clock", "high"),
        "publish_on": review("series are published on another clock", "high"),
        "fit": section(absent="review"),
    },
    "TimeFit": {
        "method": review("offset, skew and J are fitted otherwise"),
        "window": review("offset, skew and J are fitted over another time"),
    },
    "Arrival": {
        "forms": scale("both", ("form1", "form2"), risk="high"),
        "quadrature": review("the forms are integrated otherwise"),
    },
}

_SREF: Mapping[str, Fields] = {
    "SRef": {
        "apiVersion": _FORM,
        "kind": _FORM,
        "metadata": section(),
        "modality": review("the data are of another kind", "high"),
        "fields": items("medium", "", "name", unknown="review.schema-changed"),
        "keys": section("medium"),
        "alias_map": entries("medium", ""),
        "policy": section("medium", absent="empty"),
        "constraints": items("high", "fewer", "id", loosened="review.constraint-dropped"),
        "time": section("medium"),
        "path": section("medium"),
    },
    "SRefField": {
        "name": free("fields are recognised by it"),
        "role": review("the field plays another part", "high", "review.schema-changed"),
        "dtype": review("values of another kind", "medium", "review.schema-changed"),
        "shape": review("values of another shape", "medium", "review.schema-changed"),
        "unit": law("unit", "high", unknown="review.schema-changed"),
        "dim": free("it repeats the dimension of the unit, and has to agree with it"),
        "nullable": scale("false", "true", risk="medium"),
        "enum": members("medium", "more"),
        "range": law("interval", "medium"),
        "resolution": review("values are rounded otherwise", "low"),
        "expr": law("constant", "medium"),
        "description": _TEXT,
    },
    "Keys": {
        "pk": pin("medium"),
        "entity": pin("high"),
        "fk": entries("medium", "fewer"),
    },
    "Policies": {
        "nulls": answers("medium", "refuse", ("drop", "impute")),
        "enums": answers("medium", "refuse", ("drop", "into")),
        "orphans": answers("medium", "refuse", "drop", "keep"),
    },
    "Into": {"into": review("values that nobody declared mean something else")},
    "Constraint": {
        "id": free("constraints are recognised by it"),
        "expr": law("constraint", "high"),
        "severity": scale("block", "warn", "info", risk="high"),
    },
    "TimeAnchors": {
        "tau_mono": review("another clock", "high"),
        "ts": review("another clock", "high"),
        "timezone": review("published times mean something else"),
        "window": review("times are compared over another window", "low"),
    },
    "SignalPath": {
        "source": review("it reads other data", "high", "review.source-changed"),
        "fields": items("medium", "", "name", unknown="review.schema-changed"),
        "c_ref0": review("arrival times are counted from another speed"),
    },
    "PathField": {
        "name": free("columns are recognised by it"),
        "dtype": review("values of another kind", "medium", "review.schema-changed"),
        "unit": law("unit", "high", unknown="review.schema-changed"),
        "range": law("interval", "medium"),
    },
}

_POLICY: Mapping[str, Fields] = {
    "Policy": {
        "apiVersion": _FORM,
        "kind": _FORM,
        "metadata": section(),
        "scope": section("high", absent="review"),
        "rules": items("high", "fewer", "id", loosened="review.policy-changed"),
        "allow": items("high", "more", "id", loosened="review.policy-changed"),
        "examples": free("they test the policy, and govern nothing"),
    },
    "Scope": {
        "paths": members("high", "fewer", absent="tight", loosened="review.policy-changed"),
        "labels": review("it governs other specs", "high", "review.policy-changed"),
    },
    "PolicyRule": {
        "id": free("rules are recognised by it"),
        "when": review("it asks at other times", "high", "review.policy-changed"),
        "expr": review("it asks something else", "high", "review.policy-changed"),
        "message": _TEXT,
        "severity": scale("block", "warn", "info", risk="high", loosened="review.policy-changed"),
        "scope": review("it governs other specs", "high", "review.policy-changed"),
    },
    "Allowance": {
        "id": free("allowances are recognised by it"),
        "expr": review("it allows something else", "high", "review.policy-changed"),
        "message": _TEXT,
        "scope": review("it allows it elsewhere", "high", "review.policy-changed"),
    },
}

GUARDS: Mapping[str, Fields] = {
    **_DOCUMENT, **_DATA, **_CONDITION, **_PRIVACY, **_EVALUATION, **_CONTRACTS, **_RELEASE, **_SREF, **_POLICY, **TRAINING,
}  # fmt: skip
"""By the name of a model, or of a model that it extends: its fields."""
