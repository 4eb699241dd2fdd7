"""The drafted spec as text: what the family of the engine asks for, and promises whose numbers are the user's."""

from __future__ import annotations

from collections.abc import Sequence

from synthspec.draft.deciding import Proposal
from synthspec.draft.sref_text import scalar
from synthspec.spec.engine import Family

TRAIN = 0.70
FEW_RECORDS = 400
"""Of fewer, splits of 15 percent have hardly the 50 records that coverage is measured on, and the 40 of membership."""
_FEW = "\n  # Few records: bounds are wide, and what cannot be shown is unproven; covg takes 50 in the test split."
_STEPS = 2000
"""Steps of training that a draft asks for, about."""

_SPEC = """\
# yaml-language-server: $schema=https://synthspec.dev/schema/draft-07/enginespec.v1.schema.json
# Drafted by `synthspec init --from`. `synthspec explain C40-511` (or any code) tells what is asked and why.
apiVersion: synthspec/v1
kind: EngineSpec
metadata: {{name: {name}, version: 0.1.0, owner: you}}

sref: data.sref.yaml              # the schema of the data, with units: correct it first

data:
  source: {source}
  split: {{method: hash, key: {key}, train: {train:.2f}, val: 0.15, test: 0.15, seed: 1}}   # P405-9: a record keeps its split

{engine}

training: {training}

{stability}

# P405-4: a stated choice: nothing bounds what this says of single records. To bound it: mechanism dp-sgd, or dp-noise, which
# goes with every family. The ranges and enums in data.sref.yaml must then come from elsewhere than from these records.
privacy: {{mechanism: none}}

sampling: {sampling}

evaluation:                       # P405-9: judged against records that training never saw{few}
  reference: test
  metrics: [{metrics}]{target}
  membership_attack: {{members: train, non_members: val}}

# What you promise. There are no default thresholds: what is good enough is for who signs. `synthspec calibrate` prints what
# real records keep against real records, for C40-511, C40-515 and C40-516; write nothing that you would not stand by.
contracts:
{contracts}
  C40-518: {{}}                     # units balance; no number to choose
  C40-519: {{}}                     # replay gives the same bytes; no number to choose
"""

_ENGINES = {
    "vae": """\
engine:
  family: vae
  architecture: {name: mlp, hidden: [192, 256], latent_dim: 24, likelihood: mixed}

objective: {measure: elbo_beta, beta: 1.0, annealing: {name: linear, epochs: 8}}   # P405-1: an explicit measure""",
    "gan": """\
engine:
  family: gan
  architecture: {name: mlp, hidden: [256, 256], latent_dim: 64}

objective: {measure: rpgan, r1: 0.05, r2: 0.05@BALANCED@}   # P405-1: an explicit measure""",
    "diffusion": """\
engine:
  family: diffusion
  backend: diffusers
  architecture: {name: mlp, hidden: [256, 256, 256]}
  noise_schedule: {name: edm, sigma_min: 0.02, sigma_max: 10.0}

objective: {measure: l_simple, head: x0}                          # P405-1: an explicit measure""",
}
_FLOW = """\
engine:
  family: flow
  architecture: {architecture}

objective: {{measure: nll}}                                         # P405-1: an explicit measure"""
_MIXED_FLOW = "{name: autoregressive, transforms: 1, hidden: [128, 128], bins: 64}"
_PLAIN_FLOW = "{name: spline_coupling, transforms: 6, hidden: [128, 128], bins: 8}"
_OPTIMISERS = {
    "flow": "optimizer: {name: adamw, lr: 2.0e-3, weight_decay: 0.01}, ema: 0.995, grad_clip: 10.0",
    "vae": "optimizer: {name: adamw, lr: 2.0e-3, weight_decay: 0.01}, ema: 0.995, grad_clip: 50.0",
    "gan": "optimizer: {name: adam, lr: 3.2e-3, betas: [0.0, 0.9]}, ema: 0.995",
    "diffusion": "optimizer: {name: adamw, lr: 2.0e-3}, ema: 0.995, grad_clip: 1.0",
}
_STABILITY = {
    "flow": (
        "signal: bpd_val, trip: bpd_val > best(bpd_val) + 1, window: 3",
        "bpd_val, patience: 12, min_delta: 1.0e-4",
    ),
    "vae": ("signal: grad_norm, trip: grad_norm > 10000, window: 20", "elbo_val, patience: 40, min_delta: 1.0e-3"),
    "gan": ("signal: grad_norm, trip: grad_norm > 100000, window: 20", "KID_val, patience: 1000, min_delta: 0.0"),
    "diffusion": (
        "signal: loss_val, trip: loss_val > 2 * best(loss_val), window: 3",
        "loss_val, patience: 40, min_delta: 1.0e-5",
    ),
}
_METRICS = {
    "flow": "bpd, inv_error, ",
    "vae": "elbo, bpd, posterior_collapse_rate, ",
    "gan": "",
    "diffusion": "latency_ms_p99, ",
}
_OWN = {
    "flow": ("C40-512", "tol_bpd and tol_inv: bits a dimension on the test split, and how exactly the map inverts"),
    "vae": ("C40-513", "tol_collapse: the share of latent dimensions that say nothing"),
    "diffusion": (
        "C40-514",
        "NFE_max, SLO_latency (with its unit: 2000 ms) and cfg_max (0.0: no guidance): what a sample costs",
    ),
}


