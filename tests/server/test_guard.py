"""What is refused, and what is let in."""

from __future__ import annotations

import asyncio
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request
from starlette.testclient import TestClient

from dermseg.errors import UsageError
from dermseg.review import hash_password
from dermseg.server import Limits, Place, Sessions, run_server
from dermseg.server.guard import Guard
from dermseg.server.sessions import SESSION_SECONDS


def test_without_a_token_nothing_but_the_login_is_shown(serve: Any) -> None:
    client = serve().client
    for path in ("/v1/session", "/v1/openapi.json", "/v1/project", "/docs"):
        assert client.get(path).status_code == 401
    assert client.post("/v1/predictions", content=b"x").status_code == 401
    page = client.get("/")
    assert page.status_code == 401
    assert "login.js" in page.text


def test_a_token_opens_once(serve: Any) -> None:
    served = serve()
    served.log_in()
    assert served.client.get("/v1/session").json()["reviewer"] == "Anna"
    assert "main.js" in served.client.get("/").text
    served.client.cookies.clear()
    again = served.client.post("/v1/login", json={"token": served.tokens[0]})
    assert again.status_code == 401
    assert len(served.tokens) == 2
    assert served.tokens[0] != served.tokens[1]


def test_the_cookie_is_for_this_site_alone_and_not_for_scripts(serve: Any) -> None:
    served = serve()
    answer = served.client.post("/v1/login", json={"token": served.tokens[0]})
    cookie = answer.headers["set-cookie"].lower()
    assert cookie.startswith("dermseg-8765=")
    assert "httponly" in cookie
    assert "samesite=strict" in cookie


def test_a_changed_or_old_cookie_is_none(serve: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    sessions = Sessions(b"k" * 32, local_name="Anna", on_token=lambda _: None)
    cookie = sessions.exchange(sessions._token or "")
    assert cookie
    assert sessions.reviewer_of(cookie)
    other = Sessions(b"l" * 32, local_name="Anna")
    assert other.reviewer_of(cookie) is None
    payload, signature = cookie.split(".")
    for broken in ("", ".", "x.y", f"{payload}.", f"{payload[:-4]}.{signature}", "ä.ö"):
        assert sessions.reviewer_of(broken) is None
    now = __import__("time").time()
    monkeypatch.setattr("dermseg.server.sessions.time.time", lambda: now + SESSION_SECONDS + 1)
    assert sessions.reviewer_of(cookie) is None


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "127.0.0.1:8765.evil.example", ""])
def test_a_foreign_host_is_refused(client: TestClient, host: str) -> None:
    assert client.get("/v1/session", headers={"host": host}).status_code == 400
    assert client.get("/page/main.js", headers={"host": host}).status_code == 400


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:9999"])
def test_a_foreign_origin_is_refused(client: TestClient, png: bytes, origin: str) -> None:
    answer = client.post("/v1/predictions", content=png, headers={"origin": origin})
    assert answer.status_code == 403
    own = {"origin": "http://127.0.0.1:8765"}
    assert client.post("/v1/predictions", content=png, headers=own).status_code == 200


def test_a_change_needs_the_header(client: TestClient, png: bytes) -> None:
    for token in ("", "0" * 64, "ä".encode("latin-1").decode("latin-1")):
        headers = {"x-csrf-token": token.encode()}
        answer = client.post("/v1/predictions", content=png, headers=headers)  # type: ignore[arg-type]
        assert answer.status_code == 403


def test_programs_send_a_token_and_need_no_header(serve: Any, png: bytes) -> None:
    client = serve(api_token="for-programs").client  # noqa: S106
    good = {"authorization": "Bearer for-programs"}
    assert client.post("/v1/predictions", content=png, headers=good).status_code == 200
    bad = {"authorization": "Bearer for-program"}
    assert client.post("/v1/predictions", content=png, headers=bad).status_code == 401
    none = {"authorization": "Bearer "}
    assert serve().client.get("/v1/session", headers=none).status_code == 401


