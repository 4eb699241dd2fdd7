"""The words for conditions, privacy, evaluation, contracts and what is released."""

from __future__ import annotations

from collections.abc import Mapping

from synthspec.spec.words import Words

_CONDITIONING: Mapping[str, Words] = {
    "Conditioning": {
        "variables": "The condition variables, by the names of fields of role condition in the SRef. Each of those is "
        "registered here.",
        "guidance": "Classifier-free guidance, of a diffusion alone; left out, none.",
        "rejection": "The cap on drawing again what breaks a blocking constraint, or lies too close to a training record.",
        "projection": "Moves records that break linear constraints onto them, the nearest way; left out, such records are "
        "drawn again.",
    },
    "Variable": {
        "interface": "How the variable is told to the network.",
        "distribution": "The law that c is drawn from at sampling: that of the training split, a uniform one, or a table "
        "of values with their shares, which add up to 1.",
        "coverage_min": "The share of the values of the field that has to be drawn; the manifest names it "
        "(P405-2.coverage-missing).",
    },
    "Guidance": {
        "w_cfg": "Weight of guidance on the scale of S405-6: 0 is plain conditional, and diffusers' `guidance_scale` is 1 "
        "+ w_cfg.",
        "cfg_max": "The bound on `w_cfg` (P405-2.w-cfg-over-max).",
        "drop_rate": "Share of the training records whose condition is dropped, so that the unconditional branch is "
        "learned. Guidance needs it above 0.",
        "schedule": "w_cfg(t), t the share of the solver's steps that are still ahead; left out, constant.",
    },
    "IntervalGuidance": {
        "name": "Which schedule.",
        "low": "Where guidance ends, in t, which is 0 where sampling ends.",
        "high": "Where guidance begins, in t, which is 1 where sampling starts.",
    },
    "LinearGuidance": {
        "name": "Which schedule.",
        "start": "The share of w_cfg at t = 1, where sampling starts.",
        "end": "The share of w_cfg at t = 0, where sampling ends.",
    },
    "Rejection": {
        "max_attempts": "Candidates drawn for each released record, at most (P405-2.rejection-uncapped). Without the "
        "section, 10."
    },
    "Projection": {
        "max_cost": "How far a value may be moved, as a share of the range of its field. Further, the record is drawn "
        "again."
    },
}

