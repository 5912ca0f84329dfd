"""Whether the process lives, and whether the loop does its work."""

from http import HTTPStatus

from fastapi import APIRouter, Response

from controller.api.encoding import answer, described
from controller.api.problems import Problem
from controller.api.view import View
from controller.loop.status import Readiness, readiness


def routes(view: View) -> APIRouter:
    """`/healthz` and `/readyz`."""
    router = APIRouter(tags=["health"])

    @router.get("/healthz", summary="The process answers")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @router.get(
        "/readyz",
        summary="The loop does its work",
        description="503 with the reasons while it does not. Notes, such as a refused policy, come with a 200.",
        responses=described(Readiness, "Ready; `reasons` hold what a person should know meanwhile."),
    )
    async def readyz() -> Response:
        now = readiness(view.status(), view.clock())
        if not now.ready:
            raise Problem(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "not-ready",
                "The loop is not ready",
                "the reasons tell what to see to",
                reasons=now.reasons,
            )
        return answer(now)

    return router
