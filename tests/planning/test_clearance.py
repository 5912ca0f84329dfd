"""What is known to bar nothing is not written: the rows are the same but for exclusions that bar nothing."""

from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import timedelta
from typing import Any

import pytest
from whole_fleet import NOW, whole_fleet
from world import BUSY, World

from controller.decision import State
from controller.fleet import fleet_of
from controller.planning.barring import barring
from controller.planning.build import Built, build, write, write_all
from controller.planning.clearance import NEVER_JUDGED
from controller.planning.whole.rounds import plan_fleet
from rules.catalogue import EXCLUDING
from rules.kernel.formulation import Exclusion, Formulation
from rules.kernel.plan import Plan
from rules.kernel.problem import Problem


def builts() -> Iterator[Built]:
    yield build(World().policy, World(rates=dict(BUSY)).snapshot(), State(), World().now)
    for seed in (3, 8):
        fleet = whole_fleet(110, seed)
        built = build(fleet.policy, fleet.snapshot(), State(), NOW)
        yield built
        placed = plan_fleet(write(built.problem), built.problem, Plan())
        assert placed.plan is not None
        state = replace(built.state, plan=placed.plan, fleet=fleet_of(placed.plan, built.whole))
        later = NOW + timedelta(seconds=60)
        moved = replace(fleet.policy, revision="maintained", pools=fleet.policy.pools[::-1])
        yield build(moved, fleet.snapshot(state.fleet, later), state, later)


@pytest.fixture(scope="module")
def several() -> list[Built]:
    return list(builts())


def test_the_rows_of_a_built_problem_lack_only_exclusions_that_bar_nothing() -> None:
    left_out = 0
    for built in builts():
        problem = replace(built.problem, floors=())
        some, every = write(problem), write_all(problem)
        assert not barring(every, problem)
        of_options = [row for row in every.rows if not (isinstance(row, Exclusion) and row.demand)]
        assert some.rows == of_options
        left_out += len(every.rows) - len(some.rows)
    assert left_out > 1000


def test_nothing_is_left_out_of_a_problem_that_was_not_built() -> None:
    built = next(builts())
    for other in (built.whole, replace(built.problem, paths=built.whole.paths)):
        assert write(other).rows == write_all(other).rows
    for changed in ("now_s", "needed_until_s", "certifications", "options"):
        value = getattr(built.problem, changed)
        other = replace(built.problem, **{changed: value + 1 if isinstance(value, int) else tuple(iter(value))})
        assert write(other).rows == write_all(other).rows


class Unread(Problem):
    """A problem that tells of each look at what is never judged."""

    def __getattribute__(self, name: str) -> Any:
        if name in NEVER_JUDGED:
            raise AssertionError(f"an excluding rule looks at `{name}`")
        return super().__getattribute__(name)


@pytest.mark.parametrize("rule", EXCLUDING, ids=lambda rule: rule.id)
def test_no_rule_looks_at_what_is_never_judged(rule: Any, several: list[Built]) -> None:
    for built in several:
        unread = Unread(**{each.name: getattr(built.whole, each.name) for each in fields(Problem)})
        form = Formulation()
        if rule.applies(unread):
            rule.constrain(form, unread)
