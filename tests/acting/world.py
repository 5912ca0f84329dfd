"""Two sites, each with a real Triton, behind a real Envoy: what the actuators are tested on."""

from policy.findings import Place
from policy.resolved import (
    CostPolicy,
    DeviceProfile,
    Encryption,
    Link,
    Model,
    Orchestration,
    Origin,
    Policy,
    Pool,
    Purchase,
    ScalingPolicy,
    Service,
    Site,
    Stage,
    Variant,
    VariantProfile,
)
from rules.kernel.problem import Placement

PLACE = Place("world.yaml", 1, 1)
PARIS, LYON = "edge-paris-cpu", "edge-lyon-cpu"
ORIENT = Placement("ppocr-cls", "fp32", PARIS)
ORIENT_LYON = Placement("ppocr-cls", "fp32", LYON)
READ = Placement("ppocr-rec", "fp32", PARIS)
READ_LYON = Placement("ppocr-rec", "fp32", LYON)
MODELS = ("ppocr-cls", "ppocr-rec")


def world() -> Policy:
    """One service of two stages, asked for at both sites."""
    return Policy(
        revision="world",
        services=(
            Service(
                name="crops",
                labels=(),
                data_classes=(),
                data_subjects=(),
                orchestration=Orchestration.ORIGIN,
                origins=(Origin("edge-paris", 500, PLACE), Origin("edge-lyon", 500, PLACE)),
                stages=(
                    Stage("read", "ppocr-rec", ("orient",), 1, 35_000, PLACE),
                    Stage("orient", "ppocr-cls", (), 1, 28_000, PLACE),
                ),
                expected_rate_milli_rps=1_000,
                latency=(),
                availability=None,
                accuracy=None,
                degrade=(),
                priority=1,
                place=PLACE,
            ),
        ),
        models=tuple(Model(name, (Variant("fp32", "", "fp32", 100, 900_000, PLACE),), PLACE) for name in MODELS),
        sites=(Site("edge-paris", ("FR", "EU"), PLACE), Site("edge-lyon", ("FR", "EU"), PLACE)),
        pools=tuple(
            Pool(f"{site}-cpu", site, "cpu", 1, 4_096, 1_000, 10_000, Purchase.OWNED, PLACE)
            for site in ("edge-paris", "edge-lyon")
        ),
        links=(Link("edge-paris", "edge-lyon", 40_000, 0, 1_000_000, Encryption.MTLS, ("FR",), PLACE),),
        devices=(
            DeviceProfile(
                "cpu",
                tuple(VariantProfile(name, "fp32", ((1, 20_000),), 100, 1_000_000, PLACE) for name in MODELS),
                PLACE,
            ),
        ),
        compliance=(),
        cost=CostPolicy("cost", (), 0, PLACE),
        scaling=ScalingPolicy("scaling", 5, 200, 20, 500, 15, 20, (), PLACE),
    )
