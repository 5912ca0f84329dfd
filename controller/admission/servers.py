"""On which nodes the servers of a pool may stand: on its own, as far as a plan uses them for what is allowed there.

What a server has loaded is no business of Kubernetes. So a pool's servers are judged by the stages whose requests the
routes lead to it; without a plan, by whether any stage may run there.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from controller.admission.judging import Objection, Protected, judged
from controller.fleet import Fleet
from policy.resolved import Policy, Pool
from rules.kernel.problem import Problem


@dataclass(frozen=True, slots=True)
class Use:
    """What the servers of a pool are for: the nodes on which something is loaded, and the stages that it serves."""

    nodes: frozenset[str] = frozenset()
    stages: frozenset[Protected] = frozenset()


def uses(fleets: Iterable[Fleet], policy: Policy) -> Mapping[str, Use]:
    """By pool, what it is used for in any of some fleets: what runs, and what is planned."""
    nodes: defaultdict[str, set[str]] = defaultdict(set)
    stages: defaultdict[str, set[Protected]] = defaultdict(set)
    for fleet in fleets:
        for load in fleet.loads:
            if load.node:
                nodes[load.placement.pool].add(load.node)
        for routes in fleet.routes:
            called = policy.service(routes.service).stages
            for way in routes.ways:
                for stage, placement in zip(called, way.placements, strict=True):
                    stages[placement.pool].add(Protected(routes.service, stage.name))
    return {pool: Use(frozenset(nodes[pool]), frozenset(stages[pool])) for pool in {*nodes, *stages}}


def servers_judged(
    problem: Problem, used: Mapping[str, Use] | None = None
) -> Mapping[str, Mapping[str, Objection | None]]:
    """By pool and node of it, what is against a server there; None where it may stand. `used` is of a plan."""
    answers = judged(problem)
    pools = problem.policy.pools
    if used is None:
        return {pool.name: dict.fromkeys(pool.node_names(), _any(pool, answers, problem.policy)) for pool in pools}
    return {pool.name: _planned(pool, answers, used.get(pool.name, Use())) for pool in pools}


def _planned(
    pool: Pool, answers: Mapping[Protected, Mapping[str, Objection | None]], use: Use
) -> Mapping[str, Objection | None]:
    """Nodes that a plan uses, unless something is against one of the stages that are served there."""
    against = (answers[stage][pool.name] for stage in sorted(use.stages) if stage in answers)
    objection = next((each for each in against if each), None)
    unused = Objection("no plan has a server on it", None)
    return {node: objection if node in use.nodes else unused for node in pool.node_names()}


def _any(pool: Pool, answers: Mapping[Protected, Mapping[str, Objection | None]], policy: Policy) -> Objection | None:
    """What is against the first stage, where something is against each."""
    stages = [Protected(service.name, stage.name) for service in policy.services for stage in service.stages]
    against = [answers[stage][pool.name] if stage in answers else None for stage in stages]
    return against[0] if all(against) else None
