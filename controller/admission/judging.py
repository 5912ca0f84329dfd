"""Which pools may run a stage, by the rules on compliance and by nothing else.

The rules' own exclusions are asked, so that admission and planning cannot disagree. A pool may run a stage when it may
for the requests of one origin and with one variant at least: which requests go there, and what is loaded, is for the
routes and the servers to keep.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from collectors.evidence.records import Evidence
from controller.planning.proofs import attestations, certifications, provenances
from policy.findings import Place
from policy.resolved import Policy
from rules.catalogue import OF_POOLS
from rules.kernel.problem import Demand, Option, Placement, Problem


@dataclass(frozen=True, slots=True, order=True)
class Protected:
    """A stage of a service that a compliance profile covers; of any service once some pool is dedicated."""

    service: str
    stage: str


@dataclass(frozen=True, slots=True)
class Objection:
    """Why a pool may not run a stage, and the clause that says so."""

    reason: str
    place: Place | None

    def __str__(self) -> str:
        return f"{self.reason} ({self.place})" if self.place else self.reason


def question(policy: Policy, evidence: Sequence[Evidence], now_s: int) -> Problem:
    """Every variant in every pool, asked for from every origin, from `now_s` (Unix time) as far as plans look ahead."""
    called = {stage.model for service in policy.services for stage in service.stages}
    options = tuple(
        _option(Placement(model.name, variant.name, pool.name))
        for model in policy.models
        for variant in model.variants
        for pool in policy.pools
        if model.name in called
    )
    demands = tuple(
        Demand(f"{service.name}@{origin.site}", service.name, origin.site, 0)
        for service in policy.services
        for origin in service.origins
    )
    return Problem(
        policy=policy,
        now_s=now_s,
        needed_until_s=now_s + policy.scaling.evidence_lead_s,
        demands=demands,
        options=options,
        paths=(),
        nodes=(),
        certifications=certifications(evidence),
        running=(),
        floors=(),
        attestations=attestations(evidence),
        provenances=provenances(policy, evidence),
    )


def judged(problem: Problem) -> Mapping[Protected, Mapping[str, Objection | None]]:
    """By protected stage and pool, what is against it; None where the pool may run the stage."""
    is_divided = any(pool.dedicated_to for pool in problem.policy.pools)
    against: defaultdict[tuple[str, str, str], list[Objection]] = defaultdict(list)
    for rule in OF_POOLS:
        for row in rule.exclusions(problem):
            against[row.demand, row.stage, row.option].append(Objection(row.reason, row.place))
    demands: defaultdict[str, list[str]] = defaultdict(list)
    for demand in problem.demands:
        demands[demand.service].append(demand.id)
    options: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for option in problem.options:
        options[option.placement.model, option.placement.pool].append(option.id)
    return {
        Protected(service.name, stage.name): {
            pool.name: _least_of_all(
                [
                    against[demand, stage.name, option]
                    for demand in demands[service.name]
                    for option in options[stage.model, pool.name]
                ]
            )
            for pool in problem.policy.pools
        }
        for service in problem.policy.services
        for stage in service.stages
        if is_divided or any(stage in profile.covered(service) for profile in problem.policy.compliance)
    }


def _least_of_all(by_use: list[list[Objection]]) -> Objection | None:
    """Nothing where nothing is against one variant for the requests of one origin; else the first objection."""
    if not by_use:
        return Objection("no requests are expected", None)
    return None if not all(by_use) else by_use[0][0]


def _option(placement: Placement) -> Option:
    return Option(str(placement), placement, 1, 0, 0, 0, 0, 0, 0, 0)
