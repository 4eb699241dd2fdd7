"""From libyaml's events to plain values with places.

The events come one at a time and are put together on a stack of our own, so depth, size and aliases are refused before
anything is built from them. PyYAML stays behind this door.
"""

from __future__ import annotations

import re

import yaml

from synthspec.diag import Outcome, Related, failure
from synthspec.parse import refusals
from synthspec.parse.document import (
    MAX_BYTES,
    MAX_DEPTH,
    MAX_NODES,
    MAX_SCALAR,
    Composed,
    NodeSpan,
    NodeSpans,
    Value,
)
from synthspec.parse.frames import NO_KEY, Frame, Key, Slot
from synthspec.parse.keys import key_refusal
from synthspec.parse.refusals import Findings, Range, Refusal
from synthspec.parse.scalars import resolve
from synthspec.parse.source import hidden_characters, hidden_reason
from synthspec.parse.syntax import explain
from synthspec.text import Path, Places, Source

_DIRECTIVE_FIRST = re.compile(r"(?:[ \t]*+(?:#[^\n]*+)?\r?\n)*+%")
_DIRECTIVE_AFTER = re.compile(r"^%", re.MULTILINE)
_PROPERTY = re.compile(r"(!<[^>]*>|[&!][^\s,\[\]{}]*)\s*")


def compose(source: Source) -> Outcome[Composed]:
    """Read one YAML document whose root is a mapping.

    Mappings become dicts with text keys, sequences tuples, scalars what YAML 1.2 core says. Duplicate keys, ambiguous
    scalars, tags and aliases are all reported and a value comes along for further stages to look at; a syntax error, a
    second document and an exceeded limit end the reading and leave no value.
    """
    findings = Findings(source)
    if len(source.text) > MAX_BYTES:
        findings.halt(refusals.TEXT_TOO_LARGE, (0, 0))
    elif first := _DIRECTIVE_FIRST.match(source.text):
        # Found before libyaml sees them: it takes time quadratic in the number of %TAG lines.
        findings.halt(refusals.DIRECTIVE, (first.end() - 1, first.end()))
    return failure(findings.found) if findings.halted else _Composer(source, findings).run()


def _place(event: yaml.Event) -> Range:
    """Offsets in code points; libyaml's own count is right also past U+FFFF and after CR LF."""
    start, end = event.start_mark, event.end_mark
    if start is None or end is None:
        raise AssertionError("libyaml marks every event")
    return start.index, end.index


