from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from dermseg.errors import UsageError
from dermseg.review import LEASE_SECONDS, Filters, Project, Reviewer


def names(project: Project, filters: Filters, **options: Any) -> list[str]:
    return [image.name[5] for image in project.queue.list_images(filters, **options)[0]]


def test_the_least_sure_comes_first_and_what_no_model_judged_last(
    project: Project, predict: Any, anna: Reviewer
) -> None:
    predict(3, 0.9)
    predict(4, 0.2)
    taken = []
    for _ in range(3):
        image = project.queue.take_next(anna)
        assert image is not None
        taken.append(image.name)
        project.history.decide(image.id, anna, "skip")
    assert taken == ["mole_4.png", "mole_3.png", "mole_0.png"]


def test_an_image_is_leased_to_one_browser(
    project: Project, ids: list[str], anna: Reviewer, bela: Reviewer
) -> None:
    first, second = project.queue.take_next(anna), project.queue.take_next(bela)
    assert first
    assert second
    assert first.id != second.id
    assert project.queue.get(first.id).leased_to == "Anna"
    for act in (
        lambda: project.queue.take(first.id, bela),
        lambda: project.queue.keep(first.id, replace(anna, session="her other browser")),
        lambda: project.history.decide(first.id, bela, "reject"),
    ):
        with pytest.raises(UsageError, match=r"Anna has mole_0\.png open"):
            act()
    project.queue.give_back(anna)
    assert project.queue.take(first.id, bela).leased_to == "Béla"


def test_a_lease_ends(
    project: Project, anna: Reviewer, bela: Reviewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = project.queue.take_next(anna)
    assert first is not None
    now = time.time()
    monkeypatch.setattr("dermseg.review.queue.time.time", lambda: now + LEASE_SECONDS + 1)
    assert project.queue.get(first.id).leased_to is None
    assert project.queue.take_next(bela) == replace(first, leased_to="Béla")
    with pytest.raises(UsageError, match="Béla has"):
        project.queue.keep(first.id, anna)


def test_nobody_gets_what_another_has_when_all_ask_at_once(project: Project) -> None:
    def take(number: int) -> str | None:
        image = project.queue.take_next(Reviewer("x", str(number)))
        return None if image is None else image.id

    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(take, range(8)))
    assert len({image for image in taken if image}) == 6
    assert taken.count(None) == 2


def test_filters(project: Project, predict: Any, ids: list[str], anna: Reviewer) -> None:
    predict(1, 0.3)
    predict(2, 0.8)
    project.queue.take(ids[2], anna)
    project.history.decide(ids[2], anna, "accept")
    assert names(project, Filters(states=("accepted",))) == ["2"]
    assert names(project, Filters(reviewer="Anna")) == ["2"]
    assert names(project, Filters(not_reviewer="Anna"), order="name") == list("01345")
    assert names(project, Filters(least_expected=0.5)) == ["2"]
    assert names(project, Filters(most_expected=0.5)) == ["1"]
    assert names(project, Filters(attribute="streaks")) == ["1"]
    assert names(project, Filters(text="E_5")) == ["5"]
    assert names(project, Filters(text="%")) == []
    assert names(project, Filters(), order="name", start=4, number=9) == ["4", "5"]
    assert names(project, Filters(), order="latest")[0] == "2"
    assert project.queue.progress()["open"] == 5
    assert project.queue.reviewers() == ["Anna"]
    assert project.queue.attributes() == ["streaks"]
