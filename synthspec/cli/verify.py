"""`synthspec verify`: whether a manifest is authentic, its files are untouched, and its verdict follows."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from synthspec.cli.answer import FORMAT, Format, usage
from synthspec.cli.loading import loading

if TYPE_CHECKING:
    from synthspec.pipeline.verifying import Verification
    from synthspec.sign import VerifiedStatement


def verify(
    manifest: Path = typer.Argument(..., help="manifest.sigstore.json, or the folder of a run."),
    key: list[Path] | None = typer.Option(None, "--key", help="A public key (PEM) to trust beside your own."),
    exports: bool = typer.Option(
        False,
        "--exports",
        help="Write Croissant, CycloneDX and RO-Crate again, too, and compare; not of a public manifest.",
    ),
    form: Format = FORMAT,
) -> None:
    """Verify a signed manifest with everything beside it. Needs neither the spec nor torch.

    Exit 0: authentic, and the gate is open. 1: refused, or authentic with a contract not held. 2: nothing to read.
    """
    if not manifest.exists():
        raise usage(f"{manifest}: no such file or folder")
    with loading():  # and the checks of the models that are met, which are built when they are first asked
        from synthspec.pipeline.verifying import verify as verify_path

        found = verify_path(manifest, tuple(key or ()), exports=exports)
    if form is Format.json:
        _json(found)
    else:
        _text(found)
        if exports and found.authentic and found.exported is None:
            typer.echo("note: exports follow from the plan, which is in the restricted release: they were not compared")
    if all(each.code == "IO" for each in found.refusals) and found.refusals:
        raise typer.Exit(2)
    if not found.passed:
        raise typer.Exit(1)


def _json(found: Verification) -> None:
    import json

    from synthspec.report.findings_json import header

    said = None if found.statement is None else found.statement.manifest
    body = {
        **header(),
        "authentic": found.authentic,
        "gate": None if said is None else said.verdict.lower(),
        "stream": None if said is None else said.release.stream,
        "sequence": None if said is None else said.release.sequence,
        "ordered": found.ordered,
        "key_id": None if found.statement is None else found.statement.key.key_id,
        "pinned_as": _pinned(found),
        "signed_before": _stamp(found),
        "stamps_unread": 0 if found.statement is None else found.statement.unread,
        "runnable": list(found.marked),
        "exports": found.exported,
        "refusals": [{"code": each.code, "message": each.message, "where": each.where} for each in found.refusals],
        "contracts": [] if said is None else [entry.canonical() for entry in said.contracts],
        "paths": [] if found.statement is None else [subject.name for subject in found.statement.subjects],
    }
    typer.echo(json.dumps(body, indent=2, ensure_ascii=False))


def _pinned(found: Verification) -> list[str]:
    """The names under which you pinned the keys that signed."""
    behind = () if found.statement is None else found.statement.behind
    return sorted(entry.name for entry in behind if entry.pinned)


def _stamp(found: Verification) -> str | None:
    """By when it was signed, where a trusted clock says so."""
    stamped = None if found.statement is None else found.statement.stamped
    return None if stamped is None else stamped.isoformat()


def _shown_in_public(statement: VerifiedStatement) -> str:
    """What of a public manifest follows from what goes out with it; the spec does not where it pins private data."""
    from synthspec.pipeline.contents import SPEC

    gate = "that the gate follows from the verdicts"
    told = any(subject.name == SPEC for subject in statement.subjects)
    return f"{gate}, and limits, engine and mechanism are those of the spec" if told else gate


def _signer(found: Verification, statement: VerifiedStatement) -> str:
    """The key, the names that you gave it, and what a development key does not prove."""
    from synthspec.report.findings_text import plain
    from synthspec.sign.keys import DEVELOPMENT

    # Whoever signs with a development key may call it what he likes; one's own is known.
    own = any(entry.name == DEVELOPMENT and not entry.pinned for entry in statement.behind)
    development = own or statement.manifest.key.kind == "development"
    kind = " (a development key: it proves that nothing changed since, not who signed)" if development else ""
    names = f" (pinned as {', '.join(map(plain, pinned))})" if (pinned := _pinned(found)) else ""
    return f"{statement.key.key_id}{names}{kind}"


def _text(found: Verification) -> None:
    from synthspec.ir.manifest import Manifest
    from synthspec.ir.manifest_evidence import to_records
    from synthspec.ir.verdict import Gate
    from synthspec.report.findings_text import plain
    from synthspec.report.style import style_for
    from synthspec.report.verdict_table import verdict_table
    from synthspec.sign.claims import public_records

    style = style_for(sys.stdout)
    for each in found.refusals:
        typer.echo(f"{style.paint('refused', 'bad')}[{each.code}]: {plain(str(each))}", color=True)
    for code in dict.fromkeys(each.code for each in found.refusals):
        typer.echo(f"help: 'synthspec explain {code}' says what that means and what to do")
    if found.statement is None or found.refusals:
        typer.echo(style.paint("verify: REFUSED", "bad"), color=True)
        return
    said = found.statement.manifest
    typer.echo(f"signed by {_signer(found, found.statement)}")
    full = isinstance(said, Manifest)
    follows = "that the verdicts follow from the evidence" if full else _shown_in_public(found.statement)
    typer.echo(f"proved: the signature, {found.files} files by size and SHA-256, and {follows}")
    if found.exported is not None:
        typer.echo(f"proved: {found.exported} exports say what is written from plan, manifest and files")
    if stamped := _stamp(found):
        typer.echo(f"signed before {stamped}: a clock that you trust says so")
    elif found.statement.unread:
        typer.echo("note: it carries a time stamp, and no root of a clock is trusted: run 'synthspec trust clock FILE'")
    release = said.release
    order = (
        "no release seen before follows it"
        if found.ordered
        else "its order was not checked (no key of yours is pinned)"
    )
    typer.echo(f"release {release.sequence} of the stream {release.stream}: {order}")
    if found.marked:
        typer.echo(f"note: modes are not signed, and these files can be run: {', '.join(map(plain, found.marked))}")
    unproved = (
        "that the evidence was measured honestly; 'synthspec replay' runs the plan again"
        if full
        else "the figures behind the verdicts: they are private, and in the restricted manifest"
    )
    typer.echo(f"not proved: {unproved}")
    gate = Gate(fidelity_ok=said.gate.fidelity_ok, privacy_ok=said.gate.privacy_ok, contract_ok=said.gate.contract_ok)
    if said.verdict != "PASS":
        records = to_records(said.contracts) if isinstance(said, Manifest) else public_records(said)
        typer.echo(verdict_table(records, gate, style), nl=False, color=True)
        typer.echo(style.paint("verify: authentic, but a contract is not held", "bad"), color=True)
    else:
        typer.echo(style.paint("verify: OK", "good"), color=True)
