"""Routes of a project under review."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response

from dermseg.evaluation import bootstrap_interval
from dermseg.images import encode_jpeg, open_image, read_mask, read_size
from dermseg.prediction import draw_contour
from dermseg.preprocessing import resize_image
from dermseg.review import (
    Filters,
    Image,
    Order,
    Project,
    State,
    compare_reviewers,
    decode_runs,
    encode_runs,
)
from dermseg.server.api import media_type_of, reviewer_of
from dermseg.server.messages import (
    Account,
    Agreement,
    Decision,
    Detail,
    Difference,
    DraftOut,
    ImageOut,
    Next,
    Overview,
    Page,
    Pair,
    Restored,
    RevisionOut,
)
from dermseg.server.predicting import JPEG, PNG
from dermseg.server.workers import Workers
from dermseg.types import ImageArray

__all__ = ["create_review"]

RUNS = "application/octet-stream"
_MOST_ITEMS = 500


def _filters(
    state: Annotated[list[State] | None, Query()] = None,
    reviewer: str | None = None,
    not_reviewer: str | None = None,
    least_expected: float | None = None,
    most_expected: float | None = None,
    attribute: str | None = None,
    text: Annotated[str | None, Query(max_length=200)] = None,
) -> Filters:
    return Filters(
        tuple(state or ()),
        reviewer,
        not_reviewer,
        least_expected,
        most_expected,
        attribute,
        text,
    )


Wanted = Annotated[Filters, Depends(_filters)]


def create_review(project: Project, workers: Workers, max_megapixels: float) -> APIRouter:
    """Routes of ``/v1`` for a project."""
    router = APIRouter(prefix="/v1")
    _add_queue(router, project)
    _add_pictures(router, project, workers, max_megapixels)
    _add_decisions(router, project)
    _add_drafts(router, project, workers)
    _add_people(router, project, workers)
    return router


def _add_queue(router: APIRouter, project: Project) -> None:
    queue = project.queue

    @router.get("/project")
    def overview() -> Overview:
        """How far the project has come."""
        return Overview(
            name=project.folder.name,
            progress=queue.progress(),
            reviewers=queue.reviewers(),
            attributes=queue.attributes(),
        )

    @router.get("/images")
    def list_images(
        filters: Wanted,
        order: Order = "quality",
        start: Annotated[int, Query(ge=0)] = 0,
        number: Annotated[int, Query(ge=1, le=_MOST_ITEMS)] = 100,
    ) -> Page:
        """The photographs that fit some filters."""
        found, total = queue.list_images(filters, order=order, start=start, number=number)
        return Page(images=[ImageOut(**vars(image)) for image in found], total=total)

    @router.post("/queue/next")
    def take_next(request: Request, filters: Wanted, wish: Next) -> Detail | None:
        """Lease the next photograph, the least sure first; null where none is left."""
        if not filters.states:
            filters = Filters(**(vars(filters) | {"states": ("open",)}))
        image = queue.take_next(reviewer_of(request), filters, skip=wish.skip)
        return None if image is None else _detail(project, image, request)

    @router.post("/images/{image_id}/lease")
    def take(request: Request, image_id: str) -> Detail:
        """Lease one photograph."""
        return _detail(project, queue.take(image_id, reviewer_of(request)), request)

    @router.put("/images/{image_id}/lease", status_code=204)
    def keep(request: Request, image_id: str) -> None:
        """Begin the lease anew."""
        queue.keep(image_id, reviewer_of(request))

    @router.delete("/lease", status_code=204)
    def give_back(request: Request) -> None:
        """End the lease of this browser."""
        queue.give_back(reviewer_of(request))

    @router.get("/images/{image_id}")
    def get(request: Request, image_id: str) -> Detail:
        """One photograph and its history."""
        return _detail(project, queue.get(image_id), request)


def _add_pictures(
    router: APIRouter, project: Project, workers: Workers, max_megapixels: float
) -> None:
    @router.get("/images/{image_id}/picture", response_class=Response)
    async def picture(
        image_id: str, side: Annotated[int | None, Query(ge=32, le=2048)] = None
    ) -> Response:
        """The photograph upright as JPEG; reduced to a side, with the outline of its mask."""

        def work() -> bytes:
            path = project.path_of(image_id)
            with open_image(path, max_megapixels=max_megapixels) as encoded:
                if side is None:
                    content = path.read_bytes()
                    is_jpeg = content.startswith(b"\xff\xd8\xff")
                    return content if is_jpeg else encode_jpeg(encoded.read(), quality=95)
                scale = min(1.0, side / max(encoded.size))
                least = (round(encoded.size[0] * scale), round(encoded.size[1] * scale))
                return encode_jpeg(_outlined(project, image_id, encoded.read(least), side))

        return Response(await workers.run(work), media_type=JPEG)

    @router.get("/images/{image_id}/mask", response_class=Response)
    def mask(request: Request, image_id: str, revision: int | None = None) -> Response:
        """A revision's mask, or the latest, as runs (or ``image/png``)."""
        media_type = media_type_of(request, (RUNS, PNG))
        found = project.history.latest_mask(image_id)
        if revision is not None:
            steps = project.history.list_revisions(image_id)
            found = next((step for step in steps if step.number == revision), None)
        if found is None or found.mask is None:
            raise HTTPException(404, "there is no such mask")
        if media_type == PNG:
            return Response(project.masks.read_png(found.mask), media_type=PNG)
        return Response(encode_runs(project.masks.read(found.mask)), media_type=RUNS)


