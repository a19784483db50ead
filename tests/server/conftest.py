"""A server in this process for each test, with the model whose answer is known."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from dermseg.images import encode_png, write_image
from dermseg.prediction import Predictor, load_model
from dermseg.review import Project
from dermseg.server import Limits, Sessions, create_app

HOST = "127.0.0.1:8765"
NUM_PHOTOGRAPHS = 5


@dataclass
class Served:
    """An application with its one-time tokens."""

    client: TestClient
    tokens: list[str]
    project: Project | None
    headers: dict[str, str] = field(default_factory=dict)

    def log_in(self) -> None:
        assert self.client.post("/v1/login", json={"token": self.tokens[-1]}).status_code == 204
        csrf = self.client.get("/v1/session").json()["csrf"]
        self.client.headers["x-csrf-token"] = csrf


@pytest.fixture(scope="session")
def predictor(dark_package: Path) -> Predictor:
    return load_model(dark_package, precision="auto")


@pytest.fixture
def photographs(tmp_path: Path, disc: Callable[..., Any]) -> Path:
    """Photographs of discs of different sizes."""
    folder = tmp_path / "photographs"
    folder.mkdir()
    for number in range(NUM_PHOTOGRAPHS):
        image, _ = disc((96, 128), centre=(60, 50), radius=14 + 4 * number)
        write_image(folder / f"disc_{number}.png", image)
    return folder


@pytest.fixture
def png(disc: Callable[..., Any]) -> bytes:
    """A photograph as the content of a file."""
    image, _ = disc((96, 128), centre=(60, 50), radius=30)
    return encode_png(image)


@pytest.fixture
def serve(predictor: Predictor) -> Iterator[Callable[..., Served]]:
    """Serves a project, or none; what it began ends with the test."""
    opened: list[TestClient] = []

    def start(
        folder: Path | None = None,
        *,
        model: Predictor | None = predictor,
        limits: Limits = Limits(),  # noqa: B008 -- it cannot be changed
        **options: Any,
    ) -> Served:
        project = None
        if folder is not None:
            project = Project(folder)
            project.scan()
        tokens: list[str] = []
        sessions = Sessions(
            b"k" * 32,
            local_name="Anna",
            accounts=None if project is None else project.accounts,
            on_token=tokens.append,
            **options,
        )
        app = create_app(model, project, sessions, hosts=[HOST], port=8765, limits=limits)
        client = TestClient(app, base_url=f"http://{HOST}")
        client.__enter__()
        opened.append(client)
        return Served(client, tokens, project)

    yield start
    for client in opened:
        client.__exit__()


@pytest.fixture
def client(serve: Callable[..., Served]) -> TestClient:
    """A browser that is logged in to a server without a project."""
    served = serve()
    served.log_in()
    return served.client


@pytest.fixture
def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def server_log(tmp_path: Path) -> Path:
    """What the servers of a test say on standard error."""
    return tmp_path / "server.log"


@pytest.fixture
def start_command(
    command: str, free_port: int, dark_package: Path, server_log: Path
) -> Iterator[Callable[..., tuple[subprocess.Popen[str], str]]]:
    """Runs ``dermseg serve`` as a user does; gives the process and the address that it prints."""
    started: list[subprocess.Popen[str]] = []

    def start(
        *arguments: object, wait: bool = True, **env: str
    ) -> tuple[subprocess.Popen[str], str]:
        line = [command, "serve", "--port", str(free_port), "--model", str(dark_package)]
        with server_log.open("ab") as log:
            process = subprocess.Popen(
                [*line, *map(str, arguments)],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env=os.environ | {"DERMSEG_API_TOKEN": "for-programs"} | env,
            )
        started.append(process)
        assert process.stdout is not None
        return process, process.stdout.readline().split()[-1] if wait else ""

    yield start
    for process in started:
        process.send_signal(signal.SIGTERM)
        try:
            process.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


@pytest.fixture(scope="session")
def chromium() -> str:
    """The system's Chromium; in CI it must be there."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        reason = "needs a Chromium of the system: apt-get install chromium"
        if os.environ.get("CI") and sys.platform == "linux":
            pytest.fail(reason)
        pytest.skip(reason)
    return found
