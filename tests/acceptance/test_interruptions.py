"""What ends a run early: SIGKILL in the middle of a node, Ctrl-C, a bug of ours, a command that was not understood."""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

KERNELS = '''
"""The null backend under another name, that stands still in the middle of a node while a file says so."""

import os
import time
from dataclasses import dataclass
from pathlib import Path

from synthspec.backend.null import NullBackend


def waiting(op_name, kernel):
    def run(op, inputs, context):
        (context.out / "half-written").write_bytes(b"x" * 4096)
        if os.environ.get("STAND_STILL") == op_name:
            Path(os.environ["STANDING"]).write_text(op_name)
            time.sleep(60)
        (context.out / "half-written").unlink()
        kernel(op, inputs, context)

    return run


@dataclass(frozen=True, slots=True)
class Still(NullBackend):
    name: str = "still"

    def kernels(self):
        from synthspec.backend.null_kernels import KERNELS

        return {name: waiting(name, kernel) for name, kernel in KERNELS.items()}


BACKEND = Still()
'''
PROGRAM = "import sys; from synthspec.cli.main import run; sys.argv[0] = 'synthspec'; run()"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A folder with the plugin, laid out as an installer would."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "still_backend.py").write_text(KERNELS, encoding="utf-8")
    metadata = folder / "still_backend-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: still-backend\nVersion: 1.0\n", encoding="utf-8")
    (metadata / "entry_points.txt").write_text(
        "[synthspec.backends]\nstill = still_backend:BACKEND\n", encoding="utf-8"
    )
    return folder


@pytest.fixture
def still(cli, site, project, monkeypatch):
    """The small project, run by the plugin in this process."""
    monkeypatch.syspath_prepend(site)

    def run(name, *words):
        store = ("--store", project.parent / f"store-{name}", "--out", project.parent / f"run-{name}")
        return cli("run", "marks.yaml", "--set", "engine.backend=still", *store, *words, cwd=project)

    return run


def start(site: Path, project: Path, node: str, name: str = "cut") -> tuple[subprocess.Popen[str], Path]:
    """The same run in a process of its own, once it stands still in the middle of `node`."""
    standing = project.parent / f"standing-{node}"
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(site), *sys.path]),
        "STAND_STILL": node,
        "STANDING": str(standing),
    }
    words = ["--store", str(project.parent / f"store-{name}"), "--out", str(project.parent / f"run-{name}")]
    # A shell starts its background jobs deaf to Ctrl-C, and children inherit that: this one is a foreground program.
    listening = f"import signal; signal.signal(signal.SIGINT, signal.default_int_handler); {PROGRAM}"
    process = subprocess.Popen(
        [sys.executable, "-c", listening, "run", "marks.yaml", "--set", "engine.backend=still", *words],
        cwd=project,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while not standing.exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return process, project.parent / f"store-{name}"


def results(folder: Path) -> dict[str, str]:
    kept = [
        path for path in sorted(folder.rglob("*")) if path.name.startswith("samples.") or path.parent.name == "weights"
    ]
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in kept}


def reused(answer) -> list[str]:
    return re.findall(r"^(\w+): reused$", answer.err, re.MULTILINE)


def test_killed_in_the_middle_of_training_and_again_in_sampling_the_end_is_the_same(cli, still, site, project):
    process, store = start(site, project, "fit")
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert not (project.parent / "run-cut").exists()
    process, _ = start(site, project, "sample")
    process.kill()
    process.communicate()
    after = still("cut")
    assert after.code == 0, after.err
    assert reused(after) == ["bind", "split", "fit"]
    undisturbed = still("whole")
    assert reused(undisturbed) == []
    assert results(project.parent / "run-cut") == results(project.parent / "run-whole")
    assert len(results(project.parent / "run-cut")) == 2
    assert cli("verify", project.parent / "run-cut", cwd=project).code == 0
    assert not any((store / "scratch").iterdir()), "what the killed ones left is swept away"


def test_ctrl_c_says_so_and_the_next_run_goes_on(still, site, project):
    process, store = start(site, project, "fit")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert out == ""
    assert err.splitlines()[-1] == "interrupted: what was finished is kept, and the next run goes on from there"
    assert "Traceback" not in err
    assert not (project.parent / "run-cut").exists()
    states = [json.loads(line)["entry"]["state"] for line in (store / "journal.jsonl").read_bytes().splitlines()]
    assert states == ["running", "done", "running", "done", "running", "interrupted"]
    after = still("cut")
    assert after.code == 0
    assert reused(after) == ["bind", "split"]


def test_a_bug_of_ours_is_exit_3_and_says_what_to_report(cli, project, monkeypatch):
    from synthspec.pipeline import front

    def broken(*_):
        raise KeyError("a bug")

    monkeypatch.setattr(front, "check", broken)
    answer = cli("validate", "marks.yaml", "--format", "json", cwd=project)
    assert answer.code == 3
    assert answer.json["failure"].startswith("This is a bug of SynthSpec")
    assert "KeyError: 'a bug'" in answer.err
    last = answer.err.splitlines()[-1]
    assert last.startswith("This is a bug of SynthSpec, not of your spec. Please report")
    assert re.search(r"synthspec \d+\.\d+.*, Python 3\.\d+", last)


