"""What the language can say and no run of this version does: refused by name, never passed over.

Each goes when an operation carries it to the backends, which then say for themselves whether they keep it.
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.field_types import FLOATS, INTEGERS
from synthspec.ir.resolved import ResolvedSpec
from synthspec.lower.balancing import unbalanced
from synthspec.lower.features import unoffered
from synthspec.lower.needs import Needs
from synthspec.lower.projection import unprojectable
from synthspec.lower.sampling import embeds, export_format, formats
from synthspec.spec.objective import WganGp
from synthspec.spec.privacy import DpNoise, NoMechanism, Pate, Privacy
from synthspec.spec.training import Training
from synthspec.text import Path


def refuse_unmet(resolved: ResolvedSpec, needs: Needs) -> None:
    """Note a fault for everything in the spec that the operations would leave out (`engine.backend-unsupported`)."""
    for path, message, advice in (
        *_before(resolved),
        *_timed(resolved),
        *_objective(resolved),
        *_after(resolved),
        *_evaluated(resolved),
        *_disclosed(resolved),
    ):
        needs.fault("engine.backend-unsupported", message, advice, path)


def _before(resolved: ResolvedSpec) -> Iterator[tuple[Path, str, str]]:
    training = resolved.spec.training
    yield from _keyed(resolved)
    yield from _referred(resolved)
    yield from _transformed(resolved)
    yield from _imputed(resolved)
    if training is not None:
        yield from _begun(training, resolved.spec.privacy)


def _keyed(resolved: ResolvedSpec) -> Iterator[tuple[Path, str, str]]:
    """Primary keys of which no fresh ones can be given to the records that are made."""
    fields = {field.name: field for field in resolved.schema.fields if field.name in resolved.schema.pk}
    roles = {field.role for field in fields.values()}
    if fields and not roles & {"key", "time"}:
        message = f"{', '.join(fields)} is the primary key and is learned, so two records that are made can share it"
        yield ("sref",), message, "give the records a key of their own: a field of role key"
    pointing = {} if resolved.sref.keys is None else resolved.sref.keys.fk
    for field in fields.values():
        if field.role != "key" or field.name in pointing:
            continue
        if field.shape or field.enum or field.dtype not in {*INTEGERS, "string"}:
            message = f"the key {field.name} is no plain whole number or text, so no running number can be given as one"
            yield ("sref",), message, "declare it as an integer or a string, without shape and enum"
        elif field.dtype in INTEGERS and resolved.spec.sampling.n > 2 ** _bits(field.dtype):
            message = f"the key {field.name} is {field.dtype}, which cannot number {resolved.spec.sampling.n:,} records"
            yield ("sampling", "n"), message, "declare the key int64, or ask for fewer records"


def _bits(dtype: str) -> int:
    """Bits that an integer dtype counts with: int8 has one for the sign."""
    return int(dtype.removeprefix("u").removeprefix("int")) - (not dtype.startswith("u"))


def _transformed(resolved: ResolvedSpec) -> Iterator[tuple[Path, str, str]]:
    """Transforms that no run does, or that the schema does not say enough for."""
    fields = {field.name: field for field in resolved.schema.fields}
    for name, kind in resolved.spec.data.transform.items():
        where: Path = ("data", "transform", name)
        if kind == "gmm":
            advice = "write quantile, which follows modes of any shape and has an exact inverse"
            yield where, f"no run fits modes to {name}", advice
        elif kind == "linear" and name in fields and fields[name].range is None:
            yield where, f"linear goes by the range of the SRef, and {name} has none", "write its range, or standard"


def _referred(resolved: ResolvedSpec) -> Iterator[tuple[Path, str, str]]:
    """Foreign keys that no made record could have without breaking another promise."""
    keys = resolved.sref.keys
    fields = {field.name: field for field in resolved.schema.fields}
    for name in () if keys is None else keys.fk:
        field = fields.get(name)
        if field is None or keys is None:
            continue
        if name in keys.pk:
            message = f"{name} is part of the primary key, and a key that is drawn for each record need not be unique"
            yield ("sref",), message, "give the records a key of their own, and keep the foreign one beside it"
        elif field.shape or (field.role == "key" and field.dtype not in {*INTEGERS, "string"}):
            message = f"{name} is {field.dtype}{list(field.shape) or ''}, and a key is one integer or one text"
            yield ("sref",), message, "declare the foreign key as an integer or a string"
        elif field.role != "key" and (field.dtype != "categorical" or not field.enum):
            message = f"{name} points to another table and is learned, so what is made could point to nothing"
            yield ("sref",), message, "give it the role key, or declare it categorical with an enum"


def _imputed(resolved: ResolvedSpec) -> Iterator[tuple[Path, str, str]]:
    """Gaps that the stated value cannot fill."""
    how = resolved.spec.data.impute
    for name in resolved.filled:
        field = resolved.schema.field(name)
        kind = how[name] if isinstance(how, dict) else how
        where: Path = ("data", "impute", name) if isinstance(how, dict) else ("data", "impute")
        if field.dtype not in FLOATS | {"categorical"}:
            message = f"{name} is {field.dtype}, which cannot say that a value is missing"
            yield where, message, "declare it float64 or categorical, or leave such records out (policy.nulls: drop)"
        elif kind in {"mean", "median"} and (field.dtype == "categorical" or field.enum):
            message = f"the {kind} of {name} is no member of its enum"
            advice = f"name each field: impute: {{{name}: mode}}"
            yield where, message, advice


def _begun(training: Training, privacy: Privacy | None) -> Iterator[tuple[Path, str, str]]:
    """Where a private training may begin, and how often."""
    if training.init_from is not None and isinstance(privacy, Pate | DpNoise):
        message = f"no training under {privacy.mechanism} starts from given weights yet"
        yield ("training", "init_from"), message, "leave it out, or choose dp-sgd"
    if training.on_divergence == "restart" and not isinstance(privacy, NoMechanism):
        message = "no training under a mechanism begins again by itself: every attempt would spend the budget anew"
        advice = "write on_divergence: stop, and run another spec where it diverged"
        yield ("training", "on_divergence"), message, advice


def _timed(resolved: ResolvedSpec) -> Iterator[tuple[Path, str, str]]:
    spec, sref = resolved.spec, resolved.sref
    if spec.timebase is None:
        return
    if not isinstance(spec.privacy, NoMechanism):
        advice = "publish without times: the spacings and the clock of the records are private data"
        yield ("timebase",), "no run fits a time base under a privacy mechanism yet", advice
    if sref.keys is not None and sref.keys.entity is not None:
        message = f"records of every {sref.keys.entity!r} would share one clock, and no run fits one for each yet"
        yield ("timebase",), message, "leave keys.entity out where there is one clock"
    stated = None if sref.time is None else sref.time.window
    if stated is not None and stated.si != spec.timebase.fit.window.si:
        message = f"the SRef says that a window is {stated}, and the fit takes {spec.timebase.fit.window}"
        yield ("timebase", "fit", "window"), message, f"write window: {stated}"


def _objective(resolved: ResolvedSpec) -> Iterator[tuple[Path, str, str]]:
    objective = resolved.spec.objective
    if isinstance(objective, WganGp) and objective.penalty_per == "batch":
        yield ("objective", "penalty_per"), "the penalty is part of each record's loss", "write penalty_per: record"
    for message, advice in unbalanced(resolved):
        yield ("objective", "training_by_sampling"), message, advice


def _after(resolved: ResolvedSpec) -> Iterator[tuple[Path, str, str]]:
    conditioning, release = resolved.spec.conditioning, resolved.spec.release
    if conditioning is not None and conditioning.projection is not None:
        advice = "leave it out: what breaks a constraint is turned down, and drawn again up to the cap"
        for reason in unprojectable(resolved.schema):
            yield ("conditioning", "projection"), reason, advice
    if release is None:
        return
    made = formats(resolved)
    if release.format not in {None, *made}:
        listed = " or ".join(filter(None, (", ".join(made[:-1]), made[-1])))
        message = f"records of modality {resolved.schema.modality} are published as {listed}"
        yield ("release", "format"), message, f"write {listed}, or leave it out"
    elif release.provenance == "embedded" and not embeds(resolved):
        message = f"a {export_format(resolved)} file has no place for where its records are from"
        yield ("release", "provenance"), message, "write sidecar, or publish as npz or parquet"


def _evaluated(resolved: ResolvedSpec) -> Iterator[tuple[Path, str, str]]:
    evaluation = resolved.spec.evaluation
    if evaluation is None:
        return
    for message, advice in unoffered(evaluation.features):
        yield ("evaluation", "features", "entry"), message, advice
    if evaluation.target is None:
        return
    plain = [field.name for field in resolved.schema.with_role("content") if not field.shape]
    if evaluation.target not in plain or len(plain) < 2 or len(plain) < len(resolved.schema.with_role("content")):
        message = (
            f"{evaluation.target} is no scalar content field beside other scalar ones, which a model could predict"
        )
        yield (
            ("evaluation", "target"),
            message,
            "name such a field, or leave it out: then the condition class is predicted",
        )


def _disclosed(resolved: ResolvedSpec) -> Iterator[tuple[Path, str, str]]:
    spec = resolved.spec
    if not isinstance(spec.privacy, NoMechanism):
        return
    advice = "leave it out, or choose a mechanism: only then are there a public and a restricted manifest"
    if spec.evaluation is not None and spec.evaluation.disclosure == "restricted":
        message = "without a mechanism there is one manifest, and it holds every figure"
        yield ("evaluation", "disclosure"), message, advice
    privacy = None if spec.contracts is None else spec.contracts.c40_516
    if privacy is not None and privacy.publish == "verdict":
        message = "without a mechanism there is one manifest, and it holds the value of MI"
        yield ("contracts", "C40-516", "publish"), message, advice
