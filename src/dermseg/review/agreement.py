"""How far reviewers agree on the images that several of them have masked."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import sqlalchemy as sa

from dermseg.metrics import dice
from dermseg.review.project import Project
from dermseg.review.tables import images, revisions

__all__ = ["Comparison", "compare_reviewers"]


@dataclass(frozen=True)
class Comparison:
    """Two masks of one image.

    Attributes:
        image_id: The image.
        name: Its path below the project's folder.
        reviewers: Who accepted or drew the masks, sorted.
        dice: Dice coefficient of the two, in [0, 1].
    """

    image_id: str
    name: str
    reviewers: tuple[str, str]
    dice: float


def compare_reviewers(project: Project) -> list[Comparison]:
    """Compare the latest masks that different reviewers accepted of the same image.

    Two who accept the model's mask as it is agree fully, which says little about the mask.

    Raises:
        ImageError: If a mask is gone or damaged.
    """
    latest = (
        sa.select(
            revisions.c.image_id,
            revisions.c.reviewer,
            sa.func.max(revisions.c.number).label("last"),
        )
        .where(revisions.c.action == "accept")
        .group_by(revisions.c.image_id, revisions.c.reviewer)
        .subquery()
    )
    is_latest = (revisions.c.image_id == latest.c.image_id) & (revisions.c.number == latest.c.last)
    query = (
        sa.select(images.c.id, images.c.name, revisions.c.reviewer, revisions.c.mask)
        .join(revisions, revisions.c.image_id == images.c.id)
        .join(latest, is_latest)
        .order_by(images.c.name, revisions.c.reviewer)
    )
    with project.database.reading() as connection:
        rows = connection.execute(query).all()
    by_image: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for image_id, name, reviewer, mask in rows:
        by_image.setdefault((image_id, name), []).append((reviewer, mask))
    found = []
    for (image_id, name), masks in by_image.items():
        for (one, mask), (other, other_mask) in combinations(masks, 2):
            same = mask == other_mask
            score = 1.0 if same else dice(project.masks.read(mask), project.masks.read(other_mask))
            found.append(Comparison(image_id, name, (one, other), score))
    return found