@pytest.mark.parametrize(
    "path",
    [
        "/page/../app.py",
        "/page/..%2fapp.py",
        "/page/%2e%2e/guard.py",
        "/page/",
        "/page//etc/passwd",
    ],
)
def test_no_path_leads_out_of_the_page(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 404


def test_ids_are_no_paths(serve: Any, photographs: Path) -> None:
    served = serve(photographs)
    served.log_in()
    for path in ("..%2f..%2fsecret", "disc_0.png", "%2e%2e"):
        for end in ("", "/picture", "/mask", "/draft"):
            assert served.client.get(f"/v1/images/{path}{end}").status_code == 404


def test_every_answer_is_strict_and_numbered(client: TestClient) -> None:
    for path in ("/", "/page/main.js", "/v1/session", "/nothing", "/health/live"):
        headers = client.get(path).headers
        assert "default-src 'none'; script-src 'self'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert len(headers["x-request-id"]) == 16
        assert "access-control-allow-origin" not in headers


def test_a_long_body_is_not_read(serve: Any) -> None:
    served = serve(limits=Limits(max_megabytes=0.01))
    served.log_in()
    assert served.client.post("/v1/predictions", content=b"x" * 10_001).status_code == 413

    def chunks() -> Any:
        yield from [b"x" * 4000] * 4

    assert served.client.post("/v1/predictions", content=chunks()).status_code == 413
    odd = {"content-length": "-5"}
    assert served.client.post("/v1/predictions", content=b"", headers=odd).status_code == 413


def test_a_slow_body_is_given_up() -> None:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        while (await receive()).get("more_body"):
            pass

    sessions = Sessions(b"k" * 32, local_name="Anna", api_token="t")  # noqa: S106
    guard = Guard(
        application, sessions=sessions, hosts=["h"], port=1, max_bytes=99, body_seconds=0.05
    )
    headers = [(b"host", b"h"), (b"authorization", b"Bearer t")]
    scope = {"type": "http", "method": "POST", "path": "/v1/x", "headers": headers}
    sent = []

    async def receive() -> dict[str, object]:
        await asyncio.sleep(0.02)
        return {"type": "http.request", "body": b"x", "more_body": True}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(guard(scope, receive, send))
    assert sent[0]["status"] == 408


def test_a_client_that_goes_away_is_no_failure(caplog: pytest.LogCaptureFixture) -> None:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        await Request(scope, receive).body()

    sessions = Sessions(b"k" * 32, local_name="Anna", api_token="t")  # noqa: S106
    guard = Guard(application, sessions=sessions, hosts=["h"], port=1, max_bytes=99, body_seconds=9)
    headers = [(b"host", b"h"), (b"authorization", b"Bearer t")]
    scope = {"type": "http", "method": "POST", "path": "/v1/x", "headers": headers}
    sent = []

    async def receive() -> dict[str, object]:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(guard(scope, receive, send))
    assert sent == []
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


def test_a_gigapixel_image_is_refused_before_it_is_decoded(client: TestClient) -> None:
    header = struct.pack(">IIBBBBB", 40_000, 40_000, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 1000)), (b"IEND", b"")]
    body = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
    for path in ("/v1/predictions", "/v1/pictures"):
        answer = client.post(path, content=body)
        assert answer.status_code == 413
        assert "40000 x 40000" in answer.json()["error"]
    assert client.post("/v1/masks?width=40000&height=40000").status_code == 413


def test_passwords_open_the_page_and_guessing_is_slowed(serve: Any, photographs: Path) -> None:
    served = serve(photographs)
    served.project.accounts.add("Béla", "correct horse")
    login = {"name": "Béla", "password": "correct horse"}
    assert served.client.post("/v1/login", json=login).status_code == 204
    session = served.client.get("/v1/session").json()
    assert (session["reviewer"], session["role"]) == ("Béla", "reviewer")
    csrf = {"x-csrf-token": session["csrf"]}
    assert served.client.get("/v1/accounts", headers=csrf).status_code == 403
    served.project.accounts.remove("Béla")
    assert served.client.get("/v1/session").status_code == 401
    for _ in range(10):
        assert served.client.post("/v1/login", json=login).status_code == 401
    assert served.client.post("/v1/login", json=login).status_code == 429


def test_owners_make_accounts(serve: Any, photographs: Path) -> None:
    served = serve(photographs)
    served.log_in()
    new = {"name": "Béla", "password": "correct horse"}
    assert served.client.post("/v1/accounts", json=new).status_code == 204
    assert served.client.get("/v1/accounts").json() == ["Béla"]
    short = new | {"password": "x"}
    assert served.client.post("/v1/accounts", json=short).status_code == 422
    assert served.client.delete("/v1/accounts/B%C3%A9la").status_code == 204


def test_the_shared_password_needs_no_project() -> None:
    sessions = Sessions(b"k", local_name="Anna", password=hash_password("correct horse"))
    assert sessions.asks_password
    cookie = sessions.log_in("Anna", "correct horse")
    assert cookie
    reviewer = sessions.reviewer_of(cookie)
    assert reviewer
    assert reviewer.role == "owner"
    assert sessions.log_in("Béla", "correct horse") is None
    assert sessions.log_in("Anna", "wrong") is None


def test_the_hosts_of_a_place() -> None:
    assert Place().hosts() == ["127.0.0.1:8765", "localhost:8765", "[::1]:8765"]
    place = Place("10.1.2.3", 80, ("skin.example", "other:8080"))
    assert not place.is_local
    assert {"10.1.2.3:80", "skin.example", "skin.example:80", "other:8080"} <= set(place.hosts())


def test_a_place_that_others_reach_needs_a_password(free_port: int) -> None:
    with pytest.raises(UsageError, match="give a password"):
        run_server(
            None,
            None,
            place=Place("0.0.0.0", free_port),  # noqa: S104 -- it is refused
            limits=Limits(),
            password=None,
            api_token=None,
            say=print,
        )
