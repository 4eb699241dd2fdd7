"""The backend called `core`. Loading it imports no numpy; its kernels do."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module, metadata
from importlib.util import find_spec

from synthspec.backend.protocol import Kernel
from synthspec.execute.core.source import not_read
from synthspec.ir.ops import Bind, Op

KERNELS = ("bind", "split", "enforce", "measure")
_MODULES = ("numpy", "safetensors", "scipy", "sklearn", "PIL")
_LIBRARIES = ("numpy", "safetensors", "scipy", "scikit-learn")


@dataclass(frozen=True, slots=True)
class CoreBackend:
    """What every run needs, whoever trains: ``bind``, ``split``, ``enforce``, ``measure``."""

    name: str = "core"
    version: str = "1"
    """Raised by hand with every change of the bytes that a kernel makes."""

    def supports(self, op: Op) -> tuple[str, ...]:
        """Why `op` cannot be computed here; empty when it can."""
        if op.op not in KERNELS:
            return (f"{op.op!r} is not the core's business",)
        reason = not_read(op.source) if isinstance(op, Bind) else ""
        return (reason,) if reason else ()

    def missing(self) -> str:
        """The command that installs what the kernels need; empty when all of it is there."""
        absent = [name for name in _MODULES if find_spec(name) is None]
        return "pip install 'synthspec[data]'" if absent else ""

    def environment(self) -> Mapping[str, str]:
        """Versions of the libraries that decide the last bits, and the kind of processor."""
        versions = {name: _version(name) for name in _LIBRARIES}
        return {**versions, "python": platform.python_version(), "machine": platform.machine()}

    def kernels(self) -> Mapping[str, Kernel]:
        """Kernel by op. Raises ImportError when numpy is not there."""
        return {name: _kernel(name) for name in KERNELS}


def _version(library: str) -> str:
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return ""


def _kernel(name: str) -> Kernel:
    kernel: Kernel = getattr(import_module(f"synthspec.execute.core.{name}"), name)
    return kernel


CORE = CoreBackend()
