"""``dermseg serve`` as a user starts it."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dermseg.review import encode_runs

AUTH = {"Authorization": "Bearer for-programs"}
JSON = {"Content-Type": "application/json"}


def ask(
    port: int, method: str, path: str, body: bytes | None = None, **headers: str
) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request(method, path, body, AUTH | headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def wait_until_ready(port: int) -> None:
    for _ in range(200):
        try:
            if ask(port, "GET", "/health/ready")[0] == 200:
                return
        except OSError:
            time.sleep(0.05)
    pytest.fail("the server is not ready")


def test_it_serves_logs_without_names_and_ends_by_a_signal(
    start_command: Callable[..., Any],
    photographs: Path,
    free_port: int,
    png: bytes,
    server_log: Path,
) -> None:
    process, address = start_command(photographs)
    assert address.startswith(f"http://127.0.0.1:{free_port}/#token=")
    wait_until_ready(free_port)
    status, body = ask(free_port, "POST", "/v1/predictions?name=secret-name", png)
    assert status == 200
    assert json.loads(body)["area_pixels"] > 0
    assert ask(free_port, "GET", "/health/ready", Host="evil.example")[0] == 400
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    log = server_log.read_text()
    assert process.returncode == 130
    assert "POST /v1/predictions 200" in log
    assert "secret-name" not in log
    assert "Traceback" not in log
    assert address.split("=")[1] not in log


def test_a_second_server_on_one_project_or_port_is_refused(
    start_command: Callable[..., Any],
    photographs: Path,
    free_port: int,
    dermseg: Callable[..., Any],
    dark_package: Path,
) -> None:
    start_command(photographs)
    again = dermseg("serve", photographs, "--model", dark_package, "--port", free_port)
    assert again.returncode == 2
    assert "is served already" in again.stderr
    taken = dermseg("serve", "--model", dark_package, "--port", free_port)
    assert taken.returncode == 2
    assert "name another --port" in taken.stderr


def test_a_slow_client_does_not_keep_others_out(
    start_command: Callable[..., Any], free_port: int
) -> None:
    start_command()
    wait_until_ready(free_port)
    slow = [socket.create_connection(("127.0.0.1", free_port)) for _ in range(20)]
    for connection in slow:
        connection.sendall(b"POST /v1/predictions HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A: ")
    started = time.monotonic()
    assert ask(free_port, "GET", "/health/live")[0] == 200
    assert time.monotonic() - started < 3
    for connection in slow:
        connection.close()
    huge = {"X-Huge": "x" * 200_000}
    # It may hang up while the header is still coming.
    with contextlib.suppress(ConnectionError, http.client.HTTPException):
        assert ask(free_port, "GET", "/health/live", None, **huge)[0] in (400, 431)
    assert ask(free_port, "GET", "/health/live")[0] == 200


@pytest.mark.slow
def test_what_was_saved_survives_a_kill(
    start_command: Callable[..., Any], photographs: Path, free_port: int
) -> None:
    """Each answer to a saved draft is kept, at whatever moment the server is killed."""
    kept: dict[str, bytes] = {}
    for round_ in range(4):
        process, _ = start_command(photographs)
        wait_until_ready(free_port)
        deadline = time.monotonic() + 1.2 + 0.13 * round_
        status, body = ask(free_port, "POST", "/v1/queue/next", b"{}", **JSON)
        assert status == 200
        image = json.loads(body)["id"]
        if image in kept:
            assert ask(free_port, "GET", f"/v1/images/{image}/draft")[1] == kept[image]
        row = 0
        while time.monotonic() < deadline:
            mask = np.zeros((96, 128), np.bool_)
            mask[row % 96, : 1 + round_] = True
            runs = encode_runs(mask)
            path = f"/v1/images/{image}/draft?base=0"
            assert ask(free_port, "PUT", path, runs)[0] == 204
            kept[image], row = runs, row + 1
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        with sqlite3.connect(photographs / ".dermseg" / "review.sqlite") as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert kept


def test_review_commands(
    dermseg: Callable[..., Any], photographs: Path, tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.setenv("DERMSEG_PASSWORD", "correct horse")
    assert dermseg("review", "account", photographs, "Anna", "--owner").returncode == 0
    assert dermseg("review", "account", photographs, "Anna", "--remove").returncode == 0
    gone = dermseg("review", "account", photographs, "Anna", "--remove")
    assert (gone.returncode, "no account is named" in gone.stderr) == (2, True)
    empty = dermseg("review", "export", photographs, "-o", tmp_path / "out")
    assert (empty.returncode, "nothing in" in empty.stderr) == (2, True)
    nowhere = dermseg("serve", tmp_path / "nowhere", "--no-model")
    assert (nowhere.returncode, "no such folder" in nowhere.stderr) == (2, True)
    both = dermseg("serve", "--no-model", "--attributes")
    assert (both.returncode, "excludes" in both.stderr) == (2, True)
