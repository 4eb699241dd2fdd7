"""What `verify` loads: what it proves with, and nothing that reads specs, runs them or prints what nobody asked for."""

import subprocess
import sys

PROGRAM = """
import atexit, sys
atexit.register(lambda: print(*sys.modules, file=sys.stderr))
from synthspec.cli.main import run
run()
"""
HEAVY = {
    *("torch", "diffusers", "scipy", "numpy", "sklearn", "pandas", "networkx", "pint", "jsonschema", "rich", "PIL"),
    *("yaml", "tomllib", "logging", "sqlalchemy", "dp_accounting", "rfc3161_client", "securesystemslib"),
}
UNASKED = {
    *("accounting", "backend", "check", "execute", "expr", "exports", "ledger", "lower", "metrics", "parse", "plan"),
    *("review", "rules", "store", "testing", "timebase", "watermark"),
}


def loaded(folder):
    """The modules of a fresh process that verified the run in `folder`."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, "verify", str(folder)], capture_output=True, text=True, check=False
    )
    assert "proved: the signature" in done.stdout, done.stderr[-2000:]
    return set(done.stderr.splitlines()[-1].split())


def test_verify_loads_what_it_proves_with_and_nothing_else(pictures):
    modules = loaded(pictures.folder)
    assert {"cryptography", "synthspec.pipeline.rejudging", "synthspec.pipeline.claims", "synthspec.judge"} <= modules
    assert not HEAVY & {name.partition(".")[0] for name in modules}
    assert not {f"synthspec.{part}" for part in UNASKED} & modules
    assert {name for name in modules if name.startswith("synthspec.cli.")} == {
        f"synthspec.cli.{name}" for name in ("main", "failing", "loading", "program", "answer", "verify")
    }
    # What only a public manifest needs.
    assert not {"synthspec.pipeline.public_claims", "synthspec.pipeline.publishing"} & modules


def test_a_spec_in_another_layout_is_read_before_it_is_believed(pictures):
    """The reader of specs is left out only where the file is what a run writes."""
    from synthspec.ir.plan import read_plan
    from synthspec.pipeline.rejudging import _written

    plan = read_plan((pictures.folder / "plan.json").read_bytes())
    names = ("spec.resolved.yaml", "sref.resolved.yaml")
    content = {name: (pictures.folder / name).read_bytes() for name in names}
    assert _written(content, plan, "known") == "known"
    for name in names:
        laid_out = content | {name: b"# a word\n" + content[name]}
        assert _written(laid_out, plan, "known") == plan.spec_digest
        lying = content | {name: content[name].replace(b"name: digits", b"name: fingers", 1)}
        assert _written(lying, plan, "known") not in ("known", plan.spec_digest)
