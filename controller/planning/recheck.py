"""Looking again just before acting: may a decision still be carried out?

Evidence has to last as long as the decision said, which may be less than the lead of a new plan: where none is found,
what may serve for a while yet stays, and what may not is withdrawn by the same decision. What only the way needs has
until the way is done.

What the decision would load is judged as what it would route. What stands already is a matter of the next turn.

Amid a wave that is asked every few seconds. So nothing is judged but what the decision and the gateways go over, by the
rules that bar something: they judge each use by itself. What else there would be to choose from is not looked for.
"""

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from collectors.snapshot import LoadedModel, Snapshot
from controller.actions import SetLoad, SetRoutes
from controller.decision import Decision
from controller.fleet import Load, RouteSet, Seat
from controller.planning.as_asked import as_asked, has_as_many
from controller.planning.build import read
from controller.planning.demand import demand_id
from controller.planning.kept import Kept
from controller.planning.options import placement_of
from controller.planning.pricing import path_id
from controller.planning.verify import explained
from policy.findings import Finding, Level
from policy.resolved import Policy
from rules.catalogue import BARRING, STANDING
from rules.kernel.plan import Instances, Plan, Route
from rules.kernel.problem import WHOLE_PERMILLE, Path, Problem
from rules.kernel.rule import Violation


def recheck(
    policy: Policy,
    snapshot: Snapshot,
    decision: Decision,
    now: datetime,
    followed: Iterable[RouteSet] = (),
    *,
    kept: Kept | None = None,
) -> tuple[Finding, ...]:
    """Why a decision must not be carried out any more, judged on a fresh snapshot; nothing when it may.

    `followed` are the routes that gateways follow now. Of a plan some of whose ways nobody asks for any more, as where
    their site is cut off, all others are judged: who goes on all the same has to know what is against them.
    """
    another = Finding(
        "GW2020",
        Level.WARNING,
        "the policy or the fleet changed while the decision was made",
        "nothing to do: the next turn decides anew",
        subject=decision.id,
    )
    if policy.revision != decision.policy_revision:
        return (another,)
    found = read(policy, snapshot, decision.state, now, kept or Kept())
    followed = tuple(followed)
    here = _gone_over(found.problem, decision, followed)
    plan = _known(decision.plan, here)
    lost = (another,) if plan != decision.plan else ()
    decision = replace(decision, plan=plan)
    present = {node.name for node in here.nodes}
    gone = sorted({item.node for item in decision.plan.instances} - present)
    vanished = tuple(
        Finding(
            "GW2021",
            Level.WARNING,
            f"node {node} of the plan is gone since the decision",
            "nothing to do: the next turn decides anew",
            subject=node,
        )
        for node in gone
    )
    apart = {*snapshot.stuck, *(item.site for item in snapshot.cut_off)}
    own = tuple(item for item in followed if item.origin not in apart)
    return (*lost, *explained(_broken(decision, here, own, found.loaded)), *vanished)


def _known(plan: Plan, whole: Problem) -> Plan:
    """A plan without what the fleet does not have any more, and without ways that nobody asks for any more."""
    paths, options = {path.id for path in whole.paths}, {option.id for option in whole.options}
    return replace(
        plan,
        instances=tuple(item for item in plan.instances if item.option in options),
        routes=tuple(route for route in plan.routes if route.path in paths),
    )


def _gone_over(problem: Problem, decision: Decision, followed: Iterable[RouteSet]) -> Problem:
    """The problem with the paths of the plan, and with the options of what is planned, loaded or routed."""
    actions = [action for wave in decision.transition.waves for action in wave.actions]
    sets = [item for action in actions if isinstance(action, SetRoutes) for item in action.routes]
    placements = {action.load.placement for action in actions if isinstance(action, SetLoad)}
    for item in (*followed, *decision.fleet.routes, *sets):
        placements.update(*(way.placements for way in item.ways))
    planned = {item.option for item in decision.plan.instances}
    options = tuple(each for each in problem.options if each.id in planned or each.placement in placements)
    narrow = replace(problem, options=options)
    return replace(narrow, paths=tuple(_planned(decision, narrow)))


