"""The signals that a training emits: what monitors and convergence may watch (P405-3, section IX).

Known here so that a monitor on a signal that the family never emits is refused before anything is trained. A backend
writes a signal of this table under this name, or says in `supports` that it does not emit it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

FAMILIES = frozenset({"vae", "gan", "flow", "diffusion"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """One number that a training logs, a plain number in a trip. `better` says which way is progress, if either is."""

    name: str
    says: str
    families: frozenset[str] = FAMILIES
    better: Literal["lower", "higher", ""] = "lower"
    released: bool = False
    """True when it costs no privacy to look at: it is public, or an output of the mechanism."""
    mechanism: bool = False
    """True when it exists under a privacy mechanism only."""


def _of(*families: str) -> frozenset[str]:
    return frozenset(families)


SIGNALS: dict[str, Signal] = {
    signal.name: signal
    for signal in (
        Signal(name="step", says="updates done", better="", released=True),
        Signal(name="epoch", says="passes over the training split", better="", released=True),
        Signal(name="lr", says="learning rate in force", better="", released=True),
        Signal(name="loss", says="training objective, mean of the batch"),
        Signal(name="loss_val", says="training objective on the validation split"),
        Signal(name="grad_norm", says="global L2 norm of the gradient before clipping", better=""),
        Signal(
            name="grad_norm_released",
            says="global L2 norm of the noisy gradient",
            better="",
            released=True,
            mechanism=True,
        ),
        Signal(
            name="votes_real",
            says="share of the generated records of a step that the noisy votes of teachers call real",
            families=_of("gan"),
            better="",
            released=True,
            mechanism=True,
        ),
        Signal(name="eps_spent", says="eps of the ledger so far", better="", released=True, mechanism=True),
        Signal(name="elbo", says="ELBO of the batch, nat per example", families=_of("vae"), better="higher"),
        Signal(name="elbo_val", says="ELBO on the validation split", families=_of("vae"), better="higher"),
        Signal(name="kl", says="KL(q || p), nat per example", families=_of("vae"), better=""),
        Signal(name="beta", says="weight of the KL in force", families=_of("vae"), better="", released=True),
        Signal(name="recon", says="E_q log p(x|z), nat per example", families=_of("vae"), better="higher"),
        Signal(name="posterior_collapse_rate", says="share of inactive latent units", families=_of("vae")),
        Signal(
            name="critic_drift",
            says="drift of the mean critic value on a frozen probe of real records, in standard errors",
            families=_of("gan"),
            better="",
        ),
        Signal(
            name="real_fake_gap",
            says="E f(x) - E f(G(z)) on the validation split and a frozen z",
            families=_of("gan"),
            better="",
        ),
        Signal(
            name="gp_norm",
            says="mean norm of the critic's gradient where it is penalised",
            families=_of("gan"),
            better="",
        ),
        Signal(name="loss_critic", says="loss of the critic, penalty included", families=_of("gan"), better=""),
        Signal(name="loss_generator", says="adversarial loss of the generator", families=_of("gan"), better=""),
        Signal(
            name="critic_accuracy",
            says="share of pairs of a validation and a generated record in which the real one is scored higher; 0.5 is a draw",
            families=_of("gan"),
            better="",
        ),
        Signal(
            name="critic_overfit",
            says="(E f(train) - E f(val)) / (E f(train) - E f(G(z))): 1 when the critic takes validation records for generated",
            families=_of("gan"),
        ),
        Signal(
            name="mode_drop_val",
            says="share of the clusters of the validation split that a probe sample does not show",
            families=_of("gan"),
        ),
        Signal(name="KID_val", says="KID of a probe sample against the validation split", families=_of("gan")),
        Signal(name="bpd", says="bits per dimension of the batch", families=_of("flow")),
        Signal(name="bpd_val", says="bits per dimension on the validation split", families=_of("flow")),
        Signal(name="bpd_trend", says="Theil-Sen slope of bpd_val over the last evaluations", families=_of("flow")),
        Signal(
            name="logdet_extreme",
            says="largest |ln |det J|| of a validation record, nat; not of columns of mixed types",
            families=_of("flow"),
        ),
        Signal(name="ema_gap", says="loss_val of the raw weights less that of the EMA", families=_of("diffusion")),
        Signal(
            name="head_r2",
            says="1 - MSE / Var of the head's target on the validation split; 0 is a dead head",
            families=_of("diffusion"),
            better="higher",
        ),
        Signal(name="NFE", says="network evaluations per probe sample", families=_of("diffusion"), better=""),
        Signal(name="latency_p99", says="99th percentile of the probe latency, ms", families=_of("diffusion")),
    )
}


def signals_of(family: str) -> tuple[str, ...]:
    """The names of the signals that a training of `family` emits."""
    return tuple(name for name, signal in SIGNALS.items() if family in signal.families)
