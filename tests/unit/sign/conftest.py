"""A small run that was signed, and the tools to tamper with it."""

import base64
import copy
import hashlib
import json
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from synthspec.contracts import CONTRACTS, Setting
from synthspec.ir.evidence import Figure, evidence
from synthspec.ir.manifest import SCHEMA_VERSION, Manifest, readable
from synthspec.ir.manifest_base import Artifact, Digest
from synthspec.ir.manifest_engine import (
    Architecture,
    ConditionVariable,
    Dataset,
    Deep,
    EngineRef,
    Generation,
    ObjectiveRef,
    PrivacyGroup,
    Runtime,
    TrainingEvent,
)
from synthspec.ir.manifest_evidence import from_evidence, from_gate, from_verdicts, verdict_of
from synthspec.ir.manifest_origin import (
    BackendRef,
    Code,
    Compiler,
    DagNode,
    Dependency,
    Environment,
    Override,
    PlanRef,
    Randomness,
    Release,
    SpecRef,
    Trace,
)
from synthspec.judge import judge
from synthspec.sign import VerifiedStatement, consistency, freshness, verify_bundle, verify_tree
from synthspec.sign.bundle import PAYLOAD_TYPE
from synthspec.sign.keys import create_key, load_key
from synthspec.sign.pae import pae
from synthspec.sign.signing import key_ref, sign, sign_profile
from synthspec.sign.statement import Subject
from synthspec.sign.trust import trust

LIMITS = {
    "C40-511": {"tol_FID": 60.0, "tol_KID": 0.05, "recall_min": 0.3},
    "C40-514": {"NFE_max": 40.0, "SLO_latency": 2000.0, "cfg_max": 2.0},
    "C40-515": {"covg_min": 0.5, "tol_mode_drop": 0.0},
    "C40-516": {"mi_max": 0.3},
}
VALUES = {
    "FID": (10.5, "1", "test"),
    "KID": (0.01, "1", "test"),
    "recall": (0.6, "1", "test"),
    "NFE": (40.0, "1", None),
    "latency_ms_p99": (812.25, "ms", None),
    "w_cfg": (0.5, "1", None),
    "covg": (0.8, "1", "test"),
    "mode_drop": (0.0, "1", "test"),
    "MI": (0.1, "1", None),
    "check_dim_failures": (0.0, "1", None),
    "unpersisted": (0.0, "1", None),
    "replay_mismatches": (0.0, "1", None),
}
FILES = {
    "spec.resolved.yaml": b"apiVersion: synthspec/v1\n",
    "weights/engine.safetensors": bytes(range(256)) * 3,
    "samples/a.npz": b"A" * 40,
    "samples/b.npz": b"B" * 40,
    "evidence.json": b"{}\n",
}
# The key of the test vector in DSSE's protocol.md: public, so fit for tests only.
VECTOR_D = 97358161215184420915383655311931858321456579547487070936769975997791359926199


def figures(**changed):
    """Figures that hold every contract, with some of their values changed."""
    return evidence(
        tuple(
            Figure(
                name=name,
                label=f"{name}[test]",
                value=(number := changed.get(name, value)),
                unit=unit,
                u=0.001,
                lower=number,
                upper=number,
                method="exact",
                n_real=270,
                n_syn=512,
                split=split,
                details=(("k", 5), ("note", "z = 1")),
            )
            for name, (value, unit, split) in VALUES.items()
        )
    )


def digest(text):
    return Digest(sha256=hashlib.sha256(text.encode()).hexdigest())


