"""What a document says, as the whole numbers that the rules see: worked out by hand."""

from dataclasses import replace
from pathlib import Path

from policy.resolved import Encryption, Issuer, LatencyObjective, Policy, Purchase, Shed, UseVariant
from policy.source import load, load_documents

EXAMPLE = Path(__file__).parents[2] / "examples" / "embedded"


def example() -> Policy:
    policy = load(EXAMPLE).policy
    assert policy is not None
    return policy


def test_a_service() -> None:
    service = example().service("receipt-ocr")
    assert service.labels == (("team", "payments"),)
    assert (service.data_classes, service.data_subjects) == (("cardholder",), ("EU",))
    assert [(origin.site, origin.share_permille) for origin in service.origins] == [
        ("edge-paris", 600),
        ("edge-lyon", 400),
    ]
    assert [(stage.name, stage.after, stage.fanout, stage.payload_bytes) for stage in service.stages] == [
        ("detect", (), 1, 180 * 1024),
        ("orient", ("detect",), 2, 27 * 1024),
        ("read", ("orient",), 2, 34 * 1024),
    ]
    assert service.expected_rate_milli_rps == 2_000
    (latency,) = service.latency
    assert isinstance(latency, LatencyObjective)
    assert (latency.percentile_bp, latency.below_us, latency.window_s) == (9900, 2_500_000, 300)
    assert service.availability is not None
    assert (service.availability.sites, service.availability.nodes) == (2, 2)
    assert service.accuracy is None
    assert service.priority == 100


def test_a_degrade_order_keeps_its_order() -> None:
    first, second = example().service("call-vad").degrade
    assert isinstance(first, UseVariant)
    assert (first.model, first.variant) == ("silero-vad", "fp16")
    assert isinstance(second, Shed)
    assert second.share_permille == 300


def test_pools_links_and_devices() -> None:
    policy = example()
    cloud = policy.pool("cloud-frankfurt")
    assert (cloud.nodes, cloud.memory_mib, cloud.price_millicents_per_hour) == (3, 16 * 1024, 80_000)
    assert (cloud.share_permille, cloud.purchase) == (1000, Purchase.ON_DEMAND)
    assert all(link.encryption is Encryption.MTLS for link in policy.links)
    module = next(device for device in policy.devices if device.device == "edge-module")
    detect = next(profile for profile in module.variants if profile.model == "ppocr-det")
    assert detect.service_us == ((1, 240_000), (2, 456_000), (4, 864_000))
    assert (detect.share_permille, detect.load_us) == (300, 2_000_000)


def test_nodes_stand_in_racks_by_turns() -> None:
    pool = replace(example().pool("edge-paris"), nodes=3)
    assert [replace(pool, racks=("a", "b")).rack(index) for index in range(3)] == ["a", "b", "a"]
    assert [pool.rack(index) for index in range(3)] == ["", "", ""]


def test_what_no_document_says_has_the_default() -> None:
    assert example().cost.start_millicents == 2_000
    bare = load_documents([("good.yaml", (Path(__file__).parent / "good.yaml").read_text())]).policy
    assert bare is not None
    scaling = bare.scaling
    assert (scaling.interval_s, scaling.headroom_permille, scaling.stale_after_s) == (5, 200, 15)
    assert (scaling.cooldown_s, scaling.step_share_permille, scaling.evidence_lead_s) == (60, 500, 60)
    assert bare.cost.start_millicents == 100


def test_an_issuer_has_its_name_where_no_other_is_given() -> None:
    policy = load_documents([("good.yaml", (Path(__file__).parent / "good.yaml").read_text())]).policy
    assert policy is not None
    (issuer,) = policy.issuers
    assert isinstance(issuer, Issuer)
    assert (issuer.name, issuer.iss, issuer.algorithms) == ("qsa.example", "qsa.example", ("ES256",))
    assert issuer.standards == (
        "pci-dss",
        "iso-27001",
        "soc-2",
        "c5",
        "shared-tenancy",
        "attestation",
        "slsa",
        "model-signature",
        "data-removal",
    )
    assert (issuer.sites, issuer.pools) == (("edge-paris",), ("edge-paris",))
    assert (issuer.audience, issuer.max_age_s) == ("gridwright", 90 * 86_400)
    (key,) = issuer.keys
    assert (key.kid, [name for name, _ in key.jwk]) == ("2026", ["kty", "kid", "crv", "x", "y"])
    assert example().issuers == ()


def test_each_place_is_that_of_the_clause() -> None:
    service = example().service("receipt-ocr")
    lines = (EXAMPLE / "services.yaml").read_text().splitlines()
    for place, text in ((service.latency[0].place, "below: 2500ms"), (service.place, "receipt-ocr")):
        assert place.file == "services.yaml"
        assert lines[place.line - 1][place.column - 1 :].startswith(text)
