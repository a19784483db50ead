from __future__ import annotations

import csv
import sqlite3
import stat
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy.exc import DBAPIError

from dermseg.datasets import open_dataset
from dermseg.errors import OutputError, UsageError
from dermseg.images import read_mask
from dermseg.review import (
    PROVENANCE,
    Project,
    Reviewer,
    decode_runs,
    encode_runs,
    export_dataset,
)
from dermseg.review.database import Database, network_file_system
from dermseg.review.tables import METADATA


def test_scanning_takes_in_new_photographs_and_keeps_what_is_known_of_old_ones(
    project: Project, ids: list[str], predict: Any, anna: Reviewer
) -> None:
    predict(0, 0.5)
    project.history.decide(ids[0], anna, "accept")
    (project.folder / "mole_1.png").rename(project.folder / "mole_9.png")
    assert project.scan() == 6
    found = {image.name: image for image in project.queue.list_images()[0]}
    assert "mole_1.png" not in found
    assert "mole_9.png" in found
    assert found["mole_0.png"].state == "accepted"
    assert next(path.name for _, path in project.unpredicted()) == "mole_2.png"
    assert project.path_of(ids[0]) == project.folder / "mole_0.png"
    with pytest.raises(UsageError, match="no image has the id"):
        project.path_of("../mole_0.png")


def test_the_migrations_make_the_tables(project: Project) -> None:
    with project.database.reading() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, METADATA) == []


def test_a_failed_transaction_writes_nothing(project: Project) -> None:
    def fail() -> None:
        with project.database.writing() as connection:
            connection.execute(sa.text("DELETE FROM images"))
            connection.execute(sa.text("DELETE FROM nothing"))

    with pytest.raises(DBAPIError):
        fail()
    assert project.queue.list_images()[1] == 6


def test_what_another_process_commits_is_on_the_disk_at_once(photographs: Path) -> None:
    with Project(photographs) as project:
        project.scan()
        path = photographs / ".dermseg" / "review.sqlite"
        with sqlite3.connect(path) as connection:
            assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
            assert connection.execute("SELECT COUNT(*) FROM images").fetchone() == (6,)


def test_one_server_at_a_time(photographs: Path) -> None:
    with Project(photographs, exclusive=True):
        with pytest.raises(UsageError, match="is served already"):
            Project(photographs, exclusive=True)
        Project(photographs).close()
    Project(photographs, exclusive=True).close()


def test_a_newer_database_is_refused(photographs: Path) -> None:
    with Project(photographs) as project, project.database.writing() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(UsageError, match="use a newer dermseg"):
        Project(photographs, exclusive=True)
    with pytest.raises(UsageError, match="use a newer dermseg"):  # the lock was let go
        Project(photographs, exclusive=True)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("nonsense", "no address of a database"),
        ("mysql://host/name", "expected sqlite or postgresql"),
        ("sqlite://", "without a file"),
    ],
)
def test_other_databases_are_refused(url: str, reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        Database(url)


def test_a_server_that_does_not_answer_is_named_without_its_password() -> None:
    with pytest.raises(OutputError, match="cannot be used") as caught:
        Database("postgresql://me:hush@127.0.0.1:1/none")
    assert "hush" not in str(caught.value)


def test_network_file_systems_are_told(tmp_path: Path) -> None:
    mounts = tmp_path / "mountinfo"
    share = tmp_path / "a share"
    share.mkdir()
    escaped = str(share).replace(" ", "\\040")
    mounts.write_text(f"1 0 0:1 / / rw - ext4 /dev/x rw\n2 1 0:2 / {escaped} rw - nfs4 host:/ rw\n")
    assert network_file_system(share / "below", mounts=mounts) == "nfs4"
    assert network_file_system(tmp_path, mounts=mounts) is None
    assert network_file_system(tmp_path, mounts=tmp_path / "none") is None


def test_a_folder_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such folder"):
        Project(tmp_path / "none")


def test_the_key_stays_and_is_nobody_elses(photographs: Path) -> None:
    with Project(photographs) as project:
        key = project.secret()
        assert len(key) == 32
        assert project.secret() == key
    mode = (photographs / ".dermseg" / "secret").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600


def test_passwords(project: Project) -> None:
    project.accounts.add("Anna", "correct horse", "owner")
    assert project.accounts.log_in("Anna", "correct horse") == "owner"
    assert project.accounts.log_in("Anna", "wrong horse") is None
    assert project.accounts.log_in("Nobody", "correct horse") is None
    with project.database.reading() as connection:
        (stored,) = connection.execute(sa.text("SELECT password FROM accounts")).scalars()
    assert stored.startswith("$argon2id$")
    project.accounts.add("Anna", "a new password")
    assert project.accounts.log_in("Anna", "a new password") == "reviewer"
    project.accounts.remove("Anna")
    assert project.accounts.list_names() == []
    with pytest.raises(UsageError, match="expected at least 8"):
        project.accounts.add("Anna", "short")
    with pytest.raises(UsageError, match="no account"):
        project.accounts.remove("Anna")


def test_runs_are_their_mask() -> None:
    mask = np.random.default_rng(0).random((13, 17)) < 0.5
    np.testing.assert_array_equal(decode_runs(encode_runs(mask), mask.shape), mask)
    assert encode_runs(np.zeros((3, 4), np.bool_)) == b""
    assert decode_runs(b"", (3, 4)).sum() == 0
    assert np.frombuffer(encode_runs(np.ones((3, 4), np.bool_)), "<u4").tolist() == [0, 12]
    touching = np.array([0, 4, 4, 8], "<u4").tobytes()
    assert decode_runs(touching, (2, 4)).all()
    for runs in ([0], [4, 2], [0, 9], [3, 4, 1, 2]):
        with pytest.raises(UsageError, match="the runs"):
            decode_runs(np.array(runs, "<u4").tobytes(), (2, 4))


def test_an_export_is_a_dataset_with_its_provenance(
    project: Project, ids: list[str], predict: Any, anna: Reviewer, tmp_path: Path, block: Any
) -> None:
    for number in range(4):
        predict(number, 0.5)
    project.history.save_draft(ids[1], anna, 1, block(4))
    for number, action in enumerate(["accept", "accept", "reject"]):
        project.history.decide(ids[number], anna, action)  # type: ignore[arg-type]
    exported = export_dataset(project, tmp_path / "out")
    assert exported.num_images == 2
    assert exported.sources == {"model": 1, "corrected": 1}
    assert exported.num_left_out == 4
    samples = open_dataset(tmp_path / "out").samples
    assert [sample.id for sample in samples] == ["mole_0", "mole_1"]
    assert samples[1].mask
    np.testing.assert_array_equal(read_mask(samples[1].mask), block(4))
    with (tmp_path / "out" / PROVENANCE).open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["source"], row["reviewer"], row["model"]) for row in rows] == [
        ("model", "Anna", "fast"),
        ("corrected", "Anna", "fast"),
    ]
    with pytest.raises(UsageError, match="not an empty folder"):
        export_dataset(project, tmp_path / "out")


def test_an_export_of_nothing_is_refused(photographs: Path, tmp_path: Path) -> None:
    with Project(photographs) as project:
        project.scan()
        with pytest.raises(UsageError, match="nothing in"):
            export_dataset(project, tmp_path / "out")
