"""What each cluster is to have of a plan, and how Open Cluster Management and Karmada are told of it."""

import json
from typing import Any

import pytest

from controller.cluster.handover import ocm
from controller.cluster.handover.karmada import NOT_EVERYWHERE, SHARED, templates
from controller.cluster.handover.ocm import MANIFEST_BYTES, MOST_BYTES, manifest_works, refused
from controller.cluster.handover.settings import HandoverSettings
from controller.cluster.handover.shares import Shares, shares
from controller.cluster.servers.settings import ServerSettings
from controller.fleet import Fleet, Load
from policy.findings import Place
from policy.resolved import Pool, Purchase
from rules.kernel.problem import Placement

SERVERS = ServerSettings.model_validate(
    {"image": "triton", "repository": {"url": "s3://models"}, "devices": {"card": "nvidia.com/gpu", "xeon": None}}
)
OTHER = SERVERS.model_copy(update={"image": "other"})
HANDOVER = HandoverSettings.model_validate({"clusters": {"paris": "p", "rome": "r"}})


def pool(name: str, site: str, device: str = "card") -> Pool:
    return Pool(name, site, device, 3, 8_000, 1_000, 10, Purchase.OWNED, Place("fleet.yaml", 7, 1))


def load(pool: str, node: str, model: str = "ocr") -> Load:
    return Load(Placement(model, "fp32", pool), 1, 8, 0, node)


POOLS = (pool("seine", "paris"), pool("tiber", "rome", "xeon"), pool("thames", "london"))
FLEET = Fleet((load("seine", "s-1"), load("seine", "s-0"), load("seine", "s-0", "asr"), load("tiber", "t-0")))


def sets(manifests: Any) -> dict[str, Any]:
    return {each["metadata"]["name"]: each["spec"] for each in manifests if each["kind"] == "StatefulSet"}


def command(spec: Any) -> list[str]:
    (container,) = spec["template"]["spec"]["containers"]
    found: list[str] = container["command"]
    return found


def test_each_server_starts_with_the_models_of_its_node() -> None:
    found = shares(POOLS, FLEET, SERVERS, HANDOVER)
    assert found.findings == ()
    seine = sets(next(share for share in found.shares if share.pool == "seine").manifests)
    loaded = {name: [each for each in command(spec) if each.startswith("--load-model")] for name, spec in seine.items()}
    assert loaded == {"s-0": ["--load-model=ocr--fp32", "--load-model=asr--fp32"], "s-1": ["--load-model=ocr--fp32"]}
    assert {spec["updateStrategy"]["type"] for spec in seine.values()} == {"RollingUpdate"}


def test_settings_for_a_cluster_that_no_site_has_are_refused() -> None:
    with pytest.raises(ValueError, match="servers has q, which is the cluster of no site"):
        HandoverSettings.model_validate(
            {"clusters": {"paris": "p"}, "servers": {"q": SERVERS.model_dump(by_alias=True)}}
        )


def test_where_the_site_loads_models_servers_are_those_of_a_cluster_of_our_own() -> None:
    by_site = HANDOVER.model_copy(update={"models": "site"})
    (seine, _) = shares(POOLS, FLEET, SERVERS, by_site).shares
    assert not any("--load-model" in each for spec in sets(seine.manifests).values() for each in command(spec))
    assert {spec["updateStrategy"]["type"] for spec in sets(seine.manifests).values()} == {"OnDelete"}


def test_a_site_without_a_cluster_is_told_only_where_the_plan_uses_it() -> None:
    used = Fleet((*FLEET.loads, load("thames", "h-0")))
    assert [each.pool for each in shares(POOLS, FLEET, SERVERS, HANDOVER).shares] == ["seine", "tiber"]
    (told,) = shares(POOLS, used, SERVERS, HANDOVER).findings
    assert (told.id, told.subject) == ("GW2200", "pool thames")
    assert "london: CLUSTER" in told.hint


def test_a_device_without_a_resource_is_told() -> None:
    (told,) = shares((pool("seine", "paris", "h100"),), FLEET, SERVERS, HANDOVER).findings
    assert told.id == "GW2130"


def test_a_cluster_that_differs_has_servers_of_its_own() -> None:
    differing = HANDOVER.model_copy(update={"servers": {"r": OTHER}})
    found = shares(POOLS, FLEET, SERVERS, differing).shares
    images = {
        share.cluster: spec["template"]["spec"]["containers"][0]["image"]
        for share in found
        for spec in sets(share.manifests).values()
    }
    assert images == {"p": "triton", "r": "other"}


