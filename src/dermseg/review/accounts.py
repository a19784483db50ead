"""Reviewers with passwords."""

from __future__ import annotations

import time
from typing import Final

import sqlalchemy as sa
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from dermseg.errors import UsageError
from dermseg.review.database import Database
from dermseg.review.records import Role
from dermseg.review.tables import accounts

__all__ = ["Accounts", "hash_password", "is_password"]

_LEAST_PASSWORD: Final = 8
_LONGEST: Final = 64
_HASHER: Final = PasswordHasher()
# Checked for names that do not exist, so that the time of an answer does not tell them.
_NO_PASSWORD: Final = _HASHER.hash("no password is like this one")


def hash_password(password: str) -> str:
    """Hash a password with Argon2id and a salt.

    Raises:
        UsageError: If it has fewer than eight characters.
    """
    if len(password) < _LEAST_PASSWORD:
        message = f"the password has {len(password)} characters, expected at least 8"
        raise UsageError(message)
    return _HASHER.hash(password)


def is_password(password: str, hashed: str | None) -> bool:
    """Whether a password is the one that was hashed; never, but as slowly, for None."""
    try:
        _HASHER.verify(hashed or _NO_PASSWORD, password)
    except (VerificationError, InvalidHashError):
        return False
    return hashed is not None


class Accounts:
    """Who may review a project.

    Args:
        database: The project's.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, name: str, password: str, role: Role = "reviewer") -> None:
        """Make an account, or give the one of this name another password and role.

        Raises:
            UsageError: If the name is empty or too long, or the password is too short.
        """
        name = name.strip()
        if not name or len(name) > _LONGEST or not name.isprintable():
            message = f"the name has {len(name)} characters, expected 1 to {_LONGEST} printable"
            raise UsageError(message)
        hashed = hash_password(password)
        with self._database.writing() as connection:
            connection.execute(sa.delete(accounts).where(accounts.c.name == name))
            connection.execute(
                sa.insert(accounts).values(
                    name=name, role=role, password=hashed, created=time.time()
                )
            )

    def remove(self, name: str) -> None:
        """Remove an account; what its reviewer made stays.

        Raises:
            UsageError: If there is none of this name.
        """
        with self._database.writing() as connection:
            done = connection.execute(sa.delete(accounts).where(accounts.c.name == name))
        if not done.rowcount:
            message = f"no account is named '{name}'"
            raise UsageError(message)

    def log_in(self, name: str, password: str) -> Role | None:
        """The role of a reviewer who gives the right password; None for a wrong one."""
        query = sa.select(accounts).where(accounts.c.name == name)
        with self._database.reading() as connection:
            row = connection.execute(query).one_or_none()
        if not is_password(password, None if row is None else row.password):
            return None
        return self.role_of(name)

    def role_of(self, name: str) -> Role | None:
        """The role of an account, or None where there is none of this name."""
        query = sa.select(accounts.c.role).where(accounts.c.name == name)
        with self._database.reading() as connection:
            return connection.scalar(query)

    def list_names(self) -> list[str]:
        """All names, sorted."""
        with self._database.reading() as connection:
            return sorted(connection.execute(sa.select(accounts.c.name)).scalars())
