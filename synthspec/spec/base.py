"""What every model of the surface language shares."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import PydanticCustomError, core_schema

from synthspec.units import Quantity, UnitError, parse_quantity

API_VERSION = "synthspec/v1"


class Model(BaseModel):
    """Frozen, closed and strict: an unknown key, a number in quotes or a bool for an int is an error, never a guess."""

    # A section is built as a part of its document; built also by itself, each would cost as much once more.
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, defer_build=True)


class QuantityOf:
    """Annotates a `Quantity` field with a quantity of the kind it must be; the text of the language is ``<number> <unit>``.

    Errors carry our own codes: ``unit.bare-number``, ``unit.unknown``, ``unit.dim-mismatch`` ...
    """

    def __init__(self, example: str) -> None:
        self.example = example

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        del source, handler
        return core_schema.no_info_plain_validator_function(self.read)

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        del schema, handler
        return {"type": "string", "examples": [self.example], "pattern": r"^[-+]?[0-9.eE+-]+ \S.*$"}

    def read(self, value: object) -> Quantity:
        """Read `value` as a quantity of this kind, or raise a PydanticCustomError with a rule code."""
        if isinstance(value, Quantity):
            return value
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            raise _fault(
                "unit.bare-number", f"{value} has no unit", f"write it with its unit, such as {self.example!r}"
            )
        if not isinstance(value, str):
            raise _fault("schema.wrong-type", "a quantity is '<number> <unit>'", f"for instance {self.example!r}")
        try:
            return parse_quantity(value, like=parse_quantity(self.example).unit)
        except UnitError as error:
            raise _fault(error.code, error.message, error.help) from error


def _fault(code: str, message: str, help_text: str) -> PydanticCustomError:
    context: dict[str, Any] = {"says": message, "help": help_text}
    return PydanticCustomError(code, "{says}", context)


Duration = Annotated[Quantity, QuantityOf("50 ms")]
Speed = Annotated[Quantity, QuantityOf("299792458 m/s")]
Decibel = Annotated[Quantity, QuantityOf("18 dB")]

Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_.-]{0,127}$", examples=["digits-diffusion"])]
SemVer = Annotated[
    str, Field(pattern=r"^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?$", examples=["1.0.0"])
]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NonNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1, le=10**12)]
Seed = Annotated[int, Field(ge=0, lt=2**53, description="P405-8: a public seed; it is written into the manifest.")]
ApiVersion = Literal["synthspec/v1"]


class Metadata(Model):
    """Who answers for the document and which version of it this is (trace)."""

    name: Name
    version: SemVer
    owner: str | None = None
    description: str | None = None
    labels: tuple[Name, ...] | None = Field(default=None, description="What a policy may choose specs by.")
