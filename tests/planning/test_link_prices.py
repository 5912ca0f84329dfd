"""What links cost, in plans: the same problem with and without a price, by each engine."""

from dataclasses import replace

from controller.planning.build import write
from controller.planning.explaining.runner_up import Chosen, runners_up
from controller.planning.objective import cost_of, links_per_hour, price_per_hour, prices
from controller.planning.solve import solve
from controller.planning.verify import verify
from controller.planning.whole.rounds import plan_fleet
from policy.resolved import Ceiling
from rules.kernel.dear_paths import MOST_MILLICENTS_PER_HOUR, capped
from rules.kernel.egress import carried_prices, egress_millicents_per_hour
from rules.kernel.formulation import Formulation
from rules.kernel.plan import Plan
from rules.kernel.problem import Problem
from tests.rules.build import Fleet, at, one_service, plan

NOTHING = Plan()
NEAR, FAR = 300, 100
"""Millicents an hour for a node in Paris, and for one in Lyon."""


def problem(millicents_per_gib: int, payload_bytes: int = 1024**2, rate_milli_rps: int = 1000) -> Problem:
    """Requests from Paris, a node there and a cheaper one in Lyon: 3.5 GiB an hour would leave for it."""
    fleet = Fleet().site("paris").site("lyon").link("lyon", "paris", paris=millicents_per_gib)
    fleet = fleet.pool("edge", "paris", price_millicents_per_hour=NEAR)
    made = one_service(fleet.pool("cloud", "lyon", price_millicents_per_hour=FAR), rate_milli_rps).problem
    (service,) = made.policy.services
    (stage,) = service.stages
    service = replace(service, stages=(replace(stage, payload_bytes=payload_bytes),))
    return replace(made, policy=replace(made.policy, services=(service,)))


def form_of(asked: Problem) -> Formulation:
    form = write(asked)
    form.add(prices(asked, NOTHING))
    return form


def sites_of(found: Plan | None) -> set[str]:
    assert found is not None
    return {route.path for route in found.routes}


def test_a_plan_stays_where_its_requests_are_once_links_are_dearer_than_nodes() -> None:
    for dearest, path in ((50, "far"), (51, "far"), (64, "near"), (9_000, "near")):
        asked = problem(dearest)
        form = form_of(asked)
        for found in (solve(form, asked), plan_fleet(form, asked, NOTHING)):
            assert sites_of(found.plan) == {path}, dearest
            assert found.plan is not None
            assert found.cost == cost_of(found.plan, form)


def test_links_are_told_apart_and_rounded_up_once() -> None:
    asked = problem(1)
    split = plan({("rec@edge", "edge-0"): 1, ("rec@cloud", "cloud-0"): 1}, {"near": 749, "far": 251})
    assert egress_millicents_per_hour(asked, asked.path("far")) == 4  # 3.515625
    assert links_per_hour(split, asked) == 2  # 1.004
    assert links_per_hour(split, asked, "lyon") == 0
    assert price_per_hour(split, asked) == NEAR + FAR + 2
    assert price_per_hour(split, asked, "paris") == NEAR + 2
    assert price_per_hour(split, asked, "lyon") == FAR


def test_refusing_a_request_never_pays_for_its_way() -> None:
    asked = problem(1_000_000_000, payload_bytes=1024**3)
    asked = replace(asked, paths=tuple(path for path in asked.paths if path.id == "far"))
    found = solve(form_of(asked), asked)
    assert found.plan is not None
    assert not found.plan.unserved
    assert not verify(found.plan, asked)


def test_the_dearest_traffic_that_can_be_written_overflows_nothing() -> None:
    asked = problem(1_000_000_000, payload_bytes=1024**3, rate_milli_rps=1_000_000_000)
    assert egress_millicents_per_hour(asked, asked.path("far")) == 1_000_000 * 3_600 * 1_000_000_000
    assert dict(capped(carried_prices(asked))) == {"far": MOST_MILLICENTS_PER_HOUR}
    asked = replace(asked, options=tuple(each._replace(capacity_milli_rps=10**9) for each in asked.options))
    found = solve(form_of(asked), asked)
    assert sites_of(found.plan) == {"near"}
    assert found.cost == cost_of(found.plan or NOTHING, form_of(asked))


def test_a_ceiling_keeps_requests_from_leaving_that_nodes_alone_would_not() -> None:
    def routes(ceiling: Ceiling) -> dict[str, int]:
        asked = problem(50)
        asked = replace(asked, policy=replace(asked.policy, cost=replace(asked.policy.cost, ceilings=(ceiling,))))
        form = form_of(asked)
        solved, planned = solve(form, asked).plan, plan_fleet(form, asked, NOTHING).plan
        assert solved is not None
        assert planned is not None
        assert not verify(solved, asked)
        assert not verify(planned, asked)
        assert planned.routes == solved.routes
        return {route.path: route.share_permille for route in solved.routes}

    assert routes(Ceiling("", FAR + 176, at(81))) == {"far": 1000}  # 3.515625 GiB for 50 each are 175.8
    assert routes(Ceiling("paris", 176, at(81))) == {"far": 1000}
    assert routes(Ceiling("lyon", 0, at(81))) == {"near": 1000}
    assert routes(Ceiling("paris", NEAR, at(81))) == {"far": 1000}


def test_what_loses_by_its_way_is_told_to_lose_by_the_price_of_links() -> None:
    asked = problem(9_000)
    found = solve(form_of(asked), asked).plan
    assert found is not None
    used = frozenset(asked.option(item.option).placement for item in found.instances)
    (told,) = runners_up(Chosen(found, asked, (), NOTHING), used)
    assert (str(told.instead), told.loses_by) == ("rec/fp32@cloud", "link price")
    assert told.extra_millicents_per_hour > 31_000
