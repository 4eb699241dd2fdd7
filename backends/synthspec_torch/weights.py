"""Weights on disk: safetensors and nothing else, in sorted order and without metadata, so equal weights are equal bytes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from synthspec.backend.protocol import DataError

_HEADER_MAX = 100_000_000
_PICKLES = (b"PK\x03\x04", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")
"""How archives and pickles begin; a safetensors file may begin so, too, but its ninth byte opens a JSON object."""
UNFIT = "weights.unfit"
"""The code of a file that does not hold the weights that a network needs."""
SCALE = ":scale"
"""What the name of an int8 tensor's scales, one for each of its outputs, adds to its own."""


class WeightsError(Exception):
    """The file does not hold the weights that the network needs."""


def save_weights(path: Path, state: Mapping[str, torch.Tensor]) -> None:
    """Write `state` to `path`, making its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(save({name: state[name].detach().cpu().contiguous() for name in sorted(state)}))


def load_weights(path: Path, like: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Read the weights at `path`; names, shapes and dtypes must equal those of `like`. Raises WeightsError.

    Weights that are stored in fewer bits come back as the float32 numbers that they stand for.
    """
    return _checked(unpacked(read_state(path)), like)


def read_state(path: Path) -> dict[str, torch.Tensor]:
    """The tensors at `path` as they are stored. Raises WeightsError for what is no safetensors file."""
    return parse_state(path.read_bytes())


def unpacked(state: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """`state` in float32 where it is bf16, or int8 with scales beside it."""
    plain: dict[str, torch.Tensor] = {}
    for name, tensor in state.items():
        scale = state.get(name + SCALE)
        if name.endswith(SCALE) and name.removesuffix(SCALE) in state:
            continue
        if tensor.dtype == torch.bfloat16:
            plain[name] = tensor.float()
        elif tensor.dtype == torch.int8 and scale is not None and scale.shape == tensor.shape[:1]:
            plain[name] = tensor.float() * scale.view(-1, *(1,) * (tensor.dim() - 1))
        else:
            plain[name] = tensor
    return plain


def parse_state(data: bytes) -> dict[str, torch.Tensor]:
    """The tensors in the bytes of a safetensors file. Raises WeightsError for what is none."""
    _check_header(data)
    return _load(data)


def parse_weights(
    data: bytes,
    like: Mapping[str, torch.Tensor],
    unread: str = "",
    renamed: Callable[[Mapping[str, torch.Tensor]], dict[str, torch.Tensor]] = dict,
) -> dict[str, torch.Tensor]:
    """Read the bytes of a safetensors file; names, shapes and dtypes must equal those of `like`. Raises WeightsError.

    Tensors whose name ends in `unread` are passed over; `renamed` gives those of another convention the names of `like`.
    """
    state = {name: value for name, value in parse_state(data).items() if not (unread and name.endswith(unread))}
    return _checked(renamed(state), like)


def read_pinned(path: Path, name: str, sha256: str) -> bytes:
    """The content of `path`, which digests to `sha256`; `name` is what the spec calls it. Nothing in it is looked at.

    Raises DataError ``schema.not-found`` where nothing can be read, ``data.digest`` for another content.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError("schema.not-found", f"cannot read {name}: {error.strerror}", "check the path") from error
    found = hashlib.sha256(data).hexdigest()
    if found != sha256:
        raise DataError(
            "data.digest",
            f"{name} has SHA-256 {found}, but {sha256 or 'none'} is pinned",
            "bring the file that the spec names, or pin the new one after looking at what changed",
        )
    return data


def _checked(state: dict[str, torch.Tensor], like: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    missing, surplus = sorted(set(like) - set(state)), sorted(set(state) - set(like))
    if missing or surplus:
        raise WeightsError(f"missing weights {missing[:4]}, unknown weights {surplus[:4]}")
    for name, wanted in like.items():
        found = state[name]
        if found.shape != wanted.shape or found.dtype != wanted.dtype:
            raise WeightsError(
                f"{name} is {found.dtype} {tuple(found.shape)}, the network has {wanted.dtype} {tuple(wanted.shape)}"
            )
    return state


def _load(data: bytes) -> dict[str, torch.Tensor]:
    try:
        return load(data)
    except (SafetensorError, KeyError) as error:
        raise WeightsError(f"not a safetensors file: {error}") from error


def _check_header(data: bytes) -> None:
    """Refuse a header that names a tensor twice: readers differ in which of the two they take."""
    if data.startswith(_PICKLES) and data[8:9] != b"{":
        raise WeightsError(
            "not a safetensors file but a pickle, or an archive with one, as torch.save writes it:"
            " opening it would run whatever is in it, so it is not opened"
        )
    size = int.from_bytes(data[:8], "little")
    if len(data) < 8 or size > min(_HEADER_MAX, len(data) - 8):
        raise WeightsError("not a safetensors file: its header is cut short")
    try:
        json.loads(data[8 : 8 + size], object_pairs_hook=_unique)
    except ValueError as error:
        raise WeightsError("not a safetensors file: its header is not JSON") from error


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    names = [name for name, _ in pairs]
    if len(set(names)) < len(names):
        raise WeightsError(f"the header names {next(n for n in names if names.count(n) > 1)!r} twice")
    return dict(pairs)
