from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from dermseg.calibration.out_of_fold import find_logits, name_samples, read_logits
from dermseg.datasets import open_source
from dermseg.errors import UsageError

MakeFolder = Callable[..., Path]


def test_logits_are_found_under_the_names_that_were_given(
    make_isic2017: MakeFolder, make_folder: MakeFolder, tmp_path: Path
) -> None:
    datasets = [
        open_source(make_isic2017(Training=[0, 1])),
        open_source(make_folder("own", ["ISIC_0000001", "mine"])),
    ]
    samples = [sample for dataset in datasets for sample in dataset.samples]
    names = name_samples(datasets, samples)
    logits = tmp_path / "logits"
    logits.mkdir()
    for name in names.values():
        (logits / f"{name}.npz").touch()
    assert {sample.image: path.stem for sample, path in find_logits(datasets, logits)} == names
    # Of one of the datasets alone, as well.
    found = find_logits(datasets[1:], logits)
    assert [path.stem for _, path in found] == ["ISIC_0000001_folder", "mine"]


def test_what_holds_no_logits_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez_compressed(path, other=np.zeros(1))
    for content in (path.read_bytes(), b"", b"PK"):
        path.write_bytes(content)
        with pytest.raises(UsageError, match=r"a\.npz: no logits can be read"):
            read_logits(path)
    with pytest.raises(UsageError, match="no logits"):
        read_logits(tmp_path / "missing.npz")
