"""The language of rules: what plans count, how problems are looked up, and how numbers are said."""

from dataclasses import replace

import pytest

from policy.findings import Level
from policy.resolved import Ceiling, CostObjective, Egress, Encryption, Origin
from policy.words import dollars, dollars_per_hour
from rules.allocated_cost import AllocatedCost
from rules.budget import Budget
from rules.device_memory import DeviceMemory
from rules.kernel import quantities
from rules.kernel.allocation import Allocation
from rules.kernel.dear_paths import capped
from rules.kernel.egress import carried_prices
from rules.kernel.formulation import Count, Exclusion, Formulation, Resource
from rules.kernel.plan import Degraded, Instances, Plan, Route, Unserved
from rules.kernel.problem import Demand, Node, Path, Placement
from rules.kernel.rule import Violation
from rules.unit_cost import UnitCost
from tests.rules.build import Fleet, at, two_sites

PLAN = Plan(
    instances=(
        Instances("rec@edge", "edge-0", 2),
        Instances("rec@edge", "edge-1", 1),
        Instances("rec@cloud", "x", 0),
        Instances("spare", "y", -1),
    ),
    unserved=(
        Unserved("ocr@paris", 100),
        Unserved("ocr@paris", 50),
        Unserved("asr@paris", 7),
        Unserved("tts@paris", 3),
    ),
    degraded=(Degraded("tts", 1), Degraded("asr", 3), Degraded("ocr", 2)),
)


def test_instances_are_counted_over_options_and_nodes() -> None:
    assert PLAN.count(["rec@edge"]) == 3
    assert PLAN.count(["rec@edge", "rec@cloud"], ["edge-1", "x"]) == 1
    assert PLAN.count([]) == 0
    assert PLAN.count(["rec@edge"], []) == 0


def test_an_entry_of_no_instances_or_fewer_powers_and_uses_nothing() -> None:
    assert PLAN.powered() == {"edge-0", "edge-1"}
    assert PLAN.used_options() == {"rec@edge"}


def test_a_plan_adds_up_what_it_leaves_unserved_and_knows_the_levels() -> None:
    assert PLAN.unserved_permille("ocr@paris") == 150
    assert PLAN.unserved_permille("vad@paris") == 0
    assert (PLAN.level("ocr"), PLAN.level("vad")) == (2, 0)


def test_placements_add_up_the_settings_and_nodes() -> None:
    problem = two_sites().option("b4", "rec", "edge", max_batch=4).problem
    plan = Plan((Instances("rec@edge", "edge-0", 1), Instances("b4", "edge-0", 2), Instances("rec@edge", "edge-1", 4)))
    assert plan.placements(problem) == {Placement("rec", "fp32", "edge"): 7}


def test_a_link_is_found_from_both_ends() -> None:
    problem = two_sites().link("oslo", "lyon", Encryption.TLS).link("oslo", "oslo").problem
    for ends in (("lyon", "paris"), ("paris", "lyon")):
        link = problem.link(*ends)
        assert link is not None
        assert link.encryption is Encryption.MTLS
    assert problem.link("paris", "oslo") is None
    assert problem.link("paris", "paris") is None


def test_a_stage_may_use_the_options_of_its_own_model_only() -> None:
    problem = two_sites().option("det", "det", "edge").option("vad", "vad", "edge").problem
    assert [(demand.id, stage.name, option.id) for demand, stage, option in problem.uses()] == [
        ("ocr@paris", "read", "rec@edge"),
        ("ocr@paris", "read", "rec@cloud"),
    ]


def test_requests_may_come_from_each_origin_that_a_service_names() -> None:
    problem = two_sites().problem
    origins = tuple(Origin(site, 500, at(12)) for site in ("paris", "lyon"))
    services = tuple(replace(service, origins=origins) for service in problem.policy.services)
    named = replace(problem, policy=replace(problem.policy, services=services))
    assert problem.expected == problem.demands
    assert named.expected == (*problem.demands, Demand("ocr@lyon", "ocr", "lyon", 0))


def test_a_node_s_resource_names_only_what_can_stand_there() -> None:
    form = Formulation()
    DeviceMemory().constrain(form, two_sites().pool("empty", "lyon").problem)
    assert form.rows == [
        Resource("device_memory", at(31), (("edge-0", 1000),), (("rec@edge", 1),)),
        Resource("device_memory", at(32), (("cloud-0", 1000),), (("rec@cloud", 1),)),
    ]


@pytest.mark.parametrize(("percentile_bp", "latency_us"), [(4999, 10), (5000, 10), (5001, 20), (9900, 20), (9901, 20)])
def test_a_percentile_without_a_prediction_takes_the_next_higher_one(percentile_bp: int, latency_us: int) -> None:
    assert Path("p", "d", ("o",), ((5000, 10), (9900, 20))).latency_at_us(percentile_bp) == latency_us


