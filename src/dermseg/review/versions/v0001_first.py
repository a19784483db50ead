"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make all tables."""
    op.create_table(
        "images",
        sa.Column("id", sa.String(24), primary_key=True),
        sa.Column("name", sa.String(1024), nullable=False),
        sa.Column("added", sa.Double, nullable=False),
        sa.Column("present", sa.Boolean, nullable=False),
        sa.Column("width", sa.Integer),
        sa.Column("height", sa.Integer),
        sa.Column("error", sa.Text),
        sa.Column("refusal", sa.Text),
        sa.Column("expected_jaccard", sa.Double),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("lease_holder", sa.String(64)),
        sa.Column("lease_reviewer", sa.String(64)),
        sa.Column("lease_until", sa.Double, nullable=False),
        sa.UniqueConstraint("name", name="uq_images_name"),
    )
    op.create_index("ix_images_queue", "images", ["state", "expected_jaccard"])
    op.create_table(
        "revisions",
        _image_id("revisions"),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("created", sa.Double, nullable=False),
        sa.Column("reviewer", sa.String(64)),
        sa.Column("action", sa.String(16), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("mask", sa.String(64)),
        sa.Column("source", sa.String(16)),
        sa.Column("model", sa.String(200)),
        sa.Column("model_sha256", sa.String(64)),
        sa.Column("comment", sa.Text, nullable=False),
    )
    op.create_index("ix_revisions_reviewer", "revisions", ["reviewer"])
    op.create_table(
        "findings",
        _image_id("findings"),
        sa.Column("attribute", sa.String(64), primary_key=True),
    )
    op.create_table(
        "drafts",
        _image_id("drafts"),
        sa.Column("reviewer", sa.String(64), primary_key=True),
        sa.Column("updated", sa.Double, nullable=False),
        sa.Column("base", sa.Integer, nullable=False),
        sa.Column("mask", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "accounts",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("password", sa.String(200), nullable=False),
        sa.Column("created", sa.Double, nullable=False),
    )


def downgrade() -> None:
    """Remove all tables."""
    for table in ("accounts", "drafts", "findings", "revisions", "images"):
        op.drop_table(table)


def _image_id(table: str) -> sa.Column[str]:
    key = sa.ForeignKey("images.id", name=f"fk_{table}_image_id")
    return sa.Column("image_id", sa.String(24), key, primary_key=True)
