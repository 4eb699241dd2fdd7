"""The learner of a training by sampling: its batches say how many records are shown, and a law of members says which."""

from __future__ import annotations

import torch

from synthspec_torch.gan.balance import LogFrequency
from synthspec_torch.gan.learner import GanLearner, Rules
from synthspec_torch.gan.networks import Critic, Generator
from synthspec_torch.gan.probe import Probe, Records


class BalancedLearner(GanLearner):
    """Both players meet records that have a member in common with what they are told; each batch is drawn anew."""

    def __init__(
        self, generator: Generator, critic: Critic, rules: Rules, train: Records, probe: Probe, seed: int,
        *, law: LogFrequency,
    ) -> None:  # fmt: skip
        super().__init__(generator, critic, rules, train, probe, seed)
        self.law = law

    def real(self, rows: torch.Tensor) -> Records:
        """As many records as `rows`, each with the member that it was drawn by."""
        drawn, members = self.law.draw(len(rows), self.draws)
        records = self.train.take(drawn)
        told = self.law.balance.tell(members.numpy())
        return Records(records.x, torch.cat([records.c[:, : records.c.shape[1] - told.shape[1]], told], 1))