_MECHANISM: Words = {
    "mechanism": "What protects the records. `none` is a stated choice; a spec that says nothing is refused.",
    "unit": "Whom the guarantee protects: `record`, or the field of the SRef that names the person, device or site "
    "(P405-4.unit-missing). Engines protect `record` alone today.",
    "max_contributions": "Records that one entity may have in training, where the unit is an entity.",
    "adjacency": "Which data sets are neighbours: with one unit taken away or added, replaced by another, or blanked out. "
    "Under `zero_out` the number of records is public (P405-4.adjacency-missing).",
    "dataset_size": "Whether the number of training records is public, and what it is, give or take a tenth.",
    "sampling": "How the records of a step are drawn (P405-4.incomplete).",
    "steps": "Noisy gradients that are released in all: the steps of the training (of a GAN those of its critic).",
    "clip": "How much one unit may contribute to a step (P405-4.clip-missing).",
    "noise": "The noise that is added: to the sum of clipped gradients (dp-sgd), or to each count of votes (pate).",
    "normalizer": "The public constant that the noisy sum is divided by, usually rate times the number of records. A "
    "number that follows from the batch is refused (P405-4.normalizer-private).",
    "accountant": "What computes eps: `pld`, `rdp`, or `prv`, which `pld` answers for; of dp-noise also `analytic`, which "
    "is exact for whole Gaussian releases.",
    "eps_budget": "The eps that may be spent (P405-4.budget-missing). A plan over it is refused before any data are read.",
    "delta": "The probability with which the guarantee may fail outright; at most 1e-5 and below 1/n "
    "(P405-4.delta-too-large).",
    "bounds": "Where scales and vocabularies come from; `data` is refused (P405-4.data-dependent-bounds).",
    "ledger": "The name of the ledger that the spending is entered in: one for all releases of the same data "
    "(P405-4.ledger-missing).",
    "multiplicity": "Noise draws of each record that are averaged before its one clip: a number, or a section with `k`.",
    "teachers": "How many teachers vote: a public constant, never computed from the number of records.",
    "partition": "How records fall to teachers; `overlapping` is refused (P405-4.pate-partition).",
    "aggregation": "The law of the noise on votes: Gaussian (`gnmax`) or Laplace.",
    "queries": "Generated records that teachers judge in the whole training.",
    "report": "Whether eps depends on how far teachers agreed; `data_dependent` is refused (P405-4.pate-partition).",
    "records": "How many records are drawn from what was released; left out, the public `dataset_size`.",
    "statistics": "What is released: `marginals`, counts of fields and pairs, or `mean_embedding`, a sum of random "
    "features. One of them.",
    "sensitivity": "How far one unit moves the statistics. It follows from SRef and adjacency; a number is refused "
    "(P405-4.sensitivity-free).",
    "condition_histogram": "Noisy counts of the conditions, charged beside the gradients, so that `distribution: "
    "empirical` is possible.",
    "imputation": "Noisy counts of values, charged beside the gradients, so that `data.impute` may be a statistic.",
}
_PRIVACY: Mapping[str, Words] = {
    **dict.fromkeys(("NoMechanism", "UnstatedMechanism", "DpSgd", "Pate", "DpNoise"), _MECHANISM),
    "DatasetSize": {
        "public": "Whether the number is public. Under add_remove it is not (P405-4.private-size-used).",
        "value": "The number of training records, where it is public.",
    },
    "PrivateSampling": {
        "scheme": "How records are drawn. The accountants count `poisson` alone; the others are refused by name.",
        "rate": "The probability with which each record is in a step.",
        "on_empty": "What a step without records does: release noise alone. Anything else is refused (P405-4.on-empty).",
        "by": "The field that weighted draws go by; they are refused (P405-4.weighted-sampler).",
    },
    "Clip": {
        "norm": "C: the largest L2 norm that the gradient of one record (or entity) keeps. A number; `auto` is refused "
        "(P405-4.clip-invalid).",
        "per": "Whose gradient is clipped. One of a whole batch protects nobody (P405-4.clip-scope); engines offer "
        "`record` alone today.",
        "scope": "Clipped as a whole, or layer by layer, which no engine offers yet.",
        "nonfinite": "What a gradient that is not finite contributes: nothing.",
    },
    "Noise": {
        "multiplier": "sigma in units of `clip.norm` (dp-sgd) or of votes (pate). `auto` solves it from the budget before "
        "any data are read.",
        "rng": "The generator: a cryptographic one with a secret seed.",
        "dtype": "The numbers that noise is drawn and added in; engines take float64 alone.",
        "seed": "A fixed seed of the noise would make eps infinite and is refused (P405-4.public-noise-seed).",
        "per": "How often noise is added: once a step. Once a microbatch is refused (P405-4.noise-per-microbatch).",
    },
    "Multiplicity": {
        "k": "How many draws of each record are averaged.",
        "clip": "When the record is clipped: after the average. Each draw by itself is refused "
        "(P405-4.multiplicity-clipped-each).",
    },
    "PublicNormalizer": {"public_constant": "The constant, a number that says nothing of the records."},
    "Accountant": {
        "kind": "Which accountant, as in `accountant` itself.",
        "neighbours": "The adjacency that it assumes; it has to be that of the mechanism (P405-4.adjacency-mismatch).",
    },
    "ConditionHistogram": {"multiplier": "sigma, in units of what one record adds to the counts."},
    "NoisyImputation": {"multiplier": "sigma, in units of what one record moves the counts of all such fields by."},
}

_EVALUATION: Mapping[str, Words] = {
    "Evaluation": {
        "reference": "The split that samples are measured against; anything but test is refused "
        "(P405-9.reference-not-test).",
        "features": "The network in whose space pictures, clips and the like are compared.",
        "metrics": "Figures to take; contracts need those that they are about (C40.metric-not-evaluated).",
        "membership_attack": "Which records the figure MI is about; MI needs it.",
        "disclosure": "Who may read figures. `restricted`: with a mechanism the public manifest has verdicts and no "
        "figures of private records.",
        "replay_share": "C40-519: the share of the sampling blocks that are drawn again, in a fresh process; left out, one "
        "block.",
    },
    "Features": {
        "name": "Which extractor: the shipped one, one of the known networks, or a `module` of one's own.",
        "weights": "The safetensors file; every extractor but `embedded` needs one.",
        "sha256": "SHA-256 of that file, which is needed with it; a run refuses another content.",
    },
    "MembershipAttack": {
        "members": "The split whose records were trained on: train.",
        "non_members": "A split whose records were not: val or test.",
    },
}

