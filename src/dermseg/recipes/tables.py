"""The base of the tables of a recipe."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["INVERSE_FREQUENCY", "Activation", "Share", "Table"]

Share = Annotated[float, Field(ge=0, le=1)]
"""A probability, or a part of a whole."""

Activation = Literal["sigmoid", "softmax"]
"""What makes probabilities of a network's maps.

``sigmoid``: one map per class, and classes may overlap. ``softmax``: one more map, the first, for
the background; a pixel's probabilities sum to 1. The background's is then dropped, so that
whatever follows sees one map per class under either.
"""

INVERSE_FREQUENCY = "inverse_frequency"
"""As a loss's ``class_weights``: fitted on the training masks."""


class Table(BaseModel):
    """A table that refuses unknown keys and cannot be changed after it was read."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
