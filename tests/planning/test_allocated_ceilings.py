"""Ceilings on what services and teams use, in plans by each engine and in what is told when they are too low."""

from controller.planning.build import write
from controller.planning.explaining.conflict import clashes
from controller.planning.explaining.questions import Questions
from controller.planning.explaining.relaxation import relaxations
from controller.planning.objective import prices
from controller.planning.solve import solve
from controller.planning.verify import verify
from controller.planning.whole.rounds import plan_fleet
from policy.resolved import Ceiling
from rules.kernel.plan import Plan
from rules.kernel.problem import Problem
from tests.rules.build import Fleet, at, stage

NOTHING = Plan()


def shared(*ceilings: Ceiling) -> Problem:
    """Two services of a team, each of a call a second, where an instance answers two.

    On the new node, for 4,000, an instance takes an eighth: a service uses 4,000 / 8 / 2 = 250 an hour. On the old one,
    for 1,500, it takes half: 375. One old node for both is the cheapest.
    """
    fleet = Fleet().site("paris").pool("new", "paris", price_millicents_per_hour=4_000)
    fleet = fleet.pool("old", "paris", price_millicents_per_hour=1_500)
    for name in ("dear", "other"):
        fleet = fleet.service(name, stage("read", name), team="readers").demand(name, "paris")
        for pool, part in (("new", 125), ("old", 500)):
            fleet = fleet.option(f"{name}@{pool}", name, pool, share_permille=part, capacity_milli_rps=2_000)
            fleet = fleet.path(f"{name} on {pool}", f"{name}@paris", f"{name}@{pool}")
    return fleet.cost(ceilings=ceilings).problem


def routes(asked: Problem) -> dict[str, int]:
    """Where requests go in the best plan, which the engine for fleets finds too."""
    form = write(asked)
    form.add(prices(asked, NOTHING))
    solved, planned = solve(form, asked), plan_fleet(form, asked, NOTHING)
    assert solved.plan is not None
    assert planned.plan is not None
    assert not verify(solved.plan, asked)
    assert not verify(planned.plan, asked)
    assert planned.cost == solved.cost
    return {route.path: route.share_permille for route in solved.plan.routes}


def test_a_service_leaves_a_cheap_node_of_which_it_uses_too_much() -> None:
    assert routes(shared()) == {"dear on old": 1000, "other on old": 1000}
    assert routes(shared(Ceiling("", 375, at(81), service="dear"))) == {"dear on old": 1000, "other on old": 1000}
    assert routes(shared(Ceiling("", 374, at(81), service="dear")))["dear on new"] > 0


def test_a_team_has_one_ceiling_for_its_services() -> None:
    assert set(routes(shared(Ceiling("", 750, at(81), team="readers")))) == {"dear on old", "other on old"}
    sent = routes(shared(Ceiling("", 500, at(81), team="readers")))
    assert set(sent) == {"dear on new", "other on new"}


def test_a_ceiling_that_is_too_low_is_named_with_what_would_be_enough() -> None:
    questions = Questions(shared(Ceiling("", 240, at(81), service="dear"), Ceiling("", 900, at(82), team="readers")))
    (conflict,) = clashes(questions).found
    assert [(clause.rule, clause.place) for clause in conflict.clauses] == [("allocated_cost", at(81))]
    (told,) = relaxations(questions, conflict)
    assert (told.what, told.amount, told.least) == ("raise the ceiling by $0.0001/h", 10, True)


def test_what_another_service_uses_is_no_part_of_a_ceiling() -> None:
    assert routes(shared(Ceiling("", 250, at(81), service="dear")))["dear on new"] == 1000
