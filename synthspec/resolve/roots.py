"""The folder that the paths of a spec may not leave."""

from __future__ import annotations

from pathlib import Path

MARKER = "synthspec.toml"


def find_root(spec_file: Path) -> Path:
    """The nearest folder upward that holds ``synthspec.toml``, else the git root, else the spec's own folder."""
    folder = spec_file.resolve().parent
    upward = (folder, *folder.parents)
    for marker in (MARKER, ".git"):
        for candidate in upward:
            if (candidate / marker).exists():
                return candidate
    return folder
