"""CPU time and memory of `synthspec verify` beside `sha256sum` on the same files, cold, for releases of up to 1 GB.

The release is a run of the digits example without training, with large files signed beside its own. `verify` does all
that it does: the signature, every file by name, size and SHA-256, the verdicts judged again. The peer only hashes.

    python -m benchmarks.verify
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.processes import Command, Cost, in_turn, spread
from synthspec.sign import SigningKey, Subject, VerifiedStatement, development_key, sign, trusted_keys, verify_bundle
from synthspec.sign.trust import Trust

SPEC = Path(__file__).parent.parent / "examples" / "digits-diffusion"
BUNDLE = "manifest.sigstore.json"
GOAL = 1.25
"""The most CPU time that `verify` of 1 GB may use, in parts of `sha256sum` (issue 7)."""
SHAPES = ((1, 10**6), (4, 25 * 10**6), (4, 25 * 10**7), (1000, 10**6))
"""(large files, bytes of each)."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print a table in markdown."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.verify", description=__doc__.splitlines()[0])
    parser.add_argument("--ours", default=str(Path(sys.executable).with_name("synthspec")), help="the synthspec")
    parser.add_argument("--runs", type=int, default=7, help="counted runs of each program (default: 7)")
    options = parser.parse_args(arguments)
    if (peer := shutil.which("sha256sum")) is None:
        parser.error("there is no sha256sum")
    said = subprocess.run([peer, "--version"], check=True, capture_output=True, text=True).stdout.splitlines()[0]
    print(f"{platform.system()} {platform.machine()}, Python {platform.python_version()}; {said}")
    print(
        "\n| files | MB | runs | verify, CPU s | sha256sum, CPU s | verify / sha256sum | at most | openssl, CPU s | MiB |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as place:
        os.environ["SYNTHSPEC_CONFIG_DIR"] = f"{place}/config"
        os.environ["SYNTHSPEC_STATE_DIR"] = f"{place}/state"
        release = _release(Path(place), options.ours)
        own = (release / BUNDLE).read_bytes()
        for files, size in SHAPES:
            _enlarge(release, own, files, size)
            print(_row(release, options, peer), flush=True)


def _release(place: Path, program: str) -> Path:
    """A finished run of the digits example, its engine the one that only shuffles."""
    shutil.copytree(SPEC, place / "spec")
    words = [program, "run", str(place / "spec" / "spec.yaml"), "--set", 'engine.backend="null"', "--quiet"]
    folders = ["--store", str(place / "store"), "--out", str(place / "release")]
    subprocess.run([*words, *folders], check=False, capture_output=True, cwd=place)
    return place / "release"


def _enlarge(release: Path, own: bytes, files: int, size: int) -> None:
    """Put `files` large files into `release` in place of those before, and sign it again with the key of its run."""
    config = Path(os.environ["SYNTHSPEC_CONFIG_DIR"])
    trust, key = trusted_keys(config), development_key(config)
    statement = verify_bundle(own, trust) if isinstance(trust, Trust) else None
    if not isinstance(statement, VerifiedStatement) or not isinstance(key, SigningKey):
        raise SystemExit("the run that is to be enlarged does not verify")
    shutil.rmtree(release / "large", ignore_errors=True)
    (release / "large").mkdir()
    large = [_large(release, f"large/{number:04}.bin", size) for number in range(files)]
    (release / BUNDLE).unlink()
    (release / BUNDLE).write_bytes(sign(statement.manifest, (*statement.subjects, *large), key))


def _large(release: Path, name: str, size: int) -> Subject:
    sha = hashlib.sha256()
    with (release / name).open("wb") as file:
        for left in range(size, 0, -(10**6)):
            data = os.urandom(min(left, 10**6))
            sha.update(data)
            file.write(data)
    return Subject(name, sha.hexdigest(), size)


def _row(release: Path, options: argparse.Namespace, peer: str) -> str:
    names = tuple(str(path) for path in sorted(release.rglob("*")) if path.is_file() and path.name != BUNDLE)
    answer = subprocess.run(
        [options.ours, "verify", str(release), "--format", "json"], check=False, capture_output=True
    )
    if not json.loads(answer.stdout)["authentic"]:
        raise RuntimeError(f"the release is refused: {answer.stdout.decode()}")
    commands = [
        Command((options.ours, "verify", str(release)), str(release), answer.returncode),
        Command((peer, *names), str(release)),
    ]
    if openssl := shutil.which("openssl"):
        commands.append(Command((openssl, "dgst", "-sha256", *names), str(release)))
    ours, hashed, *others = in_turn(commands, options.runs)
    ratios = [one.cpu / other.cpu for one, other in zip(ours, hashed, strict=True)]
    size = sum(Path(name).stat().st_size for name in names)
    cells = [f"{len(names):,}", f"{size / 1e6:,.0f}", str(options.runs), _cpu(ours), _cpu(hashed), spread(ratios, 2)]
    cells += [str(GOAL) if size >= 10**9 else "", *map(_cpu, others or [[]]), f"{max(cost.peak for cost in ours):.0f}"]
    return f"| {' | '.join(cells)} |"


def _cpu(costs: Sequence[Cost]) -> str:
    return spread([cost.cpu for cost in costs]) if costs else ""


if __name__ == "__main__":
    main()
