"""Ways from plan to plan on fleets small enough to work them out by hand."""

from dataclasses import replace

from controller.actions import SetLoad, Transition
from controller.fleet import fleet_of
from controller.planning.transitions.around import around
from controller.planning.transitions.transition import Reached, nearest_reached, step_reached, transition
from controller.planning.verify import verify
from policy.resolved import Ceiling, Encryption, Link, ReplicaBound
from rules.kernel.plan import Plan
from rules.kernel.problem import Floor, Placement, Problem
from tests.rules.build import Fleet, asks, at, plan, stage

A_NEAR, A_FAR = Placement("a", "fp32", "near"), Placement("a", "fp32", "far")
LOAD_US = 3_000_000


def two_models(near_nodes: int = 1, far_nodes: int = 1, memory_mib: int = 1) -> Problem:
    """Services of one stage each for models a and b, in Paris; either model can stand near or far.

    A node holds so many instances, and an instance answers just the rate.
    """
    fleet = Fleet().site("paris", "FR").site("lyon", "FR").link("lyon", "paris")
    fleet = fleet.pool("near", "paris", nodes=near_nodes, memory_mib=memory_mib, price_millicents_per_hour=10)
    fleet = fleet.pool("far", "lyon", nodes=far_nodes, memory_mib=memory_mib, price_millicents_per_hour=10)
    for model in ("a", "b"):
        fleet = fleet.service(f"{model}-service", stage("only", model)).demand(f"{model}-service", "paris", 1000)
        for pool in ("near", "far"):
            fleet = fleet.option(f"{model}@{pool}", model, pool, capacity_milli_rps=1000, load_us=LOAD_US)
            fleet = fleet.path(f"{model} {pool}", f"{model}-service@paris", f"{model}@{pool}")
    return fleet.problem


A_NEAR_B_FAR = plan({("a@near", "near-0"): 1, ("b@far", "far-0"): 1}, {"a near": 1000, "b far": 1000})
B_NEAR_A_FAR = plan({("b@near", "near-0"): 1, ("a@far", "far-0"): 1}, {"b near": 1000, "a far": 1000})


def way(problem: Problem, start: Plan, goal: Plan, *, kept: bool = True) -> Transition | None:
    return transition(problem, start, fleet_of(start, problem), goal, kept=kept)


def names(found: Transition | None) -> list[str]:
    assert found is not None
    return [wave.name for wave in found.waves]


def near(problem: Problem, start: Plan, goal: Plan) -> Reached | None:
    return nearest_reached(problem, start, fleet_of(start, problem), goal)


def test_where_both_fit_all_is_loaded_before_anything_goes() -> None:
    assert names(way(two_models(memory_mib=2), A_NEAR_B_FAR, B_NEAR_A_FAR)) == ["grow", "route", "shrink"]


def test_full_nodes_exchange_places_over_a_spare_node() -> None:
    found = names(way(two_models(near_nodes=2), A_NEAR_B_FAR, B_NEAR_A_FAR))
    assert found[0] == "grow"
    assert "free" in found
    assert found[-1] == "shrink"


def test_without_a_spare_node_full_nodes_keep_what_they_have() -> None:
    problem = two_models()
    assert not verify(B_NEAR_A_FAR, problem)
    assert way(problem, A_NEAR_B_FAR, B_NEAR_A_FAR) is None
    assert near(problem, A_NEAR_B_FAR, B_NEAR_A_FAR) is None


def test_of_a_target_that_is_blocked_in_part_the_rest_is_reached() -> None:
    fleet = Fleet(two_models()).pool("spare", "paris", memory_mib=1).service("c-service", stage("only", "c"))
    fleet = fleet.pool("old", "paris", memory_mib=1).demand("c-service", "paris", 1000)
    for pool in ("spare", "old"):
        fleet = fleet.option(f"c@{pool}", "c", pool, capacity_milli_rps=1000)
        fleet = fleet.path(f"c {pool}", "c-service@paris", f"c@{pool}")
    problem = fleet.problem
    start = replace(
        A_NEAR_B_FAR,
        instances=(*A_NEAR_B_FAR.instances, *plan({("c@old", "old-0"): 1}).instances),
        routes=(*A_NEAR_B_FAR.routes, *plan({}, {"c old": 1000}).routes),
    )
    goal = replace(
        B_NEAR_A_FAR,
        instances=(*B_NEAR_A_FAR.instances, *plan({("c@spare", "spare-0"): 1}).instances),
        routes=(*B_NEAR_A_FAR.routes, *plan({}, {"c spare": 1000}).routes),
    )
    assert way(problem, start, goal) is None
    reached = near(problem, start, goal)
    assert reached is not None
    assert not verify(reached.plan, problem)
    assert reached.plan.used_options() == {"a@near", "b@far", "c@spare"}


