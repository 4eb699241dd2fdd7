"""What the bytes depend on and what they are: seeds, environment, signature, files."""

from __future__ import annotations

from collections.abc import Mapping

from synthspec.ir.manifest_base import Parameter
from synthspec.report.page.markup import Child, Markup, join, tag
from synthspec.report.page.parts import code, facts, more, section, table
from synthspec.report.page.shown import Shown
from synthspec.report.verdict_table import number
from synthspec.sign.names import PUBLIC


def engine(page: Shown) -> Markup:
    """The engine as it was trained and sampled (App C `deep`)."""
    deep, reference = page.manifest.deep, page.manifest.engine
    measure = f"{deep.objective.measure} ({deep.objective.equation})"
    told: list[tuple[str, Child | None]] = [
        ("Family", f"{deep.family}, version {reference.version}"),
        ("Architecture", _listed(deep.architecture.name, deep.architecture.parameters)),
        (
            "Trainable numbers",
            None if deep.architecture.n_parameters is None else f"{deep.architecture.n_parameters:,}",
        ),
        ("Objective", _listed(measure, deep.objective.parameters)),
        ("Noise schedule", None if deep.noise_schedule is None else _listed("", deep.noise_schedule)),
        ("Base distribution", deep.base_dist),
        ("Solver", deep.solver),
        ("Steps", _count(deep.nominal_steps)),
        ("Network evaluations a sample", _count(deep.net_evals_per_sample)),
        ("Guidance w_cfg", None if deep.w_cfg is None else f"{number(deep.w_cfg)} (convention {deep.cfg_convention})"),
        ("Drawn under", _listed("", page.manifest.generation.controls)),
    ]
    return section("engine", "Engine", facts(told))


def environment(page: Shown) -> Markup:
    """Seeds, and everything that a seed alone does not fix."""
    random, world = page.manifest.randomness, page.manifest.environment
    seeds = [(f"Seed of {name}", code(seed)) for name, seed in sorted(random.seeds.items())]
    seeds += [(f"Commitment of {name}", code(text)) for name, text in sorted((random.commitments or {}).items())]
    cpu = _listed("", world.cpu)
    commit = world.code.commit or "no checkout"
    told: list[tuple[str, Child | None]] = [
        *seeds,
        ("Random numbers", random.rng),
        ("Python", f"{world.implementation} {world.python}"),
        ("System", f"{world.os} {world.kernel}, {world.machine}{f', {world.libc}' if world.libc else ''}"),
        ("Processor", cpu),
        ("Accelerators", "; ".join(_listed("", each) for each in world.accelerators) or "none"),
        ("Threads", _listed("", world.threads)),
        ("Backend", _listed(f"{world.backend.name} {world.backend.version}", world.backend.facts)),
        ("Code", f"synthspec {world.code.version}, {commit}{', edited' if world.code.dirty else ''}"),
        ("Time zone", world.timezone),
        ("Locale", world.locale),
    ]
    variables = sorted(world.variables.items())
    packages = table("Installed packages", ("Package", "Version"), sorted(world.packages.items()))
    shown = [table("Environment variables", ("Variable", "Value"), variables)] if variables else []
    return section(
        "environment",
        "Seeds and environment",
        facts(told),
        *shown,
        more(f"Installed packages ({len(world.packages)})", packages) if world.packages else join(),
    )


def files(page: Shown) -> Markup:
    """Every signed file, and how to check them."""
    manifest = page.manifest
    key = manifest.key
    kind = (
        "a development key: it proves that nothing changed since, not who signed"
        if key.kind != "user"
        else "a user's key"
    )
    release = manifest.release
    told = facts(
        (
            ("Stream", f"{release.stream}, release {release.sequence}"),
            ("Made", release.created_at),
            ("Expires", release.expires_at),
            ("Previous release", None if release.previous is None else code(release.previous.sha256)),
            ("Signed by", join(code(key.key_id), f" ({kind})")),
            ("Signature", f"{manifest.sign.alg}, {manifest.sign.envelope}"),
        )
    )
    rows = ((code(each.name), f"{each.size:,}", code(each.sha256)) for each in page.files)
    listed = table("Signed files beside this page", ("File", "Bytes", "SHA-256"), rows, "stacked")
    after = (" and what is made after it, ", code(PUBLIC.bundle), " and ", code(PUBLIC.readable))
    beyond = tag(
        "p",
        "Signed and not listed is this page, which cannot hold its own digest",
        *(after if page.restricted else ()),
        ".",
    )
    check = tag(
        "p",
        "This page shows what the signed manifest says and proves nothing by itself. It is one of the signed files; ",
        code("synthspec verify"),
        " on the folder checks the signature, every file, and that the verdict follows from the evidence.",
    )
    return section("files", "Files and signature", check, told, listed, beyond)


def _count(value: int | None) -> str | None:
    return None if value is None else f"{value}"


def _listed(head: str, parameters: Mapping[str, Parameter]) -> str:
    """``mlp, hidden [64, 64], latent_dim 4``."""
    parts = [f"{key} {_scalar(value)}" for key, value in parameters.items()]
    return ", ".join([head, *parts] if head else parts)


def _scalar(value: Parameter) -> str:
    if isinstance(value, (tuple, list)):
        return f"[{', '.join(_scalar(each) for each in value)}]"
    return number(value) if isinstance(value, float) else str(value)
