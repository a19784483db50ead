"""Model packages on the Hugging Face hub: pushed as they are, fetched without any code.

Only the files of a package are transferred. What was fetched is opened as any package is, by
:func:`dermseg.package.load_package`, which compares the network with its checksum.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from dermseg.errors import DownloadError, MissingExtraError, PackageError, UsageError
from dermseg.package import ModelPackage, load_package

__all__ = ["PREFIX", "fetch_model", "push_model"]

PREFIX: Final = "hf:"

_NAME = re.compile(r"hf:(?P<repo>[\w.-]+/[\w.-]+)(?:@(?P<revision>[\w./-]+))?")
_FILES = [
    "model.json",
    "model.onnx",
    "weights.safetensors",
    "recipe.toml",
    "MODEL_CARD.md",
    "*.png",
]
_CARD = "MODEL_CARD.md"


def fetch_model(address: str, *, endpoint: str | None = None) -> Path:
    """Fetch a model package into the hub's cache; what is there already is not fetched again.

    Args:
        address: ``hf:owner/name@revision``; a branch, tag or commit, by default ``main``, which
            its owner can change at any time.
        endpoint: Address of another hub; None takes the public one, or ``HF_ENDPOINT``.

    Returns:
        The folder of the package.

    Raises:
        UsageError: If the address is none.
        MissingExtraError: If huggingface_hub is not installed.
        DownloadError: If the hub cannot be reached, or has no such model or revision.
        PackageError: If what is there is no whole model package.
    """
    repo, revision = _parse(address)
    hub = _hub()
    with _explaining(f"{address} cannot be fetched"):
        folder = hub.snapshot_download(
            repo, revision=revision, allow_patterns=_FILES, endpoint=endpoint
        )
    return load_package(folder).folder


def push_model(model: str | Path, address: str, *, endpoint: str | None = None) -> str:
    """Push a model package; the repository is made, private, if it is not there.

    The card is also written as ``README.md``, with the head that the hub reads.

    Args:
        model: A shipped model's name or a package's folder.
        address: ``hf:owner/name@branch``, by default the branch ``main``.
        endpoint: As for :func:`fetch_model`.

    Returns:
        The commit that was made.

    Raises:
        UsageError: If the address is none.
        PackageError: If the package cannot be loaded, or has no card.
        MissingExtraError: If huggingface_hub is not installed.
        DownloadError: If the hub cannot be reached, or refuses the files.
    """
    repo, revision = _parse(address)
    package = load_package(model)
    card = _hub_card(package)
    hub = _hub()
    operations = [hub.CommitOperationAdd("README.md", card.encode())]
    for pattern in _FILES:
        operations += [
            hub.CommitOperationAdd(path.name, path) for path in sorted(package.folder.glob(pattern))
        ]
    with _explaining(f"{address} cannot be pushed"):
        api = hub.HfApi(endpoint=endpoint)
        api.create_repo(repo, private=True, exist_ok=True)
        commit = api.create_commit(
            repo, operations, commit_message=f"Push {package.spec.name}", revision=revision
        )
    return str(commit.oid)


def _parse(address: str) -> tuple[str, str]:
    match = _NAME.fullmatch(address)
    if match is None:
        message = f"'{address}' is no model on the hub: expected hf:owner/name or with @revision"
        raise UsageError(message)
    return match["repo"], match["revision"] or "main"


def _hub_card(package: ModelPackage) -> str:
    path = package.folder / _CARD
    if not path.is_file():
        message = f"{path} is missing: a model without a card is not pushed; export it again"
        raise PackageError(message)
    licence = (package.spec.licence or "other").lower()
    head = {
        "license": licence,
        "library_name": "dermseg",
        "pipeline_tag": "image-segmentation",
        "tags": "[dermoscopy, skin-lesion, onnx]",
    }
    lines = [f"{key}: {value}" for key, value in head.items()]
    return "\n".join(["---", *lines, "---", "", path.read_text("utf-8")])


def _hub() -> Any:  # noqa: ANN401 -- a module
    if find_spec("huggingface_hub") is None:
        raise MissingExtraError("the Hugging Face hub", "hub")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    import huggingface_hub  # noqa: PLC0415 -- an optional extra, and slow to import

    return huggingface_hub


@contextmanager
def _explaining(what: str) -> Iterator[None]:
    """Turn what the hub's client raises into one line."""
    from huggingface_hub import errors  # noqa: PLC0415 -- an optional extra

    # The hub's versions are built on different clients, whose errors this one extends.
    client_errors: tuple[Any, ...] = errors.HfHubHTTPError.__bases__
    try:
        yield
    except errors.GatedRepoError as error:
        message = f"{what}: its owner must grant access first; then log in with `hf auth login`"
        raise DownloadError(message) from error
    except errors.RepositoryNotFoundError as error:
        message = f"{what}: there is no such model, or it is private; log in with `hf auth login`"
        raise DownloadError(message) from error
    except errors.RevisionNotFoundError as error:
        message = f"{what}: there is no such revision"
        raise DownloadError(message) from error
    except (*client_errors, OSError, ValueError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        message = f"{what}: the hub cannot be reached or refused ({reason})"
        raise DownloadError(message) from error
