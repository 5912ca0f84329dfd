"""Rows that are taken out of one sheet, against the same question written anew."""

from itertools import combinations

import pytest
from asked_too_much import problem
from random_products import random_product

from controller.decision import Proof
from controller.planning.barring import barring
from controller.planning.build import without_paths, write
from controller.planning.explaining.clauses import EVERYTHING, Clause, clause_of, only
from controller.planning.explaining.questions import Questions, in_full
from controller.planning.explaining.written import useful
from controller.planning.objective import prices
from controller.planning.pooled.linear import attempt
from controller.planning.pooled.needed import Needed
from controller.planning.pooled.rest import Moved, Rest
from controller.planning.solve import solve
from rules.kernel.formulation import Exclusion, Formulation
from rules.kernel.plan import Plan
from rules.kernel.problem import Problem
from tests.rules.build import Fleet, stage


def written_anew(asked: Problem, kept: frozenset[Clause]) -> bool:
    """The answer when the problem has only the paths that the kept clauses leave, and rows are written for it."""
    bars = barring(write(asked), asked)
    gone = {path for path, rows in bars.items() if any(clause_of(row) in {None, *kept} for row in rows)}
    narrow = without_paths(asked, frozenset(gone))
    rows = [row for row in write(narrow).rows if not (isinstance(row, Exclusion) and (row.path or row.demand))]
    form = in_full(Formulation([row for row in rows if clause_of(row) in {None, *kept}]), frozenset())
    proof = solve(form, narrow).proof
    assert proof is not Proof.UNDECIDED
    return proof is not Proof.INFEASIBLE


@pytest.mark.parametrize("seed", range(16))
def test_a_question_is_answered_as_when_it_is_written_anew(seed: int) -> None:
    asked = problem(seed)
    questions = Questions(asked)
    every = sorted(questions.clauses)
    for size in range(3):
        for dropped in [*combinations(every, size)][:6]:
            kept = frozenset(every) - set(dropped)
            assert questions.possible(only(kept)) is written_anew(asked, kept)


@pytest.mark.parametrize("seed", range(12))
def test_what_is_needless_over_pools_changes_no_answer(seed: int) -> None:
    asked = random_product(seed)
    questions = Questions(asked)
    left_out = 0
    for edit in (EVERYTHING, *(only(questions.clauses - {clause}) for clause in sorted(questions.clauses))):
        programme = questions.programme(edit)
        answers = [attempt(programme.rows, 0 * upper, upper)[1] for upper in (programme.upper, programme.narrow())]
        assert answers[0] is answers[1]
        left_out += programme.needless.size
    assert left_out


def test_options_that_no_path_takes_are_left_out_unless_a_bound_asks_for_them() -> None:
    fleet = Fleet().site("paris").pool("edge", "paris").service("ocr", stage("read", "rec")).demand("ocr", "paris")
    fleet = fleet.option("near", "rec", "edge").option("idle", "vad", "edge").path("near", "ocr@paris", "near")
    assert [option.id for option in useful(fleet.problem).options] == ["near"]


@pytest.mark.parametrize("seed", range(12))
def test_what_is_not_needed_beside_a_plan_changes_no_price(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = random_product(seed)
    form = write(asked)
    form.add(prices(asked, Plan()))
    made = solve(form, asked).plan
    assert made is not None
    narrow = prices_without_each(asked, made)
    monkeypatch.setattr(Needed, "columns", lambda _self, _lower, free: free)
    whole = prices_without_each(asked, made)
    assert len(narrow) == len(whole) > 0
    for one, other in zip(narrow, whole, strict=True):
        assert (one is None) is (other is None)
        if one is not None and other is not None:
            assert one.price + one.starts == pytest.approx(other.price + other.starts, abs=1)
            assert one.gives_up == other.gives_up


def prices_without_each(asked: Problem, made: Plan) -> list[Moved | None]:
    rest = Rest(asked, made, Plan())
    demands = frozenset(demand.id for demand in asked.demands)
    return [rest.without(placement, demands) for placement in sorted(made.placements(asked))]
