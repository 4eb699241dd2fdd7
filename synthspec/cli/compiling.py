"""`synthspec compile`: the plan of a run, and its graph."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from synthspec.cli.answer import FORMAT, OUTSIDE, QUIET, SET, Format, existing_file, overrides, show_findings, usage

if TYPE_CHECKING:
    from synthspec.ir.plan import Plan


def compile_(
    spec: Path = typer.Argument(..., help="The EngineSpec."),
    out: Path | None = typer.Option(
        None, "--out", "-o", help="Where to write the plan; default <name>.plan.json here."
    ),
    graph: str | None = typer.Option(None, help="Print the graph instead of writing the plan: 'mermaid' or 'dot'."),
    changes: list[str] | None = SET,
    allow_outside: bool = OUTSIDE,
    form: Format = FORMAT,
    quiet: bool = QUIET,
) -> None:
    """Write the plan of a spec, and the resolved spec with every default spelled out."""
    from synthspec.cli.output import write_file
    from synthspec.cli.planning import plan_of
    from synthspec.ir.plan import write_plan
    from synthspec.pipeline.compiling import based
    from synthspec.pipeline.resolved import resolved_text

    if graph not in (None, "mermaid", "dot"):
        raise usage(f"--graph takes 'mermaid' or 'dot', not {graph!r}")
    plan = plan_of(existing_file(spec), overrides(changes), allow_outside=allow_outside, form=form)
    if graph is not None:
        from synthspec.plan import to_dot, to_mermaid

        typer.echo((to_mermaid if graph == "mermaid" else to_dot)(plan), nl=False)
        return
    target = out or Path(f"{plan.name}.plan.json")
    resolved = target.with_name(target.name.removesuffix(".json").removesuffix(".plan") + ".resolved.yaml")
    plan_there = based(plan, spec.parent, target.absolute().parent)
    elsewhere = _elsewhere(plan_there, target)
    write_file(target, write_plan(plan_there))
    write_file(resolved, ((f"# {elsewhere}\n" if elsewhere else "") + resolved_text(plan.spec)).encode())
    nobody, spends = [node for node in plan.nodes if not node.backend], _spends(plan)
    if form is Format.json:
        refused = {node.id: list(node.refusals) for node in nobody}
        written = {"plan": str(target), "resolved": str(resolved), "digest": plan.digest, "unsupported": refused}
        written |= {"planned": spends} if spends else {}
        show_findings((), 1, form, **written)
        return
    if not quiet:
        typer.echo(f"wrote {target} ({len(plan.nodes)} nodes, digest {plan.digest[:16]})\nwrote {resolved}")
        if elsewhere:
            typer.echo(f"note: {resolved}: {elsewhere[0].lower()}{elsewhere[1:]}", err=True)
        if spends:
            typer.echo(
                "plans eps {eps:.15g} at delta {delta:.15g} ({adjacency}), with noise of {multiplier:g}".format(
                    **spends
                )
            )
        for node in nobody:
            typer.echo(
                f"note: {node.id} is not supported by any installed backend: {'; '.join(node.refusals)}", err=True
            )


def _elsewhere(plan: Plan, target: Path) -> str:
    """What to know of a resolved spec that lies elsewhere than the spec: a plan says where its paths begin, a spec cannot."""
    if plan.base == ".":
        return ""
    # A folder's name is text of somebody's: it stays on one line.
    return f"Its paths begin in {plan.base!r}: put it there to validate or run it; {target.name!r} runs from here."


def _spends(plan: Plan) -> dict[str, Any]:
    """What the mechanism of `plan` would spend, before anything is read; empty where there is none, or no bound is known."""
    from synthspec.review.effects import planned

    found, block = planned(plan.spec), plan.spec.privacy
    if found.eps is None or found.multiplier is None:
        return {}
    held = {"delta": getattr(block, "delta", None), "adjacency": getattr(block, "adjacency", None)}
    return {"eps": found.eps, "multiplier": found.multiplier, **held}
