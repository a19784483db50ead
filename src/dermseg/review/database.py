"""One database by its address: SQLite or PostgreSQL, brought to the newest tables."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from dermseg.errors import MissingExtraError, OutputError, UsageError
from dermseg.review.tables import METADATA

__all__ = ["Database", "network_file_system"]

_BUSY_SECONDS: Final = 15
# Of those that lock files too loosely, or not at all, for SQLite.
_NETWORK: Final = frozenset(
    {"9p", "afs", "ceph", "cifs", "fuse.glusterfs", "fuse.s3fs", "fuse.sshfs", "lustre", "ncpfs"}
    | {"nfs", "nfs4", "smb3", "smbfs", "virtiofs"}
)


class Database:
    """Transactions on a project's tables. Threads and processes may share it.

    Args:
        url: As SQLAlchemy takes it: ``sqlite:///PATH`` or ``postgresql://...``.

    Raises:
        UsageError: If the address is none of these, SQLite's file would lie on a network file
            system, or the tables are those of a newer dermseg.
        OutputError: If the database cannot be reached or written.
    """

    def __init__(self, url: str) -> None:
        self._engine = _create_engine(url)
        try:
            with self.writing() as connection:
                _migrate(connection)
        except DBAPIError as error:
            shown = self._engine.url.render_as_string(hide_password=True)
            message = f"{shown}: the database cannot be used: {error.orig}"
            raise OutputError(message) from error

    @contextlib.contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """See one state of the tables in the body, whatever others write meanwhile."""
        with self._engine.connect() as connection, connection.begin():
            yield connection

    @contextlib.contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """Write all that the body writes, or nothing where it raises."""
        engine = self._engine.execution_options(writing=True)
        with engine.connect() as connection, connection.begin():
            yield connection

    def close(self) -> None:
        """Let go of all connections."""
        self._engine.dispose()


def network_file_system(path: Path, *, mounts: Path = Path("/proc/self/mountinfo")) -> str | None:
    """The kind of network file system that a folder lies on; None elsewhere, or if unknown.

    Args:
        path: The folder.
        mounts: What Linux says of its file systems; other systems have no such file.
    """
    try:
        lines = mounts.read_text("utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return None
    found, resolved = (-1, ""), path.resolve()
    for line in lines:
        left, _, right = line.partition(" - ")
        point = left.split(" ")[4].encode().decode("unicode_escape")
        if resolved.is_relative_to(point):
            found = max(found, (len(point), right.split(" ")[0]), key=lambda entry: entry[0])
    return found[1] if found[1] in _NETWORK else None


def _create_engine(url: str) -> sa.Engine:
    try:
        parsed = sa.make_url(url)
    except ArgumentError as error:
        message = f"'{url}' is no address of a database, expected postgresql://USER@HOST/NAME"
        raise UsageError(message) from error
    if parsed.drivername == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.get_backend_name() not in ("postgresql", "sqlite"):
        message = f"the database is '{parsed.drivername}', expected sqlite or postgresql"
        raise UsageError(message)
    try:
        if parsed.get_backend_name() == "postgresql":
            return sa.create_engine(parsed, pool_pre_ping=True, pool_size=10, max_overflow=20)
        return _create_sqlite(parsed)
    except (ModuleNotFoundError, NoSuchModuleError) as error:
        raise MissingExtraError("a PostgreSQL database", "postgresql") from error


def _create_sqlite(url: sa.URL) -> sa.Engine:
    if not url.database:
        message = "the database is sqlite without a file, expected sqlite:///PATH"
        raise UsageError(message)
    kind = network_file_system(Path(os.path.abspath(url.database)).parent)  # noqa: PTH100
    if kind is not None:
        message = (
            f"{url.database} lies on a network file system ({kind}), whose locks do not keep an "
            "SQLite database sound: put it on a local disk, or name a PostgreSQL database"
        )
        raise UsageError(message)
    engine = sa.create_engine(url, connect_args={"timeout": _BUSY_SECONDS})
    sa.event.listen(engine, "connect", _prepare_sqlite)
    sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    # Else Python begins transactions by itself, too late and never IMMEDIATE.
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: sa.Connection) -> None:
    # A transaction that begins by reading cannot wait for the lock once it wants to write.
    writes = connection.get_execution_options().get("writing", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _migrate(connection: sa.Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.set_main_option("version_locations", str(Path(__file__).parent / "versions"))
    config.set_main_option("path_separator", "os")
    scripts = ScriptDirectory.from_config(config)
    current = MigrationContext.configure(connection).get_current_revision()
    known = {script.revision for script in scripts.walk_revisions()}
    if current is not None and current not in known:
        message = (
            f"the database has tables of version {current}, which this dermseg does not know "
            f"(it knows {', '.join(sorted(known))}): use a newer dermseg"
        )
        raise UsageError(message)

    def steps(revision: Any, _context: object) -> Any:  # noqa: ANN401 -- alembic's own types
        return scripts._upgrade_revs("head", revision)

    with EnvironmentContext(config, scripts, fn=steps) as environment:
        environment.configure(connection=connection, target_metadata=METADATA)
        environment.run_migrations()