def test_exclusions_are_picked_from_the_rows_in_their_order() -> None:
    form = Formulation()
    rows = (
        Exclusion("latency", "slow", at(2), path="p"),
        Count("churn", at(1), ("o",), 0, None),
        Exclusion("accuracy", "poor", at(1), path="q"),
    )
    for row in rows:
        form.add(row)
    assert form.exclusions() == (rows[0], rows[2])


def test_a_violation_in_words_keeps_its_subject_and_place() -> None:
    finding = Violation("latency", "path p", 2, 1, at(7)).finding("GW1001", "too slow", "be faster")
    assert (finding.id, finding.level, finding.place, finding.subject) == ("GW1001", Level.ERROR, at(7), "path p")
    assert (finding.message, finding.hint) == ("too slow", "be faster")


def test_quantities_are_said_exactly() -> None:
    assert quantities.milliseconds(400_000) == "400 ms"
    assert quantities.milliseconds(400_001) == "400.001 ms"
    assert quantities.percent(125) == "12.5 %"
    assert quantities.percent_of_ppm(982_500) == "98.25 %"
    assert quantities.percentile(9990) == "p99.9"
    assert quantities.calls_per_second(3_500_001) == "3.500001 calls/s"
    assert dollars_per_hour(40_001) == "$0.40001/h"
    assert (dollars(-40_000), dollars(120_500), dollars(0)) == ("-$0.40", "$1.205", "$0.00")
    assert quantities.instant(1_769_860_800) == "2026-01-31T12:00:00Z"


def test_a_path_counts_as_a_million_dollars_an_hour_at_the_most() -> None:
    made = two_sites(rate_milli_rps=1_000_000_000).problem
    (link,), (service,) = made.policy.links, made.policy.services
    stages = tuple(replace(stage, payload_bytes=1024**3) for stage in service.stages)
    services = (replace(service, stages=stages),)

    def prices(millicents_per_gib: int) -> tuple[dict[str, int], int]:
        links = (replace(link, egress=(Egress("paris", millicents_per_gib, at(41)),)),)
        asked = replace(made, policy=replace(made.policy, services=services, links=links))
        parts = (("far", Allocation(asked).of_all_requests(asked.path("far"))),)
        return dict(capped(carried_prices(asked))), dict(capped(parts))["far"]

    assert prices(0) == ({}, 0)
    assert prices(1) == ({"far": 3_600_000_000}, 3_600_000_000)
    assert prices(27) == ({"far": 97_200_000_000}, 97_200_000_000)
    assert prices(28) == ({"far": 100_000_000_000}, 100_000_000_000)


def measured(rate_milli_rps: int, payload_bytes: int, far_permille: int) -> dict[str, int]:
    """By rule, what it measures where nodes are free, a GiB that leaves Paris costs a millicent, and nothing may."""
    asked = CostObjective(0, 1_000_000, at(11))
    made = two_sites(rate_milli_rps, cost=asked).cost(ceilings=(Ceiling("", 0, at(81)), Ceiling("", 0, at(82), "ocr")))
    policy = made.problem.policy
    (link,), (service,) = policy.links, policy.services
    stages = tuple(replace(stage, payload_bytes=payload_bytes) for stage in service.stages)
    links = (replace(link, egress=(Egress("paris", 1, at(41)),)),)
    policy = replace(policy, links=links, services=(replace(service, stages=stages),))
    problem = replace(made.problem, policy=policy)
    routes = (Route("near", 1000 - far_permille), Route("far", far_permille))
    rules = (Budget(), AllocatedCost(), UnitCost())
    return {rule.id: item.measured for rule in rules for item in rule.check(Plan(routes=routes), problem)}


def test_large_and_small_payloads_are_paid_to_the_millicent() -> None:
    whole = measured(1_000_000_000, 1024**3, 1000)
    assert whole == {"budget": 3_600_000_000, "allocated_cost": 3_600_000_000, "unit_cost": 1_000_000}
    assert measured(1, 1, 1) == {"budget": 1, "allocated_cost": 1, "unit_cost": 1}
    assert measured(1, 1, 0) == {}


def test_a_node_that_the_policy_does_not_name_stands_in_the_rack_whose_turn_it_is() -> None:
    fleet = Fleet().site("paris").pool("edge", "paris", nodes=3)
    (pool,) = fleet.problem.policy.pools
    policy = replace(fleet.problem.policy, pools=(replace(pool, racks=("a", "b")),))
    problem = replace(fleet.problem, policy=policy, nodes=(*fleet.problem.nodes[1:], Node("edge-more-0", "edge")))
    racks = {name: problem.rack_of(name) for name in ("edge-0", "edge-1", "edge-2", "edge-more-0")}
    assert racks == {
        "edge-0": ("paris", "a"),
        "edge-1": ("paris", "b"),
        "edge-2": ("paris", "a"),
        "edge-more-0": ("paris", "b"),
    }
