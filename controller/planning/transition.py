"""The safe way from what runs to a plan: make before break, and no moment in between breaks a hard rule.

Four waves: *withdraw* takes routes off what may no longer serve or no longer answers; *grow* loads what is missing,
beside what runs; *route* moves the traffic; *shrink* removes what is left over. The states between the waves are plans
like any other, and the verifier judges each of them by the rules that hold at every moment: compliance and memory among
them. Latency, capacity and device share are promises of the settled fleet: an instance that gets no requests yet, or no
more, takes memory but no compute.
"""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from controller.actions import Action, SetLoad, SetRoutes, Transition, Unload, Wave
from controller.fleet import Fleet, Load, fleet_of
from controller.planning.build import write
from controller.planning.verify import Moment, introduced, verify
from rules.kernel.plan import Instances, Plan, Route, Unserved
from rules.kernel.problem import WHOLE_PERMILLE, Option, Placement, Problem

SETTLE_US: Final = 2_000_000
"""Beside the longest load: what noticing it and switching routes take, in us."""
REFUSING: Final = "degrade"
"""The one rule that withdrawing may break, and only it: what nothing else may serve is refused until it can be."""


def transition(whole: Problem, running: Plan, current: Fleet, target: Plan) -> Transition | None:
    """The waves from `running` (as `current` on the real parts) to `target`; None when that order is not safe."""
    servers = _servers(whole, running, target)
    counts = _union(running, target, whole)
    grown = fleet_of(_state(counts, servers, target, whole), whole)
    goal = fleet_of(target, whole)
    grow = _grow(grown, current)
    duration_us = SETTLE_US + max((_load_us(action.load.placement, whole) for action in grow), default=0)
    passing = replace(whole, needed_until_s=whole.now_s + math.ceil(duration_us / 1_000_000))
    withdrawn = _withdraw(running, passing, current)
    states = (withdrawn, _state(counts, servers, withdrawn, whole), _state(counts, servers, target, whole))
    if not _safe(states, running, passing):
        return None
    after_withdraw = fleet_of(withdrawn, whole).routes if current.routes else ()
    waves = (
        Wave("withdraw", () if after_withdraw == current.routes else (SetRoutes(after_withdraw),)),
        Wave("grow", grow),
        Wave("route", () if goal.routes == after_withdraw else (SetRoutes(goal.routes),)),
        Wave("shrink", _shrink(grown, current, goal)),
    )
    return Transition(tuple(wave for wave in waves if wave.actions), duration_us)


def _safe(states: tuple[Plan, ...], running: Plan, passing: Problem) -> bool:
    before = verify(running, passing, Moment.PASSING)
    for state in states:
        found = introduced(verify(state, passing, Moment.PASSING), before)
        if any(violation.rule != REFUSING or state is not states[0] for violation in found):
            return False
        before = (*before, *found)
    return True


def _withdraw(running: Plan, passing: Problem, current: Fleet) -> Plan:
    """Only the routes that may serve until the transition is over; what the others carried goes to these.

    What is refused on purpose stays refused: the shares of a demand sum to what its gateway lets through now.
    """
    barred = {(row.demand, row.stage, row.option) for row in write(passing).exclusions() if row.demand}
    let_through = {
        f"{routes.service}@{routes.origin}": sum(way.weight_permille for way in routes.ways)
        for routes in current.routes
    }
    kept: dict[str, dict[str, int]] = {}
    for route in running.routes:
        path = passing.path(route.path)
        stages = passing.service_of(passing.demand(path.demand)).stages
        if not any((path.demand, s.name, o) in barred for s, o in zip(stages, path.options, strict=True)):
            kept.setdefault(path.demand, {})[route.path] = route.share_permille
    scaled = {demand: _scaled(shares, let_through.get(demand, WHOLE_PERMILLE)) for demand, shares in kept.items()}
    refused = {d.id: WHOLE_PERMILLE - sum(scaled.get(d.id, {}).values()) for d in passing.demands}
    return replace(
        running,
        routes=tuple(sorted(Route(*item) for shares in scaled.values() for item in shares.items())),
        unserved=tuple(sorted(Unserved(demand, share) for demand, share in refused.items() if share)),
    )


def _scaled(shares: Mapping[str, int], whole: int) -> dict[str, int]:
    """The shares, stretched to sum to `whole`; what rounding leaves goes to the largest."""
    total = sum(shares.values())
    scaled = {path: share * whole // total for path, share in shares.items()}
    largest = max(scaled, key=lambda path: (scaled[path], path))
    scaled[largest] += whole - sum(scaled.values())
    return scaled


def _union(running: Plan, target: Plan, problem: Problem) -> dict[tuple[Placement, str], int]:
    """Instances by placement and node, so many that both plans find theirs."""
    counts: dict[tuple[Placement, str], int] = {}
    for plan in (running, target):
        here: dict[tuple[Placement, str], int] = {}
        for item in plan.instances:
            key = (problem.option(item.option).placement, item.node)
            here[key] = here.get(key, 0) + item.count
        counts = {key: max(counts.get(key, 0), here.get(key, 0)) for key in {*counts, *here}}
    return counts


def _servers(problem: Problem, *plans: Plan) -> dict[Placement, Option]:
    """The option of each placement; a later plan's where several have it."""
    options = (problem.option(item.option) for plan in plans for item in plan.instances)
    return {option.placement: option for option in options}


def _state(
    counts: Mapping[tuple[Placement, str], int], servers: Mapping[Placement, Option], routes: Plan, problem: Problem
) -> Plan:
    """The plan with these instances, batched as `servers` names, and another plan's routes at the load it gave them."""
    wanted = {**servers, **_servers(problem, routes)}
    known = {(o.placement, o.max_batch, o.queue_delay_us, o.load_permille): o.id for o in problem.options}
    standing = {
        placement: known[placement, server.max_batch, server.queue_delay_us, wanted[placement].load_permille]
        for placement, server in servers.items()
    }
    paths = {(path.demand, path.options): path.id for path in problem.paths}
    moved = []
    for route in routes.routes:
        path = problem.path(route.path)
        options = tuple(standing[problem.option(option).placement] for option in path.options)
        moved.append(Route(paths[path.demand, options], route.share_permille))
    instances = (Instances(standing[placement], node, count) for (placement, node), count in counts.items())
    return replace(routes, instances=tuple(sorted(instances)), routes=tuple(sorted(moved)))


def _grow(grown: Fleet, current: Fleet) -> tuple[SetLoad, ...]:
    return tuple(SetLoad(load) for load in grown.loads if load != current.load(load.placement))


def _shrink(grown: Fleet, current: Fleet, goal: Fleet) -> tuple[Action, ...]:
    standing: dict[Placement, Load] = {load.placement: load for load in (*current.loads, *grown.loads)}
    actions: list[Action] = []
    for placement, load in sorted(standing.items()):
        wanted = goal.load(placement)
        if wanted is None:
            actions.append(Unload(placement))
        elif wanted != load:
            actions.append(SetLoad(wanted))
    return tuple(actions)


def _load_us(placement: Placement, problem: Problem) -> int:
    return max((option.load_us for option in problem.options if option.placement == placement), default=0)
