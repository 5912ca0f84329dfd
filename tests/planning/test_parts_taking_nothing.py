"""What can be reached of a plan, where full nodes block the rest, takes nothing for services that do not preempt."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from controller.actions import Transition
from controller.decision import Forecast, Proof, State
from controller.fleet import fleet_of
from controller.planning.build import Built
from controller.planning.choose import Choice, choose
from controller.planning.demand import Asked
from controller.planning.options import speeds
from controller.planning.stuck import beside_stuck
from controller.planning.transitions.transition import step_reached
from controller.planning.verify import verify
from policy.resolved import NeverPreempts
from rules.kernel.plan import Plan
from rules.kernel.problem import Assured, Placement, Problem
from tests.rules.build import Fleet, at, plan, stage

URGENT, STEADY = "alerts", "steady"
HAD_RPS = {URGENT: 4, STEADY: 40}
RUNNING = plan(
    {("single", "hall-0"): 1},
    {"alerts single": 200, "steady single": 500},
    {"alerts@paris": 800, "steady@paris": 500},
    {URGENT: 1, STEADY: 1},
)
"""Half of what is asked for is refused, as when twice as much was asked for."""


PRIORITIES = {URGENT: 100, STEADY: 10}
LATENCY_US = {URGENT: 10_000, STEADY: 50_000}


def hall(urgent_rps: int, *, never: bool = True, priorities: dict[str, int] = PRIORITIES) -> Problem:
    """A node that one instance fills, which answers 44 a second by itself and 66 in batches; two services call it."""
    fleet = Fleet().site("paris", "FR").pool("hall", "paris", memory_mib=1)
    fleet = fleet.option("single", "net", "hall", capacity_milli_rps=44_000)
    fleet = fleet.option("batched", "net", "hall", capacity_milli_rps=66_000, max_batch=4)
    for name, rps in ((URGENT, urgent_rps), (STEADY, HAD_RPS[STEADY])):
        waits = NeverPreempts(at(11)) if never and name == URGENT else None
        fleet = fleet.service(name, stage("only", "net"), preemption=waits, priority=priorities[name])
        fleet = fleet.demand(name, "paris", 1000 * rps)
        for option in ("single", "batched"):
            fleet = fleet.path(f"{name} {option}", f"{name}@paris", option, latency_us=((9900, LATENCY_US[name]),))
    fleet = fleet.running(Placement("net", "fp32", "hall"), "hall-0", 1)
    return fleet.problem


def built(problem: Problem) -> Built:
    asked = Asked(problem.demands, (), frozenset(), ())
    return Built(problem, problem, (), asked, {}, State(), speeds(problem.policy, ()))


def chosen(problem: Problem, running: Plan = RUNNING, had_rps: dict[str, int] = HAD_RPS) -> Choice:
    """What is chosen where the last plan served of each service what it has."""
    forecasts = tuple(Forecast(name, "paris", 1000 * rps, 0, 0, 0, 1000) for name, rps in had_rps.items())
    state = State(plan=running, fleet=fleet_of(running, problem), forecasts=forecasts)
    now = datetime.fromtimestamp(problem.now_s, UTC)
    return choose(built(problem), running, fleet_of(running, problem), state, now)


def served_rps(found: Plan, problem: Problem) -> dict[str, int]:
    return {
        each.service: (1000 - found.unserved_permille(each.id)) * each.rate_milli_rps // 1_000_000
        for each in problem.demands
    }


@pytest.mark.parametrize("urgent_rps", [20, 40])
def test_nobody_loses_anything_by_what_is_reached_of_a_plan(urgent_rps: int) -> None:
    """With 20 a second the whole plan serves all of both; with 40 it would take from who has something."""
    problem = hall(urgent_rps)
    found = chosen(problem)
    assert found.is_found
    assert verify(found.plan, problem) == ()
    assert {item.option for item in found.plan.instances} == {"single"}, "it cannot be set anew on a full node"
    assert served_rps(found.plan, problem) == HAD_RPS


def test_what_preempts_gets_by_a_part_what_goes_before_others() -> None:
    problem = hall(40, never=False)
    assert served_rps(chosen(problem).plan, problem)[URGENT] > HAD_RPS[URGENT]


def room_beside() -> tuple[Problem, Plan]:
    """A full node on which one service lost half of what it had, and room beside it that only the other can use."""
    fleet = Fleet().site("paris", "FR").pool("hall", "paris", memory_mib=1).pool("annex", "paris", memory_mib=5)
    fleet = fleet.option("single", "a", "hall", capacity_milli_rps=22_000)
    fleet = fleet.option("batched", "a", "hall", capacity_milli_rps=44_000, max_batch=4)
    fleet = fleet.option("light", "b", "annex", capacity_milli_rps=4_000)
    fleet = fleet.service(URGENT, stage("only", "b"), preemption=NeverPreempts(at(11)), priority=100)
    fleet = fleet.service(STEADY, stage("only", "a"), priority=10)
    fleet = fleet.demand(URGENT, "paris", 20_000).demand(STEADY, "paris", 40_000)
    fleet = fleet.path("alerts light", "alerts@paris", "light")
    fleet = fleet.path("steady single", "steady@paris", "single").path("steady batched", "steady@paris", "batched")
    fleet = fleet.running(Placement("a", "fp32", "hall"), "hall-0", 1)
    fleet = fleet.running(Placement("b", "fp32", "annex"), "annex-0", 1)
    running = replace(
        RUNNING,
        instances=plan({("single", "hall-0"): 1, ("light", "annex-0"): 1}).instances,
        routes=plan({}, {"alerts light": 200, "steady single": 500}).routes,
    )
    return fleet.problem, running


def test_who_lost_something_by_itself_is_waited_for_once() -> None:
    """What is left to it is what it has from then on, and room that it has no use for is anybody's."""
    problem, running = room_beside()
    first = chosen(problem, running)
    assert first.is_found
    assert served_rps(first.plan, problem) == {URGENT: 4, STEADY: 22}
    then = chosen(problem, first.plan, served_rps(first.plan, problem))
    assert served_rps(then.plan, problem) == {URGENT: 20, STEADY: 22}


