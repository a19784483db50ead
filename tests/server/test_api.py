"""Predictions and masks by the API."""

from __future__ import annotations

import base64
import csv
import io
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from dermseg.images import encode_png, read_image, read_mask, write_image
from dermseg.prediction import Predictor, load_model
from dermseg.review import encode_runs
from dermseg.server import Limits


def test_json_is_what_python_gives(client: TestClient, png: bytes, dark_package: Path) -> None:
    answer = client.post("/v1/predictions", content=png).json()
    expected = load_model(dark_package, precision="auto").predict(png).to_dict()
    assert {key: answer[key] for key in expected} == pytest.approx(expected)
    assert answer["threshold"] == 0.5
    assert "runs" not in answer


def test_details_hold_the_mask_and_the_probabilities(client: TestClient, png: bytes) -> None:
    answer = client.post("/v1/predictions?details=true", content=png).json()
    mask = read_mask(client.post("/v1/predictions", content=png, headers=accept("png")).content)
    assert base64.b64decode(answer["runs"]) == encode_runs(mask)
    values = np.frombuffer(base64.b64decode(answer["map"]["values"]), np.uint8)
    assert values.size == answer["map"]["width"] * answer["map"]["height"] == 48 * 64


def accept(kind: str) -> dict[str, str]:
    types = {"png": "image/png", "jpeg": "image/jpeg", "csv": "text/csv"}
    return {"accept": types.get(kind, "application/vnd.coco+json")}


@pytest.mark.slow
def test_files_are_those_of_the_command(
    serve: Any, dermseg: Callable[..., Any], tmp_path: Path, disc: Callable[..., Any]
) -> None:
    """With the packaged model, whose inputs and outputs differ in size."""
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    names = []
    for number, size in enumerate([(300, 400), (1300, 1700), (3000, 4000)]):
        image, _ = disc(size, centre=(size[1] * 0.5, size[0] * 0.45), radius=size[0] * 0.3)
        names.append(f"disc_{number}")
        write_image(folder / f"disc_{number}.jpg", image)
    assert dermseg("predict", folder, "-o", out, "--force").returncode == 0
    coco = dermseg("predict", folder, "-o", tmp_path / "coco", "--force", "--format", "coco")
    assert coco.returncode == 0
    served = serve(model=load_model(precision="auto"))
    served.log_in()
    with (out / "predictions.csv").open(newline="") as file:
        rows = {Path(row["file"]).stem: row for row in csv.DictReader(file)}
    for name in names:
        body, url = (folder / f"{name}.jpg").read_bytes(), f"/v1/predictions?force=true&name={name}"

        def get(kind: str, body: bytes = body, url: str = url) -> bytes:
            content: bytes = served.client.post(url, content=body, headers=accept(kind)).content
            return content

        assert get("png") == (out / f"{name}_segmentation.png").read_bytes()
        assert get("jpeg") == (out / f"{name}_overlay.jpg").read_bytes()
        (row,) = csv.DictReader(io.StringIO(get("csv").decode()))
        different = {key for key in row if row[key] != rows[name][key]}
        assert different <= {"file", "seconds"}
        annotation = json.loads(get("coco"))["annotations"][0]
        assert annotation["area"] == int(row["area_pixels"])


def test_a_threshold_changes_the_mask(client: TestClient, png: bytes) -> None:
    areas = [
        client.post(f"/v1/predictions?threshold={value}", content=png).json()["area_pixels"]
        for value in (0.05, 0.95)
    ]
    assert areas[0] > areas[1]
    assert client.post("/v1/predictions?threshold=1.5", content=png).status_code == 422


def test_what_cannot_be_read_is_said(client: TestClient, png: bytes) -> None:
    for body, reason in ((b"", "the body is empty"), (b"text", "")):
        answer = client.post("/v1/predictions", content=body)
        assert answer.status_code == 422
        assert reason in answer.json()["error"]
    cut = client.post("/v1/predictions", content=png[:-40])
    assert cut.status_code == 422
    assert "<" not in cut.json()["error"]
    other = client.post("/v1/predictions", content=png, headers={"accept": "image/webp"})
    assert other.status_code == 406


