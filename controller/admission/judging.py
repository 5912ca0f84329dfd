"""Which pools may run a stage, by the rules on compliance and by nothing else.

The rules' own exclusions are asked, so that admission and planning cannot disagree. A pool may run a stage when it may
for the requests of one origin at least: which requests go there is for the routes to keep.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from policy.findings import Place
from policy.resolved import Policy
from rules.catalogue import COMPLIANCE
from rules.kernel.problem import Demand, Held, Option, Placement, Problem


@dataclass(frozen=True, slots=True, order=True)
class Protected:
    """A stage of a service that a compliance profile covers."""

    service: str
    stage: str


@dataclass(frozen=True, slots=True)
class Objection:
    """Why a pool may not run a stage, and the clause that says so."""

    reason: str
    place: Place | None

    def __str__(self) -> str:
        return f"{self.reason} ({self.place})" if self.place else self.reason


def question(policy: Policy, held: tuple[Held, ...], now_s: int) -> Problem:
    """Every model in every pool, asked for from every origin, from `now_s` (Unix time) as far as plans look ahead."""
    models = sorted({stage.model for service in policy.services for stage in service.stages})
    options = tuple(_option(model, pool.name) for model in models for pool in policy.pools)
    demands = tuple(
        Demand(f"{service.name}@{origin.site}", service.name, origin.site, 0)
        for service in policy.services
        for origin in service.origins
    )
    return Problem(policy, now_s, now_s + policy.scaling.evidence_lead_s, demands, options, (), (), held, (), ())


def judged(problem: Problem) -> Mapping[Protected, Mapping[str, Objection | None]]:
    """By protected stage and pool, what is against it; None where the pool may run the stage."""
    against: defaultdict[tuple[str, str, str], list[Objection]] = defaultdict(list)
    for rule in COMPLIANCE:
        for row in rule.exclusions(problem):
            pool = problem.option(row.option).placement.pool
            against[row.demand, row.stage, pool].append(Objection(row.reason, row.place))
    return {
        Protected(service.name, stage.name): {
            pool.name: _least_of_all(
                [
                    against[demand.id, stage.name, pool.name]
                    for demand in problem.demands
                    if demand.service == service.name
                ]
            )
            for pool in problem.policy.pools
        }
        for service in problem.policy.services
        for stage in service.stages
        if any(stage in profile.covered(service) for profile in problem.policy.compliance)
    }


def _least_of_all(by_origin: list[list[Objection]]) -> Objection | None:
    """Nothing where nothing is against the requests of one origin; else the first objection."""
    if not by_origin:
        return Objection("no requests are expected", None)
    return None if not all(by_origin) else by_origin[0][0]


def _option(model: str, pool: str) -> Option:
    return Option(f"{model}@{pool}", Placement(model, "", pool), 1, 0, 0, 0, 0, 0, 0, 0)
