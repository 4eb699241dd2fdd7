"""I40-5, sample_*: n records of an engine, by a seed and under a condition (M40-5.5, M40-5.6)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from synthspec.backend.artifacts import (
    DATA,
    ENFORCE_REPORT,
    SAMPLE_REPORT,
    EnforceReport,
    SampleReport,
    read_report,
)
from synthspec.bindings.documents import Section, SpecText
from synthspec.bindings.engine import Engine, made
from synthspec.bindings.faults import refused, value_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

Condition = Mapping[str, object] | None
"""Conditions held fixed in every record, such as ``{"digit": 3}``; None draws them as they are registered (P405-2)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """`ds_syn`: records that passed every blocking rule of the SRef, in its units, and the files that hold them."""

    engine: Engine
    spec: SpecText
    folder: Path
    """``export/samples.*``, ``enforce/``, ``sample/``."""
    digest: str
    """Equal for equal records of equal engines."""
    workers: int = 1

    @property
    def files(self) -> tuple[Path, ...]:
        """The records as people take them away: ``samples.csv``, ``samples.npz``, ... sorted."""
        return tuple(sorted((self.folder / "export").iterdir()))

    @property
    def evidence(self) -> tuple[SampleReport, EnforceReport]:
        """What sampling spent (S405-5: net calls, NFE as counted) and what enforcement turned down (P405-7)."""
        spent = read_report(self.folder / "sample" / SAMPLE_REPORT, SampleReport)
        return spent, read_report(self.folder / "enforce" / ENFORCE_REPORT, EnforceReport)

    def columns(self) -> dict[str, NDArray[Any]]:
        """The records as arrays by field, one entry a record, in the units of the SRef; classes and times as such."""
        from synthspec.backend.dataset import read_dataset
        from synthspec.execute.core.export import readable
        from synthspec.pipeline.front import load_sref
        from synthspec.resolve import bind_schema

        made = [path for node in ("align", "refer", "enforce") if (path := self.folder / node / DATA).is_file()]
        dataset = read_dataset(made[0])
        schema = value_of(load_sref(self.engine.ds.sref).then(bind_schema))
        fields = (field for field in schema.fields if field.name in dataset.columns)
        return {field.name: readable(field, dataset[field.name]) for field in fields}


def sample_vae(engine_vae: Engine, n: int, condition: Condition, seed: int, *, workers: int = 1) -> Samples:
    """Draw `n` records of a VAE: z of the prior, x of p(x | z) (S405-1).

    The same `seed` gives the same bytes, whatever `workers` is (P405-8). Raises BindingError where a rule refuses the
    call, or where fewer than `n` records pass the rules of the SRef within the declared cap: never fewer in silence.
    """
    return _sampled(engine_vae.of("vae", "sample_vae"), {"n": n, "seed": seed}, condition, workers)


def sample_gan(engine_gan: Engine, n: int, condition: Condition, seed: int, *, workers: int = 1) -> Samples:
    """Draw `n` records of a GAN, G(z, c) (S405-2). As `sample_vae`."""
    return _sampled(engine_gan.of("gan", "sample_gan"), {"n": n, "seed": seed}, condition, workers)


def sample_flow(engine_flow: Engine, n: int, condition: Condition, seed: int, *, workers: int = 1) -> Samples:
    """Draw `n` records of a flow, the inverse of f at z ~ p0 (S405-3). As `sample_vae`."""
    return _sampled(engine_flow.of("flow", "sample_flow"), {"n": n, "seed": seed}, condition, workers)


def sample_diffusion(  # noqa: PLR0913 - the arguments of the standard
    engine_diff: Engine,
    n: int,
    solver: str,
    NFE: int,
    w_cfg: float,
    condition: Condition,
    seed: int,
    *,
    workers: int = 1,
) -> Samples:
    """Draw `n` records of a diffusion by `solver` within `NFE` network evaluations a record (S405-5).

    `w_cfg` is on the scale of S405-6: 0 is plain conditional, and guidance doubles what a step costs. A student takes the
    solver and the NFE that it was made for, and `w_cfg` 0: the guidance of its teacher is part of it. As `sample_vae`.
    """
    engine = engine_diff.of("diffusion", "sample_diffusion")
    if student := _student(engine.spec):
        _taught(student, solver, NFE, w_cfg)
        return _sampled(engine, {"n": n, "seed": seed}, condition, workers)
    sampling = {"n": n, "seed": seed, "solver": solver, "NFE": NFE}
    return _sampled(engine, sampling, condition, workers, conditioning=_guided(engine.spec, w_cfg))


def _student(spec: SpecText) -> Section | None:
    """How the engine of `spec` was distilled; None where it was not."""
    made_by = spec.sections.get("acceleration")
    steps = made_by if isinstance(made_by, tuple | list) else ()
    return next((step for step in steps if isinstance(step, dict) and step.get("kind") == "distill"), None)


def _taught(student: Section, solver: str, NFE: int, w_cfg: float) -> None:
    """Raises BindingError for a student that is asked to draw otherwise than it learned to."""
    own, most = student["solver"], student["NFE"]
    if (solver, NFE) != (own, most):
        message = (
            f"a student that was made for {own} at NFE {most} draws in no other way, and not by {solver} at NFE {NFE}"
        )
        raise refused(
            "P405-8.nfe-not-reachable", message, f"write solver {own!r} and NFE {most}, or distil the teacher anew"
        )
    if w_cfg:
        message = f"guidance is part of a student already, and w_cfg {w_cfg:g} would be added a second time"
        raise refused(
            "P405-2.guidance-without-dropout", message, "write w_cfg 0, or distil a teacher of other guidance"
        )


def _guided(spec: SpecText, w_cfg: float) -> Section | None:
    """The conditioning of `spec` at another weight; its bound and its drop rate are the engine's."""
    conditioning = spec.section("conditioning")
    guidance = conditioning.get("guidance")
    if isinstance(guidance, dict):
        return {**conditioning, "guidance": {**guidance, "w_cfg": float(w_cfg)}}
    if not w_cfg:
        return conditioning or None
    return {**conditioning, "guidance": {"w_cfg": float(w_cfg), "cfg_max": float(w_cfg)}}


def _sampled(
    engine: Engine, sampling: Section, condition: Condition, workers: int, *, conditioning: Section | None = None
) -> Samples:
    told = {"rng": "philox", **engine.spec.section("sampling"), **sampling, "condition": condition or {}}
    spec = engine.spec.with_(sampling=told)
    if conditioning is not None:
        spec = spec.with_(conditioning=conditioning)
    part, _ = made(
        spec,
        "records",
        engine.ds,
        f"sample_{engine.family}",
        workers=workers,
        secret=engine.secret,
    )
    return Samples(engine=engine, spec=spec, folder=part.folder, digest=part.digest, workers=workers)
