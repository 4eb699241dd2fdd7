"""The facts that a seed alone does not fix (security study 6.1): what `replay` compares, without importing a framework."""

from __future__ import annotations

import locale
import os
import platform
import time
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

from synthspec import __version__
from synthspec.ir.manifest_origin import BackendRef, Code, Environment

PREFIXES = ("OMP_", "MKL_", "KMP_", "ONEDNN_", "DNNL_", "ATEN_", "CUBLAS_", "OPENBLAS_", "GOMP_")
"""Variables that change numbers; no other variable is ever recorded."""
SET_BY_LIBRARIES = frozenset({"KMP_DUPLICATE_LIB_OK", "KMP_INIT_AT_FORK"})
"""Set by an import of ours, not by the user: whether they are there tells what ran before, not how."""
NAMES = frozenset({"PYTHONHASHSEED", "CUDA_VISIBLE_DEVICES", "SOURCE_DATE_EPOCH", "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE"})


def environment(backend: str, version: str, facts: Mapping[str, str], threads: int) -> Environment:
    """The environment of a run whose engine was computed by `backend`."""
    libc = " ".join(platform.libc_ver()).strip()
    return Environment(
        python=platform.python_version(),
        implementation=platform.python_implementation(),
        os=platform.system(),
        kernel=platform.release(),
        machine=platform.machine(),
        libc=libc or None,
        cpu=_cpu(),
        accelerators=(),
        threads={"torch": threads},
        variables={
            name: value
            for name, value in sorted(os.environ.items())
            if (name.startswith(PREFIXES) or name in NAMES) and name not in SET_BY_LIBRARIES
        },
        packages=_packages(),
        backend=BackendRef(name=backend, version=version, facts=dict(facts)),
        code=Code(version=__version__),
        timezone=time.strftime("%Z") or None,
        locale=locale.setlocale(locale.LC_CTYPE) or None,
    )


def _cpu() -> dict[str, str | bool | int | float]:
    found: dict[str, str | bool | int | float] = {"count": os.cpu_count() or 0}
    if hasattr(os, "sched_getaffinity"):  # libraries start as many threads as they may use, not as there are
        found["usable"] = len(os.sched_getaffinity(0))
    listing = Path("/proc/cpuinfo")
    if listing.is_file():
        entries = [line.partition(":") for line in listing.read_text(encoding="utf-8", errors="replace").splitlines()]
        first = {key.strip(): value.strip() for key, _, value in reversed(entries)}
        found["model"] = first.get("model name", platform.processor())
        flags = set(first.get("flags", "").split())
        found["capability"] = "avx512" if "avx512f" in flags else "avx2" if "avx2" in flags else "default"
    return found


def _packages() -> dict[str, str]:
    # A distribution that somebody is just installing or removing has no metadata.
    named = {name: each.version for each in metadata.distributions() if (name := each.metadata["Name"])}
    return dict(sorted(named.items()))
