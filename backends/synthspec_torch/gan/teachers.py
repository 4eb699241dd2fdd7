"""The teachers of PATE: critics on disjoint parts of the records, trained side by side and never on each other's (P405-4)."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch
from torch import nn

from synthspec.ir.families import Adversarial, Hinge, Optimizer
from synthspec_torch.gan.networks import Critic, Generator
from synthspec_torch.gan.probe import Records
from synthspec_torch.training.optimizer import build_optimizer, set_rate

Told = Adversarial | Hinge
"""The measures that can be learnt from labels: each record's loss needs its own label alone."""


def labelled_losses(objective: Told, scores: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
    """What a critic that scores records `scores` loses when `real` says which of them are to count as real; their shape."""
    signed = torch.where(real, scores, -scores)
    if isinstance(objective, Hinge):
        return torch.relu(1.0 - signed)
    return nn.functional.softplus(-signed)


class Teachers:
    """k critics of one form with weights of their own; teacher t reads the records of part t and nothing else.

    They are computed as one batch over the teachers: no operation mixes what belongs to two of them, the optimiser's
    included, so each ends as it would have alone.
    """

    def __init__(
        self, critics: Sequence[Critic], parts: Sequence[Records], objective: Told, optimizer: Optimizer
    ) -> None:  # fmt: skip
        """`critics`: k fresh ones without buffers; `parts`: the records of each, of which there may be none."""
        if any(True for _ in critics[0].buffers()):
            raise TypeError("a teacher is its weights: a norm that remembers would be shared among them")
        stacked, _ = torch.func.stack_module_state([*critics])
        self.weights = {name: each.detach().requires_grad_() for name, each in stacked.items()}
        self._form = copy.deepcopy(critics[0]).to("meta")
        self._objective = objective
        self._optimizer = build_optimizer(optimizer, self.weights.values())
        sizes = torch.tensor([len(part) for part in parts])
        # A part without records reads the blank one at the end: never the next part's.
        x, c = (torch.cat([*each, each[0].new_zeros(1, *each[0].shape[1:])])
                for each in zip(*((part.x, part.c) for part in parts), strict=True))  # fmt: skip
        self.records = Records(x, c)
        self._sizes = sizes[:, None]
        self._first = torch.where(sizes > 0, sizes.cumsum(0) - sizes, len(x) - 1)[:, None]

    def __len__(self) -> int:
        return len(self._sizes)

    def learn(self, generator: Generator, places: torch.Tensor, z: torch.Tensor, lr: float) -> None:
        """One update of each: m records at `places` [k, m], in [0, 1), of its part, beside as many made of z [k m, ...].

        What is generated gets the conditions of the teacher's own records; of a part without records it is all that is learnt.
        """
        within = (places * self._sizes).long().minimum(self._sizes - 1).clamp(min=0)
        real = self.records.take((self._first + within).flatten())
        with torch.no_grad():
            fake = generator(z, real.c)
        set_rate(self._optimizer, lr)
        loss = self._losses(real.x, real.c, places.shape, real=True) * (self._sizes > 0)
        loss = loss + self._losses(fake, real.c, places.shape, real=False)
        loss.mean(1).sum().backward()  # type: ignore[no-untyped-call]
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)

    @torch.no_grad()
    def votes(self, x: torch.Tensor, c: torch.Tensor) -> torch.Tensor:
        """How many teachers call each of the contents x [q, ...] generated, and how many real: int64 [q, 2]. Private.

        A score that is no number is a vote for generated: whatever becomes of a teacher, it has one vote.
        """
        scores = torch.func.vmap(self._score, in_dims=(0, None, None))(self.weights, x, c)
        real = (scores > 0).sum(0)
        return torch.stack([len(self) - real, real], 1)

    def _losses(self, x: torch.Tensor, c: torch.Tensor, shape: torch.Size, *, real: bool) -> torch.Tensor:
        each = (x.view(*shape, *x.shape[1:]), c.view(*shape, *c.shape[1:]))
        scores = torch.func.vmap(self._score)(self.weights, *each)
        return labelled_losses(self._objective, scores, torch.tensor(real))

    def _score(self, weights: dict[str, torch.Tensor], x: torch.Tensor, c: torch.Tensor) -> torch.Tensor:
        scores: torch.Tensor = torch.func.functional_call(self._form, weights, (x, c))
        return scores
