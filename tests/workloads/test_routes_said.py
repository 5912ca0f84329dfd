"""What a plan's routes say as objects of the Gateway API, held against the plan by a gateway of the tests."""

import random
import re
from collections import Counter, defaultdict
from fractions import Fraction
from typing import Any

import pytest

from collectors.triton_names import triton_name
from controller.cluster.names import ROUTES, backend_of, namespace_of
from controller.cluster.routes.draws import pattern
from controller.cluster.routes.parting import MOST_BACKENDS, is_bound, parted_stages
from controller.cluster.routes.route import demand_of, grpc_route, http_route, route_name
from controller.cluster.routes.sayable import MOST_RULES, by_grpc, left_undone, why_not
from controller.cluster.routes.settings import GatewaySettings, Listener
from controller.cluster.servers.backends import REFUSED
from controller.fleet import Parts, RouteSet, Way
from rules.kernel.problem import Placement
from tests.acting.world import LYON, ORIENT, ORIENT_LYON, PARIS, READ, READ_LYON, world
from tests.workloads.gateway_of_tests import Sent, headers_of, sent

GATEWAY = GatewaySettings(namespace="edge", name="paris", section="http")
DRAWING = GATEWAY.model_copy(update={"draws": True})
ORIENT_INT8 = Placement(ORIENT.model, "int8", PARIS)
STAGES = ("read", "orient")
MODELS = {"read": READ.model, "orient": ORIENT.model}
NOWHERE = (ROUTES, REFUSED)


def routes(*ways: Way, nodes: dict[Placement, tuple[int, ...]] | None = None) -> RouteSet:
    """A demand whose placements stand on nodes with so many instances each, on one with one where none are given."""
    over = dict.fromkeys((placement for way in ways for placement in way.placements), (1,)) | (nodes or {})
    parts = (
        Parts(placement, tuple((f"{placement.pool}-{index}", count) for index, count in enumerate(counts)))
        for placement, counts in over.items()
    )
    return RouteSet("crops", "edge-paris", tuple(sorted(ways)), tuple(sorted(parts)))


def backend(placement: Placement, node: str) -> tuple[str, str]:
    return namespace_of(placement.pool), backend_of(node)


def planned(demand: RouteSet, stage: int) -> Counter[tuple[tuple[str, str], str]]:
    """The parts of a stage's requests in millionths, by Service and path, exactly as the plan has them."""
    found: Counter[tuple[tuple[str, str], str]] = Counter()
    for way in demand.ways:
        placement = way.placements[stage]
        path = f"/v2/models/{triton_name(placement.model, placement.variant)}/infer"
        nodes = demand.nodes_of(placement)
        for node, weight in nodes:
            share = Fraction(way.weight_permille * 1000 * weight, sum(each for _, each in nodes))
            found[backend(placement, node), path] += share  # type: ignore[assignment] # a Counter of fractions
    return found


