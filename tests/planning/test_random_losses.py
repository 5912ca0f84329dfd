"""The rows, the verifier and a linear programme over paths, on random plans that may outlive any site or not."""

import itertools

import pytest
from dice import Dice
from every_loss import outlives_any_site

from controller.planning.whole.reading import Reading, highest_levels, keeps
from policy.resolved import AvailabilityObjective, UseVariant
from rules.degrade import Degrade
from rules.kernel import moving_groups
from rules.kernel.formulation import Flow, Formulation
from rules.kernel.plan import Plan
from rules.kernel.problem import Problem
from rules.survival import Survival
from tests.rules.build import Fleet, at, plan, stage

SITES = ("here", "there", "elsewhere")
SURVIVES = AvailabilityObjective(1, 1, at(14), survives_any_site=True)
RULE = Survival()


def drawn(seed: int, *, freely: bool) -> tuple[Problem, Plan]:
    """Two services of one or two stages that share models, at three sites; unless `freely`, some paths are missing."""
    dice = Dice(seed)
    fleet = Fleet()
    for site in SITES:
        fleet = fleet.site(site).pool(site, site)
        for model, variant in itertools.product(("det", "rec"), ("fp32", "int8")):
            if dice.says(0.7):
                name = f"{model}/{variant}@{site}"
                fleet = fleet.option(
                    name, model, site, variant=variant, capacity_milli_rps=dice.one((1000, 1500, 2000))
                )
    levels, send = {}, {}
    for service in ("one", "two"):
        models = dice.one((("det",), ("rec",), ("det", "rec")))
        stages = [stage(model, model, dice.within(1, 2)) for model in models]
        steps = (UseVariant(models[-1], "int8", at(15)),) if dice.says(0.5) else ()
        availability = SURVIVES if service == "one" or dice.says(0.7) else None
        fleet = fleet.service(service, *stages, availability=availability, degrade=steps)
        levels[service] = dice.within(0, len(steps) + 1)
        for origin in SITES[: dice.within(1, 2)]:
            fleet = fleet.demand(service, origin, dice.one((500, 1000, 2000)))
            options = [[o.id for o in fleet.problem.options if o.placement.model == model] for model in models]
            reach = [[name for name in here if dice.says(0.8)] for here in options]
            ways = [way for way in itertools.product(*reach) if freely or dice.says(0.7)]
            for way in ways:
                fleet = fleet.path(f"{service}@{origin}: {' > '.join(way)}", f"{service}@{origin}", *way)
            for way in dice.some(ways, dice.within(1, 2)):
                send[f"{service}@{origin}: {' > '.join(way)}"] = dice.one((250, 500))
    counts = {(o.id, f"{o.placement.pool}-0"): dice.within(0, 3) for o in fleet.problem.options}
    return fleet.problem, plan(counts, send, {}, levels)


def within_capacity(problem: Problem, chosen: Plan) -> Plan:
    """The plan with instances enough for its own routes."""
    brought = {option.id: 0 for option in problem.options}
    for route in chosen.routes:
        path = problem.path(route.path)
        demand = problem.demand(path.demand)
        for each, option in zip(problem.service_of(demand).stages, path.options, strict=True):
            brought[option] += route.share_permille * each.fanout * demand.rate_milli_rps
    least = {o.id: -(-brought[o.id] // (1000 * o.capacity_milli_rps)) for o in problem.options}
    counts = {(item.option, item.node): max(item.count, least[item.option]) for item in chosen.instances}
    shares = {route.path: route.share_permille for route in chosen.routes}
    return plan(counts, shares, {}, {item.service: item.level for item in chosen.degraded})


def rows_keep(problem: Problem, chosen: Plan) -> bool:
    form, ladders = Formulation(), Formulation()
    RULE.constrain(form, problem)
    Degrade().constrain(ladders, problem)
    reading, tops = Reading.of(chosen), highest_levels(ladders)
    return all(keeps(row, reading, tops) for row in form.rows if isinstance(row, Flow))


def test_rows_verifier_and_programme_agree_where_stages_combine_freely() -> None:
    verdicts = []
    for seed in range(150):
        problem, chosen = drawn(seed, freely=True)
        chosen = within_capacity(problem, chosen)
        verdicts.append(not list(RULE.check(chosen, problem)))
        assert rows_keep(problem, chosen) is verdicts[-1], seed
        assert outlives_any_site(problem, chosen) is verdicts[-1], seed
    assert 20 < sum(verdicts) < 130


def test_what_the_verifier_lets_pass_outlives_any_site_also_where_stages_do_not_combine_freely() -> None:
    verdicts = []
    for seed in range(1_000, 1_150):
        problem, chosen = drawn(seed, freely=False)
        chosen = within_capacity(problem, chosen)
        passes = not list(RULE.check(chosen, problem))
        assert rows_keep(problem, chosen) is passes, seed
        assert outlives_any_site(problem, chosen) or not passes, seed
        verdicts.append(passes)
    assert 20 < sum(verdicts) < 130


@pytest.mark.parametrize("most", [1, 2, 3])
def test_with_fewer_groups_told_apart_rows_ask_for_no_less(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moving_groups, "MOST_GROUPS", most)
    stricter = 0
    for seed in range(150):
        problem, chosen = drawn(seed, freely=True)
        chosen = within_capacity(problem, chosen)
        passes, kept = not list(RULE.check(chosen, problem)), rows_keep(problem, chosen)
        assert passes or not kept, seed
        stricter += passes and not kept
    assert stricter < 60
