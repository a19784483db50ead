"""The page in a real browser."""

from __future__ import annotations

import io
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from dermseg.images import read_mask

pytestmark = pytest.mark.slow
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
]  # fmt: skip


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser: Browser, start_command: Callable[..., Any]) -> Iterator[Callable[..., Page]]:
    """Starts a server and opens its page; fails on errors of scripts and requests elsewhere."""
    contexts: list[BrowserContext] = []
    foreign: list[str] = []
    errors: list[str] = []

    def open_(*arguments: object, **options: Any) -> Page:
        _, address = start_command(*arguments)
        origin = address.partition("/#")[0]
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on(
            "request",
            lambda request: (
                foreign.append(request.url)
                if not request.url.startswith((origin, "blob:"))
                else None
            ),
        )
        page.goto(address)
        page.wait_for_selector("nav a")
        return page

    yield open_
    for context in contexts:
        context.close()
    assert foreign == []
    assert errors == []


def drop(page: Page, *paths: Path) -> None:
    page.set_input_files(".drop input[type=file] >> nth=0", [str(path) for path in paths])
    page.wait_for_selector(".downloads", timeout=30_000)


def draw(page: Page, *points: tuple[float, float]) -> None:
    """A stroke through places, as shares of the stage."""
    box = page.locator(".stage").bounding_box()
    assert box
    for index, (x, y) in enumerate(points):
        page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=5)
        if index == 0:
            page.mouse.down()
    page.mouse.up()


def download(page: Page, label: str) -> bytes:
    with page.expect_download() as started:
        page.click(f".downloads button:has-text('{label}')")
    return Path(started.value.path()).read_bytes()


def test_a_photograph_is_outlined_corrected_and_taken_home(
    open_page: Callable[..., Page],
    photographs: Path,
    dermseg: Callable[..., Any],
    dark_package: Path,
    tmp_path: Path,
) -> None:
    page = open_page()
    drop(page, photographs / "disc_0.png", photographs / "disc_1.png")
    out = tmp_path / "out"
    assert dermseg("predict", photographs, "-o", out, "--model", dark_package).returncode == 0
    uncorrected = download(page, "Mask")
    assert uncorrected == (out / "disc_0_segmentation.png").read_bytes()
    draw(page, (0.4, 0.2), (0.6, 0.2))
    page.wait_for_selector(".pill.corrected")
    corrected = read_mask(download(page, "Mask"))
    before = read_mask(uncorrected)
    assert (corrected & before).sum() == before.sum()
    assert corrected.sum() > before.sum() + 100
    page.keyboard.press("Control+z")
    assert (read_mask(download(page, "Mask")) == before).all()
    page.wait_for_selector(".chip.ready >> nth=1")
    with zipfile.ZipFile(io.BytesIO(download(page, "Everything"))) as archive:
        assert archive.testzip() is None
        assert sorted(archive.namelist()) == [
            "disc_0_overlay.jpg",
            "disc_0_segmentation.png",
            "disc_1_overlay.jpg",
            "disc_1_segmentation.png",
            "predictions.coco.json",
            "predictions.csv",
        ]
        assert len(archive.read("predictions.csv").splitlines()) == 3


def test_the_threshold_shows_at_once_and_exactly_when_let_go(
    open_page: Callable[..., Page], photographs: Path
) -> None:
    page = open_page()
    drop(page, photographs / "disc_2.png")
    area = "() => document.querySelector('.measures dd').textContent"
    before = page.evaluate(area)
    page.focus("#threshold")
    for _ in range(30):
        page.keyboard.press("ArrowLeft")
    page.wait_for_function(f"({area})() !== {before!r}")
    assert page.locator("output").inner_text() != "0.50"


def test_a_project_is_reviewed_by_keys(
    open_page: Callable[..., Page], photographs: Path, dermseg: Callable[..., Any], tmp_path: Path
) -> None:
    page = open_page(photographs)
    names = set()
    for key in ("a", "r", "n"):
        page.wait_for_selector(".decisions")
        page.wait_for_selector(".review:not(.busy)")
        names.add(page.locator(".panel .name").inner_text())
        done = page.locator(".progress p").inner_text()
        page.keyboard.press(key)
        page.wait_for_function(
            "done => document.querySelector('.progress p').textContent !== done", arg=done
        )
    assert len(names) == 3
    page.wait_for_selector(".review:not(.busy)")
    draw(page, (0.3, 0.3), (0.5, 0.3))
    page.wait_for_selector(".saving[data-state=saved]", timeout=2500)
    page.keyboard.press("a")
    page.wait_for_function(
        "() => document.querySelector('.progress p').textContent.startsWith('4')"
    )
    page.click("nav a:has-text('Contact sheet')")
    page.wait_for_selector(".sheet .pill.corrected")
    assert page.locator(".sheet li").count() == 5
    exported = dermseg("review", "export", photographs, "-o", tmp_path / "dataset")
    assert "2 images written" in exported.stdout
    assert "1 corrected" in exported.stdout


def test_a_killed_browser_loses_no_more_than_two_seconds(
    open_page: Callable[..., Page], photographs: Path
) -> None:
    page = open_page(photographs)
    page.wait_for_selector(".decisions")
    page.wait_for_selector(".review:not(.busy)")
    address = page.url
    draw(page, (0.3, 0.3), (0.5, 0.3))
    time.sleep(2)
    state = page.context.storage_state()
    context = page.context.browser.new_context(storage_state=state)  # type: ignore[union-attr]
    page.context.close()  # without asking the page
    again = context.new_page()
    again.goto(address)
    again.wait_for_selector(".toast:has-text('Your drawing')")
    context.close()


@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_serious_stands_in_the_way_of_anyone(
    open_page: Callable[..., Page], photographs: Path, width: int
) -> None:
    size: Any = {"width": width, "height": 800}
    page = open_page(photographs, viewport=size)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        for view, shown in (
            ("review", ".decisions"),
            ("sheet", ".sheet li"),
            ("agreement", ".page h1"),
            ("try", ".view.try"),
        ):
            page.goto(page.url.partition("#")[0] + f"#/{view}")
            page.wait_for_selector(shown)
            if view == "try" and scheme == "light":
                drop(page, photographs / "disc_0.png")
            page.wait_for_timeout(200)
            found = Axe().run(page).response["violations"]
            serious = [
                (violation["id"], violation["nodes"][0]["html"])
                for violation in found
                if violation["impact"] in ("serious", "critical")
            ]
            assert serious == [], view
            across = "() => document.documentElement.scrollWidth - innerWidth"
            assert page.evaluate(across) <= 0
