"""Rows that arrays cannot say: each kind has a plan that breaks it, and is mended. What is left of rows is exact."""

from dataclasses import replace

import numpy as np
import pytest
from random_products import random_product

from controller.planning.build import write
from controller.planning.cpsat import accepts
from controller.planning.objective import prices
from controller.planning.solve import solve
from controller.planning.whole import repair as repair_module
from controller.planning.whole.excess import outnumbered
from controller.planning.whole.frames import Held, first_frame, kept_standing, next_frame, unit_prices
from controller.planning.whole.neighbourhood import NARROW
from controller.planning.whole.reading import Counts, Reading, keeps
from controller.planning.whole.repair import Attempt, broken, repaired
from controller.planning.whole.residual import Open, fixed, part, residual
from controller.planning.whole.rows import Rows
from controller.planning.whole.translate import translate
from rules.kernel.formulation import (
    Assurance,
    Budget,
    Count,
    Distinct,
    Exclusive,
    Flow,
    Formulation,
    Gathered,
    Ladder,
    Resource,
    Row,
)
from rules.kernel.plan import Degraded, Instances, Plan, Route, Unserved
from rules.kernel.problem import Problem
from tests.rules.build import Fleet, stage

READ = ("read@edge", "busy@edge", "read@cloud")
PLAIN = {("read@edge", "edge-0"): 2}


def two_pools() -> Problem:
    """One service whose demand two instances answer; a node holds three of them, and one at `edge` costs least."""
    fleet = Fleet().site("paris", "EU").site("lyon", "EU").link("paris", "lyon")
    fleet = fleet.pool("edge", "paris", nodes=3, price_millicents_per_hour=50)
    fleet = fleet.pool("cloud", "lyon", nodes=2, price_millicents_per_hour=60)
    fleet = fleet.service("ocr", stage("read", "rec")).demand("ocr", "paris", 1000)
    size = {"memory_mib": 300, "capacity_milli_rps": 500}
    fleet = fleet.option("read@edge", "rec", "edge", **size).option("busy@edge", "rec", "edge", max_batch=4, **size)
    fleet = fleet.option("read@cloud", "rec", "cloud", **size)
    for option in READ:
        fleet = fleet.path(option.replace("@", " to "), "ocr@paris", option)
    return fleet.problem


NODES = {
    "read@edge": ("edge-0", "edge-1", "edge-2"),
    "busy@edge": ("edge-0", "edge-1", "edge-2"),
    "read@cloud": ("cloud-0", "cloud-1"),
}
BY_SITE = (
    tuple((option, node) for option in READ[:2] for node in NODES[option]),
    tuple(("read@cloud", node) for node in NODES["read@cloud"]),
)
EDGE = {"read to edge": 1000}
BROKEN: dict[str, tuple[Row | None, Counts, dict[str, int], dict[str, int]]] = {
    "too few instances": (Count("test", None, READ[2:], 1, None), PLAIN, EDGE, {}),
    "too many instances": (Count("test", None, READ[:2], 0, 1), PLAIN, EDGE, {}),
    "too few sites": (Distinct("test", None, BY_SITE, 2), PLAIN, EDGE, {}),
    "two settings at once": (
        None,
        {("read@edge", "edge-0"): 1, ("busy@edge", "edge-0"): 1},
        {"read to edge": 500, "busy to edge": 500},
        {},
    ),
    "on two nodes at once": (
        Gathered("test", None, READ[:2], (("edge-0",), ("edge-1",), ("edge-2",))),
        {("read@edge", "edge-0"): 1, ("read@edge", "edge-1"): 1},
        EDGE,
        {},
    ),
    "more over a link than it carries": (
        Flow("test", None, (("read to cloud", 1),), highest=600),
        {("read@cloud", "cloud-0"): 2},
        {"read to cloud": 1000},
        {},
    ),
    "calls beyond what instances answer": (None, {("read@edge", "edge-0"): 1}, EDGE, {}),
    "more spent than allowed": (
        Budget("test", None, (("edge-0", 50), ("edge-1", 50), ("edge-2", 50)), 50),
        {("read@edge", "edge-0"): 1, ("read@edge", "edge-1"): 1},
        EDGE,
        {},
    ),
    "more refused than the level allows": (
        None,
        {("read@edge", "edge-0"): 1},
        {"read to edge": 500},
        {"ocr@paris": 500},
    ),
    "more given up than a service is assured of": (
        Assurance("test", None, "ocr", 1, (("ocr@paris", 200),)),
        {("read@edge", "edge-0"): 1},
        {"read to edge": 500},
        {"ocr@paris": 500},
    ),
    "a node that is too full": (None, {("read@edge", "edge-0"): 4}, EDGE, {}),
}
KINDS = {
    "too few instances": Count,
    "too many instances": Count,
    "too few sites": Distinct,
    "two settings at once": Exclusive,
    "on two nodes at once": Gathered,
    "more over a link than it carries": Flow,
    "calls beyond what instances answer": Flow,
    "more spent than allowed": Budget,
    "more refused than the level allows": Ladder,
    "more given up than a service is assured of": Assurance,
    "a node that is too full": Resource,
}