def test_a_bug_in_a_kernel_names_node_and_backend_and_leaves_no_run(still, project, monkeypatch):
    from synthspec.backend import null_kernels

    def broken(*_):
        raise ZeroDivisionError("a bug")

    monkeypatch.setitem(null_kernels.KERNELS, "fit", broken)
    answer = still("broken")
    assert answer.code == 3
    assert "while computing 'fit' with backend 'still'" in answer.err
    assert not (project.parent / "run-broken").exists()
    monkeypatch.undo()


USAGE = {
    "no such verb": ("frobnicate",),
    "no such option": ("validate", "marks.yaml", "--frob"),
    "nothing to check": ("validate",),
    "a file that is not there": ("validate", "absent.yaml"),
    "a pattern that matches nothing": ("validate", "*.toml"),
    "a format that is none": ("validate", "marks.yaml", "--format", "yaml"),
    "a level that is none": ("validate", "marks.yaml", "--fail-on", "never"),
    "a change without a value": ("validate", "marks.yaml", "--set", "sampling.n"),
    "a run of nothing": ("run", "absent.yaml"),
    "a run of a folder": ("run", "."),
    "a run of a plan that is none": ("run", "broken.json"),
    "a plan with a change": ("run", "broken.json", "--set", "sampling.n=1"),
    "no workers": ("run", "marks.yaml", "--workers", "0"),
    "a key that is not there": ("run", "marks.yaml", "--key", "absent.pem"),
    "a graph of no kind": ("compile", "marks.yaml", "--graph", "svg"),
    "a code that is none": ("explain", "P405-99.nothing"),
    "a schema that is none": ("schema", "Nothing"),
    "a replay of nothing": ("replay", "absent"),
    "a file that cannot be read": ("validate", "/proc/self/mem"),
    "a spec that cannot be read": ("run", "/proc/self/mem"),
}


@pytest.mark.parametrize("case", USAGE)
def test_what_is_not_understood_is_exit_2_with_a_word_on_stderr(cli, project, case):
    (project / "broken.json").write_text("{}", encoding="utf-8")
    answer = cli(*USAGE[case], cwd=project)
    assert answer.code == 2
    assert answer.out == ""
    assert answer.err.strip()
    assert "Traceback" not in answer.err
    assert not (project / "runs").exists()


@pytest.mark.parametrize("verb", ["validate", "run"])
def test_a_file_that_cannot_be_read_is_named(cli, project, verb):
    assert "/proc/self/mem" in cli(verb, "/proc/self/mem", cwd=project).err


def test_a_store_that_cannot_be_is_exit_2(cli, project):
    (project / "store").write_text("a file", encoding="utf-8")
    answer = cli("run", "marks.yaml", "--store", "store", "--out", "run", cwd=project)
    assert answer.code == 2
    assert "store" in answer.err
    assert not (project / "run").exists()


def test_a_fault_in_the_data_is_a_finding_and_no_run_is_written(cli, project):
    (project / "marks.csv").write_text("rid,x,y,kind\n1,0.5,0.5,c\n", encoding="utf-8")
    answer = cli("run", "marks.yaml", "--store", "store", "--out", "run", "--format", "json", cwd=project)
    assert answer.code == 1
    assert answer.json["summary"]["errors"] == 1
    assert "'c'" in answer.json["findings"][0]["message"]
    assert not (project / "run").exists()


def in_a_process(project: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, *words],
        cwd=project,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_into_a_pipe_nothing_is_painted(project):
    text = (project / "marks.yaml").read_text(encoding="utf-8")
    (project / "marks.yaml").write_text(text.replace("batch_size", "batchsize"), encoding="utf-8")
    done = in_a_process(project, "validate", "marks.yaml", TERM="xterm-256color")
    assert done.returncode == 1
    assert "schema.unknown-key" in done.stdout
    assert "\x1b" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("validate marks.yaml >&-", 0),
        ("validate absent.yaml 2>&-", 2),
        ("run marks.yaml --store s --out r >&- 2>&-", 0),
    ],
)
def test_closed_streams_change_no_exit_code(project, words, code):
    done = subprocess.run(
        ["bash", "-c", f'"$0" -c "$1" {words}', sys.executable, PROGRAM],
        cwd=project,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr


@pytest.mark.parametrize("refusal", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_on_a_terminal_colour_can_be_refused(project, refusal):
    text = (project / "marks.yaml").read_text(encoding="utf-8")
    (project / "marks.yaml").write_text(text.replace("batch_size", "batchsize"), encoding="utf-8")
    assert "\x1b" not in on_a_terminal(project, **refusal)


def test_on_a_terminal_there_is_colour(project):
    text = (project / "marks.yaml").read_text(encoding="utf-8")
    (project / "marks.yaml").write_text(text.replace("batch_size", "batchsize"), encoding="utf-8")
    assert "\x1b[31;1m" in on_a_terminal(project)


def on_a_terminal(project: Path, **environment: str) -> str:
    """What `validate` prints on a pseudo-terminal."""
    ours, theirs = os.openpty()
    try:
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, "validate", "marks.yaml"],
            cwd=project,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "TERM": "xterm", **environment},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
        )
        os.close(theirs)
        parts = []
        try:
            while part := os.read(ours, 4096):
                parts.append(part)
        except OSError:
            pass  # the other side is closed
        assert process.wait(30) == 1
    finally:
        os.close(ours)
    return b"".join(parts).decode()
