"""I40-5, fit_engine_*: reference data, an architecture and a measure to a fitted engine (M40-5.2, M40-5.3)."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Unpack

from synthspec.bindings import starting
from synthspec.bindings.data import Data
from synthspec.bindings.documents import Section, Sections, SpecText, named
from synthspec.bindings.engine import Engine, Family, made

Privacy = str | Section
"""``"none"``, a stated choice, or the section `privacy` of the spec (P405-4)."""


def fit_engine_vae(
    ds: Data,
    arch: str | Section,
    beta: float | Section,
    privacy: Privacy,
    *,
    secret: Path | None = None,
    **sections: Unpack[Sections],
) -> Engine:
    """Fit a VAE by ELBO_beta (S405-1).

    `arch` is ``engine.architecture``, such as ``{"name": "mlp", "hidden": [64], "latent_dim": 4, "likelihood":
    "mixed"}``. `beta` weighs the KL, without a unit; or it is the section ``objective`` but for its measure: beta,
    annealing, ``free_bits`` in nat per latent dimension. Under a mechanism `secret` is the file that keeps its seeds.
    Raises BindingError for what the rules would refuse in a spec, and for what no installed backend supports.
    """
    weight: Mapping[str, object] = beta if isinstance(beta, Mapping) else {"beta": beta}
    objective = {"measure": "elbo_beta", **weight}
    return _fit("vae", ds, {"architecture": named(arch)}, objective, privacy, secret, sections)


def fit_engine_gan(
    ds: Data,
    arch: str | Section,
    loss: str | Section,
    lambda_gp: float | None,
    aug: Sequence[str],
    privacy: Privacy,
    *,
    secret: Path | None = None,
    **sections: Unpack[Sections],
) -> Engine:
    """Fit a GAN (S405-2).

    `loss` is ``gan``, ``wgan_gp``, ``hinge`` or ``rpgan``, or the section ``objective``; `lambda_gp` weighs the gradient
    penalty and is None where the loss has none; `aug` are differentiable augmentations of images. The rest as in
    `fit_engine_vae`.
    """
    objective = dict(named(loss, "measure"))
    if lambda_gp is not None:
        objective["lambda_gp"] = lambda_gp
    if aug:
        objective["augmentation"] = tuple(aug)
    return _fit("gan", ds, {"architecture": named(arch)}, objective, privacy, secret, sections)


def fit_engine_flow(
    ds: Data,
    arch: str | Section,
    base_dist: str,
    schedule: Section | None,
    privacy: Privacy = "none",
    *,
    secret: Path | None = None,
    **sections: Unpack[Sections],
) -> Engine:
    """Fit a flow by its likelihood (S405-3).

    `base_dist` is ``normal`` or ``student_t``. `schedule` is the schedule of the training, which is the section
    ``training`` of the spec; None for the one that every binding starts from. The standard's signature has no privacy;
    this one does, so that a mechanism is never dropped: left out, it is the stated choice of none. The rest as in
    `fit_engine_vae`.
    """
    if schedule is not None:
        sections["training"] = schedule
    engine = {"architecture": named(arch), "base_dist": base_dist}
    return _fit("flow", ds, engine, {"measure": "nll"}, privacy, secret, sections)


def fit_engine_diffusion(
    ds: Data,
    arch: str | Section,
    noise_schedule: str | Section,
    loss_head: str | Section,
    privacy: Privacy,
    *,
    secret: Path | None = None,
    **sections: Unpack[Sections],
) -> Engine:
    """Fit a diffusion by L_simple (S405-4).

    `noise_schedule` is ``engine.noise_schedule``, such as ``{"name": "cosine", "train_steps": 1000}``; `loss_head` is what
    the network predicts, ``eps``, ``x0`` or ``v``, or the section ``objective`` but for its measure. Guided sampling needs
    ``conditioning={"guidance": {"w_cfg": ..., "cfg_max": ..., "drop_rate": ...}, ...}`` here: the drop rate is trained.
    The rest as in `fit_engine_vae`.
    """
    engine = {"architecture": named(arch), "noise_schedule": named(noise_schedule)}
    objective = {"measure": "l_simple", **named(loss_head, "head")}
    return _fit("diffusion", ds, engine, objective, privacy, secret, sections)


def _fit(
    family: Family,
    ds: Data,
    engine: Section,
    objective: Section,
    privacy: Privacy,
    secret: Path | None,
    sections: Sections,
) -> Engine:
    mechanism = named(privacy, "mechanism")
    backend = {"backend": sections["backend"]} if "backend" in sections else {}
    spec = SpecText(sections={}).with_(
        apiVersion="synthspec/v1",
        kind="EngineSpec",
        metadata={"name": f"{family}-engine", "version": "0.1.0"},
        sref=os.path.relpath(ds.sref, ds.base),
        data=ds.sections,
        engine={"family": family, **backend, **engine},
        objective=objective,
        training=sections.get("training", starting.training(mechanism)),
        conditioning=sections.get("conditioning"),
        stability=sections.get("stability", starting.stability(family, mechanism)),
        privacy=mechanism,
        timebase=sections.get("timebase"),
        arrival=sections.get("arrival"),
        evaluation={"reference": "test"},  # P405-9: what engines are measured against, whoever measures
    )
    return fitted(family, ds, spec, f"fit_engine_{family}", secret=secret)


def fitted(
    family: Family, ds: Data, spec: SpecText, called: str, *, teacher: Path | None = None, secret: Path | None = None
) -> Engine:
    """The engine that `spec` describes, fitted or found in the store. Raises BindingError."""
    # A spec says how it is sampled; what is fitted does not depend on it.
    drawn = spec.with_(sampling={"n": 1, "seed": 0, "rng": "philox", **spec.section("sampling")})
    part, folders = made(drawn, "engine", ds, called, secret=secret)
    return Engine(
        family=family,
        ds=ds,
        spec=spec,
        folder=folders[part.nodes[-1]],
        digest=part.digest,
        teacher=teacher,
        secret=secret,
    )
