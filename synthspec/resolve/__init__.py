"""resolve: Document[EngineSpec] + Document[SRef] -> ResolvedSpec. Finds what the spec names, and understands its units."""

from synthspec.resolve.link import Folders, link, sref_path
from synthspec.resolve.roots import find_root
from synthspec.resolve.schema import bind_schema

__all__ = ["Folders", "bind_schema", "find_root", "link", "sref_path"]
