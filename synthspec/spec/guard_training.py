"""The direction of the fields that say how an engine is built, trained and sampled: few of them guard anything."""

from __future__ import annotations

from collections.abc import Mapping

from synthspec.spec.guards import Fields, down, entries, free, items, law, members, pin, review, scale, section, up

_SHAPE = free("the shape of a network: what it makes is measured against the same thresholds")
_FIT = free("how weights are fitted: what they make is measured against the same thresholds")
_NAME = review("another network", "low")

_NETWORK: Fields = {
    "name": _NAME,
    **dict.fromkeys(("hidden", "channels", "latent_dim", "groups", "transforms", "bins", "layers_per_block"), _SHAPE),
    **dict.fromkeys(("attention", "width", "depth", "heads", "pac"), _SHAPE),
    "likelihood": review("another law of the data given the latents", "medium"),
    "norm": scale(("none", "layer", "group", "instance"), "batch", risk="medium", absent="review"),
    "spectral_norm": scale("true", "false", risk="low"),
    "actnorm": section("low", absent="tight"),
}
_ENGINE: Fields = {
    "family": review("another kind of engine", "high"),
    "backend": review("another program computes it", "low"),
    "architecture": section("low", absent="review"),
    "base_dist": review("another base distribution", "low"),
    "noise_schedule": section("low", absent="review"),
}
_SCHEDULE: Fields = {
    "name": review("noise is added otherwise", "low"),
    **dict.fromkeys(("train_steps", "beta_start", "beta_end", "zero_terminal_snr"), _FIT),
    **dict.fromkeys(("sigma_min", "sigma_max", "rho", "p_mean", "p_std", "sigma_data", "t_mean", "t_std"), _FIT),
}
_OBJECTIVE: Fields = {
    "measure": review("another measure is trained on", "high"),
    "beta": review("the measure weighs its terms otherwise", "medium"),
    "annealing": free("how the measure is approached; where it ends is guarded there"),
    "free_bits": review("the measure is another one", "low"),
    "lambda_gp": _FIT,
    "r1": _FIT,
    "r2": _FIT,
    "critic_steps": up("medium"),
    "penalty_per": scale("record", "batch", risk="medium"),
    "augmentation": _FIT,
    "generator_terms": members("medium", "more", absent="tight"),
    "training_by_sampling": _FIT,
    "head": review("the network predicts something else", "low"),
    "weighting": review("the measure weighs noise levels otherwise", "low"),
}

TRAINING: Mapping[str, Fields] = {
    **dict.fromkeys(
        (
            "VaeMlp",
            "VaeConv",
            "GanMlp",
            "GanConv",
            "SplineCoupling",
            "AffineCoupling",
            "Autoregressive",
            "UNet2d",
            "MlpDenoiser",
            "TransformerDenoiser",
            "OtherArchitecture",
        ),
        _NETWORK,
    ),
    **dict.fromkeys(("VaeEngine", "GanEngine", "FlowEngine", "DiffusionEngine"), _ENGINE),
    **dict.fromkeys(
        ("LinearSchedule", "ScaledLinearSchedule", "CosineSchedule", "EdmSchedule", "FlowMatchingSchedule"), _SCHEDULE
    ),
    **dict.fromkeys(
        (
            "Elbo",
            "ElboBeta",
            "Adversarial",
            "WganGp",
            "Hinge",
            "Relativistic",
            "Nll",
            "LSimple",
            "OtherObjective",
        ),
        _OBJECTIVE,
    ),
    "ActNorm": {"init": scale("identity", "data", risk="medium")},
    "Annealing": {"name": _FIT, "epochs": _FIT, "cycles": _FIT},
    "MinSnr": {"name": _FIT, "gamma": _FIT},
    "EdmWeighting": {"name": _FIT},
    "SigmoidWeighting": {"name": _FIT, "bias": _FIT},
    "Training": {
        **dict.fromkeys(("epochs", "steps", "batch_size", "optimizer", "precision", "ema", "grad_clip"), _FIT),
        "seed": review("another draw of the weights", "medium", "review.seed-changed"),
        "threads": free("it is written into the manifest with what it changes: the last bits"),
        "init_from": section("high", absent="tight"),
        "on_divergence": scale("stop", "restart", risk="low"),
        "max_attempts": up("medium", absent="review"),
    },
    "Optimizer": dict.fromkeys(("name", "lr", "betas", "weight_decay", "momentum"), _FIT),
    "Pretrained": {
        "weights": review("training starts from other weights", "high", "review.source-changed"),
        "sha256": pin("high"),
        "run": pin("high"),
        "provenance": scale("public", "private", risk="high"),
        "id": review("training starts from other weights", "high", "review.source-changed"),
    },
    "Stability": {
        "monitors": items("medium", "fewer", "signal", loosened="review.monitor-removed"),
        "convergence": section("medium"),
        "rollback": section("medium"),
    },
    "Monitor": {
        "signal": free("monitors are recognised by it"),
        "trip": law("trip", "medium", loosened="review.monitor-loosened"),
        "window": up("medium", loosened="review.monitor-loosened"),
        "action": scale(
            "stop", "rollback", ("scale_lr", "raise_free_bits"), "skip", loosened="review.monitor-loosened"
        ),
        "cooldown": up("medium", loosened="review.monitor-loosened"),
        "max_fires": up("medium", absent="review", loosened="review.monitor-loosened"),
        "then": scale("stop", "rollback", loosened="review.monitor-loosened"),
    },
    "Convergence": {
        "signal": review("training ends by another signal", "low"),
        "patience": up("low"),
        "min_delta": down("low"),
        "max": review("training ends at another time", "low"),
    },
    "Rollback": {
        "to": review("training goes back elsewhere", "low"),
        "lr_factor": _FIT,
        "max_rollbacks": up("medium"),
    },
    "Sampling": {
        "n": free("bounds are judged at the side that is bad for the claim: fewer records prove less, never more"),
        "seed": review("another draw of the records", "medium", "review.seed-changed"),
        "rng": review("another generator of noise", "medium", "review.seed-changed"),
        "solver": review("records are computed otherwise", "medium", "review.solver-changed"),
        "NFE": review("records are computed with another budget", "low", "review.solver-changed"),
        "tolerance": up("low", loosened="review.solver-changed"),
        "block": free("the same noise in other portions"),
        "condition": entries("medium", "fewer", loosened="review.condition-widened"),
    },
    "Distill": {
        "kind": _NAME,
        "method": review("a student of another kind", "low"),
        "NFE": review("records are computed with another budget", "low", "review.solver-changed"),
        "steps": _FIT,
        "solver": review("records are computed otherwise", "low", "review.solver-changed"),
        "data": scale("synthetic", "train", risk="high"),
        "keep": section("high"),
        "reevaluate": scale("true", "false", risk="high"),
    },
    "Quantize": {
        "kind": _NAME,
        "dtype": scale("bf16", "int8", risk="low"),
        "keep": section("high"),
        "reevaluate": scale("true", "false", risk="high"),
    },
    "Compile": {"kind": _NAME, "keep": section("high"), "reevaluate": scale("true", "false", risk="high")},
    "Keep": {"FID_ratio": up("high"), "KID_delta": up("high"), "covg_delta": down("high")},
}