def _planned(decision: Decision, problem: Problem) -> Iterator[Path]:
    """The ways of the plan as its paths, at the settings that are planned there; nothing is predicted of them.

    Those that are no ways of what is asked any more are none of them.
    """
    planned = {item.option for item in decision.plan.instances}
    options = {option.placement: option.id for option in problem.options if option.id in planned}
    asked = {demand.id: demand for demand in problem.demands}
    for item in decision.fleet.routes:
        demand = asked.get(demand_id(item.service, item.origin))
        for way in item.ways if demand else ():
            if demand and all(each in options for each in way.placements) and as_asked(way, demand, problem):
                taken = tuple(options[placement] for placement in way.placements)
                yield Path(path_id(demand.id, taken, way.encodings), demand.id, taken, (), encodings=way.encodings)


def _broken(
    decision: Decision, problem: Problem, followed: Iterable[RouteSet], loaded: Mapping[Seat, LoadedModel]
) -> Iterator[Violation]:
    """What the plan breaks that is to be reached, and then what only the way to it does."""
    until_s = int(decision.valid_until.timestamp()) if decision.valid_until else problem.needed_until_s
    asked = replace(problem, needed_until_s=min(problem.needed_until_s, until_s))
    passing = replace(problem, needed_until_s=problem.now_s + math.ceil(decision.transition.duration_us / 1_000_000))
    yield from (broken for rule in BARRING if rule.applies(asked) for broken in rule.check(decision.plan, asked))
    loads = {str(load.placement): load for load in _loads(decision, loaded)}
    yield from (each for each in STANDING.check(decision.plan, asked) if placement_of(each.subject) in loads)
    planned = {placement_of(item.option) for item in decision.plan.instances}
    yield from _idle((load for placement, load in loads.items() if placement not in planned), passing)
    yield from _routed(decision, followed, passing)


def _loads(decision: Decision, loaded: Mapping[Seat, LoadedModel]) -> Iterator[Load]:
    """The loads by which more instances would stand on a server than do."""
    standing = {seat: model.instances for seat, model in loaded.items()}
    for wave in decision.transition.waves:
        for action in wave.actions:
            if isinstance(action, SetLoad) and action.load.instances > standing.get(action.load.seat, 0):
                yield action.load


def _idle(loads: Iterable[Load], problem: Problem) -> Iterable[Violation]:
    """What of this would stand where nobody may use it, judged as if no request went there."""
    options = {option.placement: option.id for option in problem.options}
    known = (load for load in loads if load.placement in options)
    instances = tuple(Instances(options[load.placement], load.node, load.instances) for load in known)
    return STANDING.check(Plan(instances), problem)


def _routed(decision: Decision, followed: Iterable[RouteSet], passing: Problem) -> Iterator[Violation]:
    """What is against the ways that requests take before they take those of the plan.

    Those that the first wave replaces do not count: where it sets routes, this is what it is for.
    """
    by_wave = tuple(
        tuple(item for action in wave.actions if isinstance(action, SetRoutes) for item in action.routes)
        for wave in decision.transition.waves
    )
    replaced = {(item.service, item.origin) for item in itertools.chain.from_iterable(by_wave[:1])}
    staying = (item for item in followed if (item.service, item.origin) not in replaced)
    planned = set(_ways(decision.fleet.routes, passing))
    ways = _ways((*staying, *itertools.chain.from_iterable(by_wave)), passing)
    paths = tuple(dict.fromkeys(path for path in ways if path not in planned))
    trial = replace(passing, paths=paths)
    sent = Plan(routes=tuple(Route(path.id, WHOLE_PERMILLE) for path in paths))
    for rule in BARRING if paths else ():
        if rule.applies(trial):
            yield from rule.check(sent, trial)


def _ways(routes: Iterable[RouteSet], problem: Problem) -> Iterator[Path]:
    """The ways of routes as paths, of which nothing is known but where they go and how inputs are encoded."""
    options = {option.placement: option.id for option in problem.options}
    demands = {demand.id: demand for demand in problem.demands}
    for item in routes:
        demand = demands.get(demand_id(item.service, item.origin))
        for way in item.ways if demand else ():
            if demand and all(each in options for each in way.placements) and has_as_many(way, demand, problem):
                name = f"{demand.id}: {' | '.join(map(str, way.placements))} {' '.join(way.encodings)}".strip()
                taken = tuple(options[placement] for placement in way.placements)
                yield Path(name, demand.id, taken, (), encodings=way.encodings)
