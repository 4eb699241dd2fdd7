"""A keyed mark in what is released: selection among candidates, and its exact test (S413-3). Importing it loads no numpy."""

from __future__ import annotations

from synthspec.watermark.key import DEFAULT, KeyFault, key_path, make_key, read_key

__all__ = ["DEFAULT", "KeyFault", "key_path", "make_key", "read_key"]
