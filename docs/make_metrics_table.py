"""Print the tables of docs/metrics.md: the protocols, and what each makes of the same masks.

python docs/make_metrics_table.py
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from dermseg.cli.evaluation_tables import protocol_lines
from dermseg.evaluation import PROTOCOLS, Measures, evaluate_masks
from dermseg.images import write_mask
from dermseg.phantom import create_phantom
from dermseg.types import BoolMask

_SIZE = (96, 128)
_LARGE_SIZE = (192, 256)


def main() -> None:
    """Print both tables."""
    print(protocol_rows())
    print()
    print(example())


def protocol_rows() -> str:
    """The table of protocols, in Markdown."""
    rows = ["| `--protocol` | taken over | masks without lesion | source |", "|---|---|---|---|"]
    for name, protocol in PROTOCOLS.items():
        call = ":".join([name, *(parameter.upper() for parameter in protocol.parameters)])
        taken_over = protocol.taken_over
        if protocol.scaling.size is not None:
            taken_over += f" ({protocol.scaling.method})"
        if protocol.binary:
            which = "both masks" if "prediction" in protocol.binary else "the truth"
            taken_over += f"; {which} must hold only 0 and 255"
        rows.append(f"| `{call}` | {taken_over} | {protocol.empty} | {protocol.reference} |")
    return "\n".join(rows)


def example() -> str:
    """What `dermseg evaluate --protocol all` prints for the generated masks."""
    with tempfile.TemporaryDirectory() as name:
        truths, predictions = Path(name) / "truth", Path(name) / "predictions"
        for folder in (truths, predictions):
            folder.mkdir()
        for number, (truth, prediction) in enumerate(mask_pairs()):
            file = f"PHANTOM_{number:07}_attribute_globules.png"
            write_mask(truths / file, truth)
            write_mask(predictions / file, prediction)
        measures = Measures(protocols=tuple(PROTOCOLS.values()))
        evaluation = evaluate_masks(truths, predictions, measures=measures)
    return "\n".join(line.rstrip() for line in protocol_lines(evaluation.protocols))


def mask_pairs() -> Iterator[tuple[BoolMask, BoolMask]]:
    """Truth and prediction of 40 images: lesions of every size, no lesion, all lesion."""
    empty, full = np.zeros(_SIZE, np.bool_), np.ones(_SIZE, np.bool_)
    for seed in range(24):
        yield _lesion(seed, size=_LARGE_SIZE if seed % 4 == 0 else _SIZE, roughness=4)
    for seed in range(24, 30):  # found, but badly
        yield _lesion(seed, size=_SIZE, roughness=25)
    for side, shift in ((2, 0), (3, 1), (4, 2), (6, 4)):  # tiny lesions
        tiny = empty.copy()
        tiny[40 : 40 + side, 60 : 60 + side] = True
        yield tiny, np.roll(tiny, shift, axis=1)
    yield empty, empty
    yield empty, empty
    yield empty, _lesion(30, size=_SIZE, roughness=4)[1]  # a false alarm
    yield _lesion(31, size=_SIZE, roughness=4)[0], empty  # a lesion that was missed
    yield full, full
    yield full, _lesion(32, size=_SIZE, roughness=4)[1]


def _lesion(seed: int, *, size: tuple[int, int], roughness: float) -> tuple[BoolMask, BoolMask]:
    """A lesion, and one whose border is ``roughness`` pixels off where it is furthest off."""
    lesion = create_phantom(seed, size=size).lesion
    white = np.random.default_rng(seed).standard_normal(size).astype(np.float32)
    noise = cv2.GaussianBlur(white, (0, 0), 9)
    return lesion.mask, np.asarray(lesion.distance > roughness * noise / np.abs(noise).max())


if __name__ == "__main__":
    main()
