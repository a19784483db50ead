"""``dermseg push``, and models that are fetched from the hub."""

from __future__ import annotations

from typing import Annotated

import typer

from dermseg.cli.terminal import print_line

__all__ = ["fetched", "push"]


def push(
    model: Annotated[str, typer.Argument(help="A shipped model's name or a package's folder.")],
    address: Annotated[str, typer.Argument(help="hf:owner/name, or with @branch.")],
) -> None:
    """Push a model package to the Hugging Face hub; a new repository is private.

    Needs the extra 'hub' and a login: `hf auth login`. To use it: --model hf:owner/name@revision.
    """
    from dermseg.interop.hub import push_model

    commit = push_model(model, address)
    print_line(f"{model} pushed to {address}, commit {commit}")


def fetched(model: str | None) -> str | None:
    """The model as ``load_model`` takes it: one on the hub becomes the folder it was fetched to."""
    if model is None or not model.startswith("hf:"):
        return model
    from dermseg.interop.hub import fetch_model

    return str(fetch_model(model))
