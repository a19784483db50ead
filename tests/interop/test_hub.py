"""Model packages on a hub, against a small fake of its API."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from dermseg.errors import DownloadError, PackageError, UsageError
from dermseg.interop.hub import fetch_model, push_model
from dermseg.package import load_package

pytest.importorskip("huggingface_hub")

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Hub(ThreadingHTTPServer):
    """One repository, ``lab/mole``, with files by name."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.files: dict[str, bytes] = {}
        self.asked: list[str] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Answers(BaseHTTPRequestHandler):
    server: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def answer(self, content: bytes, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        self.server.asked.append(path)
        missing = {"X_Error_Code": "RepoNotFound"}
        if not path.startswith(("/api/models/lab/mole", "/lab/mole/")):
            self.answer(b"{}", 404, **missing)
        elif "/tree/" in path:
            tree = [
                {"type": "file", "path": name, "size": len(content), "oid": "0" * 40}
                for name, content in self.server.files.items()
            ]
            self.answer(json.dumps(tree).encode(), Content_Type="application/json")
        elif path.startswith("/api"):
            names = [{"rfilename": name} for name in self.server.files]
            about = {"id": "lab/mole", "sha": COMMIT, "siblings": names, "private": False}
            self.answer(json.dumps(about).encode(), Content_Type="application/json")
        else:
            content = self.server.files[path.rpartition("/")[2]]
            etag = hashlib.sha256(content).hexdigest()
            self.answer(content, ETag=f'"{etag}"', X_Repo_Commit=COMMIT)

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        path = urlsplit(self.path).path
        if path.endswith("/preupload/main"):
            files = [
                {"path": file["path"], "uploadMode": "regular", "shouldIgnore": False}
                for file in json.loads(body)["files"]
            ]
            answer: dict[str, object] = {"files": files}
        elif path.endswith("/commit/main"):
            for line in body.splitlines():
                record = json.loads(line)
                if record["key"] == "file":
                    value = record["value"]
                    self.server.files[value["path"]] = base64.b64decode(value["content"])
            answer = {"commitOid": COMMIT, "commitUrl": f"{self.server.address}/lab/mole/commit/1"}
        else:
            answer = {"url": f"{self.server.address}/lab/mole", "errors": [], "warnings": []}
        self.answer(json.dumps(answer).encode(), Content_Type="application/json")


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    constants = pytest.importorskip("huggingface_hub.constants")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_TOKEN", "hf_planted")
    server = Hub()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_pushed_model_is_fetched_as_it_was(hub: Hub) -> None:
    assert push_model("fast", "hf:lab/mole", endpoint=hub.address) == COMMIT
    assert hub.files["README.md"].startswith(b"---\nlicense: apache-2.0\n")
    hub.files["run_me.py"] = b"raise SystemExit"
    folder = fetch_model(f"hf:lab/mole@{COMMIT}", endpoint=hub.address)
    assert load_package(folder).spec == load_package("fast").spec
    assert not (folder / "run_me.py").exists()
    assert not any("run_me" in path for path in hub.asked)


def test_a_network_that_was_exchanged_is_refused(hub: Hub) -> None:
    source = load_package("fast").folder
    hub.files = {name: (source / name).read_bytes() for name in ("model.json", "model.onnx")}
    hub.files["model.onnx"] += b"\0"
    with pytest.raises(PackageError, match="SHA-256"):
        fetch_model("hf:lab/mole", endpoint=hub.address)


def test_what_is_not_there_is_named(hub: Hub) -> None:
    with pytest.raises(DownloadError, match=r"hf:lab/nevus cannot be fetched: there is no such"):
        fetch_model("hf:lab/nevus", endpoint=hub.address)
    with pytest.raises(UsageError, match="hf:owner/name"):
        fetch_model("hf:mole", endpoint=hub.address)


def test_a_hub_out_of_reach_is_one_line(hub: Hub) -> None:
    del hub
    for call in (
        lambda: fetch_model("hf:lab/mole", endpoint="http://127.0.0.1:9"),
        lambda: push_model("fast", "hf:lab/mole", endpoint="http://127.0.0.1:9"),
    ):
        with pytest.raises(DownloadError, match="cannot be") as caught:
            call()
        assert "\n" not in str(caught.value)
