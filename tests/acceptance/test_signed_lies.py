"""Who holds a key may sign anything: each group of the manifest that follows from the plan is held against it.

One leaf at a time is changed. What only the run knew is listed, so that no new field is passed over.
"""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from pydantic import TypeAdapter, ValidationError

GROUPS = (
    "trace",
    "spec",
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
DP_RUN = tuple(
    f"privacy/dp/{name}"
    for name in ("rng", "hardening", "seed_commitment", "ledger/entry", "ledger/releases", "accesses/", "audit/")
)
NOT_SHOWN = (
    "trace/build", "trace/timestamp", "release/sequence", "release/previous", "release/createdAt", "runtime/device",
    "dag/*/key", "dag/*/reused", "spec/canonicalDigest",
    "dataset/n_real", "dataset/schema/", "dataset/cov_", "dataset/split",
    "deep/architecture/n_parameters", "deep/net_", "deep/training/", "deep/nominal_steps", "deep/cfg_convention",
    "privacy/attack_suite/",
    "generation/controls/acc_rate", "generation/controls/candidates", "dataset/private/", *DP_RUN,
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


def signed(folder: Path, bundle: str) -> dict:
    envelope = json.loads((folder / bundle).read_bytes())["dsseEnvelope"]
    return json.loads(base64.b64decode(envelope["payload"]))


def unheld(
    told: dict, groups: Sequence[str], not_shown: tuple[str, ...], noticed: Callable[[dict], bool]
) -> tuple[set[str], set[str]]:
    """The kinds of leaves that were changed, and those whose change nothing noticed."""
    assert not noticed(told)
    tried, missed = set[str](), set[str]()
    for path, value in leaves({name: told[name] for name in groups}):
        if called(path).startswith(not_shown) or called(path) in tried:
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


def against_its_files(folder: Path) -> tuple[dict, Callable[[dict], bool]]:
    """What the restricted manifest of the run in `folder` says, and whether its files contradict another one."""
    from synthspec.ir.evidence import Evidence
    from synthspec.ir.manifest import Manifest
    from synthspec.ir.plan import read_plan
    from synthspec.pipeline.claims import disagreements

    statement = signed(folder, "manifest.sigstore.json")
    plan = read_plan((folder / "plan.json").read_bytes())
    evidence = TypeAdapter(Evidence).validate_json((folder / "evidence.json").read_bytes())
    subjects = {each["name"]: each["digest"]["sha256"] for each in statement["subject"]}

    def noticed(predicate: dict) -> bool:
        try:
            manifest = Manifest.model_validate_json(json.dumps(predicate))
        except ValidationError:
            return True
        return bool(list(disagreements(manifest, plan, evidence, subjects)))

    return statement["predicate"], noticed


@pytest.mark.parametrize(
    ("name", "among"),
    [
        ("marks", {"engine/seed", "randomness/seeds/split", "deep/weights/*/sha256", "dag/*/op", "privacy/MI_risk"}),
        ("pictures", {"generation/controls/cfg_scale", "deep/solver", "deep/noise_schedule/name", "deep/w_cfg"}),
        (
            "private",
            {f"privacy/dp/{name}" for name in ("clip_norm", "sampling_rate", "normalizer", "noise_multiplier")},
        ),
    ],
)
def test_every_leaf_that_follows_from_signed_files_is_held_against_them(request, name, among):
    found = request.getfixturevalue(name)
    told, noticed = against_its_files(getattr(found, "folder", found))
    tried, missed = unheld(told, GROUPS, NOT_SHOWN, noticed)
    assert missed == set()
    assert among <= tried


def test_a_mark_that_the_spec_does_not_ask_for_is_not_believed(marks):
    told, noticed = against_its_files(marks.folder)
    assert not noticed(told)
    told["generation"]["controls"]["watermark"] = "selection"
    assert noticed(told)


def test_a_manifest_holds_as_long_as_its_spec_says_and_no_longer(marks):
    """Who signs again cannot make an old release current: the days are those of the signed spec, which states none here."""
    told, noticed = against_its_files(marks.folder)
    told["release"]["expiresAt"] = "2999-01-01T00:00:00Z"
    assert noticed(told)


PUBLIC_GROUPS = ("version", "release", "dataset", "engine", "generation", "deep", "contracts", "privacy", "randomness")
PUBLIC_NOT_SHOWN = (
    "release/sequence", "release/previous", "release/createdAt", "dataset/commitment", "deep/architecture/n_parameters",
    "generation/controls/acc_rate", "generation/controls/candidates", "contracts/*/result", "contracts/*/bounds/*/result",
    "privacy/dp/accounting_method", "privacy/dp/noise_multiplier", *DP_RUN,
)  # fmt: skip
"""What only the run knew. Noise that was solved from a budget needs the compiler; results are held among themselves."""


def test_every_leaf_of_a_public_manifest_that_follows_from_its_spec_is_held_against_it(private):
    """The words of the guarantee are made again for each lie, so that it is not by them that it is noticed."""
    from synthspec.ir.manifest_public import PublicManifest
    from synthspec.pipeline.public_claims import public_contradictions
    from synthspec.pipeline.publishing import statement
    from synthspec.sign import Subject

    said = signed(private, "manifest.public.sigstore.json")
    subjects = tuple(
        Subject(each["name"], each["digest"]["sha256"], each["annotations"]["size"]) for each in said["subject"]
    )
    content = {name: (private / name).read_bytes() for name in ("spec.resolved.yaml", "sref.resolved.yaml")}
    words = said["predicate"]["privacy"]["statement"]

    def noticed(predicate: dict) -> bool:
        try:
            manifest = PublicManifest.model_validate_json(json.dumps(predicate))
        except ValidationError:
            return True
        told = manifest.privacy
        if told.statement == words:
            told = told.model_copy(update={"statement": statement(told.dp, told.mechanism)})
        return bool(public_contradictions(manifest.model_copy(update={"privacy": told}), subjects, content))

    tried, missed = unheld(said["predicate"], PUBLIC_GROUPS, PUBLIC_NOT_SHOWN, noticed)
    assert missed == set()
    assert tried >= {
        "deep/architecture/parameters/hidden/*", "generation/condition/*/distribution/0", "privacy/dp/clip_norm",
        "privacy/dp/sampling_rate", "privacy/dp/normalizer", "privacy/dp/ledger/name", "privacy/statement", "dataset/n_real",
        "randomness/seeds/sampling", "engine/seed", "deep/objective/parameters/free_bits", "dataset/n_syn",
    }  # fmt: skip
