"""Run lengths equal those of pycocotools, and the file holds what PNG masks would."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pycocotools import coco as reference_coco
from pycocotools import mask as reference

from dermseg.errors import UsageError
from dermseg.images import read_mask, write_image
from dermseg.prediction import OutputOptions, Predictor, load_model, open_output, plan_jobs
from dermseg.prediction.output import predict_jobs
from dermseg.prediction.writers.coco import CocoMasks, encode_runs
from dermseg.storage import Folder

Disc = Callable[..., tuple[np.ndarray, np.ndarray]]
AS_COCO = OutputOptions(overlay=False, masks="coco")


@pytest.fixture(scope="module")
def predictor(dark_package: Path) -> Predictor:
    return load_model(dark_package, runtime="onnx")


@pytest.fixture
def photos(tmp_path: Path, disc: Disc) -> Path:
    """Two lesions, one at the border, an image without one, and a file that is no image."""
    folder = tmp_path / "photos"
    (folder / "deep").mkdir(parents=True)
    for name, centre, radius in (("a", (80, 60), 30), ("b", (0, 0), 50), ("none", (0, 0), -1)):
        image, _ = disc((120, 160), centre=centre, radius=radius)
        write_image(folder / f"{name}.jpg", image)
    write_image(folder / "deep" / "ä.png", disc((90, 50), centre=(25, 40), radius=20)[0])
    (folder / "broken.jpg").write_bytes(b"no image")
    return folder


def run(
    predictor: Predictor, photos: Path, out: Path, options: OutputOptions, existing: str = "refuse"
) -> int:
    jobs = plan_jobs([photos], recursive=True)
    todo, kept = open_output(out, jobs, predictor, options, existing=existing)  # type: ignore[arg-type]
    return sum(1 for _ in predict_jobs(predictor, todo, out, options, kept=kept, batch_size=2))


def test_runs_of_a_mask_made_by_hand() -> None:
    # Down the columns: 2 of background, 3 of mask, 1 of background.
    mask = np.array([[0, 1], [0, 1], [1, 0]], dtype=bool)
    assert encode_runs(mask) == "231"
    assert encode_runs(np.zeros((3, 2), dtype=bool)) == "6"
    assert encode_runs(np.ones((3, 2), dtype=bool)) == "06"


@settings(deadline=None)
@given(
    arrays(bool, st.tuples(st.integers(1, 40), st.integers(1, 40)), elements=st.booleans()),
    st.integers(1, 30),
)
def test_runs_equal_those_of_pycocotools(mask: np.ndarray, scale: int) -> None:
    large = np.repeat(np.repeat(mask, scale, axis=0), scale, axis=1)
    expected = reference.encode(np.asfortranarray(large, np.uint8))["counts"].decode()
    assert encode_runs(large) == expected


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # of pycocotools
def test_the_file_holds_the_masks_that_png_files_hold(
    predictor: Predictor, photos: Path, tmp_path: Path
) -> None:
    out, pngs = tmp_path / "out", tmp_path / "pngs"
    assert run(predictor, photos, out, AS_COCO) == 5
    run(predictor, photos, pngs, OutputOptions())
    assert sorted(path.name for path in out.rglob("*") if path.is_file()) == [
        "predictions.coco.json",
        "predictions.csv",
        "predictions.json",
        "predictions.jsonl",
    ]
    coco = reference_coco.COCO(str(out / "predictions.coco.json"))
    names = {image["file_name"]: image for image in coco.loadImgs(coco.getImgIds())}
    assert list(names) == ["a.jpg", "b.jpg", "deep/ä.png", "none.jpg"]
    assert [category["name"] for category in coco.loadCats(coco.getCatIds())] == ["lesion"]
    for name, image in names.items():
        stem = Path(name).with_suffix("")
        mask = read_mask(pngs / f"{stem}_segmentation.png")
        assert (image["height"], image["width"]) == mask.shape
        annotations = coco.loadAnns(coco.getAnnIds(imgIds=[image["id"]]))
        assert len(annotations) == (0 if name == "none.jpg" else 1)
        for annotation in annotations:
            assert np.array_equal(coco.annToMask(annotation), mask)
            runs = annotation["segmentation"]
            assert annotation["area"] == mask.sum() == reference.area(runs)
            assert annotation["bbox"] == reference.toBbox(runs).tolist()


def test_a_file_does_not_depend_on_where_the_run_was_cut(
    predictor: Predictor, photos: Path, tmp_path: Path
) -> None:
    whole, out = tmp_path / "whole", tmp_path / "out"
    run(predictor, photos, whole, AS_COCO)
    jobs = plan_jobs([photos], recursive=True)
    todo, _ = open_output(out, jobs, predictor, AS_COCO, existing="refuse")
    results = predict_jobs(predictor, todo, out, AS_COCO, batch_size=1, workers=1)
    next(results)
    next(results)
    results.close()  # type: ignore[attr-defined]
    assert not (out / "predictions.coco.json").exists()
    lines = (out / "predictions.jsonl").read_bytes().splitlines(keepends=True)
    assert len(lines) == 2
    # Half a line, as a full disk leaves it, zeros, and a line whose row never reached the disk.
    (out / "predictions.jsonl").write_bytes(lines[0] + lines[0] + bytes(9) + b"\n" + lines[1][:20])
    assert run(predictor, photos, out, AS_COCO, "skip") == 4
    for name in ("predictions.coco.json", "predictions.jsonl"):
        assert (out / name).read_bytes() == (whole / name).read_bytes()
    # The broken image is tried again each time; nothing else is.
    assert run(predictor, photos, out, AS_COCO, "skip") == 1


def test_each_line_is_kept_once(tmp_path: Path) -> None:
    records: list[dict[str, object]] = [
        {"file_name": name, "height": 1, "width": 1, "masks": []} for name in "aba"
    ]
    (tmp_path / "predictions.jsonl").write_text(
        "".join(json.dumps(record) + "\n" for record in records)
    )
    kept = CocoMasks.kept_lines(Folder(tmp_path), {"a", "c"})
    assert [json.loads(line)["file_name"] for line in kept] == ["a"]


def test_the_two_formats_are_not_mixed_and_nothing_is_overwritten(
    predictor: Predictor, photos: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    run(predictor, photos, out, OutputOptions(overlay=False))
    with pytest.raises(UsageError, match="masks None, now coco"):
        run(predictor, photos, out, AS_COCO, "skip")
    other = tmp_path / "other"
    run(predictor, photos, other, AS_COCO)
    (other / "predictions.csv").unlink()
    with pytest.raises(UsageError, match=r"predictions\.jsonl is already there"):
        run(predictor, photos, other, AS_COCO)
    with pytest.raises(UsageError, match="masks coco, now None"):
        run(predictor, photos, other, OutputOptions(overlay=False), "skip")
    run(predictor, photos, other, OutputOptions(overlay=False), "overwrite")
    assert not list(other.glob("*.jsonl")) + list(other.glob("*.coco.json"))
