"""The heads of a denoiser as views of one estimate: at given x and t each is an affine function of the others.

For x = a x_0 + s eps. `flow` is the v head of the linear path (a + s = 1) and `edm` the preconditioned x_0 head of the path
with a = 1 (Karras et al. 2022, table 1); the language names them by the schedule.
"""

from __future__ import annotations

from typing import Literal, TypeVar

import torch

from synthspec.ir.families import (
    EdmSchedule,
    EdmWeighting,
    FlowMatchingSchedule,
    LSimple,
    MinSnr,
    NoiseSchedule,
    SigmoidWeighting,
)

Head = Literal["eps", "x0", "v", "flow", "edm"]
Level = TypeVar("Level", float, torch.Tensor)
Weighting = MinSnr | EdmWeighting | SigmoidWeighting
"""Weightings with a name; None weighs all levels alike on the error of the head."""


def head_of(schedule: NoiseSchedule, objective: LSimple) -> Head:
    """What the network says under `schedule`, whose heads `engine.head-solver` has checked."""
    if isinstance(schedule, EdmSchedule):
        return "edm"
    return "flow" if isinstance(schedule, FlowMatchingSchedule) else objective.head


def target(
    head: Head, x0: torch.Tensor, eps: torch.Tensor, a: torch.Tensor, s: torch.Tensor, sigma_data: float = 1.0
) -> torch.Tensor:
    """What the head is trained to say about x_t = a x0 + s eps. v = a eps - s x0 (Salimans and Ho 2022)."""
    match head:
        case "eps":
            return eps
        case "x0":
            return x0
        case "v":
            return a * eps - s * x0
        case "flow":
            return eps - x0
        case "edm":
            keep, scale = _precondition(s, sigma_data)
            return (x0 - keep * (a * x0 + s * eps)) / scale


def to_x0(head: Head, out: torch.Tensor, x: torch.Tensor, a: Level, s: Level, sigma_data: float = 1.0) -> torch.Tensor:
    """The estimate of x_0 that the output `out` of a head at x_t = `x` stands for."""
    match head:
        case "eps":
            return (x - s * out) / a
        case "x0":
            return out
        case "v":
            return a * x - s * out
        case "flow":
            return x - s * out
        case "edm":
            keep, scale = _precondition(s, sigma_data)
            return keep * x + scale * out


def shown(head: Head, x: torch.Tensor, s: Level, sigma_data: float) -> torch.Tensor:
    """What the network is shown of x_t: under `edm` scaled to unit variance at every level, else x_t itself."""
    return x / (s**2 + sigma_data**2) ** 0.5 if head == "edm" else x


def weight(
    weighting: Weighting | None, head: Head, a: torch.Tensor, s: torch.Tensor, sigma_data: float = 1.0
) -> torch.Tensor | None:
    """The factor on the squared error of the head, like `a`; None where it is 1 at every level.

    A weight w on the error of x_0 is w / r on that of a head whose squared error is r times as large: r is SNR for eps,
    1 / s^2 for v and flow, 1 / c_out^2 for edm. So equal estimates have equal losses under every head.
    """
    if weighting is None:
        return None
    snr = (a / s) ** 2
    if isinstance(weighting, MinSnr):
        if head == "eps":
            return (weighting.gamma / snr).clamp(max=1.0)
        on_x0 = snr.clamp(max=weighting.gamma)
    elif isinstance(weighting, EdmWeighting):
        on_x0 = snr + sigma_data**-2
    else:
        on_eps = torch.sigmoid(weighting.bias - torch.log(snr))
        if head == "eps":
            return on_eps
        on_x0 = snr * on_eps
    return on_x0 / larger(head, a, s, sigma_data)


def larger(head: Head, a: torch.Tensor, s: torch.Tensor, sigma_data: float) -> torch.Tensor:
    """The squared error of the head over that of x_0."""
    match head:
        case "eps":
            return (a / s) ** 2
        case "x0":
            return torch.ones_like(s)
        case "v" | "flow":
            return s**-2
        case "edm":
            return _precondition(s, sigma_data)[1] ** -2


def _precondition(s: Level, sigma_data: float) -> tuple[Level, Level]:
    """c_skip and c_out at the noise level s, where a = 1."""
    total = s**2 + sigma_data**2
    return sigma_data**2 / total, s * sigma_data / total**0.5
