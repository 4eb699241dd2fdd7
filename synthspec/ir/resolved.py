"""A spec with everything it names found and understood, and the same spec once every rule has spoken."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path as FilePath

from synthspec.diag import Diagnostic
from synthspec.ir.schema import Schema
from synthspec.spec.enginespec import EngineSpec
from synthspec.spec.sref import SRef
from synthspec.text import Path, Places


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedSpec:
    """An EngineSpec with its SRef beside it, and both texts' places for the diagnostics to come.

    `overrides` are the ``--set`` changes that were made to the text, as they were typed; the manifest lists them.
    """

    spec: EngineSpec
    sref: SRef
    schema: Schema
    spec_places: Places = field(compare=False)
    sref_places: Places = field(compare=False)
    root: FilePath = field(compare=False)
    """The folder that no path of the spec may leave."""
    data_file: FilePath | None = field(compare=False, default=None)
    """Where `data.source` was found, when it is a file or folder."""
    path_source: str = ""
    """The table of gamma(ell), relative to the spec; empty where the SRef has no path."""
    filled: tuple[str, ...] = ()
    """The fields whose gaps `data.impute` fills: they have none in `schema`."""
    overrides: tuple[tuple[str, str], ...] = ()
    spec_lost: frozenset[Path] = field(compare=False, default=frozenset())
    """Keys of the spec whose value could not be read; where there are any, so there are errors."""
    sref_lost: frozenset[Path] = field(compare=False, default=frozenset())


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedSpec:
    """A resolved spec without errors. Only the `check` stage builds one, and `lower` takes nothing else."""

    resolved: ResolvedSpec
    warnings: tuple[Diagnostic, ...] = field(default=(), compare=False)
