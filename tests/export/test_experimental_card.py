"""What is experimental says so in its card."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from dermseg.export.card import model_card
from dermseg.package import load_package


def test_the_card_says_that_a_model_is_experimental(color_package: Callable[..., Path]) -> None:
    spec = load_package(color_package()).spec
    assert "Experimental" not in model_card(spec)
    assert "\n\n**Experimental.** " in model_card(spec.model_copy(update={"experimental": True}))