def spec_text(
    name: str, source: str, records: int, key: str, fields: Sequence[Proposal], family: Family, target: str
) -> str:
    """A spec that trains an engine of `family` on `fields`, and lacks its thresholds alone."""
    train = round(TRAIN * records)
    trip, converged = _STABILITY[family]
    solver = ", solver: dpmsolver++, NFE: 8" if family == "diffusion" else ""
    judged = ", TSTR, TRTR" if target else ""
    return _SPEC.format(
        name=name,
        source=scalar(source),
        key=key,
        train=TRAIN,
        engine=_engine(family, fields),
        training=_training(family, train),
        stability=(
            "stability:                        # P405-3: when to act, when it is done\n"
            f"  monitors: [{{{trip}, action: rollback}}]\n"
            f"  convergence: {{signal: {converged}}}\n"
            f"  rollback: {{to: {'last' if family == 'gan' else 'best'}, lr_factor: 0.5, max_rollbacks: 2}}"
        ),
        sampling=f"{{n: {train}, seed: 7, rng: philox{solver}}}   # P405-8: as many as it learns from",
        metrics=f"{_METRICS[family]}W1, MMD, MI, covg, mode_drop{judged}",
        few=_FEW if records < FEW_RECORDS else "",
        target=f"\n  target: {target:<24}# what TSTR and TRTR predict from the other fields" if target else "",
        contracts="\n".join(_contracts(family)),
    )


def _engine(family: Family, fields: Sequence[Proposal]) -> str:
    if family == "flow":
        mixed = any(field.mixed for field in fields) or len(fields) < 2
        return _FLOW.format(architecture=_MIXED_FLOW if mixed else _PLAIN_FLOW)
    members = any(field.enum or field.dtype == "bool" for field in fields)
    return _ENGINES[family].replace("@BALANCED@", ", training_by_sampling: log_frequency" if members else "")


def _training(family: Family, train: int) -> str:
    """Batches that a small table still has several of, and as many passes as make about `_STEPS` steps."""
    batch = next((size for size in (512, 256, 128, 64, 32) if 8 * size <= train), 16)
    epochs = min(200, max(10, round(_STEPS * batch / max(train, 1))))
    return f"{{epochs: {epochs}, batch_size: {batch}, {_OPTIMISERS[family]}, seed: 1}}"


def _contracts(family: Family) -> list[str]:
    asked = [
        ("C40-511", "tol_W1, tol_MMD or another distance: how near what is made is to the test split"),
        *([_OWN[family]] if family in _OWN else []),
        ("C40-515", "covg_min and tol_mode_drop: how much of the test split is reached"),
        ("C40-516", "mi_max: by how much membership of a record may show"),
    ]
    return [f"  {name}: {{}}                     # {words}" for name, words in asked]
