"""From a spec on the command line to its plan, or to its findings and exit 1."""

from __future__ import annotations

from pathlib import Path

import typer

from synthspec.cli.answer import Format, show_findings, show_problems
from synthspec.ir.plan import Plan


def plan_of(spec: Path, changes: tuple[tuple[str, str], ...], *, allow_outside: bool, form: Format) -> Plan:
    """The plan of `spec`; when it has errors they are printed and the program exits with 1."""
    from datetime import UTC, datetime

    from synthspec.pipeline.compiling import compile_spec
    from synthspec.pipeline.front import Options, load_spec, spot

    options = Options(today=datetime.now(UTC).date(), allow_outside=allow_outside, overrides=changes)
    checked = load_spec(spot(spec), options)
    planned = checked.then(compile_spec)
    if planned.value is None:
        show_findings(planned.diagnostics, 1, form)
        raise typer.Exit(1)
    show_problems([finding for finding in checked.diagnostics if not finding.is_error])
    return planned.value
