"""The facts that a kernel's bytes depend on, and what is not installed; found without importing a framework."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

_CPUINFO = Path("/proc/cpuinfo")
_ISA = (
    "fma", "avx", "avx2", "avx512f", "avx512dq", "avx512bw", "avx512vl", "avx512_vnni", "avx512_bf16", "avx512_fp16",
    "amx_tile", "amx_bf16", "amx_int8", "asimd", "asimdhp", "bf16", "i8mm", "sve",
)  # fmt: skip
# Each of these makes a library choose other kernels, so other last bits.
_SWITCHES = (
    "ATEN_CPU_CAPABILITY", "DNNL_DEFAULT_FPMATH_MODE", "DNNL_MAX_CPU_ISA", "MKL_CBWR", "MKL_DEBUG_CPU_TYPE",
    "MKL_ENABLE_INSTRUCTIONS", "NPY_DISABLE_CPU_FEATURES", "OMP_THREAD_LIMIT", "ONEDNN_DEFAULT_FPMATH_MODE",
    "ONEDNN_MAX_CPU_ISA", "OPENBLAS_CORETYPE",
)  # fmt: skip


def absent(packages: Iterable[str], extra: str) -> str:
    """The command that installs `extra` when one of `packages` cannot be imported; empty when all can."""
    if all(find_spec(package) is not None for package in packages):
        return ""
    return f"pip install 'synthspec[{extra}]'"


def facts(distributions: Iterable[str]) -> dict[str, str]:
    """Versions of `distributions`, the CPU's capability, and the switches that are set (P405-8)."""
    found = {name: _version(name) for name in sorted(distributions)}
    found["machine"] = platform.machine()
    found["cpu"] = " ".join(capabilities(_cpuinfo()))
    found |= {name: os.environ[name] for name in _SWITCHES if name in os.environ}
    return found


def capabilities(cpuinfo: str) -> tuple[str, ...]:
    r"""The instruction sets that choose a library's kernels, of the first processor in `cpuinfo`.

    >>> capabilities("model name : x\nflags : sse avx2 fma\n")
    ('fma', 'avx2')
    """
    entries: Mapping[str, str] = {
        key.strip(): value for key, _, value in (line.partition(":") for line in reversed(cpuinfo.splitlines()))
    }
    flags = set((entries.get("flags") or entries.get("Features") or "").split())
    return tuple(name for name in _ISA if name in flags)


def _cpuinfo() -> str:
    try:
        return _CPUINFO.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return f"flags : {platform.processor()}"


def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "absent"
