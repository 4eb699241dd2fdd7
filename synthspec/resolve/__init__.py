"""resolve: Document[EngineSpec] + Document[SRef] -> ResolvedSpec. Finds what the spec names, and understands its units."""

from synthspec.resolve.gaps import filled, without_gaps
from synthspec.resolve.link import Folders, link, sref_path
from synthspec.resolve.roots import find_root
from synthspec.resolve.schema import bind_schema

__all__ = ["Folders", "bind_schema", "filled", "find_root", "link", "sref_path", "without_gaps"]
