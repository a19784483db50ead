"""The tables of a project's database.

Times are seconds since 1970 in UTC. ``versions`` holds the migrations that make these tables; a
test compares the two.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

__all__ = ["METADATA", "accounts", "drafts", "findings", "images", "revisions"]

METADATA: Final = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

images: Final = Table(
    "images",
    METADATA,
    Column("id", String(24), primary_key=True),
    # The path below the project's folder, with "/" between its parts.
    Column("name", String(1024), nullable=False, unique=True),
    Column("added", Double, nullable=False),
    Column("present", Boolean, nullable=False),
    Column("width", Integer),
    Column("height", Integer),
    # Why it cannot be read.
    Column("error", Text),
    Column("refusal", Text),
    Column("expected_jaccard", Double),
    Column("state", String(16), nullable=False),
    # Number of the latest revision, 0 for none.
    Column("revision", Integer, nullable=False),
    Column("lease_holder", String(64)),
    Column("lease_reviewer", String(64)),
    Column("lease_until", Double, nullable=False),
    Index("ix_images_queue", "state", "expected_jaccard"),
)

revisions: Final = Table(
    "revisions",
    METADATA,
    Column("image_id", ForeignKey("images.id"), primary_key=True),
    # Counts from 1 in each image.
    Column("number", Integer, primary_key=True),
    Column("created", Double, nullable=False),
    # Null for the model.
    Column("reviewer", String(64)),
    Column("action", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    # SHA-256 of the mask's file; null where there is no mask.
    Column("mask", String(64)),
    Column("source", String(16)),
    Column("model", String(200)),
    Column("model_sha256", String(64)),
    Column("comment", Text, nullable=False),
    Index("ix_revisions_reviewer", "reviewer"),
)

findings: Final = Table(
    "findings",
    METADATA,
    Column("image_id", ForeignKey("images.id"), primary_key=True),
    # An attribute that the model found in the image.
    Column("attribute", String(64), primary_key=True),
)

drafts: Final = Table(
    "drafts",
    METADATA,
    Column("image_id", ForeignKey("images.id"), primary_key=True),
    Column("reviewer", String(64), primary_key=True),
    Column("updated", Double, nullable=False),
    # Number of the revision that was opened.
    Column("base", Integer, nullable=False),
    # A PNG; in the database, so that what is saved every second leaves no files behind.
    Column("mask", LargeBinary, nullable=False),
)

accounts: Final = Table(
    "accounts",
    METADATA,
    Column("name", String(64), primary_key=True),
    Column("role", String(16), nullable=False),
    Column("password", String(200), nullable=False),
    Column("created", Double, nullable=False),
)