def make_manifest(key, found=None, unspoken=()):
    """A manifest of a diffusion run, signed by `key`, with the verdicts that follow from `found`.

    Of the contracts in `unspoken` the plan has no promise.
    """
    found = found or figures()
    setting = Setting(family="diffusion", modality="image")
    promises = tuple(c.promise(setting, LIMITS.get(c.id, {})) for c in CONTRACTS if c.id not in unspoken)
    verdicts = judge(promises, found)
    when = "2026-01-31T12:00:00Z"
    return Manifest(
        verdict=verdict_of(verdicts.gate),
        gate=from_gate(verdicts.gate),
        schema_version=SCHEMA_VERSION,
        version="1.0.0",
        trace=Trace(TraceID="t-1", build="0.1.0", timestamp=when),
        release=Release(
            stream="digits", sequence=7, previous=digest("six"), created_at=when, expires_at="2036-01-31T12:00:00Z"
        ),
        spec=SpecRef(name="spec.resolved.yaml", digest=digest("spec"), canonical_digest=digest("plan").sha256),
        ir=PlanRef(digest=digest("plan"), compiler=Compiler(name="synthspec", version="0.1.0")),
        dataset=Dataset(
            name="digits",
            modality="image",
            SRef="digits@1.0.0",
            sref_hash=digest("sref").sha256,
            n_real=1797,
            n_syn=512,
            split="release",
        ),
        engine=EngineRef(
            type="diffusion",
            version="1.0.0",
            seed="20261122",
            rng="philox",
            spec_uri="spec.resolved.yaml",
            train_data_ref="sklearn://digits",
        ),
        generation=Generation(
            condition=(
                ConditionVariable(
                    name="digit", interface="categorical", distribution={"0": 0.5, "1": 0.5}, coverage_min=1.0
                ),
            ),
            controls={"w_cfg": 0.5},
            schedule={"name": "cosine", "train_steps": 1000},
        ),
        deep=Deep(
            family="diffusion",
            architecture=Architecture(name="unet2d", parameters={"channels": (32, 64)}, n_parameters=123456),
            objective=ObjectiveRef(measure="l_simple", equation="S405-4", parameters={"head": "v"}),
            weights=(digest("w"),),
            training=(TrainingEvent(step=400, event="converged", signal="loss_val"),),
            lineage=(),
            noise_schedule={"name": "cosine", "train_steps": 1000},
            solver="dpmsolver++",
            nominal_steps=20,
            net_calls=20,
            net_evals_per_sample=40,
            w_cfg=0.5,
            cfg_convention="S405-6",
        ),
        metrics=from_evidence(found),
        contracts=from_verdicts(verdicts, "evidence.json"),
        privacy=PrivacyGroup(mechanism="none", attack_suite=("membership",), MI_risk=0.1),
        runtime=Runtime(latency_ms_p99=812.25, device="cpu"),
        randomness=Randomness(
            seeds={"train": "18446744073709551615", "sample": "7"}, rng="philox", solver="dpmsolver++", NFE=40
        ),
        environment=Environment(
            python="3.11.7",
            implementation="CPython",
            os="Linux",
            kernel="6.1",
            machine="x86_64",
            cpu={"model": "test", "capability": "AVX2"},
            accelerators=(),
            threads={"torch": 1},
            variables={"OMP_NUM_THREADS": "1"},
            packages={"numpy": "2.2.0"},
            backend=BackendRef(name="diffusers", version="0.42", facts={"deterministic": True}),
            code=Code(version="0.1.0", dirty=False),
        ),
        dag=(
            DagNode(
                node="train",
                op="fit_engine_diffusion",
                op_version="1",
                key=digest("train").sha256,
                inputs=(Artifact(name="split.train", digest=digest("in")),),
                outputs=(Artifact(name="weights", digest=digest("w"), size=768),),
                reused=False,
            ),
        ),
        dependencies=(Dependency(name="digits", digest=digest("data"), annotations={"rows": "1797"}),),
        overrides=(Override(path="sampling.n", value="512"),),
        waivers=(),
        key=key_ref(key),
        sign=sign_profile(key),
    )


def subjects_of(files):
    return [Subject(name, hashlib.sha256(data).hexdigest(), len(data)) for name, data in files.items()]


def b64(data):
    return base64.b64encode(data).decode()


