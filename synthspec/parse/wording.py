"""A fault in the words of the language: which code, what is wrong, what to write, and where."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from synthspec.diag import Diagnostic, Fix, did_you_mean, nearest
from synthspec.parse import describe
from synthspec.parse.blueprint import Blueprint, value_at
from synthspec.parse.document import Value
from synthspec.parse.faults import TAG, UNION, Fault
from synthspec.parse.refusals import Refusal, abridged
from synthspec.parse.scalars import is_number
from synthspec.text import Path, Places, Span

_BOUND_KINDS = frozenset({"greater_than", "greater_than_equal", "less_than", "less_than_equal", "finite_number"})
_QUANTITY = re.compile(r"([-+]?[0-9.]+(?:[eE][-+]?[0-9]+)?)\s*(?:[^\W\d_]|[%‰°]).*")
_VERSION = re.compile(r"synthspec/v([0-9]+)")


@dataclass(frozen=True, slots=True)
class Wording:
    """Everything a message may need to look at."""

    value: Value
    places: Places
    blueprint: Blueprint

    def diagnostic(self, fault: Fault) -> Diagnostic:
        """Say `fault`."""
        refusal = self._refusal(fault)
        return Diagnostic(
            code=refusal.code,
            message=refusal.message,
            help=refusal.help,
            span=self._span(fault),
            path=fault.path[:-1] if fault.kind == "missing" and isinstance(fault.path[-1], int) else fault.path,
            fix=self._fix(fault),
        )

    def _refusal(self, fault: Fault) -> Refusal:
        if fault.is_own:
            return Refusal(fault.kind, fault.message, str((fault.context or {}).get("help", "")))
        if fault.kind == "extra_forbidden":
            return self._unknown_key(fault)
        if fault.kind == "missing":
            return self._missing_key(fault)
        if fault.path == ("apiVersion",) and fault.kind == "literal_error":
            return self._version(fault)
        if fault.kind == TAG:
            return self._choice(fault, list(fault.spot.variant.models) if fault.spot.variant else [])
        if fault.kind in {"literal_error", "enum"}:
            return self._choice(fault, self.blueprint.literals(fault.spot.schema))
        if fault.kind == UNION or fault.is_type:
            return self._wrong_type(fault)
        return self._bad_value(fault)

    def _fix(self, fault: Fault) -> Fix | None:
        """For a key that is none: the one it is most like, where that is not written already."""
        if fault.kind != "extra_forbidden":
            return None
        near = fault.instead_of or nearest(str(fault.path[-1]), self.blueprint.fields(fault.spot.owner))
        beside = value_at(self.value, fault.path[:-1])
        taken = near is None or (isinstance(beside, dict) and near in beside)
        return None if near is None or taken else Fix(self._name(fault.path), near)

    # -- where ---------------------------------------------------------------------------------------------------------

    def _span(self, fault: Fault) -> Span:
        if fault.kind == "missing":
            parent = fault.path[:-1]
            return self.places.value(parent) if isinstance(fault.path[-1], int) else self._name(parent)
        if fault.kind == "extra_forbidden" or fault.spot.is_key or fault.path not in self.places:
            return self._name(fault.path)
        span = self.places.value(fault.path)
        return span if "\n" not in span.text else self._name(fault.path)

    def _name(self, path: Path) -> Span:
        """The key of the closest node that was written; for the whole file, its first key."""
        place = self.places.nearest(path)
        if place.key is None and place == self.places.nearest(()) and isinstance(self.value, dict) and self.value:
            return self.places.nearest((next(iter(self.value)),)).name
        return place.name

    def _text(self, fault: Fault) -> str:
        return self.places.value(fault.path).text if fault.path in self.places else ""

    def _written(self, fault: Fault) -> str:
        return describe.written(value_at(self.value, fault.path), self._text(fault))

    def _subject(self, fault: Fault) -> str:
        return describe.subject(fault.path, entry=fault.spot.is_entry)

    # -- keys ----------------------------------------------------------------------------------------------------------

    def _unknown_key(self, fault: Fault) -> Refusal:
        key = str(fault.path[-1])
        parent = describe.subject(fault.path[:-1])
        known = self.blueprint.fields(fault.spot.owner)
        help_ = did_you_mean(fault.instead_of or key, [fault.instead_of] if fault.instead_of else known)
        variant = fault.spot.variant
        if variant and variant.tag and fault.path[:-1] == variant.at:
            parent = f"{parent} of {variant.key} {variant.tag!r}" if variant.key else parent
            others = [tag for tag, model in variant.models.items() if key in self.blueprint.fields(model)]
            if others:
                help_ = f"{key!r} belongs to {variant.key} {describe.one_of(others)}; {help_}"
        return Refusal("schema.unknown-key", f"{parent} has no key {abridged(key)!r}", help_)

    def _missing_key(self, fault: Fault) -> Refusal:
        spot, key = fault.spot, str(fault.path[-1])
        if isinstance(fault.path[-1], int):
            return self._short_list(fault)
        shown = describe.placeholder(self.blueprint, spot.schema, spot.field)
        if spot.variant and fault.kind == "missing" and fault.path == (*spot.variant.at, spot.variant.key):
            shown = " | ".join(spot.variant.models)
        help_ = f"add `{key}: {shown}`"
        if spot.field is not None and spot.field.description:
            help_ += f" ({spot.field.description})"
        return Refusal("schema.missing-key", f"{describe.subject(fault.path[:-1])} needs the key {key!r}", help_)

    def _short_list(self, fault: Fault) -> Refusal:
        """A list with a fixed number of items lacks one; all that lack give one finding, since they read the same."""
        at = fault.path[:-1]
        written = value_at(self.value, at)
        length = len(written) if isinstance(written, tuple) else 0
        shown = describe.taken(self.blueprint, fault.spot.schema)
        return Refusal(
            "schema.bad-value", f"{describe.subject(at)} has too few items: {length}", f"add {shown} to the list"
        )

    # -- values --------------------------------------------------------------------------------------------------------

    def _version(self, fault: Fault) -> Refusal:
        known = [str(version) for version in self.blueprint.literals(fault.spot.schema)]
        text = str(value_at(self.value, fault.path))
        help_ = f"write apiVersion: {describe.one_of(known)}"
        if (later := _VERSION.fullmatch(text)) and all(
            f"v{later[1]}" > version.rpartition("/")[2] for version in known
        ):
            help_ += ", or install the synthspec that reads this version"
        message = f"apiVersion {abridged(text)!r} is not read here"
        return Refusal("schema.version", message, help_)

    def _choice(self, fault: Fault, choices: list[object]) -> Refusal:
        names = [str(choice) for choice in choices]
        written = value_at(self.value, fault.path)
        shown = abridged(repr(written) if isinstance(written, str) else self._written(fault))
        if len(names) == 1:
            help_ = f"write {names[0]}"
        elif isinstance(written, str):
            help_ = did_you_mean(written, names)
        else:
            help_ = "known: " + ", ".join(sorted(names))
        return Refusal("schema.bad-value", f"{self._subject(fault)} cannot be {shown}", help_)

    def _wrong_type(self, fault: Fault) -> Refusal:
        written = value_at(self.value, fault.path)
        literals = [word for word in self.blueprint.literals(fault.spot.schema) if isinstance(word, str)]
        kinds = describe.kinds_taken(self.blueprint, fault.spot.schema)
        takes = describe.taken(self.blueprint, fault.spot.schema, fault.kind)
        subject = self._subject(fault)
        wants_number = not kinds.isdisjoint({"a number", "a whole number"}) or takes in {"a number", "a whole number"}
        if isinstance(written, str):
            if wants_number and is_number(written):
                return self._quoted(subject, takes, written)
            if takes == "true or false" and written in {"true", "false"}:
                return self._quoted(subject, takes, written)
            if wants_number and (quantity := _QUANTITY.fullmatch(written)) and is_number(quantity[1]):
                message = f"{subject} takes {takes} without a unit, not {written!r}"
                return Refusal("unit.on-dimensionless", message, f"write {quantity[1]}")
            if literals:
                message = f"{subject} cannot be {abridged(written)!r}; it takes {takes}"
                return Refusal("schema.bad-value", message, did_you_mean(written, literals))
        message = f"{subject} takes {takes}, not {self._written(fault)}"
        return Refusal("schema.wrong-type", message, self._type_help(fault, written, takes, kinds))

    def _quoted(self, subject: str, takes: str, written: str) -> Refusal:
        message = f"{subject} takes {takes}, not a quoted string"
        return Refusal("schema.wrong-type", message, f"remove the quotes: {abridged(written)}")

    def _type_help(self, fault: Fault, written: object, takes: str, kinds: frozenset[str]) -> str:
        text = abridged(self._text(fault))
        info = fault.spot.field
        if written is None and info is not None and not info.is_required():
            return f"write {takes}, or leave the key out"
        if takes == "a whole number" and isinstance(written, float) and written.is_integer():
            return f"write {int(written)}"
        scalar = not isinstance(written, tuple | dict) and written is not None
        if "a text" in kinds and scalar:
            return self._text_help(fault, text)
        if kinds == {"a list"} and scalar:
            return f"write [{text}]"
        if kinds == {"a mapping"}:
            shown = describe.placeholder(self.blueprint, fault.spot.schema, info)
            return f"write {shown}" if shown != "<a mapping>" else "write {key: value}, or `key: value` lines"
        sample = describe.example(info)
        return f"write {takes}, such as {sample}" if sample else f"write {takes}"

    def _text_help(self, fault: Fault, text: str) -> str:
        quoted = json.dumps(text, ensure_ascii=False)
        shown = describe.example(fault.spot.field)
        pattern = next((b["pattern"] for b in self.blueprint.branches(fault.spot.schema) if b.get("pattern")), None)
        if shown and pattern and not re.search(str(pattern), text):
            return f"write it like {shown}"
        return f"quote it: {quoted}"

    def _bad_value(self, fault: Fault) -> Refusal:
        subject, context = self._subject(fault), fault.context or {}
        interval = describe.interval(self.blueprint, fault.spot.schema)
        shown = describe.example(fault.spot.field)
        help_ = f"write {describe.taken(self.blueprint, fault.spot.schema)}"
        if fault.kind in _BOUND_KINDS:
            text = abridged(self._text(fault))
            return Refusal(
                "schema.bad-value", f"{subject} cannot be {text}", f"allowed: {interval}" if interval else help_
            )
        if fault.kind == "string_pattern_mismatch":
            help_ = f"write it like {shown}" if shown else f"it must match {context.get('pattern')}"
            return Refusal("schema.bad-value", f"{subject} has not the form it needs: {self._written(fault)}", help_)
        if fault.kind in {"too_short", "too_long", "string_too_short", "string_too_long"}:
            return self._bad_length(fault, subject)
        if fault.kind in {"value_error", "assertion_error"}:
            message = str(context.get("error") or fault.message)
            return Refusal("schema.bad-value", f"{subject}: {message}", f"write it like {shown}" if shown else help_)
        return Refusal("schema.bad-value", f"{subject} cannot be {self._written(fault)}", help_)

    def _bad_length(self, fault: Fault, subject: str) -> Refusal:
        context = fault.context or {}
        unit = "character" if fault.kind.startswith("string") else "item"
        least, most = context.get("min_length"), context.get("max_length")
        bound, count = ("at least", least) if least is not None else ("at most", most)
        written = value_at(self.value, fault.path)
        length = len(written) if isinstance(written, str | tuple | dict) else 0
        plural = "" if count == 1 else "s"
        message = f"{subject} takes {bound} {count} {unit}{plural}, not {length}"
        return Refusal("schema.bad-value", message, "write more" if least is not None else "write fewer")