def rows_of(problem: Problem, *more: Row) -> Rows:
    form = write(problem)
    form.rows.extend((*more, prices(problem, Plan())))
    return Rows(problem, form)


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_row_is_mended_and_no_other_is_broken(name: str) -> None:
    row, counts, shares, refused = BROKEN[name]
    rows = rows_of(two_pools(), *([] if row is None else [row]))
    at = Reading.made(counts, shares, refused, {})
    assert KINDS[name] in {type(each) for each in broken(rows, at)}
    mended = repaired(rows, at, unit_prices(rows, counts))
    assert broken(rows, mended) == ()
    assert accepts(rows.form, rows.problem, mended.plan())


def test_where_a_bound_cannot_be_kept_otherwise_something_is_refused_for_it() -> None:
    rows = rows_of(two_pools(), Count("test", None, READ, 0, 1))
    mended = repaired(rows, Reading.made(PLAIN, EDGE, {}, {}), unit_prices(rows, PLAIN))
    assert broken(rows, mended) == ()
    assert mended.unserved == {"ocr@paris": 500}


def test_nothing_is_given_up_before_a_wider_part_was_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = rows_of(two_pools(), Count("test", None, READ, 0, 1))
    attempts = repair_module.ATTEMPTS
    monkeypatch.setattr(repair_module, "ATTEMPTS", attempts[:2])
    at = Reading.made(PLAIN, EDGE, {}, {})
    assert repaired(rows, at, unit_prices(rows, PLAIN)) == at
    assert [each.may_give_up for each in attempts] == [False, False, True, True, True]
    assert attempts[-1].width == NARROW


def test_what_was_lost_is_made_up_for_elsewhere_before_anything_else_is_moved(monkeypatch: pytest.MonkeyPatch) -> None:
    fleet = Fleet().site("paris", "EU").pool("edge", "paris", nodes=8, price_millicents_per_hour=50)
    fleet = fleet.service("ocr", stage("read", "rec")).demand("ocr", "paris", 8000)
    fleet = fleet.option("read", "rec", "edge", memory_mib=300, capacity_milli_rps=500)
    rows = rows_of(fleet.path("to read", "ocr@paris", "read").problem)
    full = {("read", f"edge-{at}"): 3 for at in range(5)}
    at = Reading.made(full, {"to read": 1000}, {}, {})
    assert [type(row) for row in broken(rows, at)] == [Flow]
    assert repair_module.ATTEMPTS[0].stays
    monkeypatch.setattr(repair_module, "ATTEMPTS", (Attempt(NARROW, stays=True),))
    mended = repaired(rows, at, unit_prices(rows, full))
    assert broken(rows, mended) == ()
    crowded = [key for key in full if key[1] not in {"edge-0", "edge-1"}]  # two nodes in use are offered as well
    assert {key: mended.counts[key] for key in crowded} == dict.fromkeys(crowded, 3)
    assert sum(mended.counts.values()) == 16


