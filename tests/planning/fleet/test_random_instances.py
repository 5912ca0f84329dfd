"""Every engine against trying everything, on random tiny instances; and what tries everything against other ways."""

import itertools
import math
import os
import subprocess
import sys
from collections.abc import Callable

import numpy as np
import proving_packings
import proving_places
import proving_products
import pytest
import random_instances
from every_place import least_cost
from every_product import Everything
from every_route import Flow, exactly, relaxed
from placement_instances import packed
from proving import Tried
from small_places import place
from small_products import product
from tiny_fleets import least_cost as least_of_arrays

from controller.planning.build import write
from controller.planning.objective import prices
from controller.planning.solve import solve
from rules.catalogue import RULES
from rules.kernel.formulation import Formulation
from rules.kernel.plan import Plan
from rules.kernel.problem import Problem

EVERYDAY = {"places": 40, "products": 50, "packings": 40}
LONG = 500
KINDS = {
    "places": proving_places.tried,
    "products": proving_products.tried,
    "packings": proving_packings.tried,
}


def wrong(tried: Callable[[int], Tried], seeds: range) -> dict[int, tuple[str, ...]]:
    return {seed: found.wrong for seed in seeds if (found := tried(seed)).wrong}


@pytest.mark.parametrize("part", range(2))
@pytest.mark.parametrize("kind", KINDS)
def test_every_engine_agrees_with_trying_everything(kind: str, part: int) -> None:
    many = EVERYDAY[kind]
    assert wrong(KINDS[kind], range(part * many, (part + 1) * many)) == {}


@pytest.mark.long
@pytest.mark.parametrize("part", range(6))
@pytest.mark.parametrize("kind", KINDS)
def test_every_engine_agrees_with_trying_everything_on_thousands(kind: str, part: int) -> None:
    assert wrong(KINDS[kind], range(10_000 + part * LONG, 10_000 + (part + 1) * LONG)) == {}