@dataclass
class Run:
    """A signed run in a folder, with everything needed to attack it."""

    key: object
    other: object
    manifest: Manifest
    bundle: bytes
    folder: Path

    @property
    def trusted(self):
        return trust((self.key.public,))

    def codes(self, bundle=None, trusted=None, at=datetime(2026, 6, 1, tzinfo=UTC)):
        """The codes that a verifier answers with: those of the bundle, else of the tree, the claims and the clock."""
        answer = verify_bundle(self.bundle if bundle is None else bundle, trusted or self.trusted)
        if not isinstance(answer, VerifiedStatement):
            return [refusal.code for refusal in answer]
        found = verify_tree(answer, self.folder) + consistency(answer.manifest) + freshness(answer.manifest, at)
        return [refusal.code for refusal in found]

    def refusals(self):
        return verify_tree(verify_bundle(self.bundle, self.trusted), self.folder)

    def payload(self):
        return base64.b64decode(json.loads(self.bundle)["dsseEnvelope"]["payload"])

    def edited(self, change):
        """The bundle after `change` of its JSON, not signed again."""
        value = json.loads(self.bundle)
        change(value)
        return json.dumps(value).encode()

    def signed(self, payload, *, key=None, payload_type=PAYLOAD_TYPE, encode=pae):
        """A bundle over any bytes at all, truly signed."""
        key = key or self.key
        value = json.loads(self.bundle)
        envelope = value["dsseEnvelope"]
        envelope["payload"] = b64(payload)
        envelope["payloadType"] = payload_type
        envelope["signatures"] = [{"sig": b64(key.sign(encode(payload_type, payload))), "keyid": key.key_id}]
        value["verificationMaterial"]["publicKey"]["hint"] = key.key_id
        return json.dumps(value).encode()

    def restated(self, change):
        """A truly signed bundle whose statement was changed before it was signed."""
        statement = copy.deepcopy(json.loads(self.payload()))
        change(statement)
        return self.signed(rfc8785.dumps(statement))

    def reclaimed(self, change):
        """As `restated`, for a change of the predicate; the readable copy goes along."""

        def inside(statement):
            change(statement["predicate"])
            (self.folder / "manifest.json").write_text(json.dumps(statement["predicate"]))

        return self.restated(inside)


def vector_pem():
    private = ec.derive_private_key(VECTOR_D, ec.SECP256R1())
    return private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@pytest.fixture(scope="session")
def manifest_of(keys):
    """Manifests with other figures: ``manifest_of(FID=99.0)``, or without the promise of some contracts."""

    def make(unspoken=(), without=(), **changed):
        found = figures(**changed)
        kept = tuple(figure for figure in found.figures if figure.name not in without)
        return make_manifest(keys[0], evidence(kept), unspoken)

    return make


@pytest.fixture(scope="session")
def keys(tmp_path_factory):
    """The signing key, another P-256 key and an Ed25519 key."""
    config = tmp_path_factory.mktemp("config")
    path = config / "vector.pem"
    path.touch(mode=0o600)
    path.write_bytes(vector_pem())
    return load_key(path), create_key(config, "other"), create_key(config, "edwards", "ed25519")


@pytest.fixture(scope="session")
def signed(keys, tmp_path_factory):
    """The untouched run."""
    folder = tmp_path_factory.mktemp("signed") / "run"
    for name, data in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    manifest = make_manifest(keys[0])
    bundle = sign(manifest, subjects_of(FILES), keys[0])
    (folder / "manifest.json").write_bytes(readable(manifest))
    (folder / "manifest.sigstore.json").write_bytes(bundle)
    return Run(keys[0], keys[1], manifest, bundle, folder)


@pytest.fixture
def run(signed, tmp_path):
    """The run in a folder of one's own."""
    folder = tmp_path / "run"
    shutil.copytree(signed.folder, folder)
    return Run(signed.key, signed.other, signed.manifest, signed.bundle, folder)
