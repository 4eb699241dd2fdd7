"""What is known of figures before anything is measured: which come with every run, and what none can exceed."""

from __future__ import annotations

OF_THE_RUN = frozenset(
    {
        "NFE", "w_cfg", "eps_total", "delta_total", "dp_violations", "tau_mono_decreases", "J", "T_arr_form1",
        "T_arr_form2", "delta_form", "acc_rate", "projection_cost", "check_dim_failures", "constraint_violations",
        "loss_cast", "units_not_restored", "unpersisted", "replay_mismatches", "elbo_val_gain",
        "set_MI_delta", "student_violations",
    }
)  # fmt: skip
"""Figures that fall off a run whether or not `evaluation.metrics` asks for them."""

OF_THE_ENGINE = frozenset(
    {"elbo", "iwae", "posterior_collapse_rate", "recon_PSNR", "nll", "bpd", "inv_error", "elbo_val_gain"}
)
"""Figures that need the weights, not the samples: the `assess` node has the engine compute them."""

SCORING_FAMILIES = frozenset({"vae", "flow", "diffusion"})
"""Families whose released weights say how likely a record is. A GAN is released without its critic, and says nothing."""

COVERAGE_NEIGHBOURS = 5
"""k of covg (Naeem et al. 2020)."""

MEMBERSHIP_LEAST = 40
"""Members, and non-members, below which nothing is said of MI."""

SHADOWS_LEAST, SHADOWS_MOST, SHADOWS_ENOUGH = 8, 1024, 16
"""Shadow engines below which a record has too few others to be judged by, what a machine may train, and what is believed."""

ASKED_LEAST = 20
"""Records, or canaries, that shadow engines are asked about, below which nothing is said of a rate."""


def coverage_ceiling(k: int = COVERAGE_NEIGHBOURS) -> float:
    """What covg of a perfect generator tends to with as many synthetic as real records: ``1 - 2^-k``.

    E[covg] = 1 - prod_{i<k} (N - i) / (M + N - i) for N real and M synthetic records (Naeem et al. 2020, eq. 9).
    """
    return 1.0 - 2.0**-k
