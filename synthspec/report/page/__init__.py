"""``report.html``: one file that shows a run to people, without a network, a script or a clock.

The page is made from the files of a run and from its manifest, before they are signed: it is a signed file itself, and the
same run always gives the same bytes.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence

from synthspec import __version__
from synthspec.ir.canonical import canonical_bytes
from synthspec.ir.far import read_with_far
from synthspec.ir.manifest import Manifest
from synthspec.pipeline.contents import REPORT
from synthspec.report.page.curves import training
from synthspec.report.page.figures import figures
from synthspec.report.page.markup import Markup, join, tag, verbatim
from synthspec.report.page.origin import engine, environment, files
from synthspec.report.page.privacy import privacy
from synthspec.report.page.provenance import provenance
from synthspec.report.page.samples import samples
from synthspec.report.page.shown import Reader, Shown, shown
from synthspec.report.page.style import STYLE
from synthspec.report.page.verdicts import verdicts
from synthspec.sign import Subject

_SECTIONS = (
    ("verdict", "Verdict", verdicts),
    ("samples", "Samples", samples),
    ("training", "Training", training),
    ("figures", "Figures", figures),
    ("privacy", "Privacy", privacy),
    ("engine", "Engine", engine),
    ("provenance", "Provenance", provenance),
    ("environment", "Seeds and environment", environment),
    ("files", "Files and signature", files),
)


def run_page(manifest: Manifest, subjects: Sequence[Subject], read: Reader) -> bytes:
    """The page of a run with the signed files `subjects`, whose content `read` gives by name. UTF-8.

    Raises OSError, ValueError when a file is not what a run writes.
    """
    # As it is read back from the bundle: with sorted keys, and whole numbers without a point.
    signed = read_with_far(Manifest.model_validate_json, canonical_bytes(manifest))
    return _document(shown(signed, subjects, read, REPORT)).text.encode()


def _document(page: Shown) -> Markup:
    title = f"{page.plan.name} {page.manifest.version}: {page.manifest.verdict}"
    sheet = verbatim(STYLE)
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        _policy(STYLE),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", title),
        tag("link", rel="icon", href="data:,"),
        tag("style", sheet),
    )
    body = tag(
        "body",
        tag("a", "Skip to the verdict", href="#verdict", class_="skip"),
        _header(page),
        _contents(),
        tag("main", *(build(page) for _, _, build in _SECTIONS)),
        tag("footer", f"Written by synthspec {__version__} from the files of the run."),
    )
    return join(verbatim("<!doctype html>\n"), tag("html", head, body, lang="en"), verbatim("\n"))


def _policy(style: str) -> Markup:
    """No request of any kind: the one style sheet is known by its digest, pictures are in the page."""
    sheet = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    rules = f"default-src 'none'; style-src 'sha256-{sheet}'; img-src data:; base-uri 'none'; form-action 'none'"
    return tag("meta", http_equiv="Content-Security-Policy", content=rules)


def _header(page: Shown) -> Markup:
    manifest = page.manifest
    told = f"Version {manifest.version}, release {manifest.release.sequence}: {manifest.deep.family} on {manifest.dataset.name}"
    owner = page.plan.spec.metadata.owner
    return tag(
        "header",
        tag("h1", page.plan.name),
        tag("p", told, f", owned by {owner}" if owner else "", ".", class_="lead"),
        *((_restricted(),) if page.restricted else ()),
    )


def _restricted() -> Markup:
    return tag(
        "div",
        tag(
            "p",
            tag("strong", "Restricted. "),
            "Figures on this page were measured on private records, outside the privacy budget. Do not publish this page, the "
            "evidence or the full manifest; the samples and the weights are what the guarantee covers (see ",
            tag("a", "Privacy", href="#privacy"),
            ").",
        ),
        class_="restricted",
        role="note",
    )


def _contents() -> Markup:
    links = (tag("li", tag("a", title, href=f"#{ident}")) for ident, title, _ in _SECTIONS)
    return tag("nav", tag("ul", *links, role="list"), aria_label="Sections of this page")