def test_of_too_many_instances_those_go_that_answer_less_than_all_must_on_the_mean() -> None:
    fleet = Fleet().site("paris", "EU").pool("slow", "paris", nodes=3).pool("fast", "paris", nodes=3)
    fleet = fleet.service("ocr", stage("read", "rec")).demand("ocr", "paris", 2000)
    fleet = fleet.option("slow", "rec", "slow", capacity_milli_rps=500).option("fast", "rec", "fast")
    fleet = fleet.path("over slow", "ocr@paris", "slow").path("over fast", "ocr@paris", "fast")
    problem = fleet.problem
    fast = problem.option("fast").capacity_milli_rps
    assert fast > 500
    four = {("slow", "slow-0"): 2, ("slow", "slow-1"): 2}
    for highest, closed in ((4, set()), (3, {"slow"}), (None, set())):
        rows = rows_of(problem, Count("test", None, ("slow", "fast"), 0, highest))
        assert outnumbered(rows, four) == closed
    rows = rows_of(problem, Count("test", None, ("slow",), 0, 3))
    assert outnumbered(rows, four) == set()
    rows = rows_of(problem, Count("test", None, ("slow", "fast"), 0, 3))
    held = Held({}, frozenset(), {}, frozenset({"slow"}))
    assert next_frame(rows, four, held).boxes == {"ocr@paris": (frozenset({"fast"}),)}
    alone = rows_of(replace(problem, paths=problem.paths[:1]), Count("test", None, ("slow", "fast"), 0, 3))
    assert next_frame(alone, four, held).boxes == {"ocr@paris": (frozenset({"slow"}),)}


def assured(problem: Problem, level: int) -> Assurance:
    """That the first service is at that level at most, with 300 permille unserved of each demand."""
    name = problem.policy.services[0].name
    own = tuple((demand.id, 300) for demand in problem.demands if demand.service == name)
    return Assurance("test", None, name, level, own)


def gathered(problem: Problem, dice: np.random.Generator) -> Gathered:
    """That about half of the options stand on the even nodes or on the odd ones."""
    nodes = [node.name for node in problem.nodes]
    options = tuple(option.id for option in problem.options if dice.random() < 0.5)
    return Gathered("test", None, options, (tuple(nodes[::2]), tuple(nodes[1::2])))


def some_plan(problem: Problem, dice: np.random.Generator) -> Plan:
    """Anything: a few instances, routes that may not add up, levels."""
    stands = [(o.id, n.name) for o in problem.options for n in problem.nodes_of(o.placement.pool)]
    chosen = [stands[at] for at in dice.choice(len(stands), 6, replace=False)]
    routes, refused = [], []
    for demand in problem.demands:
        paths = [path.id for path in problem.paths if path.demand == demand.id]
        first, other = dice.choice(paths, 2, replace=False)
        share = int(dice.choice([0, 300, 1000]))
        routes += [Route(str(first), share), Route(str(other), int(dice.choice([1000 - share, 0])))]
        refused.append(Unserved(demand.id, 1000 - routes[-1].share_permille - routes[-2].share_permille))
    level = Degraded(problem.policy.services[0].name, int(dice.integers(0, 2)))
    counts = (Instances(*key, int(dice.integers(1, 3))) for key in chosen)
    return Plan(tuple(counts), tuple(routes), tuple(refused), (level,))


@pytest.mark.parametrize("seed", range(15))
def test_a_plan_keeps_a_row_exactly_when_cp_sat_accepts_it(seed: int) -> None:
    problem, dice = random_product(seed), np.random.default_rng(seed)
    rows = rows_of(problem, assured(problem, seed % 2), gathered(problem, np.random.default_rng(seed)))
    tops = rows.tops
    ladders = [row for row in rows.form.rows if isinstance(row, Ladder)]
    plan = some_plan(problem, dice)
    for row in rows.hard:
        beside = [ladder for ladder in ladders if ladder is not row]
        at = Reading.of(plan)
        if all(keeps(ladder, at, tops) for ladder in beside):
            assert accepts(Formulation([*beside, row]), problem, plan) is keeps(row, at, tops), row


