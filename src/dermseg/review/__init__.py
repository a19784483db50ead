"""Masks under review: a project's images, their history, its reviewers, and the way out.

Needs the extra ``serve``; knows nothing of the web.
"""

from dermseg.errors import MissingExtraError

try:
    import alembic as _alembic
    import argon2 as _argon2
    import sqlalchemy as _sqlalchemy
except ModuleNotFoundError as error:
    raise MissingExtraError("a review", "serve") from error

from dermseg.review.accounts import Accounts, hash_password, is_password
from dermseg.review.agreement import Comparison, compare_reviewers
from dermseg.review.export import PROVENANCE, Exported, export_dataset
from dermseg.review.history import History
from dermseg.review.masks import MaskFiles, decode_runs, encode_runs
from dermseg.review.project import Project
from dermseg.review.queue import LEASE_SECONDS, Queue
from dermseg.review.records import (
    ACTIONS,
    STATES,
    Action,
    Draft,
    Filters,
    Image,
    Order,
    Reviewer,
    Revision,
    Role,
    State,
)

__all__ = [
    "ACTIONS",
    "LEASE_SECONDS",
    "PROVENANCE",
    "STATES",
    "Accounts",
    "Action",
    "Comparison",
    "Draft",
    "Exported",
    "Filters",
    "History",
    "Image",
    "MaskFiles",
    "Order",
    "Project",
    "Queue",
    "Reviewer",
    "Revision",
    "Role",
    "State",
    "compare_reviewers",
    "decode_runs",
    "encode_runs",
    "export_dataset",
    "hash_password",
    "is_password",
]

del _alembic, _argon2, _sqlalchemy
