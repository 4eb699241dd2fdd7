"""The words for the fields that say how an engine is built, trained, sampled and accelerated."""

from __future__ import annotations

from collections.abc import Mapping

from synthspec.spec.words import Words

_NETWORK: Words = {
    "name": "Which network. One that the family does not have is engine.arch-unknown.",
    "hidden": "Widths of the hidden layers, from the input on.",
    "channels": "Channels at each resolution, from the full one on; each further one halves the sides of the picture.",
    "latent_dim": "How many latent numbers a record is made from.",
    "likelihood": "The law p(x|z) of the values given the latents. It has to fit them: `mixed` is for tables, "
    "`discretized_logistic`, `binomial` and `categorical` for whole numbers, `bernoulli` for values of two kinds.",
    "groups": "Groups of latents in a row, each with a prior that depends on those before it; 1 is the plain VAE, and all "
    "that dp-sgd takes.",
    "norm": "What normalises activations; left out, the choice of the engine. `instance` is for GANs of pictures, and "
    "`batch`, which mixes the records of a batch, no engine offers.",
    "spectral_norm": "Whether every layer of the critic is divided by its largest singular value. `hinge` does it anyway; "
    "not beside the penalty of `wgan_gp`.",
    "pac": "How many records the critic sees at once. More than one shows it when records repeat; batches are whole packs. "
    "Under a mechanism 1 alone.",
    "transforms": "How many invertible steps stand in a row; 1 of `autoregressive` on tables of mixed types.",
    "bins": "Pieces of the spline of a coupling; in tables of mixed types, cells of a number.",
    "actnorm": "A scale and a shift a dimension before each coupling; left out, none.",
    "layers_per_block": "Residual layers at each resolution.",
    "attention": "Whether each resolution has self-attention, one word for each of `channels`; left out, the last one "
    "alone.",
    "width": "Numbers that the transformer holds for each token.",
    "depth": "How many blocks of the transformer stand in a row.",
    "heads": "Attention heads of each block; they share `width` evenly.",
}
_ENGINE: Words = {
    "family": "The kind of engine, which decides the other keys, the measures, the signals and the contracts that are "
    "owed.",
    "backend": "The installed backend that computes it, as `synthspec backends` lists them. Left out, the one that can.",
    "architecture": "The network, and its size.",
    "base_dist": "The law that noise is drawn from before the flow is gone through backwards.",
    "noise_schedule": "How noise grows from the data to where sampling starts.",
}
_SCHEDULE: Words = {
    "name": "Which schedule.",
    "train_steps": "Noise levels of the schedule. A solver takes at most as many steps.",
    "beta_start": "beta at the first noise level.",
    "beta_end": "beta at the last noise level.",
    "sigma_min": "The least noise that sampling goes down to, in standard deviations of the normalised data.",
    "sigma_max": "The noise that sampling starts from, in standard deviations of the normalised data.",
    "rho": "How sampling steps are spaced: evenly in sigma^(1/rho).",
    "p_mean": "Mean of ln sigma in training.",
    "p_std": "Standard deviation of ln sigma in training.",
    "sigma_data": "Standard deviation of the normalised training data; left out, it is measured.",
    "t_mean": "Mean of logit t in training.",
    "t_std": "Standard deviation of logit t in training.",
}
_OBJECTIVE: Words = {
    "measure": "The measure that is trained on. Each belongs to one family (P405-1.measure-family-mismatch).",
    "beta": "The weight of the KL, above 0. It is part of the measure and has no default (P405-1.beta-invalid).",
    "annealing": "How the weight of the KL grows to its value at the start of training; left out, it has it from the first "
    "step.",
    "free_bits": "The least KL that each latent dimension is charged, in nat, on the mean of the batch: below it nothing "
    "is gained by saying less.",
    "critic_steps": "Updates of the critic for each update of the generator. Under dp-sgd each of them is a release.",
    "lambda_gp": "Weight of the gradient penalty; it is added to the loss that the critic minimises.",
    "penalty_per": "Whether the penalty stands in the loss of each record, or is one number of the batch, which no run "
    "offers.",
    "augmentation": "Differentiable changes that both real and generated pictures go through before the critic sees them.",
    "generator_terms": "What the generator minimises beside the adversarial loss. Both terms look at real records, so a "
    "mechanism refuses them; no backend offers `identifiability` yet.",
    "r1": "Weight of the penalty on the critic's gradient at real records.",
    "r2": "Weight of the penalty on the critic's gradient at generated records.",
    "head": "What the network predicts: the noise, the clean record, or v = alpha eps - sigma x_0. The schedule edm takes "
    "`x0` alone, flow_matching `v` alone.",
    "weighting": "How noise levels count; left out, all alike on the error of the head.",
}
_REEVALUATE = "The engine is evaluated again in any case; `false` is refused (P405-10.no-reevaluation)."
_KEEP = "What has to be kept of the engine before, judged as bounds of C40-511 and C40-515; left out, nothing."
_STEP_KIND = "What is done to the engine that stands before it in the list. No backend offers `compile` yet."