def blocked_and_short() -> Problem:
    """Two pairs of models that could only exchange places, and a fifth that is short of an instance that has room."""
    fleet = Fleet(two_models()).pool("spare", "paris", memory_mib=2).service("c-service", stage("only", "c"))
    fleet = fleet.demand("c-service", "paris", 2000).option("c@spare", "c", "spare", capacity_milli_rps=1000)
    fleet = fleet.path("c spare", "c-service@paris", "c@spare")
    for pool, site in (("here", "paris"), ("there", "lyon")):
        fleet = fleet.pool(pool, site, memory_mib=1, price_millicents_per_hour=10)
    for model in ("d", "e"):
        fleet = fleet.service(f"{model}-service", stage("only", model)).demand(f"{model}-service", "paris", 1000)
        for pool in ("here", "there"):
            fleet = fleet.option(f"{model}@{pool}", model, pool, capacity_milli_rps=1000)
            fleet = fleet.path(f"{model} {pool}", f"{model}-service@paris", f"{model}@{pool}")
    return fleet.problem


def standing(a: str, b: str, d: str, e: str, c: int) -> Plan:
    """Each of the four models in its pool, and so many instances of the fifth."""
    places = {"a": a, "b": b, "d": d, "e": e}
    instances = {(f"{model}@{pool}", f"{pool}-0"): 1 for model, pool in places.items()}
    routes = {f"{model} {pool}": 1000 for model, pool in places.items()}
    return plan({**instances, ("c@spare", "spare-0"): c}, {**routes, "c spare": 1000})


SHORT, ENOUGH = standing("near", "far", "here", "there", 1), standing("far", "near", "there", "here", 2)


def test_no_step_sends_requests_back_over_what_may_no_longer_serve() -> None:
    known = blocked_and_short()
    services = tuple(replace(s, data_classes=("card",)) if s.name == "a-service" else s for s in known.policy.services)
    fleet = Fleet(replace(known, policy=replace(known.policy, services=services)))
    clause = asks("pci-dss", (4,), at(51))
    problem = fleet.profile("card", certifications=(clause,)).held("site", "lyon", (4,), 0, 99_999).problem
    assert {item.rule for item in verify(SHORT, problem)} == {"certification", "capacity"}
    assert verify(ENOUGH, problem) == ()
    step = step_reached(problem, SHORT, fleet_of(SHORT, problem), ENOUGH)
    assert step is not None
    assert "a near" not in {route.path for route in step.plan.routes}
    assert step.plan.count(["c@spare"]) == 2
    assert {item.rule for item in verify(step.plan, problem)} <= {"degrade"}


def test_a_step_that_breaks_less_is_taken_where_no_part_is_a_plan() -> None:
    known = blocked_and_short()
    slower = tuple(o._replace(capacity_milli_rps=500) if o.id == "a@near" else o for o in known.options)
    problem = replace(known, options=slower)
    start, goal = SHORT, ENOUGH
    assert {item.subject for item in verify(start, problem)} == {"a@near", "c@spare"}
    assert verify(goal, problem) == ()
    assert near(problem, start, goal) is None
    step = step_reached(problem, start, fleet_of(start, problem), goal)
    assert step is not None
    assert {item.subject for item in verify(step.plan, problem)} == {"a@near"}
    assert [wave.name for wave in step.way.waves] == ["grow"]


def test_a_plan_around_what_full_nodes_block_serves_as_much_as_stands_there() -> None:
    known = blocked_and_short()
    problem = replace(
        known, options=tuple(o._replace(capacity_milli_rps=500) if o.id == "a@near" else o for o in known.options)
    )
    found = around(problem, problem, SHORT, fleet_of(SHORT, problem), ENOUGH, knowing=lambda _: problem)
    assert found is not None
    assert verify(found.plan, problem) == ()
    assert found.plan.unserved_permille("a-service@paris") == 500
    assert found.plan.count(["a@near"]) == 1
    assert found.plan.count(["c@spare"]) == 2
    assert found.way == way(problem, SHORT, found.plan)


def test_what_nobody_needs_any_more_is_not_loaded_a_second_time_to_make_room() -> None:
    """It may be where nobody may use it: a bound keeps it until it stands elsewhere."""
    problem = two_models(near_nodes=2)
    scaling = replace(problem.policy.scaling, bounds=(ReplicaBound("a", "", 1, 9, at(60)),))
    demands = tuple(each for each in problem.demands if each.service == "b-service")
    paths = tuple(path for path in problem.paths if path.demand == demands[0].id)
    problem = replace(problem, policy=replace(problem.policy, scaling=scaling), demands=demands, paths=paths)
    start = plan({("a@near", "near-0"): 1, ("b@far", "far-0"): 1}, {"b far": 1000})
    goal = plan({("b@near", "near-0"): 1, ("a@far", "far-0"): 1}, {"b near": 1000})
    found = way(problem, start, goal)
    assert found is not None
    assert names(found)[0] == "grow"
    loads = [action.load for wave in found.waves for action in wave.actions if isinstance(action, SetLoad)]
    assert {load.placement.model for load in loads if load.placement.pool == "near"} == {"b"}


