"""Checkpoints on disk, so that a killed training goes on: tensors in safetensors, all else in JSON, and no pickle.

A file appears whole under a name that holds its digest, and the one before goes after that. What cannot be read, or is not
what its name says, is as good as not there: damage costs time, never truth.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

EVERY = 10.0
"""Seconds between two checkpoints, at least."""
PATIENCE = 50.0
"""The time between two checkpoints by the time that one takes, at least: writing costs 2 % at most."""
_STATE = "state"


@dataclass(slots=True)
class Shelf:
    """The folder of one training's checkpoints, made when the first is written.

    Which of them were written depends on the clock, and changes no byte of a result.
    """

    folder: Path
    every: float
    _due: float = field(init=False)

    def __post_init__(self) -> None:
        self._due = perf_counter() + self.every

    @property
    def due(self) -> bool:
        """Whether it is time for another."""
        return perf_counter() >= self._due

    def put(self, step: int, state: Mapping[str, Any]) -> None:
        """Write `state`, of tensors, numbers, text, and dicts, lists and tuples of them; it takes the place of all before."""
        begun = perf_counter()
        tensors: dict[str, torch.Tensor] = {}
        tree = _packed(state, tensors, {})
        data = save(tensors, {_STATE: json.dumps(tree, separators=(",", ":"))})
        name = f"{step:012d}-{hashlib.sha256(data).hexdigest()}.safetensors"
        self.folder.mkdir(parents=True, exist_ok=True)
        _write(self.folder / name, data)
        for path in self.folder.iterdir():
            if path.name != name:
                path.unlink()
        now = perf_counter()
        self._due = now + max(self.every, PATIENCE * (now - begun))

    def newest(self) -> Mapping[str, Any] | None:
        """The state of the newest checkpoint that is what its name says; None when there is none."""
        found = sorted(self.folder.glob("*.safetensors"), reverse=True) if self.folder.is_dir() else []
        for path in found:
            if _digest(path) == path.stem.partition("-")[2] and (state := _read(path)) is not None:
                return state
        return None


def _write(path: Path, data: bytes) -> None:
    draft = path.with_suffix(".draft")
    with draft.open("wb") as handle:
        handle.write(data)
        handle.flush()
        os.fsync(handle.fileno())
    draft.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _digest(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _read(path: Path) -> Mapping[str, Any] | None:
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it is no mapping
            tree = json.loads((file.metadata() or {})[_STATE])
    except (SafetensorError, KeyError, ValueError):
        return None
    state: Mapping[str, Any] = _unpacked(tree, tensors)
    return state


def _packed(value: Any, tensors: dict[str, torch.Tensor], names: dict[int, str]) -> Any:  # noqa: ANN401 - of any kind
    """`value` as JSON; its tensors go to `tensors`, each once, under the names in `names` by identity."""
    match value:
        case torch.Tensor():
            name = names.setdefault(id(value), f"t{len(names):06d}")
            tensors[name] = value.detach().contiguous()
            return {"tensor": name}
        case dict() | Mapping():
            return {"dict": [[_packed(k, tensors, names), _packed(v, tensors, names)] for k, v in value.items()]}
        case tuple():
            return {"tuple": [_packed(each, tensors, names) for each in value]}
        case list():
            return [_packed(each, tensors, names) for each in value]
        case None | bool() | int() | float() | str():
            return value
        case _:
            raise TypeError(f"a checkpoint holds no {type(value).__name__}")


def _unpacked(tree: Any, tensors: Mapping[str, torch.Tensor]) -> Any:  # noqa: ANN401 - what `_packed` was given
    match tree:
        case {"tensor": str(name)}:
            return tensors[name]
        case {"dict": list(pairs)}:
            return {_unpacked(key, tensors): _unpacked(value, tensors) for key, value in pairs}
        case {"tuple": list(parts)}:
            return tuple(_unpacked(each, tensors) for each in parts)
        case list():
            return [_unpacked(each, tensors) for each in tree]
        case _:
            return tree
