"""Run the server: where it listens, who may enter, and how it ends."""

from __future__ import annotations

import asyncio
import getpass
import logging
import secrets
import socket
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, Final

import h11
import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol

from dermseg.errors import UsageError
from dermseg.prediction import Predictor, share_heap
from dermseg.review import Project, hash_password
from dermseg.server.app import Limits, create_app
from dermseg.server.sessions import Sessions

__all__ = ["Place", "local_name", "run_server"]

_HEADER_SECONDS: Final = 10.0
_HEADER_BYTES: Final = 32_768
_MOST_CONNECTIONS: Final = 512
_STOP_SECONDS: Final = 10


@dataclass(frozen=True)
class Place:
    """Where a server listens, and under which names.

    Attributes:
        address: An address of this machine; ``127.0.0.1`` is reached from nowhere else.
        port: The port.
        more_hosts: Names under which a proxy or another machine reaches it, ``NAME`` or
            ``NAME:PORT``.
    """

    address: str = "127.0.0.1"
    port: int = 8765
    more_hosts: tuple[str, ...] = ()

    @property
    def is_local(self) -> bool:
        """Whether only this machine reaches it."""
        try:
            return ip_address(self.address).is_loopback
        except ValueError:
            return False

    def hosts(self) -> list[str]:
        """All values of the Host header that are answered."""
        names = ["127.0.0.1", "localhost", "[::1]"]
        if not self.is_local:
            names += [_bracketed(self.address), socket.gethostname()]
        own = [f"{name}:{self.port}" for name in names]
        more = [
            host if ":" in host.rpartition("]")[2] else f"{host}:{self.port}"
            for host in self.more_hosts
        ]
        return [*own, *more, *(host for host in self.more_hosts if ":" not in host)]

    @property
    def url(self) -> str:
        """The address for a browser."""
        name = self.more_hosts[0] if self.more_hosts else _bracketed(self.address)
        return f"http://{name}" if ":" in name.rpartition("]")[2] else f"http://{name}:{self.port}"


def local_name() -> str:
    """Who runs the server, as the system calls them."""
    try:
        return getpass.getuser()[:64]
    except (KeyError, OSError):  # a container without users
        return "owner"


def run_server(
    predictor: Predictor | None,
    project: Project | None,
    *,
    place: Place,
    limits: Limits,
    password: str | None,
    api_token: str | None,
    say: Callable[[str], None],
) -> None:
    """Serve until the process is interrupted or told to end; then finish what is being done.

    Args:
        predictor: The model, or None.
        project: The project, or None; closed at the end.
        place: Where to listen.
        limits: What is taken at most.
        password: For ``local_name``; needed where others reach the server and the project has no
            accounts.
        api_token: What programs send as bearer, or None.
        say: Shows a line to who started the server.

    Raises:
        UsageError: If the address cannot be listened on, or needs a password.
    """
    share_heap()
    with ExitStack() as stack:
        if project is not None:
            stack.enter_context(project)
        listening = stack.enter_context(_listen(place))
        sessions = Sessions(
            project.secret() if project else secrets.token_bytes(32),
            local_name=local_name(),
            accounts=None if project is None else project.accounts,
            password=None if password is None else hash_password(password),
            api_token=api_token,
            on_token=_printer(place, say) if place.is_local else None,
        )
        if not place.is_local:
            if not sessions.asks_password:
                message = (
                    f"listening on {place.address} lets others of the network in: give a password "
                    "(DERMSEG_PASSWORD, or at the prompt), or make accounts for the project"
                )
                raise UsageError(message)
            say(f"dermseg: {place.url} (others of the network reach it, and need a password;")
            say("dermseg: what they send is not encrypted: put a proxy with TLS before it)")
        app = create_app(
            predictor, project, sessions, hosts=place.hosts(), port=place.port, limits=limits
        )
        _log_to_stderr()
        uvicorn.Server(_configure(app)).run(sockets=[listening])


def _configure(app: FastAPI) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=_Protocol,
        ws="none",
        loop="asyncio",
        log_config=None,
        access_log=False,
        server_header=False,
        limit_concurrency=_MOST_CONNECTIONS,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=_STOP_SECONDS,
        h11_max_incomplete_event_size=_HEADER_BYTES,
    )


class _Protocol(H11Protocol):
    """Closes a connection whose headers do not come to an end."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:  # noqa: ANN401 -- uvicorn's own type
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        self._unwatch()
        super().connection_lost(exc)

    def _watch(self) -> None:
        if self.conn.their_state is not h11.IDLE:
            self._unwatch()
        elif self._deadline is None:
            self._deadline = self.loop.call_later(_HEADER_SECONDS, self._close)

    def _unwatch(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _close(self) -> None:
        self._deadline = None
        if self.conn.their_state is h11.IDLE and not self.transport.is_closing():
            self.transport.close()


def _listen(place: Place) -> socket.socket:
    family = socket.AF_INET6 if ":" in place.address else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        if sys.platform != "win32":  # where it would let two servers share the port
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((place.address, place.port))
        listening.listen()  # so that who opens the address at once has to wait, and is not refused
    except (OSError, OverflowError) as error:
        listening.close()
        message = (
            f"{place.address} port {place.port} cannot be listened on ({error}): stop what has it, "
            "or name another --port"
        )
        raise UsageError(message) from error
    return listening


def _printer(place: Place, say: Callable[[str], None]) -> Callable[[str], None]:
    lead = "dermseg: open"

    def show(token: str) -> None:
        nonlocal lead
        # Behind a "#" no browser sends it on, and no server logs it.
        say(f"{lead} {place.url}/#token={token}")
        lead = "dermseg: for one more browser:"

    return show


def _log_to_stderr() -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    for name in ("dermseg.server", "uvicorn.error"):
        log = logging.getLogger(name)
        log.handlers = [handler]
        log.setLevel(logging.INFO if name == "dermseg.server" else logging.WARNING)
        log.propagate = False


def _bracketed(address: str) -> str:
    return f"[{address}]" if ":" in address else address