def test_no_compiled_loop_reads_or_writes_beyond_its_arrays() -> None:
    """As plain Python it would break down where as machine code it goes on with whatever lies there."""
    code = "import proving_places as p; print([p.tried(seed).wrong for seed in range(380, 388)])"
    paths = os.pathsep.join(path for path in sys.path if path)
    plain = os.environ | {"NUMBA_DISABLE_JIT": "1", "PYTHONPATH": paths}
    done = subprocess.run([sys.executable, "-c", code], env=plain, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{[()] * 8}\n"


@pytest.mark.parametrize("rule", sorted(proving_products.ALL))
def test_a_rule_that_the_solver_is_not_told_of_is_missed(rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = proving_products.written

    def without(problem: Problem, running: Plan, rules: frozenset[str]) -> Formulation:
        return whole(problem, running, rules - {rule})

    monkeypatch.setattr(proving_products, "written", without)
    monkeypatch.setattr(proving_products, "CHOICE_EVERY", 1_000_000)
    monkeypatch.setattr(proving_products, "FLEET_EVERY", 1_000_000)
    binds = (seed for seed in itertools.count(1) if rule in proving_products.tried(seed).binding)
    assert proving_products.tried(next(binds)).wrong


def test_a_plan_that_is_said_to_be_cheaper_than_the_best_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proving_places, "least_cost", lambda raw, previous: least_cost(raw, previous) + 0.01)
    assert len(wrong(proving_places.tried, range(10))) == 10


def test_what_breaks_down_is_counted_as_failed_and_ends_with_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(seed: int) -> Tried:
        return Tried(("differs",), ()) if seed % 2 else Tried((), ()) if seed else KINDS["missing"](seed)

    monkeypatch.setitem(random_instances.KINDS, "places", broken)
    monkeypatch.setattr("sys.argv", ["x", "--count", "5", "--kind", "places", "--processes", "1"])
    with pytest.raises(SystemExit) as ended:
        random_instances.main()
    assert ended.value.code == 1
    told = capsys.readouterr().out
    assert '"failing_seeds":[0,1,3]' in told
    assert "seed 3: differs" in told


@pytest.mark.parametrize("seed", range(0, 120, 4))
def test_two_ways_to_try_everything_agree(seed: int) -> None:
    raw, previous = place(seed)
    problem = packed(raw, previous).problem
    most = [math.ceil(problem.demand_urps.sum() / urps) + 1 for urps in problem.option_urps.tolist()]
    if math.prod(most) < 3_000:
        assert least_cost(raw, previous) == pytest.approx(least_of_arrays(problem), abs=1e-5)


@pytest.mark.parametrize("seed", range(30))
def test_requests_are_routed_as_a_mixed_integer_programme_would(seed: int) -> None:
    dice = np.random.default_rng(seed)
    flow, answers = drawn_flow(dice)
    cost = exactly(flow, answers)
    assert cost == by_highs(flow, answers)
    assert relaxed(flow, answers[np.newaxis])[0] <= cost


def drawn_flow(dice: np.random.Generator) -> tuple[Flow, np.ndarray]:
    """One demand with some paths of two stages, or two demands that share the options of one or two models."""
    options = {"det": (0, 1, 2), "rec": (3, 4)}
    alone, models = bool(dice.integers(2)), ("det", "rec")[: int(dice.integers(1, 3))]
    paths = []
    for _ in range(1 if alone else 2):
        usable = [[option for option in options[model] if dice.random() < 0.7] for model in models]
        ways = list(itertools.product(*usable))
        paths.append(tuple(way for way in ways if not alone or dice.random() < 0.7))
    flow = Flow(
        paths=tuple(paths),
        calls=tuple(tuple(int(dice.choice([700, 1000, 2300])) for _ in models) for _ in paths),
        models=(models,) * len(paths),
        most_refused=tuple(int(dice.choice([0, 300, 1000])) for _ in paths),
        price=tuple(int(dice.integers(1, 9)) for _ in paths),
    )
    return flow, dice.integers(0, 3, 5) * dice.choice([333_000, 700_000, 1_000_000], 5)


def by_highs(flow: Flow, answers: np.ndarray) -> float:
    """Shares of all paths, then what is refused of each demand; whole numbers."""
    from scipy.optimize import Bounds, LinearConstraint, milp  # noqa: PLC0415 - half a second

    ways = [(demand, path) for demand, paths in enumerate(flow.paths) for path in paths]
    rows = np.zeros((len(flow.paths) + answers.size, len(ways) + len(flow.paths)))
    for column, (demand, path) in enumerate(ways):
        rows[demand, column] = 1
        for stage, option in enumerate(path):
            rows[len(flow.paths) + option, column] += flow.calls[demand][stage]
    for demand in range(len(flow.paths)):
        rows[demand, len(ways) + demand] = 1
    served = np.full(len(flow.paths), 1000)
    found = milp(
        np.r_[np.zeros(len(ways)), flow.price],
        integrality=np.ones(rows.shape[1]),
        bounds=Bounds(0, np.r_[np.full(len(ways), 1000), flow.most_refused]),
        constraints=LinearConstraint(rows, np.r_[served, np.zeros(answers.size)], np.r_[served, answers]),
        options={"mip_rel_gap": 0.0},
    )
    return float(round(found.fun)) if found.success else math.inf


def test_most_drawn_problems_are_small_enough_and_every_kind_of_outcome_comes_up() -> None:
    drawn = [product(seed) for seed in range(60)]
    every = [Everything(each.problem, each.running) for each in drawn]
    small = [each.is_small for each in every]
    assert sum(small) > 30
    least = [each.least(one.rules) for each, one, fits in zip(every, drawn, small, strict=True) if fits]
    assert None in least
    assert len(set(least)) > 20


def test_what_links_cost_is_weighed_with_spares_as_it_is_when_everything_is_tried() -> None:
    together = 0
    for seed in range(260):
        drawn = product(seed)
        policy = drawn.problem.policy
        spares = any(each.availability and each.availability.spares for each in policy.services)
        if not (spares and any(link.egress for link in policy.links)):
            continue
        every = Everything(drawn.problem, drawn.running)
        if every.is_small:
            together += 1
            form = write(drawn.problem)
            form.add(prices(drawn.problem, drawn.running))
            found = solve(form, drawn.problem)
            assert (found.cost if found.plan else None) == every.least(frozenset(rule.id for rule in RULES)), seed
    assert together