STEADY_HAS_ALL = (Assured(STEADY, 1, (("steady@paris", 0),)),)
SERVING_ALL = plan({("batched", "hall-0"): 1, ("light", "annex-0"): 5}, {"alerts light": 1000, "steady batched": 1000})


@pytest.mark.parametrize(("assured", "alerts_rps"), [((), 20), (STEADY_HAS_ALL, 4)])
def test_beside_a_stuck_site_no_part_is_taken_that_others_would_have_to_make_room_for(
    assured: tuple[Assured, ...], alerts_rps: int
) -> None:
    problem, running = room_beside()
    fleet = Fleet(problem).site("lyon", "FR").pool("old", "lyon").option("old", "old", "old")
    problem = replace(fleet.problem, assured=assured)
    old = plan({("old", "old-0"): 1}).instances
    running = replace(running, instances=(*running.instances, *old))
    choice = Choice(SERVING_ALL, Proof.OPTIMAL, Transition(), problem)
    found = beside_stuck(choice, running, fleet_of(running, problem), frozenset(("lyon",)))
    assert served_rps(found.plan, problem) == {URGENT: alerts_rps, STEADY: 20}


@pytest.mark.parametrize(("assured", "is_taken"), [((), True), (STEADY_HAS_ALL, False)])
def test_no_step_is_taken_that_others_would_have_to_make_room_for(
    assured: tuple[Assured, ...], *, is_taken: bool
) -> None:
    problem, running = room_beside()
    problem = replace(problem, assured=assured)
    running = replace(running, degraded=())
    assert {item.rule for item in verify(running, problem)} >= {"degrade"}
    step = step_reached(problem, running, fleet_of(running, problem), SERVING_ALL)
    assert (step is not None and served_rps(step.plan, problem)[URGENT] == 20) == is_taken


def test_of_plans_that_cost_the_same_the_one_that_answers_sooner_takes_nothing() -> None:
    """Who asks for as much at the same priority costs as much to refuse, and is answered sooner."""
    problem = without_batches(hall(40, priorities={URGENT: 10, STEADY: 10}))
    fleet = Fleet(problem).pool("cellar", "paris").option("old", "old", "cellar")
    problem = fleet.running(Placement("old", "fp32", "cellar"), "cellar-0", 1).problem
    running = plan(
        {("single", "hall-0"): 1, ("old", "cellar-0"): 1},
        {"alerts single": 100, "steady single": 1000},
        {"alerts@paris": 900},
        {URGENT: 1},
    )
    found = chosen(problem, running)
    assert found.is_found
    assert {item.option for item in found.plan.instances} == {"single"}, "nobody calls the other one"
    assert served_rps(found.plan, problem) == HAD_RPS


def without_batches(problem: Problem) -> Problem:
    options = tuple(option for option in problem.options if option.max_batch == 1)
    return replace(problem, options=options, paths=tuple(p for p in problem.paths if p.options == ("single",)))
