"""What was made of each image, step by step; nothing is ever changed or removed."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from dermseg.errors import UsageError
from dermseg.images import encode_mask
from dermseg.review.database import Database
from dermseg.review.masks import MaskFiles
from dermseg.review.queue import end_leases, lock_image
from dermseg.review.records import Action, Draft, Reviewer, Revision, Source, State
from dermseg.review.tables import drafts, findings, images, revisions
from dermseg.types import BoolMask, Size

__all__ = ["History"]

_STATES: dict[Action, State] = {"reject": "rejected", "skip": "skipped", "reopen": "open"}


class History:
    """Revisions and drafts of a project's images.

    Args:
        database: The project's.
        masks: The project's.
    """

    def __init__(self, database: Database, masks: MaskFiles) -> None:
        self._database = database
        self._masks = masks

    def add_prediction(
        self,
        image_id: str,
        mask: BoolMask,
        *,
        model: tuple[str, str],
        expected_jaccard: float | None,
        refusal: str | None,
        attributes: Iterable[str] = (),
    ) -> None:
        """Append a model's mask as the first revision; nothing where there is one already.

        Args:
            image_id: The image.
            mask: (H, W) bool at native size.
            model: Name and SHA-256 of its network.
            expected_jaccard: How good the mask is expected to be.
            refusal: Why the model was not made for the image.
            attributes: The structures that it found.
        """
        name = self._masks.add(mask)
        with self._database.writing() as connection:
            row = _locked(connection, image_id)
            if row.revision:
                return
            height, width = mask.shape
            values = {"width": width, "height": height, "refusal": refusal}
            values["expected_jaccard"] = expected_jaccard
            connection.execute(sa.update(images).where(images.c.id == image_id).values(values))
            found = [{"image_id": image_id, "attribute": attribute} for attribute in attributes]
            if found:
                connection.execute(sa.insert(findings), found)
            revision = Revision(
                number=1,
                created=time.time(),
                reviewer=None,
                action="predict",
                state="open",
                mask=name,
                source="model",
                model=model[0],
                model_sha256=model[1],
                comment="",
            )
            _append(connection, row, revision)

    def set_size(self, image_id: str, size: Size) -> None:
        """Note the (height, width) of an image that no model has seen."""
        self._note(image_id, height=size[0], width=size[1])

    def set_error(self, image_id: str, reason: str) -> None:
        """Note why an image cannot be read."""
        self._note(image_id, error=reason)

    def save_draft(self, image_id: str, reviewer: Reviewer, base: int, mask: BoolMask) -> None:
        """Keep what a reviewer has drawn so far, instead of what was kept before.

        Args:
            image_id: The image; the lease on it begins anew.
            reviewer: Must have it.
            base: Number of the revision that was opened.
            mask: (H, W) bool.

        Raises:
            UsageError: If there is no such image, somebody else has it, or the mask has another
                size.
        """
        png = encode_mask(mask)
        with self._database.writing() as connection:
            row = lock_image(connection, image_id, reviewer)
            if (row.height, row.width) != mask.shape:
                message = f"the mask has {mask.shape}, the image {(row.height, row.width)} pixels"
                raise UsageError(message)
            own = _own_draft(image_id, reviewer)
            connection.execute(sa.delete(drafts).where(own))
            connection.execute(
                sa.insert(drafts).values(
                    image_id=image_id,
                    reviewer=reviewer.name,
                    updated=time.time(),
                    base=base,
                    mask=png,
                )
            )

    def discard_draft(self, image_id: str, reviewer: Reviewer) -> None:
        """Forget what a reviewer has drawn and not decided on."""
        with self._database.writing() as connection:
            connection.execute(sa.delete(drafts).where(_own_draft(image_id, reviewer)))

    def read_draft(self, image_id: str, reviewer: Reviewer) -> Draft | None:
        """What a reviewer has drawn and not decided on; None where there is nothing."""
        query = sa.select(drafts).where(_own_draft(image_id, reviewer))
        with self._database.reading() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else Draft(row.base, row.updated, row.mask)

    def decide(
        self, image_id: str, reviewer: Reviewer, action: Action, *, comment: str = ""
    ) -> Revision:
        """Append what a reviewer decided, with the draft as its mask where there is one.

        An image is ``accepted`` where the mask is the one that was there, else ``corrected``. The
        draft is used up by accepting, and kept by all else. The lease ends, but with a comment.

        Args:
            image_id: The image.
            reviewer: Must have it.
            action: ``accept``, ``reject``, ``skip``, ``reopen`` or ``comment``.
            comment: Kept with the revision.

        Raises:
            UsageError: If there is no such image, somebody else has it, or there is no mask to
                accept.
        """
        draft = self.read_draft(image_id, reviewer) if action == "accept" else None
        drawn = None if draft is None else self._masks.add_png(draft.png)
        with self._database.writing() as connection:
            row = lock_image(connection, image_id, reviewer)
            last = _with_mask(connection, image_id)
            mask, source = _mask_after(row.name, action, drawn, last)
            state = _STATES.get(action, row.state)
            if action == "accept":
                state = "accepted" if drawn in (None, last and last.mask) else "corrected"
                connection.execute(sa.delete(drafts).where(_own_draft(image_id, reviewer)))
            revision = Revision(
                number=row.revision + 1,
                created=time.time(),
                reviewer=reviewer.name,
                action=action,
                state=state,
                mask=mask,
                source=source,
                model=None if last is None else last.model,
                model_sha256=None if last is None else last.model_sha256,
                comment=comment,
            )
            _append(connection, row, revision)
            if action != "comment":
                end_leases(connection, images.c.id == image_id)
            return revision

    def restore(self, image_id: str, reviewer: Reviewer, number: int) -> Revision:
        """Append an earlier revision once more, so that its mask and state are in force again.

        Raises:
            UsageError: If there is no such image or revision, or somebody else has the image.
        """
        with self._database.writing() as connection:
            row = lock_image(connection, image_id, reviewer)
            chosen = (revisions.c.image_id == image_id) & (revisions.c.number == number)
            earlier = connection.execute(sa.select(revisions).where(chosen)).one_or_none()
            if earlier is None:
                message = f"{row.name} has no revision {number}"
                raise UsageError(message)
            revision = replace(
                _revision(earlier),
                number=row.revision + 1,
                created=time.time(),
                reviewer=reviewer.name,
                action="restore",
                comment=f"back to {number}",
            )
            _append(connection, row, revision)
            return revision

    def list_revisions(self, image_id: str) -> list[Revision]:
        """All that was made of an image, the first step first."""
        query = sa.select(revisions).where(revisions.c.image_id == image_id)
        with self._database.reading() as connection:
            rows = connection.execute(query.order_by(revisions.c.number)).all()
        return [_revision(row) for row in rows]

    def latest_mask(self, image_id: str) -> Revision | None:
        """The latest revision that has a mask, or None."""
        with self._database.reading() as connection:
            return _with_mask(connection, image_id)

    def _note(self, image_id: str, **values: object) -> None:
        with self._database.writing() as connection:
            connection.execute(sa.update(images).where(images.c.id == image_id).values(values))


def _mask_after(
    name: str, action: Action, drawn: str | None, last: Revision | None
) -> tuple[str | None, Source | None]:
    """The mask that a decision leaves, and who made it."""
    if action == "accept" and drawn is None and last is None:
        message = f"{name} has no mask to accept: draw one, or skip it"
        raise UsageError(message)
    if drawn is None or (last is not None and drawn == last.mask):
        return (None, None) if last is None else (last.mask, last.source)
    return drawn, "drawn" if last is None or last.source == "drawn" else "corrected"


def _locked(connection: sa.Connection, image_id: str) -> sa.Row[Any]:
    query = sa.select(images).where(images.c.id == image_id).with_for_update()
    return connection.execute(query).one()


def _own_draft(image_id: str, reviewer: Reviewer) -> sa.ColumnElement[bool]:
    return (drafts.c.image_id == image_id) & (drafts.c.reviewer == reviewer.name)


def _with_mask(connection: sa.Connection, image_id: str) -> Revision | None:
    masked = (revisions.c.image_id == image_id) & revisions.c.mask.is_not(None)
    query = sa.select(revisions).where(masked).order_by(revisions.c.number.desc()).limit(1)
    row = connection.execute(query).one_or_none()
    return None if row is None else _revision(row)


def _append(connection: sa.Connection, row: sa.Row[Any], revision: Revision) -> None:
    connection.execute(sa.insert(revisions).values(image_id=row.id, **vars(revision)))
    connection.execute(
        sa.update(images)
        .where(images.c.id == row.id)
        .values(revision=revision.number, state=revision.state)
    )


def _revision(row: sa.Row[Any]) -> Revision:
    values = row._asdict()
    del values["image_id"]
    return Revision(**values)
