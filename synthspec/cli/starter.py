"""The files that `init` writes."""

from __future__ import annotations

from collections.abc import Mapping

SPEC = """\
# yaml-language-server: $schema=https://synthspec.dev/schema/draft-07/enginespec.v1.schema.json
apiVersion: synthspec/v1
kind: EngineSpec
metadata: {name: @NAME@, version: 0.1.0, owner: you}

sref: data.sref.yaml              # the schema of the data, with units

data:
  source: sklearn://digits        # or a path: measurements.csv
  split: {method: hash, key: rid, train: 0.70, val: 0.15, test: 0.15, seed: 1}   # P405-9

engine:
  family: diffusion               # vae, gan, flow or diffusion
  backend: diffusers              # 'synthspec backends' lists them
  architecture: {name: unet2d, channels: [32, 64], layers_per_block: 1, attention: [false, true]}
  noise_schedule: {name: cosine, train_steps: 1000}

objective: {measure: l_simple, head: v}                          # P405-1: an explicit measure

training: {epochs: 60, batch_size: 128, optimizer: {name: adamw, lr: 1.0e-3}, ema: 0.995, seed: 1}

conditioning:                                                    # P405-2: what you can ask for
  variables: {digit: {interface: categorical, distribution: empirical, coverage_min: 1.0}}
  guidance: {w_cfg: 0.5, cfg_max: 2.0, drop_rate: 0.1}

stability:                                                       # P405-3: when to act, when it is done
  monitors: [{signal: grad_norm, trip: grad_norm > 50, window: 20, action: rollback}]
  convergence: {signal: loss_val, patience: 10, min_delta: 1.0e-4}
  rollback: {to: best, lr_factor: 0.5, max_rollbacks: 2}

privacy: {mechanism: none}                                       # P405-4: a stated choice

sampling: {n: 512, seed: 7, rng: philox, solver: dpmsolver++, NFE: 40}   # P405-8

evaluation:                                                      # P405-9
  reference: test
  metrics: [FID, KID, precision, recall, covg, mode_drop, latency_ms_p99, MI]
  membership_attack: {members: train, non_members: val}

contracts:                        # what you promise: there are no default thresholds
  C40-511: {tol_FID: 60.0, tol_KID: 0.05, recall_min: 0.30}
  C40-514: {NFE_max: 40, SLO_latency: 2000 ms, cfg_max: 2.0}
  C40-515: {covg_min: 0.50, tol_mode_drop: 0.0}
  C40-516: {mi_max: 0.30}
  C40-518: {}
  C40-519: {}
"""

SREF = """\
apiVersion: synthspec/v1
kind: SRef
metadata: {name: @NAME@-data, version: 0.1.0, description: 8x8 grey-scale scans of handwritten digits.}
modality: image
fields:
  - {name: rid,    role: key,       dtype: int64}
  - {name: pixels, role: content,   dtype: float32, shape: [1, 8, 8], unit: dimensionless, range: [0, 16], resolution: 1}
  - {name: digit,  role: condition, dtype: categorical, enum: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]}
keys: {pk: [rid]}
alias_map: {images: pixels, target: digit}     # names at the source, and what we call them
"""

FILES: Mapping[str, str] = {"spec.yaml": SPEC, "data.sref.yaml": SREF}
