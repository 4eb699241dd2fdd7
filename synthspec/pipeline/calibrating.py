"""`calibrate`: thresholds of a spec from its real test split alone, before anything is generated (P415-2)."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

from synthspec import metrics
from synthspec.backend.artifacts import DATA
from synthspec.backend.dataset import read_dataset
from synthspec.backend.protocol import Context, DataError, Progress
from synthspec.contracts import CONTRACTS, Term, setting
from synthspec.contracts.calibration import joint_limits, least_cuts
from synthspec.diag import Diagnostic, Outcome, failure
from synthspec.execute.core.bind import bind
from synthspec.execute.core.impute import completed
from synthspec.execute.core.measure import classes_of, described, first_class, sample_of
from synthspec.execute.core.split import rows_of
from synthspec.ir.evidence import Figure
from synthspec.ir.ops import Split
from synthspec.ir.resolved import ResolvedSpec
from synthspec.lower import bind_op, impute_op
from synthspec.metrics.figures import UnmeasurableError
from synthspec.metrics.null import null_figures
from synthspec.pipeline.front import Options, draft, spot

UNWRITTEN = frozenset({"C40.missing", "C40.threshold-missing", "C40.threshold-impossible", "C40.metric-not-evaluated"})
"""What a spec may lack whose thresholds are about to be found."""
_NULLS = ("C40-511", "C40-515", "C40-516")
"""The contracts whose figures records alone can show; the others need the engine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """How much of a null is looked at."""

    cuts: int = 39
    confidence: float = 0.95
    margin: float = 0.10
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibrated:
    """The thresholds by contract and symbol, what they were found from, and what was left out and why."""

    limits: Mapping[str, Mapping[str, float]]
    units: Mapping[str, str]
    """The unit of each symbol; ``1`` for most."""
    n_real: int
    n_syn: int
    left_out: Mapping[str, str]
    calibration: Calibration


def calibrate_spec(spec: Path, how: Calibration, options: Options, progress: Progress) -> Outcome[Calibrated]:
    """Thresholds that one half of the real test split keeps against the other, in all symbols at once.

    They hold for records as good as real ones at these sizes, and know nothing of any engine. Raises OSError when the
    spec cannot be read.
    """
    drafted = draft(spot(spec), options, UNWRITTEN)
    if drafted.value is None:
        return failure(drafted.diagnostics)
    refused = _refused(drafted.value, how)
    if refused is not None:
        return failure([*drafted.diagnostics, refused])
    try:
        return Outcome(_calibrated(drafted.value, spec.absolute().parent, how, progress), drafted.diagnostics)
    except DataError as error:
        fault = Diagnostic(code=error.code, message=error.message, help=error.help)
        return failure([*drafted.diagnostics, fault])
    except UnmeasurableError as error:
        fault = Diagnostic(code="C40.threshold-missing", message=str(error), help="give a larger test split")
        return failure([*drafted.diagnostics, fault])


def _refused(resolved: ResolvedSpec, how: Calibration) -> Diagnostic | None:
    spec = resolved.spec
    if spec.privacy is not None and spec.privacy.mechanism not in {"none", None}:
        return Diagnostic(
            code="P405-4.private-metric-published",
            message="thresholds found from private records say something of these records, and no accountant knows it",
            help="state them, or calibrate on public records of the same kind",
        )
    if how.cuts < least_cuts(how.confidence):
        return Diagnostic(
            code="schema.bad-value",
            message=f"{how.cuts} cuts say nothing at a confidence of {how.confidence:g}",
            help=f"take at least {least_cuts(how.confidence)}",
        )
    if spec.evaluation is None or not spec.evaluation.metrics:
        message = "nothing is measured, so nothing can be calibrated"
        return Diagnostic(code="C40.metric-not-evaluated", message=message, help="write evaluation.metrics")
    return None


