"""Who holds a key may sign anything: each group of the manifest that follows from the plan is held against it.

One leaf at a time is changed. What only the run knew is listed, so that no new field is passed over.
"""

from __future__ import annotations

import base64
import copy
import json
from pathlib import Path

import pytest
from pydantic import TypeAdapter, ValidationError

GROUPS = (
    "trace",
    "release",
    "dataset",
    "engine",
    "generation",
    "deep",
    "privacy",
    "runtime",
    "randomness",
    "dag",
)
NOT_SHOWN = (
    "trace/build", "trace/timestamp", "release/", "runtime/device",
    "dag/*/key", "dag/*/opVersion", "dag/*/reused", "dag/*/outputs/", "dag/*/inputs/*/digest/sha256",
    "dataset/n_real", "dataset/n_syn", "dataset/schema/", "dataset/cov_", "dataset/split",
    "deep/architecture/n_parameters", "deep/net_", "deep/nominal_steps", "privacy/attack_suite/", "deep/cfg_convention",
    "generation/controls/acc_rate", "generation/controls/candidates", "generation/controls/watermark",
)  # fmt: skip
"""Facts of the run itself (its machine and clock, what it read, what came of it), and what another step of `verify` holds."""


def leaves(value: object, path: tuple[str | int, ...] = ()):
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else None
    if pairs is None:
        yield path, value
    else:
        for key, each in pairs:
            yield from leaves(each, (*path, key))


def other(value: object) -> object:
    """Another value of the same kind, well formed where that matters."""
    match value:
        case bool():
            return not value
        case int():
            return value + 1
        case float():
            return value * 1.5 + 0.1
        case str() if len(value) == 64:
            return f"{value[1:]}{'0' if value[0] != '0' else '1'}"
        case str() if value.isdigit():
            return str(int(value) + 1)
        case _:
            return f"{value}x"


def called(path: tuple[str | int, ...]) -> str:
    return "/".join("*" if isinstance(part, int) else part for part in path)


def unheld(folder: Path) -> tuple[set[str], set[str]]:
    """The kinds of leaves that were changed, and those whose change nothing noticed."""
    from synthspec.ir.evidence import Evidence
    from synthspec.ir.manifest import Manifest
    from synthspec.ir.plan import read_plan
    from synthspec.pipeline.claims import disagreements

    bundle = json.loads((folder / "manifest.sigstore.json").read_bytes())
    statement = json.loads(base64.b64decode(bundle["dsseEnvelope"]["payload"]))
    plan = read_plan((folder / "plan.json").read_bytes())
    evidence = TypeAdapter(Evidence).validate_json((folder / "evidence.json").read_bytes())
    signed = {each["name"]: each["digest"]["sha256"] for each in statement["subject"]}

    def noticed(predicate: dict) -> bool:
        try:
            manifest = Manifest.model_validate_json(json.dumps(predicate))
        except ValidationError:
            return True
        return bool(list(disagreements(manifest, plan, evidence, signed)))

    told = statement["predicate"]
    assert not noticed(told)
    tried, missed = set[str](), set[str]()
    for path, value in leaves({name: told[name] for name in GROUPS}):
        if called(path).startswith(NOT_SHOWN) or called(path) in tried:
            continue
        changed = copy.deepcopy(told)
        place = changed
        for part in path[:-1]:
            place = place[part]
        place[path[-1]] = other(value)
        tried.add(called(path))
        if not noticed(changed):
            missed.add(called(path))
    return tried, missed


@pytest.mark.parametrize(
    ("name", "among"),
    [
        ("marks", {"engine/seed", "randomness/seeds/split", "deep/weights/*/sha256", "dag/*/op", "privacy/MI_risk"}),
        ("pictures", {"generation/controls/cfg_scale", "deep/solver", "deep/noise_schedule/name", "deep/w_cfg"}),
    ],
)
def test_every_leaf_that_follows_from_signed_files_is_held_against_them(request, name, among):
    tried, missed = unheld(request.getfixturevalue(name).folder)
    assert missed == set()
    assert among <= tried
