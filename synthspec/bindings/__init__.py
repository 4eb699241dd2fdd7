"""I40-5: the bindings of the standard in Python, thin over the pipeline. Importing this loads no framework and no numpy.

What they do is what a spec does: every argument becomes a section of one, all rules are asked, the nodes are those of a
run and lie in the same store. What a rule refuses raises `BindingError` with all findings; nothing has run then.
"""

from synthspec.bindings.accounting import PrivacySpent, privacy_accountant
from synthspec.bindings.data import Data, dataset
from synthspec.bindings.distilling import distill_diffusion
from synthspec.bindings.engine import Engine
from synthspec.bindings.faults import BindingError
from synthspec.bindings.fitting import fit_engine_diffusion, fit_engine_flow, fit_engine_gan, fit_engine_vae
from synthspec.bindings.measuring import GenReport, measure_gen_metrics
from synthspec.bindings.publishing import DeepManifest, emit_deep_manifest
from synthspec.bindings.sampling import Samples, sample_diffusion, sample_flow, sample_gan, sample_vae

__all__ = [
    "BindingError",
    "Data",
    "DeepManifest",
    "Engine",
    "GenReport",
    "PrivacySpent",
    "Samples",
    "dataset",
    "distill_diffusion",
    "emit_deep_manifest",
    "fit_engine_diffusion",
    "fit_engine_flow",
    "fit_engine_gan",
    "fit_engine_vae",
    "measure_gen_metrics",
    "privacy_accountant",
    "sample_diffusion",
    "sample_flow",
    "sample_gan",
    "sample_vae",
]
