"""A project of small photographs, on SQLite and on a PostgreSQL server of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from dermseg.images import write_image
from dermseg.review import Project, Reviewer

NUM_IMAGES = 6


def find_postgres() -> Path | None:
    """The folder of PostgreSQL's server programs, or None."""
    found = shutil.which("initdb")
    folders = [Path(found).parent] if found else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in folders if (folder / "pg_ctl").is_file()), None)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The address of a server that runs as long as the tests, reached by a socket only."""
    programs = find_postgres()
    if programs is None:
        pytest.skip("needs the programs of a PostgreSQL server: initdb and pg_ctl")
    # The server refuses to run as root, whose temporary folders nobody else may enter.
    user = "postgres" if os.geteuid() == 0 else None
    with tempfile.TemporaryDirectory(prefix="dermseg-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        if user is not None:
            shutil.chown(folder, user)

        def run(*command: str | Path) -> None:
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, user=user, cwd=folder)

        run(programs / "initdb", "-D", folder / "data", "-U", "dermseg", "-A", "trust", "-N")
        options = f"-c listen_addresses='' -c unix_socket_directories='{folder}' -c fsync=off"
        control = (programs / "pg_ctl", "-D", folder / "data")
        run(*control, "-w", "-l", folder / "log", "-o", options, "start")
        yield f"postgresql://dermseg@/postgres?host={folder}"
        run(*control, "-m", "immediate", "stop")


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> str | None:
    """The address of an empty database; None is the project's own."""
    if request.param == "sqlite":
        return None
    import psycopg  # noqa: PLC0415 -- only these tests need it

    url: str = request.getfixturevalue("postgresql")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    return url


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    """Six small photographs of nothing."""
    folder = tmp_path / "photographs"
    folder.mkdir()
    for number in range(NUM_IMAGES):
        image = np.full((24, 32, 3), 40 * number, np.uint8)
        write_image(folder / f"mole_{number}.png", image)
    return folder


@pytest.fixture
def project(photographs: Path, database: str | None) -> Iterator[Project]:
    with Project(photographs, database=database) as opened:
        opened.scan()
        yield opened


@pytest.fixture
def ids(project: Project) -> list[str]:
    """The images' ids by name."""
    return [image.id for image in project.queue.list_images(order="name")[0]]


Predict = Callable[[int, float], None]


def draw_block(left: int) -> np.ndarray:
    """A mask of eight columns."""
    mask = np.zeros((24, 32), np.bool_)
    mask[:, left : left + 8] = True
    return mask


@pytest.fixture
def block() -> Callable[[int], np.ndarray]:
    return draw_block


@pytest.fixture
def predict(project: Project, ids: list[str]) -> Predict:
    """Adds a model's mask to an image by number, with an expected quality."""

    def add(number: int, expected: float) -> None:
        project.history.add_prediction(
            ids[number],
            draw_block(0),
            model=("fast", "0" * 64),
            expected_jaccard=expected,
            refusal=None,
            attributes=["streaks"] if number == 1 else [],
        )

    return add


@pytest.fixture
def anna() -> Reviewer:
    return Reviewer("Anna", "browser-1")


@pytest.fixture
def bela() -> Reviewer:
    return Reviewer("Béla", "browser-2")
