"""What the loop saw last."""

from http import HTTPStatus

from fastapi import APIRouter, Response

from collectors.snapshot import Snapshot
from controller.api.encoding import answer, described
from controller.api.problems import Problem
from controller.api.view import View


def routes(view: View) -> APIRouter:
    """`/v1/snapshot`."""
    router = APIRouter(tags=["loop"])

    @router.get(
        "/v1/snapshot",
        summary="The last snapshot",
        response_class=Response,
        responses=described(Snapshot, "Every reading with its instant and source; null where nothing was read."),
    )
    async def snapshot() -> Response:
        return answer(latest(view))

    return router


def latest(view: View) -> Snapshot:
    """The last snapshot. Raises Problem before the first."""
    found = view.status().snapshot
    if found is None:
        raise Problem(
            HTTPStatus.SERVICE_UNAVAILABLE, "no-snapshot", "Nothing was observed yet", "ask again after the first turn"
        )
    return found