TRAINING: Mapping[str, Words] = {
    **dict.fromkeys(
        (
            *("VaeMlp", "VaeConv", "GanMlp", "GanConv", "SplineCoupling", "AffineCoupling", "Autoregressive"),
            *("UNet2d", "MlpDenoiser", "TransformerDenoiser", "OtherArchitecture"),
        ),
        _NETWORK,
    ),
    **dict.fromkeys(("VaeEngine", "GanEngine", "FlowEngine", "DiffusionEngine"), _ENGINE),
    **dict.fromkeys(
        ("LinearSchedule", "ScaledLinearSchedule", "CosineSchedule", "EdmSchedule", "FlowMatchingSchedule"), _SCHEDULE
    ),
    **dict.fromkeys(
        ("Elbo", "ElboBeta", "Adversarial", "WganGp", "Hinge", "Relativistic", "Nll", "LSimple", "OtherObjective"),
        _OBJECTIVE,
    ),
    "ActNorm": {
        "init": "Where scale and shift start: at the identity, or at the moments of the first batch, which a mechanism "
        "refuses."
    },
    "Annealing": {
        "name": "`linear`: once from 0 to the whole weight. `cyclical`: again and again, half of each cycle rising.",
        "epochs": "How many epochs it takes in all. Training has to go on after them (P405-1.beta-invalid).",
        "cycles": "How many cycles those epochs hold; `linear` has one.",
    },
    "MinSnr": {
        "name": "Which weighting.",
        "gamma": "The cap: levels with a greater signal-to-noise ratio count as much as this one.",
    },
    "EdmWeighting": {"name": "Which weighting."},
    "SigmoidWeighting": {"name": "Which weighting.", "bias": "Where the weight is one half, in ln SNR."},
    "Training": {
        "epochs": "Passes over the training split. This or `steps` is needed; not under dp-sgd or pate.",
        "steps": "Updates of the weights. This or `epochs` is needed. Under dp-sgd the privacy block has them.",
        "batch_size": "Records in one update; needed, but under dp-sgd, where batches are drawn by `privacy.sampling`.",
        "optimizer": "What turns gradients into updates.",
        "precision": "The numbers that training computes in. Engines offer `fp32` alone today.",
        "ema": "Decay of the running mean of the weights, which is what is kept; at update k the smaller of it and (1 + k) "
        "/ (10 + k). Left out, the weights themselves.",
        "grad_clip": "The largest L2 norm of the gradient of a batch; a longer one is shortened. Left out, none. No "
        "privacy follows from it.",
        "seed": "The public seed of initial weights, order of records and draws in training (P405-8.seed-missing asks for "
        "it).",
        "threads": "Threads that train. The last bits depend on it, so it stands in the manifest.",
        "init_from": "Weights that training starts from; left out, drawn from `seed`.",
        "on_divergence": "What happens when signals are not finite and no rollback is left: an error, or the next seed. "
        "`restart` needs `max_attempts`, and is refused under a mechanism.",
    },
    "Optimizer": {
        "name": "Which optimiser.",
        "lr": "Learning rate. It is warmed up and brought down in a fixed course, which the manifest names.",
        "betas": "Decays of the two moments of adam and adamw; left out, 0.9 and 0.999 (of a GAN 0 and 0.9).",
        "weight_decay": "The penalty on the size of weights: of adamw a decay beside the gradient, else a part of it. Left "
        "out, 0.01 of adamw and 0 of the others.",
        "momentum": "Momentum of sgd; left out, 0.",
    },
    "Pretrained": {
        "sha256": "SHA-256 of the file (schema.missing-key); a run refuses another content.",
        "provenance": "Whether the weights were trained on public data; it has to be stated under dp-sgd "
        "(P405-4.pretrained-private).",
    },
    "Stability": {
        "monitors": "What is watched while training, and what is done about it (P405-3.no-monitor asks for one).",
        "convergence": "When training is done (P405-3.no-convergence asks for it).",
        "rollback": "Where training goes back to (P405-3.no-rollback asks for it).",
    },
    "Monitor": {
        "signal": "The signal that is watched; which ones there are depends on the family and the mechanism (docs/keys.md "
        "lists them under Signals).",
        "trip": "An expression over signals, `best(...)`, `mean(...)` and the like included, that is true where something "
        "is wrong.",
        "window": "How many observations in a row have to trip before anything is done.",
        "action": "What is done: leave the step out, multiply the learning rate by `rollback.lr_factor`, go back, stop, or "
        "raise the free bits of a VAE.",
        "cooldown": "Observations after a firing that do not count.",
        "then": "What is done once `max_fires` is reached.",
    },
    "Convergence": {
        "signal": "The signal that has to get better. Which way is better, the table of signals says; otherwise less is.",
        "patience": "Observations without an improvement after which training is done. This or `max` is needed.",
        "min_delta": "By how much the signal has to get better to count, in its unit.",
        "max": "`budget`: train until epochs or steps are used up. A number: stop when the signal reaches it.",
    },
    "Rollback": {
        "to": "The weights to go back to: those of the best or those of the last good validation.",
        "lr_factor": "What the learning rate is multiplied by at each rollback.",
        "max_rollbacks": "How many rollbacks there are before training stops instead.",
    },
    "Sampling": {
        "n": "How many records are released.",
        "seed": "The public seed of the noise that records are made from (P405-8.seed-missing asks for it).",
        "rng": "The generator of that noise, by name (P405-8.rng-unstated asks for it). Record i depends on the seed and i "
        "alone.",
        "solver": "What turns noise into records; of a diffusion alone, and it needs one (P405-8.solver-missing): ddpm, "
        "ddim, dpmsolver++, dpmsolver++_sde, unipc, euler, heun, heun_adaptive or euler_maruyama.",
        "NFE": "Network evaluations a record of a diffusion (P405-8.nfe-missing); guided ones count twice. Steps follow "
        "from it, and a number that no step count meets is refused. To an adaptive solver it is a cap.",
        "block": "Records that are drawn together: the network always sees exactly one block. It changes no law, only "
        "which noise a record gets.",
        "condition": "Condition variables held at one value (with a unit, or in that of the field), by name; others are "
        "drawn.",
    },
    "Distill": {
        "kind": _STEP_KIND,
        "method": "A consistency model, halving steps again and again, or matching the teacher directly.",
        "NFE": "Network evaluations a record of the student, which are its steps.",
        "steps": "Updates of the student, shared by its rounds where the method has several.",
        "solver": "How the student is sampled, which follows from the method: `consistency` of a consistency model, else "
        "`ddim`.",
        "data": "What the student learns on: what the teacher makes, or the records of the training split.",
        "keep": _KEEP,
        "reevaluate": _REEVALUATE,
    },
    "Quantize": {
        "kind": _STEP_KIND,
        "dtype": "What weights are stored and computed in. Of a flow `int8` alone, since its nll is published.",
        "keep": _KEEP,
        "reevaluate": _REEVALUATE,
    },
    "Compile": {"kind": _STEP_KIND, "keep": _KEEP, "reevaluate": _REEVALUATE},
}
