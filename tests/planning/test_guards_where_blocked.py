"""Where full nodes block the best plan, what is done instead keeps the guards of the scaling policy, too."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from controller.decision import Started, State
from controller.fleet import fleet_of
from controller.planning.build import Built
from controller.planning.cheapest import cheapest
from controller.planning.choose import Choice, choose
from controller.planning.demand import Asked
from controller.planning.guards import no_more
from controller.planning.options import speeds
from controller.planning.verify import verify
from rules.kernel.plan import Plan
from rules.kernel.problem import Placement, Problem
from tests.rules.build import Fleet, plan, stage

LIGHT = Placement("b", "fp32", "annex")
RUNNING = plan(
    {("single", "hall-0"): 1, ("light", "annex-0"): 4},
    {"steady single": 550, "other light": 1000},
    {"steady@paris": 450},
    {"steady": 1},
)


def full_and_idle() -> Fleet:
    """A node so full that its model cannot be set anew, as it should be; and three idle instances elsewhere."""
    fleet = Fleet().site("paris", "FR").pool("hall", "paris", memory_mib=1)
    fleet = fleet.pool("annex", "paris", memory_mib=5, share_permille=5, price_millicents_per_hour=100)
    fleet = fleet.option("single", "a", "hall", capacity_milli_rps=22_000)
    fleet = fleet.option("batched", "a", "hall", capacity_milli_rps=44_000, max_batch=4)
    fleet = fleet.option("light", "b", "annex", capacity_milli_rps=4_000)
    fleet = fleet.service("steady", stage("only", "a")).demand("steady", "paris", 40_000)
    fleet = fleet.service("other", stage("only", "b")).demand("other", "paris", 4_000)
    fleet = fleet.path("steady single", "steady@paris", "single").path("steady batched", "steady@paris", "batched")
    fleet = fleet.path("other light", "other@paris", "light").scaling(cooldown_s=60)
    return fleet.running(Placement("a", "fp32", "hall"), "hall-0", 1).running(LIGHT, "annex-0", 4)


def chosen(problem: Problem, running: Plan, since_s: int) -> Choice:
    """What is chosen so many seconds after the last of the idle ones was started."""
    asked = Asked(problem.demands, (), frozenset(), ())
    built = Built(problem, problem, (), asked, {}, State(), speeds(problem.policy, ()))
    started = (Started(LIGHT, datetime.fromtimestamp(problem.now_s - since_s, UTC)),)
    current = fleet_of(running, problem)
    state = State(plan=running, fleet=current, started=started)
    return choose(built, running, current, state, datetime.fromtimestamp(problem.now_s, UTC))


def test_a_plan_that_was_found_at_rest_is_taken_within_limits_alone() -> None:
    problem = replace(full_and_idle().problem, running=full_and_idle().problem.running[:1])
    running = plan(
        {("single", "hall-0"): 1},
        {"steady single": 550},
        {"steady@paris": 450, "other@paris": 1000},
        {"steady": 1, "other": 1},
    )
    cheaper = plan({("batched", "hall-0"): 1, ("light", "annex-0"): 1}, {"steady batched": 1000, "other light": 1000})
    assert verify(cheaper, problem) == ()
    free, bound = (cheapest(problem, running, limits, proposal=cheaper) for limits in ((), no_more(problem)))
    assert free is not None
    assert bound is not None
    assert (free.plan.count(["light"]), bound.plan.count(["light"])) == (1, 0)


@pytest.mark.parametrize(("since_s", "left"), [(1, 4), (61, 1)])
def test_a_plan_that_only_shrinks_takes_nothing_away_within_the_cooldown(since_s: int, left: int) -> None:
    assert chosen(full_and_idle().problem, RUNNING, since_s).plan.count(["light"]) == left
