"""SynthSpec: the promise about synthetic data as a file, and the proof that it was kept.

Importing this package loads nothing but the standard library; every stage is imported where it is used.
"""

__version__ = "0.1.0"

__all__ = ["__version__"]
