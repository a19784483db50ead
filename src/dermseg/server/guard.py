"""What every request has to pass before the application sees it."""

from __future__ import annotations

import json
import logging
import secrets
import time
from collections.abc import Iterable
from http.cookies import CookieError, SimpleCookie
from typing import Final

import anyio
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dermseg.review import Reviewer
from dermseg.server.sessions import Sessions

__all__ = ["CSRF_HEADER", "Guard", "cookie_name"]

CSRF_HEADER: Final = "x-csrf-token"

_LOG: Final = logging.getLogger("dermseg.server")
_SAFE: Final = frozenset({"GET", "HEAD"})
_METHODS: Final = frozenset({*_SAFE, "POST", "PUT", "DELETE"})
_PUBLIC: Final = frozenset({"/", "/health/live", "/health/ready", "/v1/login"})
_PUBLIC_FOLDER: Final = "/page/"
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
    "connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
_HEADERS: Final = {
    "content-security-policy": _POLICY,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(self), geolocation=(), microphone=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


def cookie_name(port: int) -> str:
    """Browsers keep one jar of cookies for all ports of a machine."""
    return f"dermseg-{port}"


class _RefusedError(Exception):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Guard:
    """ASGI middleware: hosts, origins, sessions, limits on bodies, headers, and the log.

    Args:
        app: What sees the requests that pass.
        sessions: Tells who sends them.
        hosts: The exact values of the Host header that are answered.
        port: Names the cookie.
        max_bytes: Longest body.
        body_seconds: Longest time for a body to arrive.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        sessions: Sessions,
        hosts: Iterable[str],
        port: int,
        max_bytes: int,
        body_seconds: float,
    ) -> None:
        self._app = app
        self._sessions = sessions
        self._hosts = frozenset(host.lower() for host in hosts)
        self._origins = {f"{scheme}://{host}" for host in self._hosts for scheme in _SCHEMES}
        self._cookie = cookie_name(port)
        self._max_bytes = max_bytes
        self._body_seconds = body_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        answer = _Answer(scope, send)
        try:
            reviewer = self._check(scope)
            scope.setdefault("state", {})["reviewer"] = reviewer
            await self._app(scope, self._limited(receive), answer.send)
        except _RefusedError as error:
            await answer.refuse(error.status, str(error))
        except ClientDisconnect:
            _LOG.debug("%s: the client went away", answer.id)
        except Exception:  # noqa: BLE001 -- whatever it is, one answer must not end the server
            _LOG.exception("%s failed", answer.id)
            await answer.refuse(500, "the server failed; its log says more under this number")
        finally:
            answer.log()

    def _check(self, scope: Scope) -> Reviewer | None:
        headers = Headers(scope=scope)
        if headers.get("host", "").lower() not in self._hosts:
            raise _RefusedError(400, "this server is not known by that name")
        if scope["method"] not in _METHODS:
            raise _RefusedError(405, f"the method {scope['method']} is not answered")
        origin = headers.get("origin")
        if origin is not None and origin.lower() not in self._origins:
            raise _RefusedError(403, "the request comes from another page")
        self._check_length(headers)
        path = scope["path"]
        reviewer, is_program = self._identify(headers)
        if reviewer is None:
            if path in _PUBLIC or path.startswith(_PUBLIC_FOLDER):
                return None
            raise _RefusedError(401, "log in first: open the address that the server printed")
        if scope["method"] not in _SAFE and not is_program and path != "/v1/login":
            given = headers.get(CSRF_HEADER, "")
            if not secrets.compare_digest(
                given.encode(), self._sessions.csrf_of(reviewer).encode()
            ):
                raise _RefusedError(403, f"the header {CSRF_HEADER} is missing or wrong")
        return reviewer

    def _check_length(self, headers: Headers) -> None:
        length = headers.get("content-length", "0")
        if not (length.isascii() and length.isdigit()) or int(length) > self._max_bytes:
            raise _RefusedError(413, f"the body is longer than {self._max_bytes} bytes")

    def _identify(self, headers: Headers) -> tuple[Reviewer | None, bool]:
        scheme, _, bearer = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return self._sessions.program_of(bearer.strip()), True
        try:
            cookie = SimpleCookie(headers.get("cookie", "")).get(self._cookie)
        except CookieError:
            cookie = None
        return None if cookie is None else self._sessions.reviewer_of(cookie.value), False

    def _limited(self, receive: Receive) -> Receive:
        """Bound the length of a body, and the time that it takes to arrive."""
        num_bytes, until, is_whole = 0, anyio.current_time() + self._body_seconds, False

        async def limited() -> Message:
            nonlocal num_bytes, is_whole
            if is_whole:  # only to learn that the client has gone
                return await receive()
            with anyio.move_on_after(until - anyio.current_time()) as timeout:
                message = await receive()
            if timeout.cancelled_caught:
                raise _RefusedError(408, f"the body took longer than {self._body_seconds:g} s")
            num_bytes += len(message.get("body", b""))
            if num_bytes > self._max_bytes:
                raise _RefusedError(413, f"the body is longer than {self._max_bytes} bytes")
            is_whole = message["type"] != "http.request" or not message.get("more_body", False)
            return message

        return limited


_SCHEMES: Final = ("http", "https")


class _Answer:
    """One answer on its way: gets its headers, and a line in the log."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self.id = secrets.token_hex(8)
        scope.setdefault("state", {})["request_id"] = self.id
        self._scope = scope
        self._send = send
        self._status = 0
        self._started = time.perf_counter()

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
            headers.setdefault("cache-control", "no-store")
            headers["x-request-id"] = self.id
        await self._send(message)

    async def refuse(self, status: int, reason: str) -> None:
        if self._status:  # it is too late to say so
            return
        body = json.dumps({"error": reason, "request_id": self.id}).encode()
        headers = [(b"content-type", b"application/json")]
        # What is left of a body is not waited for.
        headers += [(b"content-length", str(len(body)).encode()), (b"connection", b"close")]
        await self.send({"type": "http.response.start", "status": status, "headers": headers})
        await self.send({"type": "http.response.body", "body": body})

    def log(self) -> None:
        reviewer = self._scope["state"].get("reviewer")
        _LOG.info(
            "%s %s %s %d %.0f ms %s",
            self.id,
            self._scope["method"],
            ascii(self._scope["path"][:200])[1:-1],
            self._status,
            1000 * (time.perf_counter() - self._started),
            "-" if reviewer is None else ascii(reviewer.name)[1:-1],
        )
