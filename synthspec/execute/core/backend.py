"""The backend called `core`. Loading it imports no numpy; its kernels do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from importlib import import_module

from synthspec.backend.countable import statistics_reasons
from synthspec.backend.environment import absent, facts
from synthspec.backend.protocol import Artifact, Context, Kernel
from synthspec.execute.core.source import not_read
from synthspec.execute.core.timed import align_reasons, arrive_reasons
from synthspec.ir.ops import Align, Arrive, Bind, Export, Op, Statistics

KERNELS = (
    "bind",
    "split",
    "impute",
    "statistics",
    "enforce",
    "mark",
    "refer",
    "align",
    "arrive",
    "export",
    "measure",
    "compare",
    "isolate",
    "shadow",
)
_MODULES = ("numpy", "safetensors", "scipy", "sklearn", "PIL")
_LIBRARIES = ("numpy", "pillow", "pyarrow", "safetensors", "scipy", "scikit-learn")


@dataclass(frozen=True, slots=True)
class CoreBackend:
    """What every run needs, whoever trains: reading, splitting, enforcing, time and arrival, publishing, measuring."""

    name: str = "core"
    version: str = "5"
    """Raised by hand with every change of the bytes that a kernel makes."""

    def supports(self, op: Op) -> tuple[str, ...]:
        """Why `op` cannot be computed here; empty when it can."""
        match op:
            case Bind():
                reason = not_read(op.source)
                return (reason,) if reason else ()
            case Align():
                return tuple(align_reasons(op))
            case Arrive():
                return tuple(arrive_reasons(op))
            case Statistics():
                return tuple(statistics_reasons(op))
            case Export(format="parquet") if command := absent(("pyarrow",), "arrow"):
                return (f"samples.parquet is written with pyarrow, which is not installed: run {command}",)
            case _ if op.op in KERNELS:
                return ()
            case _:
                return (f"{op.op!r} is not the core's business",)

    def missing(self) -> str:
        """The command that installs what the kernels need; empty when all of it is there."""
        return absent(_MODULES, "data")

    def environment(self) -> Mapping[str, str]:
        """What decides the last bits: versions of the libraries, the processor, switches."""
        return facts(_LIBRARIES)

    def kernels(self) -> Mapping[str, Kernel]:
        """Kernel by op. Each imports what it needs when it is called: splitting rows loads no metric."""
        return {name: partial(_call, name) for name in KERNELS}


def _call(name: str, op: Op, inputs: Mapping[str, Artifact], context: Context) -> None:
    kernel: Kernel = getattr(import_module(f"synthspec.execute.core.{name}"), name)
    kernel(op, inputs, context)


CORE = CoreBackend()
