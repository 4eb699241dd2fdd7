"""EngineSpec: what to train, sample, measure and promise."""

from typing import Literal

from synthspec.spec.base import ApiVersion, Metadata, Model, Name, SemVer, Sha256
from synthspec.spec.conditioning import Conditioning
from synthspec.spec.data import Data
from synthspec.spec.engine import Engine
from synthspec.spec.evaluation import Contracts, Evaluation
from synthspec.spec.objective import Objective
from synthspec.spec.privacy import Privacy
from synthspec.spec.sampling import Acceleration, Arrival, Release, Sampling, Timebase, Waiver
from synthspec.spec.training import Stability, Training


class RegisteredSRef(Model):
    """An SRef by name, version and content."""

    name: Name
    version: SemVer
    sha256: Sha256


class EngineSpec(Model):
    """The spec document. Sections that an axiom asks for are optional here, so that the axiom's rule can answer."""

    apiVersion: ApiVersion
    kind: Literal["EngineSpec"]
    metadata: Metadata
    sref: str | RegisteredSRef
    data: Data
    engine: Engine
    objective: Objective | None = None
    training: Training | None = None
    conditioning: Conditioning | None = None
    stability: Stability | None = None
    privacy: Privacy | None = None
    timebase: Timebase | None = None
    arrival: Arrival | None = None
    sampling: Sampling
    acceleration: tuple[Acceleration, ...] = ()
    evaluation: Evaluation | None = None
    contracts: Contracts | None = None
    release: Release | None = None
    waivers: tuple[Waiver, ...] = ()
