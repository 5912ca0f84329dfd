"""What the loop decided last."""

from http import HTTPStatus

from fastapi import APIRouter, Response

from controller.api.encoding import answer, described
from controller.api.problems import Problem
from controller.api.view import View
from controller.decision import Decision
from controller.summary import Summary, summarise
from policy.resolved import Policy


def routes(view: View) -> APIRouter:
    """`/v1/plan`."""
    router = APIRouter(tags=["loop"])

    @router.get(
        "/v1/plan",
        summary="The last decision",
        response_class=Response,
        responses=described(Summary, "What is wanted of the fleet, what that promises and costs, and why."),
    )
    async def plan() -> Response:
        return answer(summarise(latest(view), view.status().in_force.commit))

    return router


def latest(view: View) -> Decision:
    """The last decision. Raises Problem before the first."""
    found = view.status().decision
    if found is None:
        raise Problem(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "no-decision",
            "Nothing was decided yet",
            "ask again after the first turn; /readyz tells what it waits for",
        )
    return found


def in_force(view: View) -> Policy:
    """The policy that is acted on. Raises Problem without one."""
    policy = view.status().in_force.policy
    if policy is None:
        raise Problem(
            HTTPStatus.SERVICE_UNAVAILABLE, "no-policy", "No policy is in force", "/readyz tells what is wrong with it"
        )
    return policy