@pytest.mark.parametrize("seed", range(15))
def test_what_is_left_of_the_rows_is_kept_exactly_when_the_whole_plan_keeps_those_that_it_touches(seed: int) -> None:
    problem, dice = random_product(seed), np.random.default_rng(seed)
    rows = rows_of(problem, assured(problem, seed % 2), gathered(problem, np.random.default_rng(seed)))
    good = solve(rows.form, problem).plan
    assert good is not None
    at = Reading.of(good if seed % 2 else some_plan(problem, dice))
    services = {problem.policy.services[0].name}
    opened = Open(
        replace(
            problem,
            demands=tuple(demand for demand in problem.demands if demand.service in services),
            paths=tuple(path for path in problem.paths if problem.demand(path.demand).service in services),
            nodes=problem.nodes[::2],
            options=problem.options[::2],
        )
    )
    unused = {path for path in at.shares if path not in opened.paths}
    assert all(problem.demand(problem.path(path).demand).service not in services for path in unused)
    form = residual(rows, fixed(rows, at, opened), opened)
    names = opened.options | opened.nodes | opened.paths | opened.demands
    touched = [rows.hard[number] for number in sorted({n for name in names for n in rows.touching.get(name, ())})]
    kept = all(keeps(row, at, rows.tops) for row in touched)
    assert accepts(form, opened.problem, part(at, opened).plan()) is kept
    assert kept or not seed % 2


def test_what_has_to_stay_answers_what_it_can_and_the_rest_is_asked_for() -> None:
    problem = two_pools()
    form = write(problem)
    form.rows.append(prices(problem, Plan()))
    rows = Rows(problem, form)
    free = first_frame(rows, {})
    whole = translate(rows, free).problem.demand_urps.sum()
    half = translate(rows, free._replace(reserved={("read@edge", "edge-0"): 1})).problem.demand_urps.sum()
    assert whole - half == rows.answers.offered["read@edge"]
    assert translate(rows, free._replace(reserved={("read@edge", "edge-0"): 3})).problem.demand_urps.sum() == 0


def test_a_row_that_asks_for_so_many_keeps_those_on_the_fullest_nodes() -> None:
    problem = two_pools()
    rows = Rows(problem, Formulation([Count("test", None, READ[:1], 2, None)]))
    runs = {("read@edge", "edge-0"): 1, ("read@edge", "edge-1"): 3}
    assert kept_standing(rows, runs) == {("read@edge", "edge-1"): 2}


@pytest.mark.parametrize("seed", range(8))
def test_rows_judged_together_are_judged_as_one_by_one(seed: int) -> None:
    problem, dice = random_product(seed), np.random.default_rng(seed)
    rows = Rows(problem, write(problem))
    stands = [(option.id, node.name) for option in problem.options for node in problem.nodes_of(option.placement.pool)]
    counts = {key: int(dice.integers(1, 4)) for key in stands if dice.random() < 0.3}
    shares = {path.id: int(dice.integers(1, 900)) for path in problem.paths if dice.random() < 0.1}
    at = Reading.made(counts, shares, {demand.id: 100 for demand in problem.demands}, {})
    assert broken(rows, at)
    assert broken(rows, at) == tuple(row for row in rows.hard if not keeps(row, at, rows.tops))


def test_all_rows_at_once_and_one_by_one_are_kept_alike() -> None:
    told = 0
    for seed in range(12):
        problem = random_product(seed)
        form = write(problem)
        rows = Rows(problem, form)
        solved = solve(form, problem).plan
        assert solved is not None
        for less in (1, 2, 3):
            spoiled = replace(solved, instances=solved.instances[::less], routes=solved.routes[:-less])
            at = Reading.of(spoiled)
            one_by_one = tuple(row for row in rows.hard if not keeps(row, at, rows.tops))
            assert broken(rows, at) == one_by_one
            told += len(one_by_one)
    assert told
