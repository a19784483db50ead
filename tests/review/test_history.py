from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dermseg.errors import ImageError, UsageError
from dermseg.review import Project, Reviewer, compare_reviewers


def test_accepting_what_the_model_made_keeps_its_mask(
    project: Project, predict: Any, ids: list[str], anna: Reviewer
) -> None:
    predict(0, 0.5)
    revision = project.history.decide(ids[0], anna, "accept", comment="fine")
    assert (revision.state, revision.source, revision.model) == ("accepted", "model", "fast")
    predicted, accepted = project.history.list_revisions(ids[0])
    assert predicted.mask == accepted.mask
    assert (predicted.reviewer, accepted.reviewer, accepted.comment) == (None, "Anna", "fine")


def test_a_draft_makes_an_accepted_image_a_corrected_one(
    project: Project, predict: Any, ids: list[str], anna: Reviewer, block: Any
) -> None:
    predict(0, 0.5)
    project.history.save_draft(ids[0], anna, 1, block(2))
    project.history.save_draft(ids[0], anna, 1, block(4))
    draft = project.history.read_draft(ids[0], anna)
    assert draft
    assert draft.base == 1
    revision = project.history.decide(ids[0], anna, "accept")
    assert (revision.state, revision.source) == ("corrected", "corrected")
    assert revision.mask
    np.testing.assert_array_equal(project.masks.read(revision.mask), block(4))
    assert project.history.read_draft(ids[0], anna) is None


def test_a_mask_drawn_from_nothing_is_drawn(
    project: Project, ids: list[str], anna: Reviewer, block: Any
) -> None:
    with pytest.raises(UsageError, match="has no mask to accept"):
        project.history.decide(ids[0], anna, "accept")
    project.history.set_size(ids[0], (24, 32))
    with pytest.raises(UsageError, match="the mask has"):
        project.history.save_draft(ids[0], anna, 0, np.zeros((32, 24), np.bool_))
    project.history.save_draft(ids[0], anna, 0, block(4))
    assert project.history.decide(ids[0], anna, "accept").source == "drawn"


def test_going_back_appends(
    project: Project, predict: Any, ids: list[str], anna: Reviewer, block: Any
) -> None:
    predict(0, 0.5)
    project.history.save_draft(ids[0], anna, 1, block(4))
    project.history.decide(ids[0], anna, "accept")
    before = project.history.list_revisions(ids[0])
    restored = project.history.restore(ids[0], anna, 1)
    assert project.history.list_revisions(ids[0]) == [*before, restored]
    assert (restored.number, restored.mask, restored.state) == (3, before[0].mask, "open")
    with pytest.raises(UsageError, match="no revision 9"):
        project.history.restore(ids[0], anna, 9)


def test_rejecting_keeps_the_draft_and_a_comment_changes_no_state(
    project: Project, predict: Any, ids: list[str], anna: Reviewer, block: Any
) -> None:
    predict(0, 0.5)
    project.history.save_draft(ids[0], anna, 1, block(4))
    assert project.history.decide(ids[0], anna, "reject").state == "rejected"
    assert project.history.decide(ids[0], anna, "comment", comment="hair").state == "rejected"
    assert project.history.read_draft(ids[0], anna)
    assert project.queue.get(ids[0]).state == "rejected"


def test_a_second_prediction_changes_nothing(
    project: Project, predict: Any, ids: list[str]
) -> None:
    predict(0, 0.5)
    predict(0, 0.6)
    assert project.queue.get(ids[0]).expected_jaccard == 0.5
    assert len(project.history.list_revisions(ids[0])) == 1


def test_two_masks_of_one_image_are_kept_and_compared(
    project: Project, predict: Any, ids: list[str], anna: Reviewer, bela: Reviewer, block: Any
) -> None:
    predict(0, 0.5)
    for reviewer, left in ((anna, 0), (bela, 2), (bela, 4)):
        project.history.save_draft(ids[0], reviewer, 1, block(left))
        project.history.decide(ids[0], reviewer, "accept")
    (comparison,) = compare_reviewers(project)
    assert comparison.reviewers == ("Anna", "Béla")
    assert comparison.dice == pytest.approx(0.5)


def test_a_damaged_mask_is_named(project: Project, predict: Any, ids: list[str]) -> None:
    predict(0, 0.5)
    revision = project.history.latest_mask(ids[0])
    assert revision
    assert revision.mask
    path = project.masks.path_of(revision.mask)
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(ImageError, match="damaged or exchanged"):
        project.masks.read(revision.mask)