def _outlined(project: Project, image_id: str, image: ImageArray, side: int) -> ImageArray:
    found = project.history.latest_mask(image_id)
    if found is None or found.mask is None:
        scale = min(1.0, side / max(image.shape[:2]))
        return resize_image(image, (round(image.shape[0] * scale), round(image.shape[1] * scale)))
    return draw_contour(image, project.masks.read(found.mask), max_side=side)


def _add_decisions(router: APIRouter, project: Project) -> None:
    @router.post("/images/{image_id}/decisions")
    def decide(request: Request, image_id: str, decision: Decision) -> RevisionOut:
        """Append a decision; accepting takes the draft, where there is one."""
        if decision.action in ("predict", "restore"):
            raise HTTPException(422, f"'{decision.action}' is no decision")
        reviewer = reviewer_of(request)
        revision = project.history.decide(
            image_id, reviewer, decision.action, comment=decision.comment
        )
        return _revision(vars(revision))

    @router.post("/images/{image_id}/restore")
    def restore(request: Request, image_id: str, chosen: Restored) -> RevisionOut:
        """Put an earlier revision in force again, by appending it once more."""
        revision = project.history.restore(image_id, reviewer_of(request), chosen.number)
        return _revision(vars(revision))


def _add_drafts(router: APIRouter, project: Project, workers: Workers) -> None:
    @router.get("/images/{image_id}/draft", response_class=Response)
    def read_draft(request: Request, image_id: str) -> Response:
        """What this reviewer has drawn so far, as runs."""
        draft = project.history.read_draft(image_id, reviewer_of(request))
        if draft is None:
            raise HTTPException(404, "there is no draft")
        return Response(encode_runs(read_mask(draft.png)), media_type=RUNS)

    @router.put("/images/{image_id}/draft", status_code=204)
    async def save_draft(request: Request, image_id: str, base: int) -> None:
        """Keep what was drawn so far, sent as runs."""
        body = await request.body()

        def work() -> None:
            size = project.queue.get(image_id).size
            if size is None:
                raise HTTPException(409, "the photograph was not opened before")
            reviewer = reviewer_of(request)
            project.history.save_draft(image_id, reviewer, base, decode_runs(body, size))

        await workers.run(work)

    @router.delete("/images/{image_id}/draft", status_code=204)
    def discard_draft(request: Request, image_id: str) -> None:
        """Forget what was drawn."""
        project.history.discard_draft(image_id, reviewer_of(request))


def _add_people(router: APIRouter, project: Project, workers: Workers) -> None:
    @router.get("/agreement")
    async def agreement() -> Agreement:
        """How far reviewers agree on the images that several have masked."""
        return await workers.run(lambda: _agreement(project))

    @router.get("/accounts")
    def list_accounts(request: Request) -> list[str]:
        """Names of those who may log in; for owners."""
        _check_owner(request)
        return project.accounts.list_names()

    @router.post("/accounts", status_code=204)
    def add_account(request: Request, account: Account) -> None:
        """Let somebody log in, or give a new password; for owners."""
        _check_owner(request)
        project.accounts.add(account.name, account.password, account.role)

    @router.delete("/accounts/{name}", status_code=204)
    def remove_account(request: Request, name: str) -> None:
        """Let somebody log in no more; for owners."""
        _check_owner(request)
        project.accounts.remove(name)


def _check_owner(request: Request) -> None:
    if reviewer_of(request).role != "owner":
        raise HTTPException(403, "only an owner may do that")


def _agreement(project: Project) -> Agreement:
    compared = compare_reviewers(project)
    scores: dict[tuple[str, str], list[float]] = {}
    for comparison in compared:
        scores.setdefault(comparison.reviewers, []).append(comparison.dice)
    pairs = []
    for reviewers, values in sorted(scores.items()):
        interval = bootstrap_interval(values)
        pairs.append(
            Pair(
                reviewers=reviewers,
                num_images=len(values),
                dice=interval.value,
                low=interval.low if len(values) > 1 else None,
                high=interval.high if len(values) > 1 else None,
            )
        )
    worst = sorted(compared, key=lambda comparison: comparison.dice)[:_MOST_ITEMS]
    return Agreement(pairs=pairs, images=[Difference(**vars(entry)) for entry in worst])


def _detail(project: Project, image: Image, request: Request) -> Detail:
    if image.size is None and image.error is None:
        project.history.set_size(image.id, read_size(project.path_of(image.id)))
        image = project.queue.get(image.id)
    steps = project.history.list_revisions(image.id)
    draft = project.history.read_draft(image.id, reviewer_of(request))
    return Detail(
        **vars(image),
        revisions=[_revision(vars(step)) for step in steps],
        draft=None if draft is None else DraftOut(base=draft.base, updated=draft.updated),
    )


def _revision(values: Mapping[str, Any]) -> RevisionOut:
    return RevisionOut(**values, has_mask=values["mask"] is not None)
