"""npz and npy to a table of arrays. Sizes are checked against the headers before anything is allocated; no pickle."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Collection

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from synthspec.backend.protocol import DataError
from synthspec.execute.core.source import within_memory
from synthspec.execute.core.table import Table

MAX_MEMBERS = 10_000
_AS_NUMPY = "write it with numpy.save, numpy.savez or numpy.savez_compressed"
_BROKEN = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, ValueError, OverflowError, RuntimeError)
"""What zipfile raises for damaged archives; RuntimeError covers what it does not implement, such as encryption."""
_READERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}


def read_npz(name: str, data: bytes, wanted: Collection[str]) -> Table:
    """Read the arrays of `data` whose names are in `wanted`, each with one entry a row.

    Raises DataError: `schema.bad-value` for what is no such file, is damaged, or holds objects; `schema.duplicate-name`
    for two arrays of one name; `syntax.too-large` for more than memory holds.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = _members(name, archive, wanted)
            within_memory(sum(info.file_size for info in members.values()), name)
            arrays = {key: _array(f"{name}:{key}", _unpack(archive, info)) for key, info in members.items()}
    except _BROKEN as error:
        raise _corrupt(name, str(error)) from error
    return _table(name, arrays)


def npz_names(name: str, data: bytes) -> tuple[str, ...]:
    """The names of the arrays of `data`, none of which is unpacked. Raises DataError as `read_npz`."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return tuple(_infos(name, archive))
    except _BROKEN as error:
        raise _corrupt(name, str(error)) from error


def read_npy(name: str, data: bytes, column: str) -> Table:
    """Read the one array of `data` as `column`. Raises DataError as `read_npz`."""
    return _table(name, {column: _array(name, data)})


def _members(name: str, archive: zipfile.ZipFile, wanted: Collection[str]) -> dict[str, zipfile.ZipInfo]:
    return {key: info for key, info in _infos(name, archive).items() if key in wanted}


def _infos(name: str, archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    infos = archive.infolist()
    if len(infos) > MAX_MEMBERS:
        raise DataError("syntax.too-large", f"{name} holds {len(infos)} arrays", f"at most {MAX_MEMBERS}")
    members: dict[str, zipfile.ZipInfo] = {}
    for info in infos:
        key = info.filename.removesuffix(".npy")
        if key in members:
            raise DataError("schema.duplicate-name", f"{name}: two arrays are called {key!r}", _AS_NUMPY)
        members[key] = info
    return members


def _unpack(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    if info.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise zipfile.BadZipFile(f"{info.filename} is packed in a way that numpy never does")
    with archive.open(info) as member:
        # The size in the directory was checked; a member that goes on beyond it is lying.
        data = member.read(info.file_size + 1)
    if len(data) != info.file_size:
        raise zipfile.BadZipFile(f"{info.filename} is not as long as the archive says")
    return data


def _array(name: str, data: bytes) -> NDArray[np.generic]:
    stream = io.BytesIO(data)
    try:
        version = npy.read_magic(stream)
        shape, fortran, dtype = _READERS[version](stream)
    except (ValueError, KeyError) as error:
        raise _corrupt(name, "it has no header that numpy writes") from error
    if dtype.hasobject:
        message = f"{name} holds Python objects, which only pickle can read, and pickle runs code"
        raise DataError("schema.bad-value", message, "store numbers or fixed-width text")
    count = 1
    for length in shape:
        count *= length
    if min(shape, default=0) < 0 or count * dtype.itemsize != len(data) - stream.tell():
        raise _corrupt(name, f"its header says {shape} of {dtype}, which is not what follows")
    flat = np.frombuffer(data, dtype=dtype, count=count, offset=stream.tell())
    return flat.reshape(shape, order="F" if fortran else "C")


def _corrupt(name: str, why: str) -> DataError:
    return DataError("schema.bad-value", f"{name} is damaged or of another kind: {why}", _AS_NUMPY)


def _table(name: str, arrays: dict[str, NDArray[np.generic]]) -> Table:
    lengths = {key: len(array) if array.ndim else None for key, array in arrays.items()}
    if len(set(lengths.values())) > 1 or None in lengths.values():
        shown = ", ".join(
            f"{key}: {length if length is not None else 'a single value'}" for key, length in lengths.items()
        )
        raise DataError("schema.bad-value", f"{name}: arrays of unequal length ({shown})", "one entry a record in each")
    rows = next(iter(lengths.values()), 0) or 0
    return Table(name=name, rows=rows, columns=arrays, where=lambda row: f"row {row}")