class _Composer:
    """One reading of one source."""

    def __init__(self, source: Source, findings: Findings) -> None:
        self.source = source
        self.findings = findings
        self.offsets: dict[Path, NodeSpan] = {}
        self.doubtful: set[Path] = set()
        self.incomplete: set[Path] = set()
        self.stack: list[Frame] = []
        self.root: Value = None
        self.nodes = 0
        self.documents = 0
        self.gap = -1
        self.misfit: tuple[Refusal, Range] | None = None

    def run(self) -> Outcome[Composed]:
        findings = self.findings
        try:
            self._read()
        except yaml.MarkedYAMLError as error:
            refusal, place = explain(error, self.source.text)
            if place[0] == self.gap and findings.found and findings.found[-1].code == "syntax.ambiguous-scalar":
                findings.found.pop()  # the value that seemed to be missing is what could not be read
            findings.halt(refusal, place)
        except (yaml.YAMLError, UnicodeError):
            # Characters that libyaml does not take; `read_source` refuses the same and more.
            hidden = hidden_characters(self.source)
            findings.found.extend(hidden)
            if not hidden:
                findings.halt(refusals.FORBIDDEN_CHARACTER, (0, 0))
            findings.halted = True
        if findings.halted or not isinstance(self.root, dict):
            return failure(findings.found)
        places = Places(self.source, NodeSpans(self.source, self.offsets))
        composed = Composed(self.root, places, frozenset(self.doubtful), frozenset(self.incomplete))
        return Outcome(composed, tuple(findings.found))

    def _read(self) -> None:
        loader = yaml.CSafeLoader(self.source.text)
        try:
            while not self.findings.halted:
                event = loader.get_event()
                if event is None or isinstance(event, yaml.StreamEndEvent):
                    break
                self._take(event)
        finally:
            loader.dispose()
        if not self.documents and not self.findings.halted:
            self.findings.halt(refusals.scalar_root(""), (0, 0))

    def _take(self, event: yaml.Event) -> None:
        if isinstance(event, yaml.ScalarEvent):
            self._scalar(event)
        elif isinstance(event, yaml.CollectionStartEvent):
            self._open(event)
        elif isinstance(event, yaml.CollectionEndEvent):
            self._close(event)
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event)
        elif isinstance(event, yaml.DocumentStartEvent):
            self.documents += 1
            if self.documents > 1:
                self._second_document(_place(event)[0])
        elif isinstance(event, yaml.DocumentEndEvent):
            if self.misfit:
                # Said last: a text that cannot be read has a better reason than that it is no mapping.
                self.findings.add(*self.misfit, ())
            directive = _DIRECTIVE_AFTER.search(self.source.text, _place(event)[1])
            if directive:
                self._second_document(directive.start())

    def _second_document(self, start: int) -> None:
        self.findings.halt(refusals.SECOND_DOCUMENT, (start, start + 3))

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        place = _place(event)
        self._count(place)
        if not self.stack:
            self._properties(event, Slot(()))
            self._scalar_root(event.value, place)
            return
        frame = self.stack[-1]
        if frame.wants_key:
            if event.anchor is not None or event.tag is not None:
                self._properties(event, Slot((*frame.slot.path, event.value), muted=frame.slot.muted))
            frame.key = self._key(event, place, frame)
        else:
            slot = frame.next_slot()
            self._properties(event, slot)
            self._put(slot, self._value(event, place, slot), place)

    def _scalar_root(self, text: str, place: Range) -> None:
        start, end = place
        self.misfit = refusals.scalar_root(text), place
        first, line_break, _ = self.source.text[start:end].partition("\n")
        if line_break and self.source.text.startswith(":", end):
            # `foo` on one line and `bar: 1` on the next: libyaml takes the first for the beginning of the second's key.
            self.findings.halt(refusals.lone_key(first.strip()), (start, start + len(first.rstrip())))

    def _open(self, event: yaml.CollectionStartEvent) -> None:
        start, end = _place(event)
        self._count((start, end))
        mapping = isinstance(event, yaml.MappingStartEvent)
        slot = Slot(())
        if len(self.stack) >= MAX_DEPTH:
            self.findings.halt(refusals.TOO_DEEP, (start, start + 1))
        elif not self.stack and not mapping:
            self.misfit = refusals.no_mapping("the file holds a list"), (start, start + 1)
        elif self.stack and self.stack[-1].wants_key:
            outer = self.stack[-1].slot
            self._refuse_key(refusals.COMPLEX_KEY, (start, start + 1), outer)
            slot = Slot(outer.path, kept=False, muted=True)
        elif self.stack:
            slot = self.stack[-1].next_slot()
        self._properties(event, slot)
        self.stack.append(Frame(slot, start, end, bool(event.flow_style), {} if mapping else []))

    def _close(self, event: yaml.CollectionEndEvent) -> None:
        frame = self.stack.pop()
        # libyaml ends a block collection where the next token starts; ours ends with its last child.
        place = frame.start, _place(event)[1] if frame.flow else frame.end
        value: Value = frame.children if isinstance(frame.children, dict) else tuple(frame.children)
        if not self.stack:
            self.root = value
            self.offsets[()] = (*place, *NO_KEY)
        elif self.stack[-1].wants_key:
            self.stack[-1].key = Key("", place, kept=False, muted=True)
        else:
            self._put(frame.slot, value, place)

    def _alias(self, event: yaml.AliasEvent) -> None:
        place = _place(event)
        self._count(place)
        refusal = refusals.alias(self.source.text[slice(*place)])
        if not self.stack:
            self.findings.halt(refusal, place)
            return
        frame = self.stack[-1]
        if frame.wants_key:
            self._refuse_key(refusal, place, frame.slot)
            frame.key = Key("", place, kept=False, muted=True)
        else:
            slot = frame.next_slot()
            self._refuse_value(refusal, place, slot)
            self._put(slot, None, place)

    def _put(self, slot: Slot, value: Value, place: Range) -> None:
        """Hang a finished value into its parent."""
        frame = self.stack[-1]
        if isinstance(frame.children, list):
            frame.children.append(value)
        elif frame.key is not None and frame.key.kept:
            frame.children[frame.key.text] = value
        if slot.kept:
            self.offsets[slot.path] = (*place, *slot.key)
        frame.key = None
        frame.end = place[1]

    def _key(self, event: yaml.ScalarEvent, place: Range, frame: Frame) -> Key:
        key: str = event.value
        refusal = key_refusal(key, plain=not event.style)
        if refusal:
            self._refuse_key(refusal, place, frame.slot, key)
            return Key(key, place, kept=False, muted=refusal is refusals.MERGE_KEY)
        if key in frame.seen:
            self._duplicate(key, place, frame)
            return Key(key, place, kept=False)
        frame.seen[key] = place
        return Key(key, place)

    def _duplicate(self, key: str, place: Range, frame: Frame) -> None:
        if frame.slot.muted:
            return
        first = self.source.span(*frame.seen[key])
        message = f"the key {key!r} is written twice; it stands first on line {first.begin[0]}"
        refusal = Refusal("syntax.duplicate-key", message, "keep one of the two")
        self.findings.add(refusal, place, (*frame.slot.path, key), (Related("first written here", first),))

    def _value(self, event: yaml.ScalarEvent, place: Range, slot: Slot) -> Value:
        text: str = event.value
        refusal: Refusal | None = None
        if event.tag is not None or (event.anchor is not None and not text):
            return text  # refused already; what it would be without its tag is for the next reading to say
        if len(text) > MAX_SCALAR:
            refusal = refusals.long_text(len(text))
            text = ""
        elif not event.style:
            value = resolve(text)
            if not isinstance(value, Refusal):
                return value
            refusal = value
            if not text:
                refusal, place = self._missing(refusal, place)
        elif event.style == '"' and (reason := hidden_reason(text)):
            refusal = Refusal("syntax.encoding", f"an escape in this text: {reason}", "delete the escape")
        if refusal:
            self._refuse_value(refusal, place, slot)
        return text

    def _missing(self, refusal: Refusal, place: Range) -> tuple[Refusal, Range]:
        """A value that is not there is shown at its key, or at its dash: there is nothing else to point at."""
        frame = self.stack[-1]
        self.gap = place[0]
        if frame.key is None:
            dash = self.source.text.rfind("-", 0, place[0])
            return (refusal, (dash, dash + 1)) if dash >= 0 and not frame.flow else (refusal, place)
        colon = ":" in self.source.text[frame.key.place[1] : place[0]]
        return refusals.missing_value(frame.key.text, flow=frame.flow, colon=colon), frame.key.place

    def _properties(self, event: yaml.ScalarEvent | yaml.CollectionStartEvent, slot: Slot) -> None:
        """Refuse the anchor and the tag in front of a node."""
        if event.anchor is None and event.tag is None:
            return
        start, _ = _place(event)
        for _ in filter(None, (event.anchor, event.tag)):
            if found := _PROPERTY.match(self.source.text, start):
                self._refuse_value(refusals.node_property(found[1]), found.span(1), slot)
                start = found.end()

    def _refuse_value(self, refusal: Refusal, place: Range, slot: Slot) -> None:
        if slot.kept:
            self.doubtful.add(slot.path)
        if not slot.muted:
            self.findings.add(refusal, place, slot.path)

    def _refuse_key(self, refusal: Refusal, place: Range, slot: Slot, key: str | None = None) -> None:
        """Refuse a key of the mapping in `slot`, which from now on may lack a key without a fault of its own."""
        if slot.kept:
            self.incomplete.add(slot.path)
        if not slot.muted:
            self.findings.add(refusal, place, slot.path if key is None else (*slot.path, key))

    def _count(self, place: Range) -> None:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            self.findings.halt(refusals.TOO_MANY_NODES, (place[0], place[0] + 1))
