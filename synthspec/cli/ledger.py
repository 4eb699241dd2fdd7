"""`synthspec ledger`: what was released of which data, what is left, and releases that were made elsewhere."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from synthspec.cli.account import ADJACENCY, Neighbours, event_of, positive
from synthspec.cli.answer import FORMAT, Format, usage

if TYPE_CHECKING:
    from synthspec.ledger import Account, Entry, Ledger, Total

app = typer.Typer(
    help="What was released of which data, and what is left.", no_args_is_help=True, rich_markup_mode=None
)


@app.command("show")
def show(
    name: str | None = typer.Argument(None, help="One ledger, with every release; default all of them, in short."),
    form: Format = FORMAT,
) -> None:
    """Show budgets and what was spent. The database is $SYNTHSPEC_LEDGER, or a file in the folder of your state."""
    with _ledger() as ledger:
        found = ledger.accounts()
        if name is not None and name not in {account.name for account, _ in found}:
            raise usage(f"no ledger is called {name}; 'synthspec ledger show' lists them")
        chosen = [(account, total) for account, total in found if name in (None, account.name)]
        if form is Format.json:
            body = [_exported(account, total, ledger.entries(account.name)) for account, total in chosen]
            typer.echo(json.dumps({"ledgers": body}, indent=2))
            return
        if not chosen:
            typer.echo("no ledger yet: the first training under a mechanism opens the one that its spec names")
        for account, total in chosen:
            _tell(account, total, ledger.entries(account.name) if name else ())


@app.command("export")
def export(name: str = typer.Argument(..., help="The ledger.")) -> None:
    """Print a ledger as JSON: its budget, its total and every release."""
    show(name, Format.json)


@app.command("reserve")
def reserve(
    name: str = typer.Argument(..., help="The ledger; it is opened where there is none."),
    eps_budget: float = typer.Option(
        ..., help="eps that everything released may come to; an open ledger keeps its own."
    ),
    delta: float = typer.Option(..., help="The delta that the ledger answers for."),
    event: str = typer.Option(
        ..., help="What was released: poisson_gaussian, gaussian, laplace. Any other is infinite."
    ),
    multiplier: float = typer.Option(..., help="The noise, in units of what one unit may contribute."),
    rate: float | None = typer.Option(None, help="poisson_gaussian: the probability with which a record is drawn."),
    steps: int = typer.Option(1, min=1, help="How many releases."),
    adjacency: Neighbours = typer.Option(
        Neighbours.zero_out, help=f"{ADJACENCY} A ledger keeps the one that it was opened with."
    ),
    unit: str = typer.Option("record", help="What is protected."),
    dataset: str = typer.Option("", help="SHA-256 of the data, so that they are in no other ledger."),
    note: str = typer.Option("by hand", help="What it was, for whoever reads the ledger."),
    form: Format = FORMAT,
) -> None:
    """Enter a release that this program did not make. Exit 1, with nothing written, when the budget does not cover it."""
    from synthspec.ledger import Account, Entry, OverBudgetError

    if not 0 <= delta < 1:
        raise usage(f"--delta takes a probability below 1, not {delta:g}")
    noise, budget = positive(multiplier, "--multiplier"), positive(eps_budget, "--eps-budget")
    account = Account(
        name=name, adjacency=adjacency.value, unit=unit, accountant="pld", eps_budget=budget, delta_budget=delta
    )
    released = event_of(event, rate, steps)(noise)
    with _ledger() as ledger:
        try:
            entry, _ = ledger.reserve(account, Entry(account=name, dataset=dataset, event=released, note=note))
        except OverBudgetError as error:
            typer.echo(f"refused: {error.message}\nhelp: {error.help}", err=True)
            raise typer.Exit(1) from None
        total = ledger.settle(entry.id, released)
        if form is Format.json:
            about = {"adjacency": account.adjacency, "unit": account.unit}
            typer.echo(json.dumps({"entry": entry.id, "ledger": name, **about, "total": _total(total)}))
        else:
            spent = f"eps {total.eps:.15g} at delta {total.delta:.15g} in all"
            typer.echo(f"entry {entry.id} of {name}: {spent} ({account.adjacency} by {account.unit})")


def _tell(account: Account, total: Total, entries: tuple[Entry, ...]) -> None:
    from synthspec.ledger.event_text import told
    from synthspec.text import counted

    left = max(0.0, account.eps_budget - total.eps)
    typer.echo(
        f"{account.name}: eps {total.eps:.15g} of {account.eps_budget:.15g} at delta {account.delta_budget:.15g} "
        f"({account.adjacency} by {account.unit}, {total.accountant}), {counted(total.entries, 'release')}, {left:.4g} left"
    )
    for each in entries:
        typer.echo(f"  {each.id}\t{each.made_at}\t{each.state}\t{each.note}\t{told(each.event)}")


@contextmanager
def _ledger() -> Iterator[Ledger]:
    from synthspec.pipeline.reserving import ledger_url
    from synthspec.sign import state_dir

    try:
        from synthspec.ledger import Ledger, LedgerError
    except ImportError as error:
        raise usage(f"the ledger needs {error.name}: pip install 'synthspec[ledger]'") from None
    try:
        ledger = Ledger(ledger_url(state_dir()))
    except LedgerError as error:
        raise usage(f"{error.message} ({error.help})") from None
    try:
        yield ledger
    except LedgerError as error:
        raise usage(f"{error.message} ({error.help})") from None
    finally:
        ledger.close()


def _exported(account: Account, total: Total, entries: tuple[Entry, ...]) -> dict[str, object]:
    return {
        "name": account.name,
        "adjacency": account.adjacency,
        "unit": account.unit,
        "accountant": account.accountant,
        "eps_budget": account.eps_budget,
        "delta_budget": account.delta_budget,
        "opened_at": account.opened_at,
        "total": _total(total),
        "entries": [_entry(each) for each in entries],
    }


def _total(total: Total) -> dict[str, object]:
    eps = "inf" if total.eps == float("inf") else total.eps
    return {"eps": eps, "delta": total.delta, "accountant": total.accountant, "releases": total.entries}


def _entry(entry: Entry) -> dict[str, object]:
    from synthspec.ledger.event_text import write_event

    shown = ("id", "state", "dataset", "note", "spec", "plan", "commitment", "manifest", "made_at", "settled_at")
    return {**{name: getattr(entry, name) for name in shown}, "event": json.loads(write_event(entry.event))}
