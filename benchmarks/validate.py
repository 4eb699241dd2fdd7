"""CPU time of `synthspec validate` beside `check-jsonschema` on the same files, cold, for 1, 100 and 1,000 specs.

The peer validates against the published JSON Schema only. Ours reads the SRef too and asks every rule. The peer is no
dependency of ours: install it in an environment of its own and name its program,

    python -m venv /tmp/peer && /tmp/peer/bin/python -m pip install check-jsonschema==0.39.0
    python -m benchmarks.validate --peer /tmp/peer/bin/check-jsonschema      # or SYNTHSPEC_BENCH_PEER
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import shutil
import sys
import tempfile
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from benchmarks.processes import Command, in_turn, spread
from synthspec.rules import RULES

ROOT = Path(__file__).parent.parent
SPEC = ROOT / "examples" / "digits-diffusion" / "spec.yaml"
SREF = SPEC.with_name("digits.sref.yaml")
SCHEMA = ROOT / "specs" / "schema" / "enginespec.v1.schema.json"
GOALS = {1: 0.8, 1000: 0.35}
"""The most CPU time that `validate` may use, in parts of the peer's, by number of specs (issue 3)."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print a table in markdown."""
    options = _options(arguments)
    print(f"{_machine()}; {len(RULES)} rules; synthspec {version('synthspec')} at `{_shown(options.ours)}`")
    if not options.peer:
        print("\nNo peer: ours alone. To compare, see the first lines of benchmarks/validate.py.")
    print("\n| specs | SRefs | runs | ours, CPU s | peer, CPU s | ours / peer | at most | ours, MiB | peer, MiB |")
    print("|---|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for specs, shared in ((1, True), (100, True), (1000, True), (1000, False)):
            if specs > options.largest:
                continue
            runs = options.runs if specs == 1 else max(3, options.runs // (4 if specs == 100 else 7))
            print(_row(Path(folder) / f"{specs}-{shared}", specs, runs, options, shared=shared), flush=True)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.validate", description=__doc__.splitlines()[0])
    beside = Path(sys.executable).with_name("synthspec")
    parser.add_argument("--ours", default=str(beside), help="the synthspec to measure (default: of this environment)")
    parser.add_argument("--peer", default=os.environ.get("SYNTHSPEC_BENCH_PEER", ""), help="a check-jsonschema")
    parser.add_argument("--runs", type=int, default=21, help="counted runs for one spec; fewer for many (default: 21)")
    parser.add_argument("--largest", type=int, default=1000, help="leave out rows of more specs (default: 1000)")
    options = parser.parse_args(arguments)
    for name in filter(None, (options.ours, options.peer)):
        if shutil.which(name) is None:
            parser.error(f"{name}: no such program")
    return options


def _row(folder: Path, specs: int, runs: int, options: argparse.Namespace, *, shared: bool) -> str:
    names = tuple(_copies(folder, specs, shared=shared))
    commands = [Command((options.ours, "validate", *names), str(folder))]
    if options.peer:
        commands.append(Command((options.peer, "--schemafile", str(SCHEMA), *names), str(folder)))
    ours, *others = in_turn(commands, runs)
    cells = [f"{specs:,}", "one" if shared else "one each", str(runs), spread([cost.cpu for cost in ours])]
    if not others:
        cells += ["", "", "", f"{max(cost.peak for cost in ours):.0f}", ""]
    for peer in others:
        ratios = [own.cpu / other.cpu for own, other in zip(ours, peer, strict=True)]
        cells += [spread([cost.cpu for cost in peer]), spread(ratios, 2), str(GOALS.get(specs, ""))]
        cells += [f"{max(cost.peak for cost in costs):.0f}" for costs in (ours, peer)]
    return f"| {' | '.join(cells)} |"


def _copies(folder: Path, specs: int, *, shared: bool) -> list[str]:
    """Write the specs, no two alike, and their SRefs; their names relative to `folder`."""
    text = SPEC.read_text(encoding="utf-8")
    names = []
    for number in range(specs):
        place = folder if shared else folder / f"{number:04}"
        place.mkdir(parents=True, exist_ok=True)
        if not number or not shared:
            shutil.copy(SREF, place)
        changed, times = re.subn(r"(?m)^(  name: digits-diffusion)$", rf"\g<1>-{number}", text)
        if times != 1:
            raise RuntimeError(f"{SPEC} has no name to change")
        (place / f"spec-{number:04}.yaml").write_text(changed, encoding="utf-8")
        names.append(str((place / f"spec-{number:04}.yaml").relative_to(folder)))
    return names


def _machine() -> str:
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}"


def _shown(program: str) -> str:
    """`program` without the folders above its environment, which are nobody's business."""
    return "/".join(Path(program).parts[-3:])


if __name__ == "__main__":
    main()
