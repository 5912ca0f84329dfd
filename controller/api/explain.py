"""Why the last plan is as it is: runners-up, what more is worth, and what would end a shortfall."""

import asyncio
from functools import partial
from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Query, Response

from controller.api import snapshot
from controller.api.encoding import answer, described
from controller.api.plan import in_force, latest
from controller.api.problems import Problem
from controller.api.questions import answered
from controller.api.view import View
from controller.decision import Decision
from controller.nearest import nearest
from controller.planning.explaining.explanation import Explanation, explained
from policy.resolved import Policy
from rules.kernel.problem import Placement

AT_ONCE: Final = 1
"""An explanation takes a core; the loop needs the other."""
LIMIT_S: Final = 60.0
Service = Annotated[str | None, Query(min_length=1, max_length=253, description="Only this service's placements.")]


def routes(view: View, limit_s: float = LIMIT_S) -> APIRouter:
    """`/v1/explain`."""
    router = APIRouter(tags=["loop"])
    places = asyncio.Semaphore(AT_ONCE)

    @router.get(
        "/v1/explain",
        summary="Why the last plan is as it is",
        description="One question at a time is answered; 503 while another is, 504 when it takes too long.",
        response_class=Response,
        responses=described(Explanation, "Runners-up, shadow prices, and what would end a shortfall."),
    )
    async def explain(service: Service = None) -> Response:
        decision, seen, policy = latest(view), snapshot.latest(view), _policy(view, service)
        wanted = _placements(decision, service)
        work = partial(explained, policy, seen, decision.state, decision.plan, now=decision.at, wanted=wanted)
        return answer(await answered(places, limit_s, work))

    return router


def _policy(view: View, service: str | None) -> Policy:
    """The policy in force. Raises Problem without one, or when it has no such service."""
    policy = in_force(view)
    names = [item.name for item in policy.services]
    if service is not None and service not in names:
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY, "unknown-name", "The policy has no such service", nearest(service, names)
        )
    return policy


def _placements(decision: Decision, service: str | None) -> frozenset[Placement]:
    """The placements that the routes of a service, or of all, go through."""
    routes = (item for item in decision.fleet.routes if service in {None, item.service})
    return frozenset(placement for item in routes for way in item.ways for placement in way.placements)
