"""What the tables of a recipe share."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["Share", "Table"]

Share = Annotated[float, Field(ge=0, le=1)]
"""A probability, or a part of a whole."""


class Table(BaseModel):
    """A table that refuses unknown keys and cannot be changed after it was read."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
