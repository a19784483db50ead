"""A project by the API, as the page uses it."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dermseg.images import read_image, read_mask
from dermseg.review import Project, Reviewer, encode_runs


@pytest.fixture
def browser(serve: Any, photographs: Path) -> Any:
    served = serve(photographs)
    served.log_in()
    wait_for_index(served.client)
    return served


def wait_for_index(client: Any) -> None:
    for _ in range(600):
        images = client.get("/v1/images").json()["images"]
        if all(image["revision"] or image["error"] for image in images):
            return
        time.sleep(0.05)
    pytest.fail("the photographs were not predicted")


def test_photographs_are_predicted_in_the_background(browser: Any, photographs: Path) -> None:
    page = browser.client.get("/v1/images?order=name").json()
    assert page["total"] == 5
    first = page["images"][0]
    assert first["size"] == [96, 128]
    assert first["name"] == "disc_0.png"
    assert "photographs" not in str(page)
    mask = browser.client.get(f"/v1/images/{first['id']}/mask", headers={"accept": "image/png"})
    assert 400 < read_mask(mask.content).sum() < 900
    assert browser.client.get("/v1/project").json()["progress"]["open"] == 5


def test_a_broken_photograph_is_named_and_not_in_the_queue(serve: Any, photographs: Path) -> None:
    (photographs / "broken.jpg").write_bytes(b"\xff\xd8\xff no")
    served = serve(photographs)
    served.log_in()
    wait_for_index(served.client)
    images = served.client.get("/v1/images?text=broken").json()["images"]
    assert images[0]["error"]
    seen = []
    while (image := served.client.post("/v1/queue/next", json={}).json()) is not None:
        seen.append(image["name"])
        url = f"/v1/images/{image['id']}/decisions"
        assert served.client.post(url, json={"action": "skip"}).status_code == 200
    assert len(seen) == 5
    assert "broken.jpg" not in seen


def test_drawing_accepting_and_going_back(browser: Any) -> None:
    client = browser.client
    image = client.post("/v1/queue/next", json={}).json()
    url, drawn = f"/v1/images/{image['id']}", np.zeros((96, 128), np.bool_)
    drawn[10:20] = True
    put = client.put(f"{url}/draft?base=1", content=encode_runs(drawn))
    assert put.status_code == 204
    assert client.get(f"{url}/draft").content == encode_runs(drawn)
    assert client.get(url).json()["draft"]["base"] == 1
    wrong = client.put(f"{url}/draft?base=1", content=b"\xff" * 16)
    assert wrong.status_code == 422
    done = client.post(f"{url}/decisions", json={"action": "accept", "comment": "hair"}).json()
    assert (done["state"], done["source"], done["comment"]) == ("corrected", "corrected", "hair")
    back = client.post(f"{url}/restore", json={"number": 1}).json()
    assert (back["number"], back["state"]) == (3, "open")
    revisions = client.get(url).json()["revisions"]
    assert [step["action"] for step in revisions] == ["predict", "accept", "restore"]
    masks = [client.get(f"{url}/mask?revision={number}").content for number in (1, 2, 3)]
    assert masks[0] == masks[2] != masks[1] == encode_runs(drawn)
    assert client.get(f"{url}/mask?revision=9").status_code == 404
    assert client.post(f"{url}/decisions", json={"action": "predict"}).status_code == 422


def test_what_another_has_open_is_a_conflict(browser: Any, photographs: Path) -> None:
    image = browser.client.post("/v1/queue/next", json={}).json()
    browser.log_in()  # another browser, with a cookie of its own
    url = f"/v1/images/{image['id']}"
    for method, path, body in (
        ("POST", "/lease", {}),
        ("POST", "/decisions", {"action": "accept"}),
        ("POST", "/restore", {"number": 1}),
    ):
        answer = browser.client.request(method, url + path, json=body)
        assert answer.status_code == 409
        assert "Anna has" in answer.json()["error"]
    assert browser.client.put(f"{url}/draft?base=1", content=b"").status_code == 409
    assert browser.client.get("/v1/images?text=disc").json()["total"] == 5


def test_pictures_are_upright_and_small_ones_outlined(browser: Any) -> None:
    image = browser.client.get("/v1/images").json()["images"][0]
    url = f"/v1/images/{image['id']}/picture"
    assert read_image(browser.client.get(url).content).shape == (96, 128, 3)
    small = read_image(browser.client.get(f"{url}?side=64").content)
    assert small.shape == (48, 64, 3)
    assert (small.astype(int)[..., 1] - small[..., 0] > 60).any()  # the turquoise line


def test_second_opinions_agree_or_not(browser: Any) -> None:
    client = browser.client
    image = client.post("/v1/queue/next", json={}).json()
    url = f"/v1/images/{image['id']}"
    assert client.post(f"{url}/decisions", json={"action": "accept"}).status_code == 200
    browser.project.accounts.add("Béla", "correct horse")
    client.post("/v1/login", json={"name": "Béla", "password": "correct horse"})
    client.headers["x-csrf-token"] = client.get("/v1/session").json()["csrf"]
    query = "?state=accepted&state=corrected&not_reviewer=B%C3%A9la"
    assert client.post(f"/v1/queue/next{query}", json={}).json()["id"] == image["id"]
    client.put(f"{url}/draft?base=1", content=b"")
    client.post(f"{url}/decisions", json={"action": "accept"})
    assert client.post(f"/v1/queue/next{query}", json={}).json() is None
    agreement = client.get("/v1/agreement").json()
    (pair,) = agreement["pairs"]
    assert pair["reviewers"] == ["Anna", "Béla"]
    assert (pair["num_images"], pair["dice"], pair["low"]) == (1, 0.0, None)
    assert agreement["images"][0]["name"] == image["name"]


def test_reviewing_and_drawing_need_no_model(serve: Any, photographs: Path) -> None:
    served = serve(photographs, model=None)
    served.log_in()
    image = served.client.post("/v1/queue/next", json={}).json()
    assert image["size"] == [96, 128]
    url = f"/v1/images/{image['id']}"
    nothing = served.client.post(f"{url}/decisions", json={"action": "accept"})
    assert nothing.status_code == 422
    full = encode_runs(np.ones((96, 128), np.bool_))
    assert served.client.put(f"{url}/draft?base=0", content=full).status_code == 204
    done = served.client.post(f"{url}/decisions", json={"action": "accept"}).json()
    assert (done["source"], done["model"]) == ("drawn", None)


def test_two_browsers_review_all_and_nothing_twice(photographs: Path, serve: Any) -> None:
    """Through the store, since the client of these tests has one jar of cookies."""
    served = serve(photographs, model=None)
    project: Project = served.project
    for image in project.queue.list_images()[0]:
        project.history.set_size(image.id, (96, 128))
    seen: list[str] = []
    lock = threading.Lock()

    def review(number: int) -> None:
        me = Reviewer("x", f"browser {number}")
        while (image := project.queue.take_next(me)) is not None:
            with lock:
                seen.append(image.id)
            project.history.save_draft(image.id, me, 0, np.zeros((96, 128), np.bool_))
            project.history.decide(image.id, me, "accept")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(review, range(4)))
    assert sorted(seen) == sorted(image.id for image in project.queue.list_images()[0])
    assert project.queue.progress()["open"] == 0
