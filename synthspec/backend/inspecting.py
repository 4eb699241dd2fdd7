"""What a backend can say of the files that an op reads from outside a plan, before anything runs."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol, runtime_checkable

from synthspec.ir.ops import Op


@runtime_checkable
class Inspecting(Protocol):
    """A backend that opens such files beforehand: hours of training must not end in weights that do not fit."""

    def inspect(self, op: Op, root: Path) -> None:
        """See whether the kernel of `op` can use what it reads beside its inputs; paths are relative to `root`.

        Raises DataError as the kernel would.
        """
