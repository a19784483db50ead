"""Which image a reviewer gets next, and what is left to do."""

from __future__ import annotations

import time
from typing import Any, Final

import sqlalchemy as sa

from dermseg.errors import LeasedError, UnknownImageError
from dermseg.review.database import Database
from dermseg.review.records import STATES, Filters, Image, Order, Reviewer, State
from dermseg.review.tables import findings, images, revisions

__all__ = ["LEASE_SECONDS", "Queue", "end_leases", "lock_image"]

LEASE_SECONDS: Final = 600.0
"""How long an image is one reviewer's; each sign of life begins it anew."""


class Queue:
    """The images of a project in the order in which they are to be reviewed.

    An image is leased to one browser at a time. A lease ends when it is decided on, given back or
    left alone for ``LEASE_SECONDS``.

    Args:
        database: The project's.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def take_next(
        self, reviewer: Reviewer, filters: Filters | None = None, *, skip: str | None = None
    ) -> Image | None:
        """Lease the next image: the least sure first, then those that no model has judged.

        Args:
            reviewer: Gets it; what the browser held before is given back.
            filters: Which images; None takes those that are open.
            skip: Id of an image that is not wanted now.

        Returns:
            None where none is left that nobody else has.
        """
        now = time.time()
        free = (images.c.lease_until < now) | (images.c.lease_holder == reviewer.session)
        wanted = _condition(filters or Filters(states=("open",))) & free & images.c.error.is_(None)
        if skip is not None:
            wanted &= images.c.id != skip
        # What another transaction is leasing is left out, where the database locks rows.
        first = (
            sa.select(images.c.id)
            .where(wanted)
            .order_by(*_ordering("quality"))
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        with self._database.writing() as connection:
            end_leases(connection, images.c.lease_holder == reviewer.session)
            found = connection.scalar(first)
            if found is None:
                return None
            self._lease(connection, found, reviewer, now)
            return _read_images(connection, images.c.id == found)[0]

    def take(self, image_id: str, reviewer: Reviewer) -> Image:
        """Lease one image.

        Raises:
            UnknownImageError: If there is no such image.
            LeasedError: If somebody else has it.
        """
        now = time.time()
        with self._database.writing() as connection:
            lock_image(connection, image_id, reviewer)
            end_leases(connection, images.c.lease_holder == reviewer.session)
            self._lease(connection, image_id, reviewer, now)
            return _read_images(connection, images.c.id == image_id)[0]

    def keep(self, image_id: str, reviewer: Reviewer) -> None:
        """Begin a lease anew.

        Raises:
            UnknownImageError, LeasedError: As :meth:`take`.
        """
        with self._database.writing() as connection:
            lock_image(connection, image_id, reviewer)
            self._lease(connection, image_id, reviewer, time.time())

    def give_back(self, reviewer: Reviewer) -> None:
        """End the lease of a browser."""
        with self._database.writing() as connection:
            end_leases(connection, images.c.lease_holder == reviewer.session)

    def get(self, image_id: str) -> Image:
        """Look at one image.

        Raises:
            UnknownImageError: If there is no such image.
        """
        with self._database.reading() as connection:
            found = _read_images(connection, images.c.id == image_id)
        if not found:
            raise _no_image(image_id)
        return found[0]

    def list_images(
        self,
        filters: Filters | None = None,
        *,
        order: Order = "quality",
        start: int = 0,
        number: int = 100,
    ) -> tuple[list[Image], int]:
        """Some images in order, and how many there are in all."""
        wanted = _condition(filters or Filters())
        count = sa.select(sa.func.count()).select_from(images).where(wanted)
        with self._database.reading() as connection:
            total = connection.scalar(count) or 0
            found = _read_images(connection, wanted, order=order, start=start, number=number)
        return found, total

    def progress(self) -> dict[State, int]:
        """How many images are in each state."""
        query = (
            sa.select(images.c.state, sa.func.count().label("number"))
            .where(images.c.present)
            .group_by(images.c.state)
        )
        with self._database.reading() as connection:
            counts = {row.state: row.number for row in connection.execute(query)}
        return {state: counts.get(state, 0) for state in STATES}

    def reviewers(self) -> list[str]:
        """Names of all who made a revision."""
        query = sa.select(revisions.c.reviewer).where(revisions.c.reviewer.is_not(None))
        with self._database.reading() as connection:
            return sorted(connection.execute(query.distinct()).scalars())

    def attributes(self) -> list[str]:
        """Names of all structures that the model found in any image."""
        with self._database.reading() as connection:
            query = sa.select(findings.c.attribute).distinct()
            return sorted(connection.execute(query).scalars())

    @staticmethod
    def _lease(connection: sa.Connection, image_id: str, reviewer: Reviewer, now: float) -> None:
        connection.execute(
            sa.update(images)
            .where(images.c.id == image_id)
            .values(
                lease_holder=reviewer.session,
                lease_reviewer=reviewer.name,
                lease_until=now + LEASE_SECONDS,
            )
        )


def end_leases(connection: sa.Connection, condition: sa.ColumnElement[bool]) -> None:
    """Let anybody have some images."""
    connection.execute(
        sa.update(images)
        .where(condition)
        .values(lease_holder=None, lease_reviewer=None, lease_until=0.0)
    )


def lock_image(connection: sa.Connection, image_id: str, reviewer: Reviewer) -> sa.Row[Any]:
    """The row of an image that others cannot change until the transaction ends.

    Raises:
        UnknownImageError: If there is no such image.
        LeasedError: If somebody else has it.
    """
    query = sa.select(images).where(images.c.id == image_id).with_for_update()
    row = connection.execute(query).one_or_none()
    if row is None:
        raise _no_image(image_id)
    if row.lease_until > time.time() and row.lease_holder != reviewer.session:
        message = f"{row.lease_reviewer} has {row.name} open: take another image"
        raise LeasedError(message)
    return row


def _no_image(image_id: str) -> UnknownImageError:
    return UnknownImageError(f"no image has the id '{image_id}'")


def _ordering(order: Order) -> list[sa.ColumnElement[Any]]:
    if order == "quality":
        return [images.c.expected_jaccard.asc().nulls_last(), images.c.name]
    if order == "latest":
        latest = (
            sa.select(sa.func.max(revisions.c.created))
            .where(revisions.c.image_id == images.c.id)
            .scalar_subquery()
        )
        return [latest.desc().nulls_last(), images.c.name]
    return [images.c.name]


def _condition(filters: Filters) -> sa.ColumnElement[bool]:
    conditions: list[sa.ColumnElement[bool]] = [images.c.present.is_(True)]
    if filters.states:
        conditions.append(images.c.state.in_(filters.states))
    if filters.reviewer is not None:
        conditions.append(_reviewed_by(filters.reviewer))
    if filters.not_reviewer is not None:
        conditions.append(~_reviewed_by(filters.not_reviewer))
    if filters.least_expected is not None:
        conditions.append(images.c.expected_jaccard >= filters.least_expected)
    if filters.most_expected is not None:
        conditions.append(images.c.expected_jaccard <= filters.most_expected)
    if filters.attribute is not None:
        found = (findings.c.image_id == images.c.id) & (findings.c.attribute == filters.attribute)
        conditions.append(sa.exists().where(found))
    if filters.text:
        conditions.append(images.c.name.icontains(filters.text, autoescape=True))
    return sa.and_(*conditions)


def _reviewed_by(name: str) -> sa.ColumnElement[bool]:
    made = (revisions.c.image_id == images.c.id) & (revisions.c.reviewer == name)
    return sa.exists().where(made)


def _read_images(
    connection: sa.Connection,
    condition: sa.ColumnElement[bool],
    *,
    order: Order = "name",
    start: int = 0,
    number: int = 1,
) -> list[Image]:
    query = sa.select(images).where(condition).order_by(*_ordering(order))
    rows = connection.execute(query.offset(start).limit(number)).all()
    ids = [row.id for row in rows]
    found: dict[str, list[str]] = {}
    pairs = sa.select(findings.c.image_id, findings.c.attribute).where(findings.c.image_id.in_(ids))
    for image_id, attribute in connection.execute(pairs):
        found.setdefault(image_id, []).append(attribute)
    now = time.time()
    return [
        Image(
            id=row.id,
            name=row.name,
            size=None if row.width is None else (row.height, row.width),
            state=row.state,
            revision=row.revision,
            expected_jaccard=row.expected_jaccard,
            refusal=row.refusal,
            error=row.error,
            attributes=tuple(sorted(found.get(row.id, ()))),
            leased_to=row.lease_reviewer if row.lease_until > now else None,
        )
        for row in rows
    ]