def _calibrated(resolved: ResolvedSpec, root: Path, how: Calibration, progress: Progress) -> Calibrated:
    request = _request(resolved, root, how, progress)
    terms = dict(_terms(resolved))
    asked = tuple(dict.fromkeys(term.metric for term in terms.values()))
    half = len(request.test.content) // 2 if request.test is not None else 0
    n_syn = min(half, resolved.spec.sampling.n or half)
    progress.start("calibrate", how.cuts, "cuts")
    cuts: list[dict[str, Figure]] = []
    for figures in null_figures(asked, request, n_syn, how.cuts):
        cuts.append({figure.name: figure for figure in figures})
        progress.advance()
    judged, missing = _numbers(terms, cuts)
    found = joint_limits(judged, terms, how.confidence, how.margin) if judged else {}
    by_contract = {c.id: {symbol: found[symbol] for symbol in c.symbols if symbol in found} for c in CONTRACTS}
    return Calibrated(
        limits={name: limits for name, limits in by_contract.items() if limits},
        units={symbol: terms[symbol].unit for symbol in found},
        n_real=half,
        n_syn=n_syn,
        left_out=dict(_engine_terms(resolved)) | missing,
        calibration=how,
    )


def _numbers(
    terms: Mapping[str, Term], cuts: Sequence[Mapping[str, Figure]]
) -> tuple[dict[str, list[float]], dict[str, str]]:
    """What is judged in each cut, by symbol; and why a symbol has no number in some cut."""
    judged: dict[str, list[float]] = {}
    missing: dict[str, str] = {}
    for symbol, term in terms.items():
        figures = [cut[term.metric] for cut in cuts]
        numbers = [number for figure in figures if (number := _judged(term, figure)) is not None]
        if len(numbers) == len(figures):
            judged[symbol] = numbers
        else:
            missing[symbol] = next(figure.reason for figure in figures if _judged(term, figure) is None)
    return judged, missing


def _terms(resolved: ResolvedSpec) -> Iterator[tuple[str, Term]]:
    """The terms with an open threshold whose metric the spec measures."""
    evaluation = resolved.spec.evaluation
    measured = set() if evaluation is None else set(evaluation.metrics)
    for contract in CONTRACTS:
        if contract.id in _NULLS:
            yield from ((term.symbol, term) for term in contract.terms if term.symbol and term.metric in measured)


def _engine_terms(resolved: ResolvedSpec) -> Iterator[tuple[str, str]]:
    """The thresholds that the spec owes and no comparison of records can find."""
    where = setting(resolved)
    owed = chain.from_iterable(chain.from_iterable(c.owes(where)) for c in CONTRACTS if c.id not in _NULLS)
    yield from ((symbol, "it is about the engine: state it") for symbol in owed)


def _judged(term: Term, figure: Figure) -> float | None:
    """The number that this term is judged at; None where there is none."""
    if figure.value is None:
        return None
    at_se = None if figure.u is None else figure.value + figure.u
    return {"upper": figure.upper, "lower": figure.lower, "value": figure.value, "value+u": at_se}[term.at]


def _request(resolved: ResolvedSpec, root: Path, how: Calibration, progress: Progress) -> metrics.Request:
    """The real splits of the spec, bound as a run binds them."""
    spec, schema = resolved.spec, resolved.schema
    assert spec.evaluation is not None  # noqa: S101 - asked for by `_refused`
    assert spec.data.split is not None  # noqa: S101 - asked for by P405-9.split-missing
    with tempfile.TemporaryDirectory(prefix="synthspec-calibrate-") as folder:
        context = Context(out=Path(folder), root=root, workers=1, progress=progress)
        bind(bind_op(resolved), {}, context)
        data = read_dataset(Path(folder) / DATA)
    rows = rows_of(Split(rule=spec.data.split), data, schema)
    if (fill := impute_op(resolved)) is not None:
        data, _ = completed(fill, data, rows.train)
    label = first_class(schema.with_role("condition"))
    train, val, test = (sample_of(schema, data.take(rows.of(part)), label) for part in ("train", "val", "test"))
    attack = spec.evaluation.membership_attack
    request = metrics.Request(
        modality=schema.modality,
        fields=tuple(described(schema)),
        seed=how.seed,
        train=train,
        val=val,
        test=test,
        classes=() if label is None else classes_of(label),
        target=spec.evaluation.target or "",
    )
    if attack is None:
        return request
    return replace(request, members=attack.members, non_members=attack.non_members)
