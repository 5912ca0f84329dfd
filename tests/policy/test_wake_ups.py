"""What is too short for a wake-up: what a path loads for at least, counted as the rule counts it."""

from pathlib import Path

import pytest

from policy.source import load_documents

GOOD = (Path(__file__).parent / "good.yaml").read_text()
MODEL = """
---
apiVersion: gridwright.dev/v1alpha1
kind: Model
metadata: {{name: {name}}}
spec:
  variants:
    - name: fp32
      digest: sha256:7ed98ddbad84ccac4cd0aeb3099049280713df825c610a8ed34543318f1b2c48
      precision: fp32
      memory: 128MiB
      accuracy: 96%
"""
PROFILE = """
---
apiVersion: gridwright.dev/v1alpha1
kind: DeviceProfile
metadata: {{name: {name}}}
spec:
  variants:
    - {{model: jokes, variant: fp32, serviceTime: [{{batch: 1, time: 6ms}}], share: 10%, load: {load_s}s}}
    - {{model: puns, variant: fp32, serviceTime: [{{batch: 1, time: 6ms}}], share: 10%, load: {load_s}s}}
---
apiVersion: gridwright.dev/v1alpha1
kind: Pool
metadata: {{name: {name}}}
spec: {{site: edge-paris, device: {name}, nodes: 1, memory: 8GiB, price: $0.05/h, purchase: owned{more}}}
"""
SERVICE = """
---
apiVersion: gridwright.dev/v1alpha1
kind: Service
metadata: {name: laughs}
spec:
  origins: [{site: edge-paris, share: 100%}]
  stages: [{name: tell, model: jokes}, {name: add, model: puns, after: [tell]}]
  demand: {rate: 1 req/s}
  objectives:
    - latency: {percentile: 99, below: 300ms}
  scaleToZero: {after: 10m, wakeUp: 20s}
"""
# Of 20 s 5 pass until the gateways are looked at, 1 decides and 2 are seen: 12 s are left for loading.


def told(service: str, slow_s: int = 6, more: str = "") -> list[str]:
    """The findings on wake-ups, with one pool that loads each model in so many seconds and one in 2 s."""
    pools = PROFILE.format(name="slow", load_s=slow_s, more="") + PROFILE.format(name="fast", load_s=2, more=more)
    models = MODEL.format(name="jokes") + MODEL.format(name="puns")
    loaded = load_documents([("good.yaml", GOOD), ("more.yaml", models + pools + service)])
    return [finding.message for finding in loaded.findings if finding.id == "GW0455"]


def kept_to(pool: str) -> str:
    return SERVICE + f"  placement: [among: {{pools: [{pool}]}}]\n"


def test_what_loads_in_time_somewhere_is_not_told() -> None:
    assert told(SERVICE, slow_s=100) == []


def test_pools_that_the_service_may_not_use_do_not_count() -> None:
    assert told(kept_to("slow"), slow_s=100) != []
    assert told(SERVICE, slow_s=100, more=", dedicatedTo: {services: [call-vad]}") != []


def test_stages_that_one_pool_alone_may_run_load_one_after_the_other() -> None:
    assert told(kept_to("slow"), slow_s=6) == []
    expected = (
        "`laughs` promises to wake up within 20 s: 8 s pass besides loading, and stages `tell`, `add` load for 14 s "
        "where it is fastest"
    )
    assert told(kept_to("slow"), slow_s=7) == [expected]


def test_stages_of_one_model_may_share_an_instance() -> None:
    assert told(kept_to("slow").replace("model: puns", "model: jokes"), slow_s=12) == []


@pytest.mark.parametrize(("spares", "is_told"), [(2, False), (3, True)])
def test_spares_load_as_well(spares: int, is_told: bool) -> None:  # noqa: FBT001 - of the table above
    asked = kept_to("fast").replace("  scaleToZero", f"    - availability: {{spares: {spares}}}\n  scaleToZero")
    assert bool(told(asked)) == is_told
