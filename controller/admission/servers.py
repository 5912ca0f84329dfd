"""On which nodes the servers of a pool may stand: on its own, as far as a plan uses them for what is allowed there.

What a server has loaded is no business of Kubernetes. So a pool's servers are judged by the stages whose requests the
routes lead to it; without a plan, by whether any stage may run there.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from collectors.snapshot import Snapshot
from controller.actions import SetLoad, SetRoutes, Transition
from controller.admission.judging import Objection, Protected, judged
from controller.fleet import Fleet, RouteSet
from policy.resolved import Policy, Pool
from rules.kernel.problem import Problem

Answers = Mapping[Protected, Mapping[str, Objection | None]]
"""By protected stage and pool, what is against it; None where the pool may run the stage."""


@dataclass(frozen=True, slots=True)
class Use:
    """What the servers of a pool are for: the nodes on which something is loaded, and the stages that it serves."""

    nodes: frozenset[str] = frozenset()
    stages: frozenset[Protected] = frozenset()


Uses = Mapping[str, Use]
"""By pool, what it is used for."""


def uses(fleets: Iterable[Fleet], policy: Policy) -> Uses:
    """What pools are used for in any of some fleets."""
    some = tuple(fleets)
    nodes = ((load.placement.pool, load.node) for fleet in some for load in fleet.loads)
    return _used(nodes, (routes for fleet in some for routes in fleet.routes), policy)


def standing(snapshot: Snapshot, routes: Iterable[RouteSet], policy: Policy) -> Uses:
    """What pools are used for as it is: by what servers say that they hold, and by the routes that are followed."""
    nodes = (
        (each.pool, each.node) for each in snapshot.servers if each.reading.value and not each.reading.value.is_empty
    )
    return _used(nodes, routes, policy)


def on_the_way(transition: Transition) -> Fleet:
    """All that is loaded and routed by some step of a transition."""
    actions = [action for wave in transition.waves for action in wave.actions]
    loads = (action.load for action in actions if isinstance(action, SetLoad))
    routes = (routes for action in actions if isinstance(action, SetRoutes) for routes in action.routes)
    return Fleet(tuple(loads), tuple(routes))


def admitted(answers: Answers, pools: Iterable[Pool], used: Uses) -> Mapping[tuple[str, str], Objection | None]:
    """By pool and node of it that is used, what is against a server there: what is against a stage that it serves."""
    found: dict[tuple[str, str], Objection | None] = {}
    for pool in pools:
        use = used.get(pool.name, Use())
        against = (answers[stage][pool.name] for stage in sorted(use.stages) if stage in answers)
        objection = next((each for each in against if each), None)
        found |= {(pool.name, node): objection for node in pool.node_names() if node in use.nodes}
    return found


def servers_judged(problem: Problem) -> Mapping[str, Mapping[str, Objection | None]]:
    """By pool and node of it, what is against a server there whatever is planned; None where it may stand."""
    answers = judged(problem)
    pools = problem.policy.pools
    return {pool.name: dict.fromkeys(pool.node_names(), _any(pool, answers, problem.policy)) for pool in pools}


def _used(nodes: Iterable[tuple[str, str]], routes: Iterable[RouteSet], policy: Policy) -> Uses:
    on: defaultdict[str, set[str]] = defaultdict(set)
    stages: defaultdict[str, set[Protected]] = defaultdict(set)
    for pool, node in nodes:
        if node:
            on[pool].add(node)
    for pool, stage in _served(routes, policy):
        stages[pool].add(stage)
    return {pool: Use(frozenset(on[pool]), frozenset(stages[pool])) for pool in {*on, *stages}}


def _served(routes: Iterable[RouteSet], policy: Policy) -> Iterator[tuple[str, Protected]]:
    """The pools that routes lead to, each with a stage that it serves.

    Routes of a service that is gone serve nothing that is protected. Those of one whose stages are others by now may
    serve any of them.
    """
    stages = {service.name: service.stages for service in policy.services}
    for each in routes:
        called = stages.get(each.service, ())
        for way in each.ways:
            is_as_now = len(called) == len(way.placements)
            for place, placement in enumerate(way.placements):
                for stage in called[place : place + 1] if is_as_now else called:
                    yield placement.pool, Protected(each.service, stage.name)


def _any(pool: Pool, answers: Answers, policy: Policy) -> Objection | None:
    """What is against the first stage, where something is against each."""
    stages = [Protected(service.name, stage.name) for service in policy.services for stage in service.stages]
    against = [answers[stage][pool.name] if stage in answers else None for stage in stages]
    return against[0] if all(against) else None
