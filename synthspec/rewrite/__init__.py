"""Changing the text of a document and nothing but the text: its canonical form (`fmt`), and mending it (`--fix`).

Everything works on spans of what was written, so comments, quotes and line breaks outside of a change stay as they are.
"""

from synthspec.rewrite.fixes import Fixed, fixed
from synthspec.rewrite.formatting import Formatted, formatted

__all__ = ["Fixed", "Formatted", "fixed", "formatted"]