def test_a_cluster_has_a_work_for_each_pool_and_one_for_what_all_need() -> None:
    works = manifest_works(shares(POOLS, FLEET, SERVERS, HANDOVER), {"until": "then"})
    assert {cluster: [each["metadata"]["name"] for each in found] for cluster, found in works.items()} == {
        "p": ["gridwright", "gridwright-seine"],
        "r": ["gridwright", "gridwright-tiber"],
    }
    for work in (each for found in works.values() for each in found):
        spec = work["spec"]
        named = [each["metadata"]["name"] for each in spec["workload"]["manifests"]]
        assert [each["resourceIdentifier"]["name"] for each in spec["manifestConfigs"]] == named
        orphans = [each["resource"] for each in spec["deleteOption"]["selectivelyOrphans"]["orphaningRules"]]
        assert orphans in (["priorityclasses"], ["namespaces"])
        assert work["metadata"]["annotations"] == {"until": "then"}


def test_each_server_of_a_work_reports_whether_it_is_ready() -> None:
    seine = manifest_works(shares(POOLS, FLEET, SERVERS, HANDOVER), {})["p"][1]
    reporting = {
        each["resourceIdentifier"]["name"]: each["feedbackRules"][0]["jsonPaths"]
        for each in seine["spec"]["manifestConfigs"]
        if "feedbackRules" in each
    }
    assert reporting == {node: [{"name": "ready", "path": ".status.readyReplicas"}] for node in ("s-0", "s-1")}


@pytest.mark.parametrize(("nodes", "told"), [(10, []), (300, ["GW2201"])])
def test_a_pool_that_is_more_than_a_work_takes_is_told(nodes: int, told: list[str]) -> None:
    fleet = Fleet(tuple(load("seine", f"node-{index}") for index in range(nodes)))
    findings = list(refused(shares(POOLS[:1], fleet, SERVERS, HANDOVER)))
    assert [each.id for each in findings] == told
    assert all(str(MOST_BYTES) in each.message for each in findings)


def test_the_size_of_a_work_is_no_less_than_what_its_hub_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which is the length of each manifest as protocol buffers have it: in a RawExtension, in a Manifest."""
    parts = shares(POOLS[:1], FLEET, SERVERS, HANDOVER)
    (share,) = parts.shares

    def wrapped(size: int) -> int:
        return size + 1 + len(encode_varint(size))

    texts = [json.dumps(each, separators=(",", ":")) for each in (share.namespace, *share.manifests)]
    counted = sum(wrapped(wrapped(len(text))) for text in texts)
    monkeypatch.setattr(ocm, "MOST_BYTES", counted - 1)
    assert [each.id for each in refused(parts)] == ["GW2201"]
    monkeypatch.setattr(ocm, "MOST_BYTES", counted + MANIFEST_BYTES * len(texts))
    assert list(refused(parts)) == []


def encode_varint(number: int) -> bytes:
    """Seven bits a byte."""
    return bytes(number >> shift & 0x7F for shift in range(0, max(1, number.bit_length()), 7))


def test_every_template_is_selected_by_one_policy_that_names_its_cluster() -> None:
    groups = templates(shares(POOLS, FLEET, SERVERS, HANDOVER), {})
    assert list(groups) == [SHARED, "p", "r"]
    for group, clusters in ((SHARED, ["p", "r"]), ("p", ["p"]), ("r", ["r"])):
        policies = [each for each in groups[group] if each["kind"].endswith("PropagationPolicy")]
        others = [each for each in groups[group] if each not in policies]
        selected = [
            (each["kind"], each.get("namespace"), each["name"])
            for policy in policies
            for each in policy["spec"]["resourceSelectors"]
        ]
        standing = [(each["kind"], each["metadata"].get("namespace"), each["metadata"]["name"]) for each in others]
        assert sorted(map(str, selected)) == sorted(map(str, standing))
        assert all(each["spec"]["placement"]["clusterAffinity"] == {"clusterNames": clusters} for each in policies)


def test_karmada_gives_a_namespace_to_its_own_cluster_alone_and_leaves_it_there() -> None:
    groups = templates(shares(POOLS, FLEET, SERVERS, HANDOVER), {})
    (namespace,) = [each for each in groups["p"] if each["kind"] == "Namespace"]
    assert namespace["metadata"]["labels"].items() >= NOT_EVERYWHERE.items()
    kept = {each["kind"] for each in groups["p"] if each.get("spec", {}).get("preserveResourcesOnDeletion")}
    assert kept == {"ClusterPropagationPolicy"}
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


def test_where_nothing_is_handed_over_nothing_is_written() -> None:
    assert templates(Shares(()), {}) == manifest_works(Shares(()), {}) == {}