_IS_JUDGED = "is judged at its 95 % upper bound"
_CONTRACTS: Mapping[str, Words] = {
    "Contracts": {
        "c40_511": "Fidelity. Every spec owes it: pictures tol_FID, tol_KID and recall_min, other data at least one "
        "tolerance of a divergence.",
        "c40_512": "Likelihood and invertibility; flows owe it.",
        "c40_513": "Calibration of VAEs, which owe it. That ELBO_val has not got worse in training is part of it without a "
        "number.",
        "c40_514": "What a sample of a diffusion costs; diffusions owe it.",
        "c40_515": "Coverage of the law of the data. Every spec owes it.",
        "c40_516": "Privacy. Every spec owes mi_max, one with a mechanism eps_budget and delta_budget, too.",
        "c40_517": "Time and arrival; a spec with a time field owes it.",
        "c40_518": "Dimensions: every check_dim(expr) holds. Every spec owes it; it has no number.",
        "c40_519": "Reproducibility: the sampling is drawn again and compared. Every spec owes it; it has no number.",
    },
    "_Contract": {
        "severity": "What a breach does: close the gate (`block`), or be told of.",
        "action_plan": "What is done about a breach, in words for people; a run prints them.",
        "tol_source": "Where the numbers are from: chosen, or from `synthspec calibrate`.",
    },
    "C40511": {
        "tol_FID": f"FID at most this. It {_IS_JUDGED}.",
        "tol_KID": "KID plus its standard error at most this; it may be below zero, as KID may.",
        "recall_min": "Recall (Kynkaanniemi et al. 2019) at least this, a share, at its lower bound.",
        "tol_W1": "W1, the mean over columns, in standard deviations of the training split, at most this.",
        "tol_MMD": "The squared MMD at most this; without unit.",
        "tol_SW2": "The sliced squared W2 at most this.",
        "tol_PSI": "PSI, the population stability index, at most this.",
        "tol_detection_AUC": "The AUC of a classifier that tells real from synthetic, at most this: 0.5 is a guess, so "
        "less is never met.",
        "tol_ACF": "The distance of autocorrelations of series at most this.",
        "tol_PSD": "The distance of power spectra of series at most this.",
        "tol_FVD": "FVD of clips at most this.",
        "precision_min": "Precision (Kynkaanniemi et al. 2019) at least this, a share.",
        "density_min": "Density (Naeem et al. 2020) at least this; 1 for equal laws.",
        "TSTR_min": "The score of a model that learned from synthetic records alone, on real ones, at least this. It may "
        "be below 0 where it is R^2.",
        "tol_memorisation": "The share of samples that lie nearer to training records than to others, at most this.",
    },
    "C40512": {
        "tol_bpd": "Bits per dimension of the original data at most this; dequantisation and every log-determinant are "
        "counted. It may be below 0.",
        "tol_inv": "The error of going through the map and back, at most this.",
    },
    "C40513": {
        "tol_collapse": "The share of latent units that say nothing, at most this.",
        "psnr_min": "PSNR of reconstructions at least this; pictures owe it.",
    },
    "C40514": {
        "NFE_max": "Network evaluations a record, as counted at the network, at most this.",
        "SLO_latency": "The 99th percentile of the time of a request at most this, at its 95 % upper bound: 299 requests "
        "are the fewest.",
        "cfg_max": "w_cfg at most this, on the scale of S405-6.",
    },
    "C40515": {
        "covg_min": "Coverage (Naeem et al. 2020) at least this, a share. Its ceiling is about 0.969.",
        "tol_mode_drop": "The share of modes that samples do not show, at most this.",
    },
    "C40516": {
        "eps_budget": "eps_total at most this, as spent.",
        "delta_budget": "delta_total at most this.",
        "mi_max": f"The advantage of the best membership attack at most this. It {_IS_JUDGED}.",
        "publish": "What the public manifest tells of MI: its verdict, or its value, which a mechanism refuses.",
    },
    "C40517": {
        "J_max": "The rms residual J of the time base at most this.",
        "tol_Tarr": "The difference of the two forms of T_arr at most this.",
    },
}

_RELEASE: Mapping[str, Words] = {
    "Release": {
        "licence": "The licence of what is released: an SPDX identifier such as CC-BY-4.0, or an address. Manifest and "
        "exports have it.",
        "near_copies": "The screen for samples that lie too close to a training record; left out, none.",
        "watermark": "A keyed mark in what is released; left out, none.",
        "format": "The container of samples; left out, csv, or npz where records are pictures. `png` and `wav` are refused "
        "as long as nothing publishes them.",
        "provenance": "Where samples say that they are synthetic; left out, embedded where the format has a place for it.",
        "exports": "Descriptions for other tools that are written beside the samples; left out, none.",
        "max_age_days": "Days for which the manifest is current; `verify` refuses an older one. Left out, for ever.",
    },
    "NearCopies": {
        "tau_nn": "The distance that counts as too close: the root of the mean square difference over content numbers, "
        "each with its SRef range mapped to 0..1. Without unit.",
        "action": "What is done with such a sample: `remove` leaves it out, so that fewer are released, `resample` puts "
        "another draw in its place, `report` only counts it.",
    },
    "Watermark": {
        "method": "How it is made: of some candidates the one is released that the key likes best.",
        "candidates": "Candidates for each released record: more are a stronger mark, and so many times the sampling.",
        "alpha": "The false alarms that its test allows: the p-value below which a file is called marked.",
        "key": "The name of the key, as `synthspec watermark` makes it; left out, `default`.",
    },
}

PROMISES: Mapping[str, Words] = {**_CONDITIONING, **_PRIVACY, **_EVALUATION, **_CONTRACTS, **_RELEASE}
