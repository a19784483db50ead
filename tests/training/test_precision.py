"""The numbers that a run computes in."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from dermseg.training.fitting import choose_precision

CPU_INFO = Path("/proc/cpuinfo")


def test_named_precision_is_taken_on_any_hardware() -> None:
    assert choose_precision("float32") == "32-true"
    assert choose_precision("bfloat16") == "bf16-mixed"


@pytest.mark.skipif(torch.cuda.is_available(), reason="for machines without a GPU")
@pytest.mark.skipif(not CPU_INFO.exists(), reason="reads the processor's flags from /proc/cpuinfo")
def test_auto_takes_bfloat16_where_the_processor_has_units_for_it() -> None:
    has_units = bool({"amx_tile", "avx512_bf16"} & set(CPU_INFO.read_text().split()))
    assert choose_precision("auto") == ("bf16-mixed" if has_units else "32-true")


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_auto_takes_half_precision_on_a_gpu() -> None:
    assert choose_precision("auto") in ("bf16-mixed", "16-mixed")
