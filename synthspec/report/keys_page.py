"""``docs/keys.md``: every key of the language in one page, for searching."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from synthspec.ir.signals import FAMILIES, SIGNALS
from synthspec.report.keys import Key, Section, sections
from synthspec.report.references import anchor, linked

_CODE = re.compile(r"(?<![\w-])(?:P405-\d+|C40|[a-z]+)\.[a-z][a-z-]*[a-z](?![\w.])")
_INTRODUCTION = """\
# Every key

Each key of the three documents: `EngineSpec`, `SRef` and `Policy`. `synthspec explain privacy.clip.norm` shows one of
them, and the conventions are in [the language](language.md).

A path has `[]` behind a list and `<name>` for a key that a document chooses. *Default* is what holds where nothing is
written: **required** means that the key has to be there, *asked for* that a rule asks for it; where nothing stands
the words say what being left out means. *Of* names the kinds that take a key, where a section has several; all of
them take the others. *A change* says what `synthspec review` makes of it, with the risk; where nothing stands, it
guards nothing, or the keys below say it."""


def keys_page(known: Callable[[str], str | None]) -> str:
    """The page; `known` gives the place of a code as seen from ``docs/``, or None for what is no code."""
    lines = [_INTRODUCTION]
    for section in sections():
        lines += ["", *_section(section, known)]
    lines += ["", *_signals()]
    return "\n".join(lines) + "\n"


def _section(section: Section, known: Callable[[str], str | None]) -> Iterator[str]:
    yield f"### `{section.title}`" if section.path else f"## Document `{section.title}`"
    if section.of:
        yield ""
        yield f"Where {' or '.join(f'`{each}`' for each in section.of)} is written."
    for number, (label, words) in enumerate(section.says):
        if not (number and label):
            yield ""
        yield f"- {label}: {_linked(words, known)}" if label and len(section.says) > 1 else _linked(words, known)
    several = any(key.of for key in section.keys)
    heads = ("key", *(("of",) if several else ()), "takes", "default", "a change", "meaning")
    yield ""
    yield f"| {' | '.join(heads)} |"
    yield f"|{'---|' * len(heads)}"
    for key in section.keys:
        yield f"| {' | '.join(_cells(key, known, several=several))} |"


def _signals() -> Iterator[str]:
    """The signals that monitors, trips and convergence name."""
    yield "## Signals"
    yield ""
    yield "What a training emits, for `stability`. Under dp-sgd and pate only what is *released* may be watched."
    yield ""
    yield "| signal | of | better | released | what it is |"
    yield "|---|---|---|---|---|"
    for signal in SIGNALS.values():
        of = "all" if signal.families == FAMILIES else ", ".join(sorted(signal.families))
        released = "under a mechanism alone" if signal.mechanism else "yes" if signal.released else ""
        yield f"| `{signal.name}` | {of} | {signal.better} | {released} | {_cell(signal.says)} |"


def _cells(key: Key, known: Callable[[str], str | None], *, several: bool) -> Iterator[str]:
    yield f"`{key.name}`"
    if several:
        yield ", ".join(key.of)
    yield _cell(_takes(key))
    yield _default(key)
    yield "" if key.loosens.startswith("guards nothing") else _cell(key.loosens)
    yield _linked(_cell(key.words), known)


def _default(key: Key) -> str:
    if key.required or key.asked:
        return "**required**" if key.required else "asked for"
    return f"`{key.default}`" if key.default else ""


def _takes(key: Key) -> str:
    """What is taken, with a link to the keys below where there are some."""
    below = [each for each in sections() if each.kind == key.kind and _under(each.path, key.path)]
    return key.takes.replace("section", f"[section](#{anchor(below[0].title)})") if below else key.takes


def _under(path: tuple[str, ...], key: tuple[str, ...]) -> bool:
    """Whether `path` is what stands right below `key`: in it, in its items, or under its names."""
    return path in {key, (*key[:-1], f"{key[-1]}[]"), (*key, "<name>")}


def _linked(text: str, known: Callable[[str], str | None]) -> str:
    def link(found: re.Match[str]) -> str:
        place = known(found[0])
        return found[0] if place is None else f"[{found[0]}]({place})"

    return linked(_CODE.sub(link, text), "")


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<name>", "&lt;name&gt;")
