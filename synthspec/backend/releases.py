"""What a training released of private records: counted where the noise is added, accounted for from that count (P405-4)."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Discriminator, TypeAdapter

from synthspec.accounting import Adjacency, Composed, Event, Gaussian, PoissonGaussian, votes

PRIVACY_RECORD, RELEASED_BESIDE = "privacy.json", "statistics.json"
"""What a node released; and in the folder of a run, what was released beside its training."""


class ReleaseMeter:
    """Counts releases in a file before each of them happens: a process that is killed has not released more than that.

    Without a path it counts nothing. What is written lives in the kernel's cache, so SIGKILL loses nothing; a power cut
    may, and whoever reads the file after one does not believe it.
    """

    def __init__(self, path: Path | None) -> None:
        """Begin the file at `path` at no releases, or at those that were counted there before. Raises OSError.

        A training that goes on under its own noise makes its first releases again: until it is past them, what the
        interrupted one had counted is what has happened.
        """
        self._most = 0 if path is None else counted(path) or 0
        self._file = None if path is None else os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self.count(self._most)

    def count(self, releases: int) -> None:
        """The release of this number, from 1, is about to happen."""
        self._most = max(self._most, releases)
        if self._file is not None:
            os.pwrite(self._file, self._most.to_bytes(8, "big"), 0)

    def close(self) -> None:
        if self._file is not None:
            os.close(self._file)


def counted(path: Path) -> int | None:
    """How many releases the meter at `path` saw begin; None without a meter there."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    return int.from_bytes(data, "big") if len(data) == 8 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """One way in which something looked at private records, and what that costs."""

    what: str
    charge: str
    """``ledger``: in the count of releases. ``none``: with the reason why it costs nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Record:
    """What every mechanism leaves of its releases: public constants and the commitment, no count of records, norm or loss."""

    planned: int
    unit: str
    adjacency: Adjacency
    rng: str
    hardening: str
    """What is done about the finite precision of the noise."""
    commitment: str
    """HMAC-SHA256 of the secret seed under a secret salt, in hex."""
    accesses: tuple[Access, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivacyRecord(_Record):
    """S405-8 as it ran."""

    mechanism: Literal["dp-sgd"]
    releases: int
    """Noisy sums that left the mechanism, empty batches included: the steps that count."""
    rate: float
    multiplier: float
    """sigma, in units of `clip_norm`."""
    clip_norm: float
    normalizer: float
    """The public constant that noisy sums are divided by."""
    engine: str
    """``book-keeping`` or ``one-by-one``: how per-record gradients were made."""

    @property
    def event(self) -> Event:
        """The releases as an accountant takes them."""
        if not self.releases:
            return Composed()
        return PoissonGaussian(self.rate, self.multiplier, self.releases)


@dataclass(frozen=True, slots=True, kw_only=True)
class VoteRecord(_Record):
    """PATE as it ran: the winners of noisy votes that left it, and no count of votes."""

    mechanism: Literal["pate"]
    releases: int
    """Queries that were answered."""
    teachers: int
    aggregation: Literal["gnmax", "laplace"]
    multiplier: float
    """The standard deviation of the noise on each count, or the scale of Laplace's law, in votes."""

    @property
    def event(self) -> Event:
        """The releases as an accountant takes them."""
        return votes(self.aggregation, self.multiplier, self.releases, self.adjacency)


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    """One vector of noisy statistics, in public facts alone."""

    name: str
    parts: int
    """Tables or sums it consists of, each of which a record moves by at most one in L2, as one count by one."""
    size: int
    """Numbers in it."""
    sigma: float
    """The standard deviation of its noise in units of what one record moves it by, which is sqrt(parts) in L2."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatisticsRecord(_Record):
    """Noisy statistics as they were released."""

    mechanism: Literal["dp-noise"]
    made: tuple[Released, ...]
    drawn: int
    """Records that were drawn of what was released, which costs nothing."""

    @property
    def releases(self) -> int:
        """Vectors that were released."""
        return len(self.made)

    @property
    def multiplier(self) -> float:
        """The noise of one Gaussian release that costs what all of them do; infinite without any."""
        precision = math.fsum(1 / each.sigma**2 for each in self.made)
        return 1 / math.sqrt(precision) if precision else math.inf

    @property
    def event(self) -> Event:
        """The releases as an accountant takes them."""
        return Composed(tuple(Gaussian(each.sigma) for each in self.made))


ReleaseRecord = PrivacyRecord | VoteRecord | StatisticsRecord
_RECORD: TypeAdapter[ReleaseRecord] = TypeAdapter(Annotated[ReleaseRecord, Discriminator("mechanism")])


def read_record(path: Path) -> ReleaseRecord:
    """What a training left of its releases at `path`. Raises OSError, pydantic.ValidationError for anything else."""
    return _RECORD.validate_json(path.read_bytes())
