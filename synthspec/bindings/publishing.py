"""I40-5, emit_deep_manifest: what was made, measured, judged and signed (M40-5.8, Ch. 13)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from synthspec.backend.artifacts import read_report
from synthspec.bindings.documents import Section, options
from synthspec.bindings.engine import silent, store_of
from synthspec.bindings.faults import value_of
from synthspec.bindings.sampling import Samples
from synthspec.ir.evidence import Evidence

if TYPE_CHECKING:
    from synthspec.ir.manifest import Manifest
    from synthspec.ir.verdict import Verdicts
    from synthspec.sign import SigningKey


@dataclass(frozen=True, slots=True, kw_only=True)
class DeepManifest:
    """``manifest.synth.deep`` in the folder of a finished run, which `synthspec verify` reads."""

    folder: Path
    """``manifest.sigstore.json``, ``manifest.json``, ``evidence.json``, ``samples.*``, ``weights/``, ..."""
    manifest: Manifest
    verdicts: Verdicts
    evidence: Evidence
    """Every figure that a verdict stands on."""

    @property
    def passed(self) -> bool:
        """Whether every blocking contract is held, and the release may go out (section VI)."""
        return self.manifest.verdict == "PASS"

    @property
    def weights(self) -> tuple[Path, ...]:
        """The files of weights that were signed, sorted."""
        return tuple(sorted(self.folder.glob("weights/*.safetensors")))


def emit_deep_manifest(  # noqa: PLR0913 - what a release says of itself
    artifacts: Samples,
    *,
    contracts: Section,
    evaluation: Section,
    out: str | Path,
    metadata: Section | None = None,
    release: Section | None = None,
    waivers: tuple[Mapping[str, str], ...] = (),
    key: SigningKey | None = None,
) -> DeepManifest:
    """Measure `artifacts` as `evaluation` says, judge them by `contracts`, and sign all of it into the folder `out`.

    The three are sections of a spec, which is now whole: every rule is asked, thresholds have no defaults, and the engine
    and the records are those of `artifacts`, found in the store. `metadata` names the stream of releases and its version,
    `release` says licence and screens (screens draw again). `key` signs; None is the development key of this machine. A
    contract that is broken is signed as broken.

    Raises BindingError for what a rule refuses, KeyRefused for a key that cannot sign, StoreError where `out` is taken by
    something that no run made; then nothing was written there.
    """
    from synthspec.pipeline.compiling import compile_spec
    from synthspec.pipeline.contents import EVIDENCE
    from synthspec.pipeline.front import load_spec
    from synthspec.pipeline.reserving import ledger_url
    from synthspec.pipeline.running import RunOptions, run_plan
    from synthspec.sign import state_dir

    spec = artifacts.spec.with_(evaluation=evaluation, contracts=contracts, release=release)
    if metadata is not None:
        spec = spec.with_(metadata={**spec.section("metadata"), **metadata})
    if waivers:
        spec = spec.with_(waivers=waivers)
    ds = artifacts.engine.ds
    checked = value_of(load_spec(spec.spot(ds.base, "emit_deep_manifest"), options()))
    plan = value_of(compile_spec(checked))
    how = RunOptions(
        store=store_of(ds),
        out=Path(out),
        base=ds.base,
        workers=artifacts.workers,
        secret=artifacts.engine.secret,
        key=key,
        state=state_dir(),
        ledger=ledger_url(state_dir()),
    )
    done = value_of(run_plan(plan, how, silent()))
    return DeepManifest(
        folder=done.folder,
        manifest=done.manifest,
        verdicts=done.verdicts,
        evidence=read_report(done.folder / EVIDENCE, Evidence),
    )
