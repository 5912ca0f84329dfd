"""What if: the real decision on an imagined snapshot. It changes nothing."""

import asyncio
from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from controller import whatif as imagining
from controller.api import snapshot
from controller.api.encoding import answer, described
from controller.api.plan import in_force
from controller.api.problems import Problem
from controller.api.questions import answered
from controller.api.view import View
from controller.decision import Decision, State
from controller.fleet import Fleet
from controller.summary import Proposal, propose
from policy.resolved import Policy

AT_ONCE: Final = 1
"""A decision takes a core; the loop needs the other."""
LIMIT_S: Final = 30.0
Name = Annotated[str, Field(min_length=1, max_length=253)]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Traffic(_Request):
    """Requests times `factor`; of every service or origin that is not narrowed down."""

    factor: float = Field(ge=0, le=1000, allow_inf_nan=False)
    service: Name | None = None
    origin: Name | None = None


class Rate(_Request):
    """The rate of one demand, instead of what is measured."""

    service: Name
    origin: Name
    requests_per_second: float = Field(ge=0, le=1_000_000, allow_inf_nan=False)


class Certification(_Request):
    """A certification that is no longer held."""

    site: Name
    standard: Name


class Question(_Request):
    """What to imagine, all at once."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"traffic": [{"factor": 3}]},
                {"lost_sites": ["cloud-frankfurt"]},
                {
                    "traffic": [{"factor": 2, "service": "receipt-ocr", "origin": "edge-paris"}],
                    "lost_certifications": [{"site": "edge-paris", "standard": "pci-dss"}],
                },
            ]
        }
    )
    traffic: tuple[Traffic, ...] = Field(default=(), max_length=100)
    rates: tuple[Rate, ...] = Field(default=(), max_length=100)
    lost_sites: tuple[Name, ...] = Field(default=(), max_length=100)
    lost_certifications: tuple[Certification, ...] = Field(default=(), max_length=100)

    def whatif(self) -> imagining.WhatIf:
        """The question in integers."""
        return imagining.WhatIf(
            tuple(
                imagining.TrafficFactor(round(item.factor * 1000), item.service or "", item.origin or "")
                for item in self.traffic
            ),
            tuple(
                imagining.AssumedRate(item.service, item.origin, round(item.requests_per_second * 1000))
                for item in self.rates
            ),
            self.lost_sites,
            tuple(imagining.LostCertification(item.site, item.standard) for item in self.lost_certifications),
        )


def routes(view: View, limit_s: float = LIMIT_S) -> APIRouter:
    """`/v1/whatif`."""
    router = APIRouter(tags=["what-if"])
    places = asyncio.Semaphore(AT_ONCE)

    @router.post(
        "/v1/whatif",
        summary="What the loop would decide",
        description="Where a service wakes up: what the turn after would decide, with the steps of both. "
        "One question at a time is answered; 503 while another is, 504 when it takes too long.",
        response_class=Response,
        responses=described(Proposal, "The decision, and what it changes of the plan in force."),
    )
    async def whatif(question: Question) -> Response:
        policy = in_force(view)
        asked = question.whatif()
        unknown = imagining.unknown_names(asked, policy)
        if unknown:
            reasons = tuple(f"{finding.message}: {finding.hint}" for finding in unknown)
            raise Problem(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                "unknown-name",
                "The policy has no such name",
                "correct the names; `gridwright check` reads the documents",
                reasons=reasons,
            )
        decision = await _decide(view, asked, policy, places, limit_s)
        running = view.status().decision
        return answer(propose(decision, running.fleet if running else Fleet()))

    return router


async def _decide(
    view: View, asked: imagining.WhatIf, policy: Policy, places: asyncio.Semaphore, limit_s: float
) -> Decision:
    status = view.status()
    observed = snapshot.latest(view)
    state = status.decision.state if status.decision else State()
    return await answered(places, limit_s, lambda: imagining.would_decide(asked, policy, observed, state, view.decide))
