"""What a plan's headline says of its cost, and of what it is the best by."""

from dataclasses import replace
from io import StringIO

from controller.cli import explain, plan_view
from controller.cli.plan_view import OPTIMAL_OF
from controller.cli.terminal import console
from controller.decision import Decision, Proof, State
from controller.documents import observe
from controller.fleet import Fleet
from controller.planning.decide import decide
from controller.planning.explaining.explanation import Explanation
from controller.planning.explaining.runner_up import RunnerUp
from controller.summary import propose
from rules.kernel.problem import Placement
from tests.planning.world import FRANKFURT, PARIS, POLICY, START, pci


def told(decision: Decision) -> list[str]:
    plan_view.show(console(out := StringIO()), propose(decision, Fleet()))
    return out.getvalue().splitlines()


def test_a_plan_says_by_what_it_is_optimal_and_one_that_is_not_says_nothing_of_it() -> None:
    evidence = tuple(pci(site, START.replace(year=2030)) for site in (PARIS, FRANKFURT))
    decision = decide(POLICY, observe(POLICY, evidence, START), State(), START)
    assert told(replace(decision, proof=Proof.OPTIMAL))[1] == OPTIMAL_OF
    assert OPTIMAL_OF not in told(replace(decision, proof=Proof.FEASIBLE))


def test_where_nothing_is_served_no_latency_is_told() -> None:
    evidence = tuple(pci(site, START.replace(year=2030)) for site in (PARIS, FRANKFURT))
    decision = decide(POLICY, observe(POLICY, evidence, START), State(), START)
    refused, *served = decision.forecasts
    nothing = replace(refused, p50_us=0, p95_us=0, p99_us=0, served_permille=0)
    decision = replace(decision, forecasts=(nothing, *served))
    (row,) = (line for line in told(decision) if line.split()[:2] == [refused.service, refused.origin])
    assert [each for each in row.split() if each == "-"] == ["-"] * 3
    shown, *others = propose(decision, Fleet()).plan.forecasts
    assert (shown.p50_us, shown.p95_us, shown.p99_us, shown.served_permille) == (None, None, None, 0)
    assert [each.p99_us for each in others] == [each.p99_us for each in served]


def test_runners_up_say_what_their_figures_are_of() -> None:
    one, other = Placement("vad", "fp32", PARIS), Placement("vad", "fp32", FRANKFURT)
    runner_up = RunnerUp(one, other, 500, (), "price", "", None, about=False)
    found = Explanation((runner_up,), (), (), (), (), servable=False)
    explain.show_explanation(console(out := StringIO()), found, POLICY)
    assert "+$0.005/h" in out.getvalue()
    assert "half the price of what instances take" in out.getvalue()
    nothing = RunnerUp(one, None, 0, (), "capacity", "", None, about=False)
    explain.show_explanation(console(out := StringIO()), replace(found, runners_up=(nothing,)), POLICY)
    assert "nothing instead" in out.getvalue()
    assert "half the price of what instances take" not in out.getvalue()
