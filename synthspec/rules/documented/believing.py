"""Codes of `verify` about what is claimed, about time, and about the order of releases."""

from __future__ import annotations

from synthspec.rules.documented.form import Documented
from synthspec.rules.documented.verifying import refusal

_SIGNER = "The signature holds, so whoever holds the key signed a contradiction: it is no accident of the way to you."
_ASK = "ask the signer; synthspec run writes no such manifest"

CODES: tuple[Documented, ...] = (
    refusal("CONTRACT_MISSING", "A contract is not told of, or lacks a bound that is owed.",
            f"Each of C40-511 to C40-519 has one record, with every bound that family and modality owe. {_SIGNER}",
            "no record of C40-516, verdict PASS", _ASK, "M73"),
    refusal("DUPLICATE_CONTRACT", "A contract is told of twice.", f"The later record would hide the earlier one. {_SIGNER}",
            "C40-511: fail, and C40-511: pass", _ASK, "M74"),
    refusal("CONTRACT_SCHEMA", "A contract has a bound that the standard does not have.",
            f"Metric, relation, unit and split of a bound are those of the standard. {_SIGNER}",
            "C40-512: bpd <= 8 nat", _ASK, "M100"),
    refusal("CONTRACT_INCONSISTENT", "A result does not follow from its figure and its limit.",
            f"Every result is computed again. {_SIGNER}", "FID 80, limit 60, result: pass", _ASK, "M76"),
    refusal("EVIDENCE_MISSING", "The figures behind a verdict are not there.",
            f"A verdict follows from figures that are among the signed files, or from nothing. {_SIGNER}",
            "C40-511: pass, without a figure of FID", _ASK, "M101"),
    refusal("LIMIT_NOT_FROM_SPEC", "A limit is not the one of the signed spec.",
            f"Limits are read from the spec again, and neither plan nor manifest is believed about them. {_SIGNER}",
            "tol_FID: 60 in the spec, 90 in the manifest", _ASK, "M93"),
    refusal("VERDICT_INCONSISTENT", "The manifest says something else than the files that were signed with it.",
            f"What follows from spec, plan and evidence is told again and compared. {_SIGNER}",
            "verdict: PASS, with a contract that is broken", _ASK, "M75, M78"),
    refusal("COMPANION_INCONSISTENT", "A file for other tools says something else than the manifest.",
            f"The test result and the signature over the weights are read by tools that know no SynthSpec. {_SIGNER}",
            "test-result.sigstore.json: PASSED, verdict FAIL", _ASK),
    refusal("GATE_CLOSED", "The run may not be released: its gate is closed.",
            "A release is what holds its contracts; the table says which one does not.",
            "synthspec release runs/failed --to releases", "synthspec verify runs/failed   # which contract, and why"),
    refusal("EXPIRED", "The manifest has expired.",
            "Its spec says for how many days it is current (`release.max_age_days`). An old one may hide a newer one.",
            "a release of last year", "ask for the release in force", "M71"),
    refusal("FROM_FUTURE", "The manifest says that it was made in the future.",
            "More than five minutes ahead of this machine: one of the two clocks is wrong, or somebody wrote the date.",
            "createdAt: 2999-01-01T00:00:00Z", "look at the clock of this machine, then ask the signer", "M72"),
    refusal("TIMESTAMP_MISMATCH", "The time stamp is of another signature.",
            "A clock stamps one signature, and proves nothing about another one.",
            "a stamp copied from another bundle", "synthspec keys timestamp RUN --query request.tsq", "M91"),
    refusal("TIMESTAMP_UNTRUSTED", "No clock that you trust stands behind the time stamp.",
            "Its certificate leads to no root of yours, it answers another request, or it cannot be read.",
            "a stamp by an authority that you never added", "synthspec trust clock roots.pem", "M92"),
    refusal("ROLLBACK", "A newer release of the stream was seen on this machine.",
            "An old release is authentic for ever. Whoever shows it in place of a newer one may have a reason.",
            "release 7 after release 9", "ask for the release in force", "M69, M87"),
    refusal("FORK", "Another release with this number was seen on this machine.",
            "One stream has one release of each number: two were signed, perhaps on two machines.",
            "two machines that sign one stream", "ask the signer which one is meant; it gets the next number", "M70"),
    refusal("CHAIN_BROKEN", "The release does not follow the one before it.",
            "It names another release as its predecessor than the one that was seen, or none.",
            "release 8 that follows another release 7", "ask the signer for the releases in between", "M88"),
    refusal("IO", "Something cannot be read or written.",
            "The file is not there, is no regular file, or this user may not read it. Nothing is said about the manifest,"
            " and the exit code is 2.",
            "synthspec verify run/weights", "synthspec verify run", "M86"),
    refusal("INTERNAL", "The verifier failed.",
            "That is a bug of synthspec. What cannot be verified is refused, whatever the reason.",
            "(any manifest)", "(report it)", "M90"),
)  # fmt: skip
