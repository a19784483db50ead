"""Who a browser is: a one-time address or a password, exchanged for a signed cookie."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import secrets
import time
from collections import deque
from collections.abc import Callable
from typing import Final

from dermseg.review import Accounts, Reviewer, Role, is_password

__all__ = ["SESSION_SECONDS", "Sessions"]

SESSION_SECONDS: Final = 12 * 3600
"""How long a cookie is good for."""

_FAILURES_A_MINUTE: Final = 10


class Sessions:
    """Makes and checks tokens, passwords and cookies. Threads may share it.

    Cookies are signed, not stored: with the key of a project they outlive the server.

    Args:
        key: Signs cookies.
        local_name: Who opens the one-time address.
        accounts: Those of the project, if there is one.
        password: Hash of the password for ``local_name``, where there are no accounts.
        api_token: What programs send as bearer; None lets in no programs.
        on_token: Called with each new one-time token; None makes none, so that only passwords
            open the page.
    """

    def __init__(
        self,
        key: bytes,
        *,
        local_name: str,
        accounts: Accounts | None = None,
        password: str | None = None,
        api_token: str | None = None,
        on_token: Callable[[str], None] | None = None,
    ) -> None:
        self._key = key
        self._local_name = local_name
        self._accounts = accounts
        self._password = password
        self._api_token = api_token
        self._on_token = on_token
        self._token: str | None = None
        self._failures: deque[float] = deque(maxlen=_FAILURES_A_MINUTE)
        if on_token is not None:
            self._renew_token()

    @property
    def asks_password(self) -> bool:
        """Whether there is any password to log in with."""
        return self._password is not None or bool(self._accounts and self._accounts.list_names())

    def exchange(self, token: str) -> str | None:
        """A cookie for the one-time token, which is used up by it; None for any other."""
        if self._token is None or not _equal(token, self._token):
            return None
        self._renew_token()
        return self._sign(self._local_name, "owner", is_local=True)

    def log_in(self, name: str, password: str) -> str | None:
        """A cookie for the right password; None for a wrong one."""
        role: Role | None = None
        if self._accounts is not None:
            role = self._accounts.log_in(name, password)
        if role is None and self._password is not None and name == self._local_name:
            role = "owner" if is_password(password, self._password) else None
        if role is None:
            self._failures.append(time.monotonic())
            return None
        return self._sign(name, role, is_local=self._password is not None)

    @property
    def is_guessing(self) -> bool:
        """Whether so many passwords were wrong in the last minute that none is looked at."""
        is_full = len(self._failures) == _FAILURES_A_MINUTE
        return is_full and time.monotonic() - self._failures[0] < 60

    def reviewer_of(self, cookie: str) -> Reviewer | None:
        """Who a cookie is of; None if it was not made here, is too old, or has no account."""
        payload, _, signature = cookie.partition(".")
        if not _equal(signature, self._signature(payload)):
            return None
        try:
            values = json.loads(base64.urlsafe_b64decode(payload))
        except (binascii.Error, ValueError):
            return None
        if time.time() > values["until"]:
            return None
        role: Role | None = values["role"]
        if not values["local"]:
            role = self._accounts.role_of(values["name"]) if self._accounts else None
        return role and Reviewer(values["name"], values["session"], role)

    def program_of(self, bearer: str) -> Reviewer | None:
        """The program that sends the right token."""
        if self._api_token is None or not _equal(bearer, self._api_token):
            return None
        return Reviewer("program", "program", "reviewer")

    def csrf_of(self, reviewer: Reviewer) -> str:
        """What the page sends as a header with all that changes something."""
        return self._signature(f"csrf:{reviewer.session}")

    def _renew_token(self) -> None:
        self._token = secrets.token_urlsafe(24)
        if self._on_token is not None:
            self._on_token(self._token)

    def _sign(self, name: str, role: Role, *, is_local: bool) -> str:
        values = {
            "name": name,
            "role": role,
            "session": secrets.token_urlsafe(12),
            "until": time.time() + SESSION_SECONDS,
            "local": is_local,
        }
        payload = base64.urlsafe_b64encode(json.dumps(values).encode()).decode()
        return f"{payload}.{self._signature(payload)}"

    def _signature(self, text: str) -> str:
        return hmac.new(self._key, text.encode(errors="replace"), hashlib.sha256).hexdigest()


def _equal(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(errors="replace"), other.encode(errors="replace"))