@pytest.mark.slow
def test_what_the_model_was_not_made_for_is_refused_unless_forced(serve: Any) -> None:
    served = serve(model=load_model(precision="auto"))
    served.log_in()
    noise = np.random.default_rng(0).integers(0, 256, (120, 160, 3)).astype(np.uint8)
    body = encode_png(noise)
    described = served.client.post("/v1/predictions", content=body)
    assert described.status_code == 200
    assert described.json()["refusal"].startswith("out of scope")
    refused = served.client.post("/v1/predictions", content=body, headers=accept("png"))
    assert refused.status_code == 422
    assert refused.json()["error"].startswith("out of scope")
    forced = served.client.post("/v1/predictions?force=1", content=body, headers=accept("png"))
    assert read_mask(forced.content).shape == (120, 160)


def test_drawn_masks_are_measured_and_made_into_files(client: TestClient) -> None:
    mask = np.zeros((30, 40), np.bool_)
    mask[5:15, 10:30] = True
    url, body = "/v1/masks?width=40&height=30&name=mole", encode_runs(mask)
    assert client.post(url, content=body).json()["area_pixels"] == 200
    drawn = client.post(url, content=body, headers=accept("png")).content
    np.testing.assert_array_equal(read_mask(drawn), mask)
    (row,) = csv.DictReader(io.StringIO(client.post(url, content=body, headers=accept("csv")).text))
    assert (row["file"], row["area_pixels"], row["mean_probability"]) == ("mole", "200", "")
    coco = client.post(url, content=body, headers=accept("coco")).json()
    assert coco["annotations"][0]["bbox"] == [10, 5, 20, 10]
    assert client.post(url, content=b"odd").status_code == 422
    empty = client.post(url, content=b"")
    assert empty.json()["area_pixels"] == 0


def test_pictures_that_browsers_cannot_show_become_jpeg(client: TestClient, png: bytes) -> None:
    answer = client.post("/v1/pictures", content=png)
    assert answer.headers["content-type"] == "image/jpeg"
    assert read_image(answer.content).shape == (96, 128, 3)


def test_attributes_are_found_when_asked_for(
    serve: Any, color_package: Callable[..., Path], png: bytes
) -> None:
    served = serve(model=load_model(color_package(), precision="auto"))
    served.log_in()
    answer = served.client.post("/v1/predictions?attributes=1&details=1", content=png).json()
    assert [entry["name"] for entry in answer["attributes"]] == [
        "globules",
        "milia_like_cyst",
        "streaks",
    ]
    assert all("runs" in entry for entry in answer["attributes"])


def test_a_server_without_a_model_says_so(serve: Any, png: bytes) -> None:
    served = serve(model=None)
    served.log_in()
    assert served.client.post("/v1/predictions", content=png).status_code == 503
    assert served.client.get("/v1/session").json()["model"] is None
    assert served.client.get("/health/ready").json() == {"status": "ready", "model": None}


def test_a_full_queue_is_said_at_once(
    serve: Any, png: bytes, predictor: Predictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = serve(limits=Limits(num_threads=1, max_waiting=1))
    served.log_in()
    release, entered = threading.Event(), threading.Semaphore(0)
    predict = predictor.predict_many

    def slow(*arguments: Any, **options: Any) -> Any:
        entered.release()
        release.wait(20)
        return predict(*arguments, **options)

    monkeypatch.setattr(predictor, "predict_many", slow)
    codes: list[int] = []

    def ask() -> None:
        codes.append(served.client.post("/v1/predictions", content=png).status_code)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    entered.acquire(timeout=20)
    while not codes:
        threading.Event().wait(0.01)
    assert codes == [503]
    assert served.client.get("/health/live").status_code == 200
    release.set()
    for thread in threads:
        thread.join(20)
    assert sorted(codes) == [200, 200, 503]


def test_the_description_names_every_route(client: TestClient) -> None:
    described = client.get("/v1/openapi.json").json()
    assert {"/v1/predictions", "/v1/masks", "/v1/session"} <= set(described["paths"])
    assert "runs" in described["components"]["schemas"]["Prediction"]["properties"]
