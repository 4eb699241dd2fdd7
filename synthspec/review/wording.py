"""What a change is called, in one line."""

from __future__ import annotations

from pydantic import BaseModel

from synthspec.spec.guards import Guard
from synthspec.text import Path
from synthspec.units import Quantity

LONGEST = 80


def difference(name: Path, values: tuple[object, object], guard: Guard) -> str:
    """``eps_budget: 2.9 -> 7.6``, and the reason where there is one to tell."""
    old, new = map(shown, values)
    why = f" ({guard.why})" if guard.why and guard.guards else ""
    return f"{_called(name)}: {old} -> {new}{why}"


def presence(name: Path, *, added: bool) -> str:
    """``C40-516 is gone``."""
    return f"{_called(name)} is {'new' if added else 'gone'}"


def shown(value: object) -> str:
    """A value of the language in few characters."""
    text = _text(value)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _called(name: Path) -> str:
    parts = [str(part) for part in name]
    return " ".join(parts[-2:]) if len(parts) > 1 else "".join(parts)


def _text(value: object) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return "true" if value else "false"
        case float():
            return f"{value:.10g}"
        case Quantity():
            return value.canonical
        case tuple():
            return f"[{', '.join(map(_text, value))}]"
        case dict():
            return f"{{{', '.join(f'{key}: {_text(each)}' for key, each in value.items())}}}"
        case BaseModel():
            return _text(
                {
                    (info.alias or name): getattr(value, name)
                    for name, info in type(value).model_fields.items()
                    if getattr(value, name) is not None
                }
            )
        case _:
            return str(value)
