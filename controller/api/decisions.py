"""What the loop decided since it started; the journal has the rest."""

from typing import Annotated, Final

from fastapi import APIRouter, Query, Response

from controller.api.encoding import answer, described
from controller.api.view import View
from controller.summary import Summary

MOST: Final = 100
Limit = Annotated[int, Query(ge=1, le=MOST, description="How many, newest first.")]


def routes(view: View) -> APIRouter:
    """`/v1/decisions`."""
    router = APIRouter(tags=["loop"])

    @router.get(
        "/v1/decisions",
        summary="The last decisions",
        response_class=Response,
        responses=described(list[Summary], "Newest first."),
    )
    async def decisions(limit: Limit = 20) -> Response:
        return answer(view.recent(limit))

    return router
