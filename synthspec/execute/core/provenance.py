"""M40-5.8: what samples say of themselves, in the place that each format has for it.

PNG: a ``tEXt`` chunk ``synthspec``, and an XMP packet with the IPTC digital source type ``trainedAlgorithmicMedia``, which
pictures of generators are marked with. Parquet: key-value metadata of the file. npz: the comment of the archive, which no
reader of arrays looks at. csv and jsonl have no place: there it is a file beside them, as it is wherever a spec asks for one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from synthspec.backend.columns import spelled
from synthspec.ir.canonical import Json, canonical_bytes
from synthspec.ir.ops import Origin
from synthspec.ir.schema import Field, Schema

if TYPE_CHECKING:
    from PIL.PngImagePlugin import PngInfo

KEY = "synthspec"
SIDECAR = "samples.provenance.json"
SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
_XMP = f"""<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
 Iptc4xmpExt:DigitalSourceType="{SOURCE_TYPE}"/>
</rdf:RDF></x:xmpmeta>
<?xpacket end="r"?>"""


def note(origin: Origin) -> bytes:
    """The one line of JSON (ASCII) that goes into the files: equal for equal records of one release."""
    return canonical_bytes(_said(origin))


def sidecar(origin: Origin, schema: Schema, columns: list[str]) -> bytes:
    """``samples.provenance.json``: the same, and what each of the `columns` of the samples means."""
    fields: list[Json] = [_meant(field) for field in schema.fields if field.name in columns]
    return canonical_bytes({**_said(origin), "fields": fields})


def png_info(origin: Origin) -> PngInfo:
    """The chunks of a picture."""
    from PIL.PngImagePlugin import PngInfo

    chunks = PngInfo()
    chunks.add_text(KEY, note(origin).decode("ascii"))
    chunks.add_itxt("XML:com.adobe.xmp", _XMP)
    return chunks


def _said(origin: Origin) -> dict[str, Json]:
    said: dict[str, Json] = {
        "synthetic": True,
        "digitalSourceType": SOURCE_TYPE,
        "stream": origin.stream,
        "version": origin.version,
    }
    return said | {"records": origin.records} if origin.records else said


def _meant(field: Field) -> dict[str, Json]:
    meant: dict[str, Json] = {"name": field.name, "dtype": field.dtype}
    if field.unit:
        meant["unit"] = field.unit
    if field.shape:
        meant["shape"] = list(field.shape)
    if field.enum:
        meant["enum"] = [spelled(member) for member in field.enum]
    return meant
