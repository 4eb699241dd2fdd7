"""resolve: Document[EngineSpec] + Document[SRef] -> ResolvedSpec. Finds what the spec names, and understands its units."""

from synthspec.resolve.link import Folders, link, sref_path
from synthspec.resolve.roots import find_root

__all__ = ["Folders", "find_root", "link", "sref_path"]