def test_what_is_over_leaves_a_full_node_first_as_far_as_the_rest_answers() -> None:
    problem = two_models(far_nodes=1, memory_mib=2)
    start = plan({("a@near", "near-0"): 2, ("b@far", "far-0"): 1}, {"a near": 1000, "b far": 1000})
    goal = plan({("a@near", "near-0"): 1, ("b@near", "near-0"): 1}, {"a near": 1000, "b near": 1000})
    assert names(way(problem, start, goal)) == ["free", "grow", "route", "shrink"]
    held = replace(problem, floors=(Floor(A_NEAR, 2, "started within the cooldown"),))
    assert way(held, start, goal) is None


def test_no_node_is_powered_beyond_the_ceiling_unless_promises_give_way() -> None:
    problem = two_models()
    cost = replace(problem.policy.cost, ceilings=(Ceiling("", 10, at(80)),))
    tight = replace(problem, policy=replace(problem.policy, cost=cost), demands=problem.demands[:1])
    tight = replace(tight, paths=tuple(path for path in tight.paths if path.demand == tight.demands[0].id))
    start, goal = (plan({(f"a@{p}", f"{p}-0"): 1}, {f"a {p}": 1000}) for p in ("near", "far"))
    assert way(tight, start, goal) is None
    assert names(way(tight, start, goal, kept=False)) == ["grow", "route", "shrink"]


def grow_us(problem: Problem, start: Plan, goal: Plan) -> int:
    found = way(problem, start, goal)
    assert found is not None
    assert found.duration_us == sum(wave.duration_us for wave in found.waves)
    return next(wave.duration_us for wave in found.waves if wave.name == "grow")


def test_a_node_loads_one_after_the_other_and_nodes_load_side_by_side() -> None:
    problem = two_models(near_nodes=2, memory_mib=8)
    one = plan({("a@near", "near-0"): 1, ("b@near", "near-1"): 1}, {"a near": 1000, "b near": 1000})
    beside = plan({("a@near", "near-0"): 2, ("b@near", "near-1"): 2}, {"a near": 1000, "b near": 1000})
    after = plan({("a@near", "near-0"): 3, ("b@near", "near-1"): 1}, {"a near": 1000, "b near": 1000})
    assert grow_us(problem, one, beside) == 1_000_000 + LOAD_US
    assert grow_us(problem, one, after) == 1_000_000 + 2 * LOAD_US


def test_a_file_that_a_site_has_not_comes_over_the_fastest_link_from_one_that_has_it() -> None:
    problem = two_models(memory_mib=8)
    start = plan({("a@near", "near-0"): 1, ("b@near", "near-0"): 1}, {"a near": 1000, "b near": 1000})
    goal = plan({("a@far", "far-0"): 1, ("b@near", "near-0"): 1}, {"a far": 1000, "b near": 1000})
    # 1 MiB are 8,388,608 bits; the link takes 100,000 kbit/s
    assert grow_us(problem, start, goal) == 1_000_000 + LOAD_US + 83_886
    slower = Link("lyon", "paris", 8000, 0, 10_000, Encryption.MTLS, (), at(40))
    slow = replace(problem, policy=replace(problem.policy, links=(slower,)))
    assert grow_us(slow, start, goal) == 1_000_000 + LOAD_US + 838_860
    unknown = replace(problem, policy=replace(problem.policy, links=()))
    assert grow_us(unknown, start, goal) == 1_000_000 + LOAD_US


def test_both_settings_of_a_placement_have_to_fit_while_it_is_set_anew() -> None:
    fleet = Fleet().site("paris", "FR").pool("near", "paris", memory_mib=3).service("s", stage("only", "a"))
    fleet = fleet.demand("s", "paris", 1000)
    for batch in (1, 4):
        fleet = fleet.option(f"a b{batch}", "a", "near", max_batch=batch, memory_mib=2, capacity_milli_rps=1000)
        fleet = fleet.path(f"b{batch}", "s@paris", f"a b{batch}")
    start, goal = (plan({(f"a b{batch}", "near-0"): 1}, {f"b{batch}": 1000}) for batch in (1, 4))
    assert way(fleet.problem, start, goal) is None
    pool = replace(fleet.problem.policy.pools[0], memory_mib=4)
    roomy = replace(fleet.problem, policy=replace(fleet.problem.policy, pools=(pool,)))
    assert names(way(roomy, start, goal)) == ["grow"]
