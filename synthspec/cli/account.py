"""`synthspec account`: the accountant alone. What some releases spend, or how much noise a budget asks for."""

from __future__ import annotations

import math
from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING, cast

import typer

from synthspec.cli.answer import FORMAT, Format, usage
from synthspec.text import counted

if TYPE_CHECKING:
    from synthspec.accounting import Accountant, Event, Spend


class Neighbours(str, Enum):
    """Which data sets are told apart."""

    zero_out = "zero_out"
    add_remove = "add_remove"
    replace_one = "replace_one"


ADJACENCY = (
    "What neighbours differ in. zero_out: one record is emptied, their number is public; add_remove: one more or less; "
    "replace_one: another in its place, about twice the eps. The same noise has the same eps under the first two; figures of "
    "different ones are about different things."
)
EVENTS = ("poisson_gaussian", "gaussian", "laplace")
ACCOUNTANTS = ("pld", "rdp", "analytic")
_REFUSED = {
    "gdp": "a central-limit approximation, which is no bound: it understates eps by up to 85 %",
    "clt": "a central-limit approximation, which is no bound: it understates eps by up to 85 %",
}


def account(
    event: str = typer.Option(
        ..., help="What was released: poisson_gaussian, gaussian, laplace. Any other is infinite."
    ),
    delta: float = typer.Option(..., help="The probability with which eps may fail, such as 1e-5."),
    multiplier: float | None = typer.Option(
        None, help="The noise, in units of what one unit may contribute: sigma, or the Laplace scale."
    ),
    rate: float | None = typer.Option(None, help="poisson_gaussian: the probability with which a record is drawn."),
    steps: int = typer.Option(1, min=1, help="How many releases."),
    adjacency: Neighbours = typer.Option(Neighbours.add_remove, help=ADJACENCY),
    accountant: str | None = typer.Option(
        None, help="pld, rdp, or analytic (a closed form); default pld, and analytic for gaussian."
    ),
    eps_budget: float | None = typer.Option(None, help="Instead of --multiplier: the eps to solve the noise for."),
    form: Format = FORMAT,
) -> None:
    """Compute (eps, delta) of Gaussian, Poisson-sampled Gaussian or Laplace releases, or solve their noise."""
    from synthspec.accounting import AccountantMissingError, eps_total, solve

    if (multiplier is None) == (eps_budget is None):
        raise usage("give --multiplier to compute eps, or --eps-budget to solve the multiplier: one of the two")
    released = event_of(event, rate, steps)
    by = _accountant(accountant, event)
    if not 0 <= delta < 1:
        raise usage(f"--delta takes a probability below 1, not {delta:g}")
    try:
        if multiplier is None:
            multiplier = solve(released, delta, positive(eps_budget, "--eps-budget"), adjacency.value, by)
            if multiplier is None:
                raise usage(
                    f"no noise keeps {counted(steps, 'release')} within an eps of {eps_budget:g} at delta {delta:g}"
                )
        spent = eps_total(released(positive(multiplier, "--multiplier")), delta, by, adjacency.value)
    except AccountantMissingError as missing:
        raise usage(str(missing)) from missing
    facts = _facts(spent, event, rate, multiplier, steps) | ({} if eps_budget is None else {"eps_budget": eps_budget})
    _answer(facts, form)


def event_of(kind: str, rate: float | None, steps: int) -> Callable[[float], Event]:
    """The releases of `kind` by their noise; exit 2 for options that do not belong to it."""
    from synthspec.accounting import Gaussian, Laplace, PoissonGaussian, Repeated, Unknown

    if kind not in EVENTS:
        from synthspec.diag import did_you_mean

        typer.echo(f"note: nobody has a bound for {kind!r}, so eps is infinite; {did_you_mean(kind, EVENTS)}", err=True)
        return lambda _: Unknown(kind)
    if kind == "poisson_gaussian":
        if rate is None or not 0 < rate <= 1:
            raise usage("poisson_gaussian takes --rate, a probability above 0")
        drawn = rate
        return lambda scale: PoissonGaussian(drawn, scale, steps)
    if rate is not None:
        raise usage(f"--rate is for poisson_gaussian: in {kind}, every record takes part")
    if kind == "gaussian":
        return lambda scale: Repeated(Gaussian(scale), steps)
    return lambda scale: Repeated(Laplace(scale), steps)


def _accountant(name: str | None, kind: str) -> Accountant:
    if name is None:
        return "analytic" if kind == "gaussian" else "pld"
    if name not in ACCOUNTANTS:
        because = f"{name!r} is {_REFUSED[name]}; " if name in _REFUSED else ""
        raise usage(f"{because}--accountant takes {', '.join(ACCOUNTANTS)}" + ("" if because else f", not {name!r}"))
    return cast("Accountant", name)


def positive(value: float | None, option: str) -> float:
    """`value` where it is a finite number of at least 0; exit 2 otherwise."""
    if value is None or not 0 <= value < math.inf:
        raise usage(f"{option} takes a number of at least 0, not {value}")
    return value


def _facts(spent: Spend, kind: str, rate: float | None, multiplier: float, steps: int) -> dict[str, object]:
    return {
        "eps_total": spent.eps if math.isfinite(spent.eps) else "inf",
        "delta": spent.delta,
        "accountant": spent.accountant,
        "adjacency": spent.adjacency,
        "version": spent.version,
        "event": kind,
        **({} if rate is None else {"rate": rate}),
        "multiplier": multiplier,
        "steps": steps,
    }


def _answer(facts: dict[str, object], form: Format) -> None:
    if form is Format.json:
        import json

        typer.echo(json.dumps(facts, indent=2))
        return
    width = max(map(len, facts))
    for name, value in facts.items():
        typer.echo(f"{name:<{width}}  {value}")