def went(manifest: Any, stage: str, draws: int) -> dict[tuple[tuple[str, str], str], Fraction]:
    """The parts in millionths that the object sends, over so many draws, at equal distances up to a million."""
    path = f"/crops/{stage}/v2/models/{MODELS[stage]}/infer"
    found: defaultdict[tuple[tuple[str, str], str], Fraction] = defaultdict(Fraction)
    for draw in range(draws):
        for each in sent(manifest, path, drawn(draw * 1_000_000 // draws)):
            if each.backend != NOWHERE:
                found[each.backend, each.path] += each.part * 1_000_000 / draws
    return found


def drawn(draw: int) -> dict[str, str]:
    return {"x-gridwright-draw": str(draw)}


def said(demand: RouteSet, gateway: GatewaySettings = DRAWING) -> Any:
    stages = parted_stages(demand, world())
    assert why_not(demand, stages, gateway, ()) is None
    return http_route(demand, stages, gateway)


@pytest.mark.parametrize("digits", [1, 2, 3])
def test_a_pattern_matches_the_draws_of_its_range_and_no_others(digits: int) -> None:
    dice = random.Random(digits)  # noqa: S311 -- tests are drawn, not secrets
    whole = 10**digits
    ranges = [(0, whole), (0, 1), (whole - 1, whole), *(sorted(dice.sample(range(whole + 1), 2)) for _ in range(60))]
    for start, end in ranges:
        compiled = re.compile(pattern(start, end, digits))
        drawn = (*range(whole), *(dice.randrange(10**18) for _ in range(50)))
        wrong = [n for n in drawn if (compiled.fullmatch(str(n)) is not None) != (start <= n % whole < end)]
        assert wrong == [], (start, end)


def test_a_pattern_of_six_digits_stays_short_and_matches_no_other_text() -> None:
    compiled = pattern(123_457, 876_543, 6)
    assert len(compiled) < 1000
    matched = [
        text
        for text in ("123457", "876542", "9123457", "876543", "123456", "", "x123457", "123457x")
        if re.fullmatch(compiled, text)
    ]
    assert matched == ["123457", "876542", "9123457"]


def test_one_variant_goes_by_weights_that_sum_to_the_plan_exactly() -> None:
    demand = routes(
        Way(600, (READ, ORIENT)),
        Way(400, (READ, ORIENT_LYON)),
        nodes={ORIENT: (3, 1), READ: (1, 1, 1), ORIENT_LYON: (7,)},
    )
    manifest = said(demand, GATEWAY)
    rules = manifest["spec"]["rules"]
    assert [sum(each["weight"] for each in rule["backendRefs"]) for rule in rules] == [1_000_000, 1_000_000]
    assert [each["weight"] for each in rules[1]["backendRefs"]] == [400_000, 450_000, 150_000]
    assert sum(each["weight"] for each in rules[0]["backendRefs"]) == 1_000_000
    assert all("headers" not in match for rule in rules for match in rule["matches"])


@pytest.mark.parametrize("seed", range(30))
def test_whatever_the_plan_a_gateway_sends_each_request_as_it_has_it(seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311 -- as above
    reads, orients = (READ, READ_LYON), (ORIENT, ORIENT_LYON, ORIENT_INT8)
    cuts = sorted(dice.sample(range(1, 1000), dice.randint(0, 3)))
    shares = [end - start for start, end in zip([0, *cuts], [*cuts, 1000], strict=True)]
    if dice.random() < 0.3:
        shares = shares[:-1]
    ways = {(dice.choice(reads), dice.choice(orients)): share for share in shares}
    nodes = {each: tuple(dice.randint(1, 4) for _ in range(dice.randint(1, 6))) for each in (*reads, *orients)}
    demand = routes(*(Way(share, placements) for placements, share in ways.items()), nodes=nodes)
    stages = parted_stages(demand, world())
    if sum(len(stage.shares) for stage in stages) > MOST_RULES:
        pytest.skip("more rules than a route has")
    manifest = said(demand)
    for index, stage in enumerate(STAGES):
        wanted, found = planned(demand, index), went(manifest, stage, 1000)
        assert wanted.keys() == found.keys()
        # Each way is parted over its nodes in whole millionths.
        assert all(abs(found[key] - wanted[key]) < len(demand.ways) for key in wanted)
        assert sum(found.values()) == sum(wanted.values()) == 1000 * sum(way.weight_permille for way in demand.ways)


def test_a_run_stays_on_one_way_through_all_stages() -> None:
    demand = routes(Way(300, (READ, ORIENT)), Way(700, (READ_LYON, ORIENT_LYON)))
    manifest = said(demand)
    taken: Counter[frozenset[str]] = Counter()
    for draw in range(1000):
        pools = set()
        for stage in STAGES:
            (only,) = sent(manifest, f"/crops/{stage}/v2/models/x/infer", drawn(draw * 1000))
            pools.add(only.backend[0])
        taken[frozenset(pools)] += 1
    assert taken == {frozenset({namespace_of(PARIS)}): 300, frozenset({namespace_of(LYON)}): 700}
    assert sent(manifest, "/crops/read/v2/models/x/infer", {}) == []


def test_what_is_refused_goes_nowhere_and_with_several_stages_the_whole_run_does() -> None:
    manifest = said(routes(Way(250, (READ, ORIENT))))
    for draw, is_served in ((249, True), (250, False), (999, False)):
        for stage in STAGES:
            (only,) = sent(manifest, f"/crops/{stage}/v2/models/x/infer", drawn(draw * 1000))
            assert (only.backend != NOWHERE) is is_served


def test_a_demand_without_ways_goes_nowhere() -> None:
    manifest = said(RouteSet("crops", "edge-paris", ()), GATEWAY)
    path = "/crops/read/v2/models/ppocr-rec/infer"
    assert sent(manifest, path, {}) == [Sent(Fraction(1), NOWHERE, path)]


def test_what_is_called_beside_the_stages_has_no_rule() -> None:
    manifest = said(routes(Way(1000, (READ, ORIENT))))
    assert [
        sent(manifest, path, {}) for path in ("/", "/v2/repository/index", "/crops/read/v2/modelsx/y", "/crops")
    ] == [[]] * 4


def test_more_servers_than_a_rule_takes_are_parted_by_draws() -> None:
    demand = routes(Way(1000, (READ, ORIENT)), nodes={READ: (1,) * 40})
    stages = parted_stages(demand, world())
    assert [len(share.servers) for share in stages[0].shares] == [16, 16, 8]
    assert all(len(rule["backendRefs"]) <= MOST_BACKENDS for rule in said(demand)["spec"]["rules"])
    assert not is_bound(demand)


@pytest.mark.parametrize(
    ("demand", "why"),
    [
        (routes(Way(300, (READ, ORIENT)), Way(700, (READ_LYON, ORIENT_LYON))), "stay together over stages"),
        (routes(Way(300, (READ, ORIENT)), Way(700, (READ, ORIENT_INT8))), "several variants"),
        (routes(Way(1000, (READ, ORIENT)), nodes={READ: (1,) * 17}), "too many servers"),
    ],
    ids=["bound", "variants", "servers"],
)
def test_what_weights_cannot_say_is_told_where_callers_send_no_draws(demand: RouteSet, why: str) -> None:
    finding = why_not(demand, parted_stages(demand, world()), GATEWAY, ())
    assert finding is not None
    assert finding.id == "GW2161"
    assert why in finding.message
    assert why_not(demand, parted_stages(demand, world()), DRAWING, ()) is None


def test_servers_outside_of_the_cluster_and_too_many_rules_cannot_be_said() -> None:
    demand = routes(Way(1000, (READ, ORIENT)), nodes={READ: (1,) * 300})
    stages = parted_stages(demand, world())
    away, many = why_not(demand, stages, DRAWING, (PARIS,)), why_not(demand, stages, DRAWING, ())
    assert PARIS in str(away)
    assert "20 rules" in str(many)


def test_an_object_tells_what_it_was_made_from_and_where_it_hangs() -> None:
    demand = routes(Way(1000, (READ, ORIENT)))
    manifest = said(demand, GatewaySettings(namespace="edge", name="paris", hostnames=("paris.example.org",)))
    assert demand_of(manifest) == demand
    assert manifest["spec"]["parentRefs"] == [{"namespace": "edge", "name": "paris"}]
    assert manifest["spec"]["hostnames"] == ["paris.example.org"]
    assert demand_of({"metadata": {}}) is None
    assert route_name(RouteSet("a-b", "c", ())) != route_name(RouteSet("a", "b-c", ()))


def test_calls_by_grpc_name_their_stage_and_reach_no_method_that_changes_a_server() -> None:
    listener = Listener(section="grpc")
    demand = routes(Way(300, (READ, ORIENT)), Way(700, (READ, ORIENT_INT8)))
    stages = parted_stages(demand, world())
    manifest = grpc_route(demand, by_grpc(stages), DRAWING, listener)
    (rule,) = manifest["spec"]["rules"]
    named = {(header["name"], header["value"]) for match in rule["matches"] for header in headers_of(match)}
    assert named == {("x-gridwright-stage", "crops/read")}
    methods = {match["method"]["method"] for match in rule["matches"]}
    assert methods == {"ModelInfer", "ModelMetadata", "ModelReady"}
    assert [each["port"] for each in rule["backendRefs"]] == [8001]
    assert manifest["spec"]["parentRefs"][0]["sectionName"] == "grpc"


def test_what_a_gateway_leaves_undone_is_told() -> None:
    by_both = DRAWING.model_copy(update={"grpc": Listener(section="grpc")})
    demand = routes(Way(300, (READ, ORIENT), ("gzip", "")), Way(700, (READ, ORIENT_INT8)))
    found = left_undone((demand,), world(), {"edge-paris": by_both})
    assert [(each.id, each.subject) for each in found] == [
        ("GW2166", "service crops from edge-paris"),
        ("GW2162", "service crops from edge-paris, stage orient"),
    ]
    assert left_undone((demand,), world(), {}) == ()


def test_one_gateway_takes_one_kind_of_route_a_host_and_origins_are_told_apart() -> None:
    with pytest.raises(ValueError, match="section or hostnames of its own"):
        GatewaySettings(namespace="edge", name="paris", grpc=Listener())
    one = GatewaySettings(namespace="edge", name="paris", hostnames=("a.example.org",))
    assert not one.collides(one.model_copy(update={"hostnames": ("b.example.org",)}))
    assert one.collides(one.model_copy(update={"hostnames": ()}))
    assert one.collides(one.model_copy(update={"hostnames": ("*.example.org",)}))
    assert not one.collides(one.model_copy(update={"hostnames": ("*.a.example.org",)}))
    assert not one.collides(one.model_copy(update={"name": "lyon"}))
