"""Execution keys (security.md 6.2): equal keys mean equal bytes, so a node with a known key is not run again.

Inputs enter by what they contain, not by how they were made: a recomputed node with the same output changes nothing
downstream. Paths, host names, times and worker counts stay out.
"""

from __future__ import annotations

from collections.abc import Mapping

from synthspec.execute.outside import Outside
from synthspec.ir.canonical import digest
from synthspec.ir.ops import Op


def execution_key(
    op: Op,
    inputs: Mapping[str, str],
    *,
    backend: str,
    version: str,
    environment: Mapping[str, str],
    outside: Outside,
) -> str:
    """The key of `op` on `inputs` (output digest by port) with what it reads from `outside`, computed by `backend`."""
    ports = sorted(inputs.items())
    facts = sorted(environment.items())
    contents = [content for _, content in outside]
    return digest("synthspec.exec.v1", [op, ports, backend, version, facts, contents])
