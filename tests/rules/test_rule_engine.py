"""Every rule, solved and measured: on every plan of a tiny problem, the engine and the check agree."""

import itertools
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.planning.cpsat import accepts
from policy.clauses import ForbiddenClause, Standard
from policy.resolved import AccuracyObjective, Ceiling, LatencyObjective, Shed, UseVariant
from rules.catalogue import RULES
from rules.kernel.formulation import Formulation
from rules.kernel.plan import Degraded, Instances, Plan, Route, Unserved
from rules.kernel.problem import Placement, Problem
from rules.kernel.rule import Rule
from tests.rules.build import asks, at, plan, two_sites
from tests.rules.example import Example, cases


@pytest.mark.parametrize(("rule", "example"), cases())
def test_the_engine_accepts_a_plan_exactly_when_the_check_is_silent(rule: Rule, example: Example) -> None:
    for problem in (example.problem, *example.spared):
        verdicts = set()
        form = Formulation()
        rules = [each for each in RULES if each is rule or each.id in example.beside]
        for each in rules:
            each.constrain(form, problem)
        for candidate in example.domain.plans(problem):
            silent = not [found for each in rules for found in each.check(candidate, problem)]
            assert accepts(form, problem, candidate) is silent, candidate
            verdicts.add(silent)
        assert problem is not example.problem or verdicts == {True, False}


EXPOSED = ForbiddenClause(Standard("exposed"), at(54))


def everything() -> Problem:
    """A problem in which every rule has something to say."""
    fleet = two_sites(
        latency=(LatencyObjective(9900, 400_000, 300, at(11)),),
        accuracy=AccuracyObjective(900_000, at(13)),
        degrade=(UseVariant("rec", "int8", at(15)), Shed(300, at(16))),
    )
    fleet = fleet.option("int8", "rec", "edge", variant="int8", accuracy_ppm=800_000, capacity_milli_rps=700)
    fleet = fleet.option("b4", "rec", "edge", max_batch=4, memory_mib=400, share_permille=600, capacity_milli_rps=1500)
    fleet = fleet.path("light", "ocr@paris", "int8").path("batched", "ocr@paris", "b4", latency_us=((9900, 400_000),))
    fleet = fleet.path("slow", "ocr@paris", "b4", latency_us=((9900, 400_001),))
    fleet = fleet.profile("card", certifications=(asks("pci-dss", (), at(51)),), forbidden=(EXPOSED,))
    fleet = fleet.held("site", "paris", (4, 0), 0, 5000).held("pool", "cloud", (4, 0), 0, 1999)
    fleet = fleet.held("site", "lyon", (1,), 1999, 5000, standard="exposed")
    fleet = fleet.cost(ceilings=(Ceiling("", 100, at(81)),)).floor(Placement("rec", "fp32", "edge"), 1, "cooling down")
    return fleet.problem


EVERYTHING = everything()
FORM = Formulation()
for each_rule in RULES:
    each_rule.constrain(FORM, EVERYTHING)

COUNTS = st.dictionaries(
    st.sampled_from([("rec@edge", "edge-0"), ("b4", "edge-0"), ("int8", "edge-0"), ("rec@cloud", "cloud-0")]),
    st.integers(0, 3),
)
SPLITS = st.lists(st.sampled_from((0, 100, 300, 301, 500, 700)), max_size=4).map(lambda cuts: sorted({0, *cuts, 1000}))
ORDERS = st.permutations(["near", "far", "light", "batched", "slow", "refused"])


@given(COUNTS, SPLITS, ORDERS, st.integers(-1, 4))
@settings(max_examples=300)
def test_all_rules_together_mean_the_same_to_the_engine_and_to_the_checks(
    counts: dict[tuple[str, str], int], cuts: list[int], order: list[str], level: int
) -> None:
    shares = dict(zip(order, (high - low for low, high in itertools.pairwise(cuts)), strict=False))
    refused = {"ocr@paris": shares.pop("refused", 0)}
    candidate = plan(counts, shares, refused, {"ocr": level})
    silent = not [found for rule in RULES for found in rule.check(candidate, EVERYTHING)]
    assert accepts(FORM, EVERYTHING, candidate) is silent


def test_there_is_a_plan_that_keeps_all_rules_together() -> None:
    kept = plan({("b4", "edge-0"): 1}, {"batched": 1000})
    assert [found for rule in RULES for found in rule.check(kept, EVERYTHING)] == []
    assert accepts(FORM, EVERYTHING, kept)


KEPT = plan({("rec@edge", "edge-0"): 1}, {"near": 1000})
NONSENSE = {
    "an option that is not there": replace(KEPT, instances=(*KEPT.instances, Instances("gone", "edge-0", 1))),
    "a node that is not there": replace(KEPT, instances=(*KEPT.instances, Instances("rec@edge", "edge-9", 1))),
    "a node of another pool": replace(KEPT, instances=(*KEPT.instances, Instances("rec@edge", "cloud-0", 1))),
    "a negative number of instances": replace(KEPT, instances=(*KEPT.instances, Instances("rec@cloud", "cloud-0", -1))),
    "a path that is not there": replace(KEPT, routes=(*KEPT.routes, Route("gone", 1))),
    "a share below nothing": replace(KEPT, routes=(Route("near", 1001), Route("far", -1))),
    "a demand that is not there": replace(KEPT, unserved=(Unserved("gone@paris", 1),)),
    "a refusal below nothing": replace(KEPT, routes=(Route("near", 1001),), unserved=(Unserved("ocr@paris", -1),)),
    "a service that is not there": replace(KEPT, degraded=(Degraded("gone", 1),)),
}


@pytest.mark.parametrize("nonsense", NONSENSE.values(), ids=NONSENSE.keys())
def test_a_plan_that_means_nothing_is_refused_by_both_and_crashes_neither(nonsense: Plan) -> None:
    problem = two_sites().problem
    form = Formulation()
    for rule in RULES:
        rule.constrain(form, problem)
    assert accepts(form, problem, KEPT)
    assert not accepts(form, problem, nonsense)
    assert {found.rule for rule in RULES for found in rule.check(nonsense, problem)} >= {"served"}
