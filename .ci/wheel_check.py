"""What the wheel must do in an environment without extras; called by `.ci/wheel`, whose `synthspec` is first on PATH.

Usage: wheel_check.py WORK, where WORK holds the wheel and the environment. A run to verify is made by the interpreter
that runs this file: the development environment, which has the extras.
"""

# ruff: noqa: D103, INP001 - a script; its checks are named for what they demand

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ("digits-diffusion", "digits-gan", "digits-vae", "fiber-link-flow", "cancer-dp-vae")
PACKAGES = {"synthspec", "synthspec_torch", "synthspec_diffusers"}
HEAVY = ("torch", "diffusers", "numpy", "scipy", "sklearn", "PIL", "safetensors")


class Wheel:
    """The wheel in `work`, and the environment it was installed into."""

    def __init__(self, work: Path) -> None:
        self.work = work
        self.desk = work / "desk"
        self.desk.mkdir()
        self.file = next(work.glob("synthspec-*.whl"))
        found = shutil.which("synthspec")
        self.program = "" if found is None else found
        self.python = Path(self.program).with_name("python")

    def call(self, *words: object, code: int = 0) -> str:
        """What `synthspec WORDS` of the wheel prints; its exit code must be `code`."""
        return self.process([self.program, *map(str, words)], code)

    def process(self, command: list[str], code: int = 0, *, path: str = "") -> str:
        # Away from the repository, and with nobody's PYTHONPATH: what is not in the wheel must not be found.
        environment = {**os.environ, "PYTHONPATH": path}
        done = subprocess.run(  # noqa: S603
            command, cwd=self.desk, env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode != code:
            raise SystemExit(f"{' '.join(command)}: exit {done.returncode}, not {code}\n{done.stdout}{done.stderr}")
        return done.stdout


def ensure(holds: object, message: str) -> None:
    """Stop here with `message` unless `holds`."""
    if not holds:
        raise SystemExit(f"wheel: {message}")


def ships_exactly_the_packages(wheel: Wheel) -> None:
    names = zipfile.ZipFile(wheel.file).namelist()
    tops = {name.split("/")[0] for name in names}
    packages = {top for top in tops if not top.endswith((".dist-info", ".data"))}
    ensure(packages == PACKAGES, f"it ships {sorted(packages)}")
    ensure("synthspec/py.typed" in names, "it ships no py.typed")
    foreign = [name for name in names if name.split("/")[0] in PACKAGES and not name.endswith((".py", "py.typed"))]
    ensure(not foreign, f"it ships {foreign}")


def is_what_is_tested(wheel: Wheel) -> None:
    ensure(wheel.work in Path(wheel.program).parents, f"'synthspec' is {wheel.program or 'nowhere'}, not the wheel's")
    where = wheel.process([str(wheel.python), "-c", "import synthspec; print(synthspec.__file__)"]).strip()
    ensure(wheel.work in Path(where).parents, f"it imports {where}")
    for name in HEAVY:
        wheel.process([str(wheel.python), "-c", f"import {name}"], code=1)


def hides_its_plain_folders(wheel: Wheel) -> None:
    wheel.process([str(wheel.python), "-c", "import backends"], code=1)
    wheel.process([str(wheel.python), "-c", "import synthspec_torch, synthspec_diffusers.plugin"])


def tells_its_version(wheel: Wheel) -> None:
    version = wheel.file.name.split("-")[1]
    ensure(wheel.call("--version").strip() == f"synthspec {version}", "it tells another version than its file")


def validates_the_examples(wheel: Wheel) -> None:
    said = json.loads(wheel.call("validate", ROOT / "examples", "--format", "json"))
    files = len(list((ROOT / "examples").rglob("*.yaml")))
    ensure(said["summary"] == {"files": files, "errors": 0, "warnings": 0}, f"the examples: {said['summary']}")


def explains(wheel: Wheel) -> None:
    ensure("P405-4.budget-missing" in wheel.call("explain", "P405-4.budget-missing"), "no page of a rule")
    ensure("C40-511" in wheel.call("explain", "C40-511"), "no page of a contract: the standard is not in the wheel")
    ensure(len(wheel.call("explain").splitlines()) > 50, "no list of codes")


def prints_schemas(wheel: Wheel) -> None:
    for kind in ("EngineSpec", "SRef", "Manifest"):
        ensure("$schema" in json.loads(wheel.call("schema", kind)), f"no schema of {kind}")


def compiles_the_examples(wheel: Wheel) -> None:
    for name in EXAMPLES:
        target = wheel.desk / f"{name}.plan.json"
        wheel.call("compile", ROOT / "examples" / name / "spec.yaml", "--out", target, "--quiet")
        ensure(target.stat().st_size > 1000, f"the plan of {name} is not there")


def starts_a_project(wheel: Wheel) -> None:
    wheel.call("init", "mine")
    wheel.call("validate", "mine")


def verifies_a_run(wheel: Wheel) -> None:
    """A run that the development environment made; then the same run with one byte changed."""
    made = wheel.desk / "run"
    words = ["--set", 'engine.backend="null"', "--store", str(wheel.desk / "store"), "--out", str(made), "--quiet"]
    spec = str(ROOT / "examples" / "digits-diffusion" / "spec.yaml")
    program = "import sys; from synthspec.cli.main import run; sys.argv[0] = 'synthspec'; run()"
    # Exit 1: random pictures are not faithful, and the signed manifest says so.
    here = os.pathsep.join([str(ROOT), str(ROOT / "backends")])
    wheel.process([sys.executable, "-c", program, "run", spec, *words], code=1, path=here)
    said = json.loads(wheel.call("verify", made, "--format", "json", code=1))
    ensure(said["authentic"] and said["gate"] == "fail" and not said["refusals"], f"verify says {said['refusals']}")
    pem = wheel.call("keys", "show")
    (wheel.desk / "public.pem").write_text(pem, encoding="ascii")
    os.environ["SYNTHSPEC_CONFIG_DIR"] = str(wheel.desk / "stranger")
    ensure("TRUST_POLICY" in wheel.call("verify", made, code=1), "a stranger's key is trusted unasked")
    wheel.call("verify", made, "--key", "public.pem", code=1)
    pictures = made / "samples.npz"
    pictures.write_bytes(pictures.read_bytes()[:-1] + b"\x01")
    refused = wheel.call("verify", made, "--key", "public.pem", code=1)
    ensure("refused[DIGEST]: samples.npz" in refused, "a changed byte is not refused by name")


def names_what_a_run_needs(wheel: Wheel) -> None:
    said = wheel.call("run", ROOT / "examples" / "digits-diffusion" / "spec.yaml", "--out", "made", code=1)
    ensure("pip install 'synthspec[diffusers]'" in said, f"run does not name the extra:\n{said}")
    left = sorted(path.name for path in wheel.desk.iterdir() if path.name in ("made", ".synthspec"))
    ensure(not left, f"a run that cannot begin left {left}")


def lists_what_is_missing(wheel: Wheel) -> None:
    listed = {
        each["name"]: each["missing"] for each in json.loads(wheel.call("backends", "--format", "json"))["backends"]
    }
    ensure(set(listed) == {"null", "reference", "torch", "diffusers"}, f"its backends are {sorted(listed)}")
    ensure(listed["diffusers"] == "pip install 'synthspec[diffusers]'", f"diffusers needs {listed['diffusers']!r}")
    wheel.call("doctor")


CHECKS: tuple[Callable[[Wheel], None], ...] = (
    ships_exactly_the_packages,
    is_what_is_tested,
    hides_its_plain_folders,
    tells_its_version,
    validates_the_examples,
    explains,
    prints_schemas,
    compiles_the_examples,
    starts_a_project,
    names_what_a_run_needs,
    lists_what_is_missing,
    verifies_a_run,
)


def main() -> None:
    wheel = Wheel(Path(sys.argv[1]).resolve())
    for check in CHECKS:
        check(wheel)
        sys.stdout.write(f"wheel: {check.__name__.replace('_', ' ')}\n")


if __name__ == "__main__":
    main()
