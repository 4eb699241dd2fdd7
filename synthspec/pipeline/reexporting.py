"""Whether the exports of a run say what its manifest says: they are written anew from plan, manifest and signed files."""

from __future__ import annotations

from collections.abc import Mapping

from synthspec import __version__
from synthspec.exports import FILES
from synthspec.ir.manifest import Manifest
from synthspec.ir.plan import read_plan
from synthspec.pipeline.contents import PLAN, REPORT
from synthspec.pipeline.exporting import exported
from synthspec.pipeline.publishing import shown_of
from synthspec.sign import Refusal, Refusals, VerifiedStatement, verify_bundle
from synthspec.sign.names import PUBLIC
from synthspec.sign.refusal import settled
from synthspec.sign.trust import Trust

EXPORTS = frozenset(FILES.values())
COMPARED = EXPORTS | {PUBLIC.bundle}
"""What has to be read of the folder, beside what is read anyway."""
_LATER = frozenset({*EXPORTS, REPORT, PUBLIC.bundle, PUBLIC.readable})
"""Signed files that were made after the exports, or are exports."""


def misquoted(statement: VerifiedStatement, content: Mapping[str, bytes], trust: Trust) -> Refusals:
    """Every export among the signed files that says otherwise than what is written from the run today, and what is missing.

    `statement` is of a restricted manifest whose files hold, `content` what was hashed of them. Under a mechanism exports tell
    what the public manifest tells, which lies beside it.
    """
    return settled(lambda: _misquoted(statement, content, trust))


def _misquoted(statement: VerifiedStatement, content: Mapping[str, bytes], trust: Trust) -> Refusals:
    said = statement.manifest
    if not isinstance(said, Manifest):
        raise TypeError("exports follow from a plan, which only a restricted manifest has beside it")
    plan = read_plan(content[PLAN])
    files = tuple(each for each in statement.subjects if each.name not in _LATER)
    if said.privacy.mechanism == "none":
        wanted = exported(plan, said, files)
    else:
        if PUBLIC.bundle not in content:
            message = "exports under a mechanism tell what the public manifest tells, and none is signed with them"
            return (Refusal("MISSING_FILE", message, PUBLIC.bundle),)
        public = verify_bundle(content[PUBLIC.bundle], Trust(trust.entries, roots=trust.roots))
        if not isinstance(public, VerifiedStatement):
            return public
        wanted = exported(plan, public.manifest, shown_of(plan, files))
    there = {each.name for each in statement.subjects} & EXPORTS
    wrong = sorted(name for name in there | wanted.keys() if content.get(name) != wanted.get(name))
    by = said.ir.compiler.version
    other = "" if by == __version__ else f"; version {by} wrote it, and this is {__version__}"
    message = f"it does not say what plan, manifest and files give{other}"
    return tuple(Refusal("COMPANION_INCONSISTENT", message, name) for name in wrong)
