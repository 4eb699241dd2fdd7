"""What a contract is before it has its numbers: terms over named figures, and who owes them (section VI, App B/C).

A contract is data. `Contract.promise` binds the thresholds that a spec states and gives the `Promise` that is judged.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    # A check asks what is owed and makes no promise, so that it loads neither evidence nor verdicts.
    from synthspec.ir.evidence import Split
    from synthspec.ir.verdict import Bound, ContractId, ContractSeverity, JudgedAt, Promise, Relation

When = Literal["always", "pictures", "mechanism", "accelerated", "time", "arrival", "optional"]
"""When a term is owed; ``optional`` terms count only where a spec states their threshold."""

PICTURES = frozenset({"image", "video", "clip"})
"""Modalities that owe FID, KID and recall; every other one owes at least one declared divergence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What a spec is about, as far as it decides which contracts it owes."""

    family: str
    """``vae``, ``gan``, ``flow`` or ``diffusion``."""
    modality: str
    """The modality of the SRef (App C)."""
    mechanism: bool = False
    """True when a privacy mechanism other than ``none`` is declared (P405-4)."""
    accelerated: bool = False
    """True when the released engine was made from another one (P405-10)."""
    time: bool = False
    """True when the SRef has a time field (P405-5)."""
    arrival: bool = False
    """True when both forms of T_arr are computed (P405-6)."""

    def meets(self, when: When) -> bool:
        """Whether a term that is owed `when` is owed here."""
        return {
            "always": True,
            "pictures": self.modality in PICTURES,
            "mechanism": self.mechanism,
            "accelerated": self.accelerated,
            "time": self.time,
            "arrival": self.arrival,
            "optional": False,
        }[when]


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One inequality of a contract, its number still open: ``FID <= tol_FID`` judged at the upper confidence bound."""

    metric: str
    relation: Relation
    at: JudgedAt
    symbol: str = ""
    """The limit that a spec states; empty when the standard itself fixes the number in `constant`."""
    constant: float | None = None
    unit: str = "1"
    split: Split | None = None
    """The real split that the figure must have been measured on (P405-9); None where no split is involved."""
    when: When = "always"
    modalities: frozenset[str] = frozenset()
    """The modalities whose records have the figure; empty means all."""

    @property
    def inequality(self) -> str:
        """What is promised, in symbols: ``KID ± se ≤ tol_KID``."""
        error = " ± se" if self.at == "value+u" else ""
        return f"{self.metric}{error} {'≤' if self.relation == '<=' else '≥'} {self.symbol or self.constant}"

    def bind(self, limits: Mapping[str, float]) -> Bound | None:
        """The bound with its number, or None where neither the spec nor the standard states one."""
        limit = limits.get(self.symbol) if self.symbol else self.constant
        if limit is None:
            return None
        from synthspec.ir.verdict import Bound

        return Bound(
            metric=self.metric,
            relation=self.relation,
            limit=limit,
            unit=self.unit,
            at=self.at,
            symbol=self.symbol,
            split=self.split,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """One of C40-511..519 as the standard words it, with the terms that it can state."""

    id: ContractId
    name: str
    expr: str
    """The standard's own text."""
    terms: tuple[Term, ...]
    families: frozenset[str] = frozenset()
    """The families that owe it; empty means all."""
    when: When = "always"
    one_of: tuple[str, ...] = ()
    """Symbols of which at least one is owed where the setting is not pictures."""
    kept: tuple[Term, ...] = ()
    """Figures against the teacher that an acceleration of the spec may bound here (P405-10): ``keep`` in its own section."""

    @property
    def symbols(self) -> tuple[str, ...]:
        """The thresholds that a spec may state, in the order of the standard."""
        return tuple(term.symbol for term in self.terms if term.symbol)

    def not_owed(self, setting: Setting) -> str:
        """Why a spec of this `setting` does not owe the contract; empty when it does."""
        if self.families and setting.family not in self.families:
            return f"owed by {', '.join(sorted(self.families))}, not by {setting.family}"
        if not setting.meets(self.when):
            return {
                "time": "owed where the SRef has a time field",
                "arrival": "owed where T_arr is computed",
                "mechanism": "owed where a privacy mechanism is declared",
                "accelerated": "owed by an accelerated engine",
                "pictures": "owed by images and clips",
            }.get(self.when, "optional")
        return ""

    def owes(self, setting: Setting) -> tuple[tuple[str, ...], ...]:
        """The thresholds that a spec of this `setting` must state: of each group at least one symbol.

        Thresholds have no defaults (language.md section 2), so a group without a stated symbol is an error of the spec.
        """
        if self.not_owed(setting):
            return ()
        single = tuple((term.symbol,) for term in self.terms if term.symbol and setting.meets(term.when))
        choice = (self.one_of,) if self.one_of and not setting.meets("pictures") else ()
        return single + choice

    def missing(self, setting: Setting, limits: Mapping[str, float]) -> tuple[tuple[str, ...], ...]:
        """The groups of `owes` of which `limits` states nothing."""
        return tuple(group for group in self.owes(setting) if not any(symbol in limits for symbol in group))

    def offered(self, group: tuple[str, ...], setting: Setting, measured: Collection[str]) -> tuple[Term, ...]:
        """The terms of `group`, one of those that `owes` gives, that a spec of this `setting` would state.

        Those of figures that it measures; where there are none, those that its records have, and not what pictures owe.
        """
        terms = tuple(term for term in self.terms if term.symbol in group)
        told = tuple(term for term in terms if term.metric in measured)
        return told or tuple(term for term in terms if self._fits(term, setting)) or terms

    @staticmethod
    def _fits(term: Term, setting: Setting) -> bool:
        if term.modalities:
            return setting.modality in term.modalities
        return term.when != "pictures" or setting.meets("pictures")

    def promise(
        self,
        setting: Setting,
        limits: Mapping[str, float],
        *,
        severity: ContractSeverity = "block",
        tol_source: str = "stated",
        action_plan: str = "",
    ) -> Promise:
        """Bind `limits` (symbol to number, in the units of the terms) and say what is promised.

        A spec may promise more than it owes: stated thresholds are always bound. Constants of the standard are bound as
        soon as the contract is owed or anything of it is stated.

        Raises:
            ValueError: `limits` names a symbol that this contract does not have.

        """
        unknown = sorted(set(limits) - set(self.symbols))
        if unknown:
            raise ValueError(f"{self.id} has no threshold called {', '.join(unknown)}")
        reason = "" if limits else self.not_owed(setting)
        bounds = () if reason else tuple(bound for term in self.terms if (bound := self._bind(term, setting, limits)))
        from synthspec.ir.verdict import Promise

        return Promise(
            id=self.id,
            name=self.name,
            expr=self.expr,
            severity=severity,
            bounds=bounds,
            tol_source=tol_source,
            action_plan=action_plan,
            not_owed=reason,
        )

    @staticmethod
    def _bind(term: Term, setting: Setting, limits: Mapping[str, float]) -> Bound | None:
        if not term.symbol and not setting.meets(term.when):
            return None
        return term.bind(limits)
