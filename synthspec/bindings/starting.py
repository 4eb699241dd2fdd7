"""What a binding says of training where its caller says nothing: a start, written into the spec like everything else.

There are no such values for what a spec promises, nor for privacy, splits and conditions.
"""

from __future__ import annotations

from collections.abc import Mapping

from synthspec.bindings.documents import Section

_ADAM = {"name": "adamw", "lr": 1e-3}
_WATCHED: Mapping[str, tuple[str, str]] = {
    "vae": ("elbo_val", "grad_norm > 100"),
    "gan": ("loss_critic", "grad_norm > 100"),
    "flow": ("bpd_val", "grad_norm > 100"),
    "diffusion": ("loss_val", "grad_norm > 50"),
}
"""The signal of convergence and the trip of the monitor, by family (generators study 4.2)."""


def training(privacy: Section) -> Section:
    """A training of 60 passes; under a mechanism the steps and the batches are the privacy block's."""
    if privacy.get("mechanism") == "none":
        return {"epochs": 60, "batch_size": 128, "optimizer": _ADAM, "seed": 0}
    return {"optimizer": _ADAM, "seed": 0}


def stability(family: str, privacy: Section) -> Section:
    """P405-3: one monitor, the end of training and the way back. Under a mechanism only released signals are watched."""
    if privacy.get("mechanism") != "none":
        return {
            "monitors": [
                {"signal": "grad_norm_released", "trip": "grad_norm_released > 1000", "window": 20, "action": "stop"}
            ],
            "convergence": {"signal": "step", "max": "budget"},
            "rollback": {"to": "last", "max_rollbacks": 0},
        }
    signal, trip = _WATCHED[family]
    return {
        "monitors": [{"signal": "grad_norm", "trip": trip, "window": 20, "action": "rollback"}],
        "convergence": {"signal": signal, "patience": 10, "min_delta": 1e-4},
        "rollback": {"to": "best", "lr_factor": 0.5, "max_rollbacks": 2},
    }
