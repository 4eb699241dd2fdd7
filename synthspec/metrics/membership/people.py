"""Who plays which part in an attack."""

from __future__ import annotations

from dataclasses import dataclass

from synthspec.metrics.request import Array


@dataclass(frozen=True, slots=True, eq=False)
class People:
    """Records in one space (n, D)."""

    members: Array
    others: Array
    """Real records that were not trained on."""
    synthetic: Array
    reference: Array
    """Other real records that calibrate the attacks."""

    def against_itself(self, cut: int) -> People:
        """The first `cut` reference records in the place of synthetic ones, judged by the rest: nothing to find."""
        return People(self.members, self.others, self.reference[:cut], self.reference[cut:])
