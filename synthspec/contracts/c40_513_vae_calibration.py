"""C40-513: calibration of a variational autoencoder.

"ELBO_val improves" is the gain of the released model over its starting point on the validation split, in nats per
example, and must not be negative at its lower bound. PSNR is owed by images and clips, where it means something.
"""

from __future__ import annotations

from synthspec.contracts.form import Contract, Term

CONTRACT = Contract(
    id="C40-513",
    name="VAE Calibration",
    expr="ELBO_val improves and posterior_collapse_rate ≤ tol_collapse, recon_PSNR ≥ psnr_min",
    terms=(
        Term(metric="elbo_val_gain", relation=">=", at="lower", constant=0.0, unit="nat", split="val"),
        Term(metric="posterior_collapse_rate", relation="<=", at="upper", symbol="tol_collapse", split="test"),
        Term(
            metric="recon_PSNR",
            relation=">=",
            at="lower",
            symbol="psnr_min",
            unit="dB",
            split="test",
            when="pictures",
        ),
    ),
    families=frozenset({"vae"}),
)
