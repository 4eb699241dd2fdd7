"""One op in a process of its own: nothing that an earlier node left in memory can help it (C40-519).

The new process calls `main`, which reads a request on stdin and runs the kernel of an installed backend.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from synthspec.backend.discovery import installed
from synthspec.backend.protocol import Artifact, Backend, Context, DataError
from synthspec.ir.canonical import canonical_bytes, to_json
from synthspec.ir.ops import Op
from synthspec.ir.plan import TaggedOp

_DATA_ERROR = 4
_TAIL = 4000


def found_again(backend: Backend) -> bool:
    """Whether another process would find `backend`: not one that a caller made for itself."""
    return type(installed().get(backend.name)) is type(backend)


def compute_fresh(op: Op, backend: str, inputs: Mapping[str, Artifact], context: Context) -> None:
    """Run the kernel of `op` in a new process with the same environment; its files are in ``context.out`` afterwards.

    Raises DataError as the kernel did, RuntimeError with the end of its traceback when it failed otherwise.
    """
    request = canonical_bytes(
        {
            "op": to_json(op),
            "backend": backend,
            "inputs": TypeAdapter(Mapping[str, Artifact]).dump_python(inputs, mode="json"),
            "out": str(context.out),
            "root": str(context.root),
            "workers": context.workers,
            "batch": context.batch,
            "secret": None if context.secret is None else str(context.secret),
        }
    )
    # -P: the folder that somebody works in is no place to import from.
    words = [sys.executable, "-P", "-c", "import sys; from synthspec.execute.fresh import main; sys.exit(main())"]
    context.progress.start(f"{op.op} in a fresh process", 1, "processes")
    # The same road to the same modules, but for the working folder.
    surroundings = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(words, input=request, capture_output=True, check=False, env=surroundings)  # noqa: S603
    context.progress.advance()
    if done.returncode == _DATA_ERROR:
        raise DataError(*json.loads(done.stdout))
    if done.returncode:
        raise RuntimeError(
            f"the process ended with {done.returncode}:\n{done.stderr.decode(errors='replace')[-_TAIL:]}"
        )


class _Quiet:
    def start(self, label: str, total: int, unit: str) -> None: ...

    def advance(self, count: int = 1, note: str = "") -> None: ...


def _serve(request: Mapping[str, Any]) -> None:
    op: Op = TypeAdapter(TaggedOp).validate_json(json.dumps(request["op"]))
    context = Context(
        out=Path(request["out"]),
        root=Path(request["root"]),
        workers=request["workers"],
        batch=request["batch"],
        progress=_Quiet(),
        secret=None if request["secret"] is None else Path(request["secret"]),
    )
    inputs = TypeAdapter(dict[str, Artifact]).validate_python(request["inputs"], strict=False)
    installed()[request["backend"]].kernels()[op.op](op, inputs, replace(context, fresh=True))


def main() -> int:
    """Serve the request on stdin."""
    try:
        _serve(json.loads(sys.stdin.buffer.read()))
    except DataError as error:
        sys.stdout.write(json.dumps([error.code, error.message, error.help]))
        return _DATA_ERROR
    return 0
