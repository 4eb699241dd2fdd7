"""What is counted of units, dimensions and constraints, as figures with every case in their details (P405-7, C40-518)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from synthspec.backend.artifacts import DimCheck, EnforceReport, RuleCount
from synthspec.backend.conservation import ConservationReport
from synthspec.ir.evidence import Scalar
from synthspec.metrics import Counted

Details = tuple[tuple[str, Scalar], ...]


def dim_failures(checks: Sequence[DimCheck]) -> Counted:
    """C40-518: how many ``check_dim(expr)`` do not hold; each of them with the dimension that it returned."""
    width = len(str(len(checks)))
    told = tuple(
        (f"check_dim.{number:0{width}}", f"{check.expr}: {check.dimension}, {'true' if check.ok else 'false'}")
        for number, check in enumerate(checks, start=1)
    )
    failed = [check.expr for check in checks if not check.ok]
    first: Details = (("first", failed[0]),) if failed else ()
    return Counted(name="check_dim_failures", value=len(failed), n=len(checks), details=(*first, *told))


def violations(enforced: EnforceReport) -> Iterator[Counted]:
    """The rules of the SRef over what is published: how many blocking ones are broken, and the rates of all of them.

    Where there is no rule, or none could be asked, there is no figure.
    """
    asked = [rule for rule in enforced.published if rule.checked]
    if not asked:
        return
    details: list[tuple[str, Scalar]] = []
    for rule in asked:
        details.append((f"{rule.id}.severity", rule.severity))
        for what, counts in (
            ("D_ref", enforced.reference),
            ("candidates", enforced.rules),
            ("D_syn", enforced.published),
        ):
            details += _told(f"{rule.id}.{what}", next((each for each in counts if each.id == rule.id), None))
    broken = sum(rule.violations for rule in asked if rule.severity == "block")
    yield Counted(name="constraint_violations", value=broken, n=asked[0].checked, details=tuple(details))


def accepted(enforced: EnforceReport) -> Iterator[Counted]:
    """S407: the share of the candidates that passed, with the attempts that a record cost; none where all were kept."""
    if enforced.candidates > enforced.kept:
        attempts: Details = (("accepted", enforced.accepted), ("kept", enforced.kept), *enforced.facts)
        yield Counted(
            name="acc_rate", value=enforced.accepted / enforced.candidates, n=enforced.candidates, details=attempts
        )


def moved(enforced: EnforceReport) -> Iterator[Counted]:
    """M40-5.4: how far records were moved onto the constraints, in standard deviations; none where none may be moved."""
    facts = dict(enforced.facts)
    cost = facts.get("projection_cost")
    if isinstance(cost, int | float):
        names = ("projected", "projected_beyond_cost", "projection_cost_most")
        yield Counted(
            name="projection_cost",
            value=float(cost),
            n=enforced.candidates,
            details=tuple((name, facts[name]) for name in names),
        )


def _told(name: str, count: RuleCount | None) -> list[tuple[str, Scalar]]:
    if count is None or count.rate is None:
        return []
    told: list[tuple[str, Scalar]] = [(f"{name}.rate", count.rate), (f"{name}.violations", count.violations)]
    if count.worst:
        told.append((f"{name}.worst_rows", " ".join(map(str, count.worst))))
    if count.excess:
        told.append((f"{name}.worst_by", f"{count.excess[0]:.6g} {count.unit}"))
    return told


def conserved(report: ConservationReport) -> Iterator[Counted]:
    """S403-2 and S403-3: values that do not come back from SI, and the largest loss of a cast by the size of its field."""
    lost = [(f.name, f.loss_cast / f.mean_size if f.mean_size else 0.0) for f in report.fields]
    worst = max(lost, key=lambda each: each[1])
    casts: list[tuple[str, Scalar]] = [("worst_field", worst[0])]
    for field in report.fields:
        casts += [(f"{field.name}.loss_cast", field.loss_cast), (f"{field.name}.largest", field.largest_loss)]
        casts.append((f"{field.name}.unit", field.unit))
    values = sum(field.values for field in report.fields)
    yield Counted(name="loss_cast", value=worst[1], n=values, details=tuple(casts))
    maps: list[tuple[str, Scalar]] = []
    for field in report.fields:
        maps += [(f"{field.name}.a", field.a), (f"{field.name}.b", field.b), (f"{field.name}.u_scale", abs(field.a))]
    broken = sum(field.not_restored for field in report.fields)
    yield Counted(name="units_not_restored", value=broken, n=values, details=tuple(maps))
