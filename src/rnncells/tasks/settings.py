"""Typed settings: keys with types, bounds, defaults and an explanation, as pydantic models.

A configuration is checked against them, and the JSON schema and the tables of ``config/README.md``
are written from them.
"""

import math
import os
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError, PydanticKnownError

from ..jobs.errors import did_you_mean, shown

#: Marks a setting whose smaller values mean a smaller budget, or an easier task.
BUDGET = {"budget": True}


class Model(BaseModel):
    """Settings that are frozen, take no unknown keys, and convert no types (``"3"`` to 3)."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _known_keys(cls, given: object) -> object:
        if isinstance(given, Mapping):
            for key in given:
                if key not in cls.model_fields:
                    allowed = ", ".join(cls.model_fields)
                    raise PydanticCustomError(
                        "unknown_key",
                        "{message}",
                        {
                            "message": f"unknown key {shown(key)}"
                            f"{did_you_mean(key, cls.model_fields)}; allowed: {allowed}"
                        },
                    )
        return given


def _number(value: object) -> int | float:
    if type(value) not in (int, float):
        raise PydanticKnownError("float_type")
    if not math.isfinite(value):
        raise PydanticKnownError("finite_number")
    return value


def _existing_file(path: str | None) -> str | None:
    if path is not None and not os.path.isfile(path):  # unlike pathlib's, it takes any text
        raise ValueError(f"there is no file {shown(path)}")
    if path is not None and (set(path) & set("{}") or not path.isprintable()):
        raise ValueError(
            f"{shown(path)} has a character that Snakemake reads otherwise; allowed: all printable "
            "ones but braces"
        )
    return path


#: A count: an integer of at least 1.
Count = Annotated[int, Field(ge=1, le=1_000_000_000)]
#: The seed of a random stream.
Seed = Annotated[int, Field(ge=0, le=4294967295)]
#: An integer or a floating-point number, whichever was given.
Number = Annotated[Any, BeforeValidator(_number), WithJsonSchema({"type": "number"})]
#: A file of the user's that exists, or None.
File = Annotated[str | None, AfterValidator(_existing_file)]


class Settings(Model):
    """How a task is trained: the ``training`` section of a study. A task adds keys of its own."""

    readout: Literal["gradient", "ridge"] = Field(
        "gradient",
        description="How the readout learns. `ridge` solves it in closed form, for a cell that "
        "learns nothing else (ESN) and a task whose loss is a squared error.",
    )
    ridge: float = Field(1e-6, gt=0, description="Penalty of the ridge readout.")
    patience: Count | None = Field(
        None,
        description="A seed stops after this many epochs without a better validation score, and "
        "keeps the weights of its best epoch. Without it, every seed trains to the end.",
    )
