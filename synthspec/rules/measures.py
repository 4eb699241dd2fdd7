"""Which measures a family trains on (S405-1 .. S405-4), in the words of the messages."""

from __future__ import annotations

import difflib

from synthspec.spec.objective import MEASURES

FAMILY_MEASURES = {
    "vae": ("elbo", "elbo_beta"),
    "gan": ("gan", "wgan_gp", "hinge", "rpgan"),
    "flow": ("nll",),
    "diffusion": ("l_simple",),
}


def choice(family: str) -> str:
    """The measures of `family` as a phrase: ``elbo or elbo_beta``."""
    return " or ".join(FAMILY_MEASURES[family])


def misspelt(measure: str) -> str:
    """The measure that a slip of the keyboard meant; empty when the word is something else."""
    near = difflib.get_close_matches(measure.casefold().replace("-", "_"), MEASURES, n=1, cutoff=0.75)
    return near[0] if near else ""
