"""Which numbers the hardware computes in quickly."""

from __future__ import annotations

from typing import Literal

import torch

__all__ = ["choose_precision"]

Precision = Literal["32-true", "bf16-mixed", "16-mixed"]


def choose_precision(name: str) -> Precision:
    """Lightning's precision for a recipe's ``float32``, ``bfloat16`` or ``auto``.

    ``auto`` takes half precision only where there are units for it: on a CPU, AMX or AVX-512
    instructions for bfloat16 (elsewhere it is emulated and slower than float32).
    """
    if name == "float32":
        return "32-true"
    if name == "bfloat16":
        return "bf16-mixed"
    if torch.cuda.is_available():
        return "bf16-mixed" if torch.cuda.is_bf16_supported() else "16-mixed"
    has_units = torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported()
    return "bf16-mixed" if has_units else "32-true"
