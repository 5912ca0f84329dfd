"""Two sites with a pool each, a service that may run where somebody certified it, and one that may run anywhere."""

from datetime import UTC, datetime

from collectors.evidence.records import Evidence
from controller.testing.results import Result
from controller.testing.run import run
from policy.findings import Place
from policy.resolved import Policy
from policy.source import load_documents
from policy.testing import PolicyTest

AT = "2026-06-01T12:00:00Z"
FLEET = """\
apiVersion: gridwright.dev/v1alpha1
kind: Site
metadata: {name: near}
spec: {jurisdictions: [FR]}
---
apiVersion: gridwright.dev/v1alpha1
kind: Site
metadata: {name: far}
spec: {jurisdictions: [DE]}
---
apiVersion: gridwright.dev/v1alpha1
kind: Link
metadata: {name: near-far}
spec: {between: [near, far], rtt: 10ms, bandwidth: 1Gbit/s, encryption: mtls, transit: [FR, DE]}
---
apiVersion: gridwright.dev/v1alpha1
kind: Pool
metadata: {name: own}
spec: {site: near, device: card, nodes: 2, memory: 8GiB, price: $0.10/h, purchase: owned}
---
apiVersion: gridwright.dev/v1alpha1
kind: Pool
metadata: {name: cloud}
spec: {site: far, device: card, nodes: 2, memory: 8GiB, price: $0.50/h}
---
apiVersion: gridwright.dev/v1alpha1
kind: Model
metadata: {name: vad}
spec:
  variants:
    - {name: fp32, digest: "sha256:7ed98ddbad84ccac4cd0aeb3099049280713df825c610a8ed34543318f1b2c49",
       precision: fp32, memory: 128MiB, accuracy: 96%}
---
apiVersion: gridwright.dev/v1alpha1
kind: DeviceProfile
metadata: {name: card}
spec:
  variants:
    - {model: vad, variant: fp32, serviceTime: [{batch: 1, time: 20ms}, {batch: 4, time: 60ms}], share: 50%, load: 2s}
---
apiVersion: gridwright.dev/v1alpha1
kind: Service
metadata: {name: calls}
spec:
  data: {classes: [voice]}
  origins: [{site: near, share: 100%}]
  stages: [{name: listen, model: vad, input: 17KiB}]
  demand: {rate: 10 req/s}
  objectives: [{latency: {percentile: 99, below: 500ms}}]
---
apiVersion: gridwright.dev/v1alpha1
kind: Service
metadata: {name: music}
spec:
  origins: [{site: far, share: 100%}]
  stages: [{name: listen, model: vad, input: 17KiB}]
  demand: {rate: 10 req/s}
  objectives: [{latency: {percentile: 99, below: 500ms}}]
---
apiVersion: gridwright.dev/v1alpha1
kind: ComplianceProfile
metadata: {name: voices}
spec:
  appliesTo: {data: {classes: [voice]}}
  certifications: {allOf: [{standard: iso-27001}]}
  links: {encryption: mtls}
---
apiVersion: gridwright.dev/v1alpha1
kind: CostPolicy
metadata: {name: ceilings}
spec: {ceilings: [{below: $2.00/h}]}
"""


def evidence() -> tuple[Evidence, ...]:
    """Both sites are certified; the near one until the end of June."""
    return tuple(
        Evidence(
            id=site,
            subject_kind="site",
            subject=site,
            standard="iso-27001",
            version=(2022,),
            issuer="auditor",
            issued_at=datetime(2026, 1, 1, tzinfo=UTC),
            expires_at=until,
            place=Place(f"evidence/{site}.yaml", 1, 1),
        )
        for site, until in (("near", datetime(2026, 7, 1, tzinfo=UTC)), ("far", datetime(2030, 1, 1, tzinfo=UTC)))
    )


def read(steps: str, fleet: str = FLEET) -> tuple[Policy, PolicyTest]:
    """The fleet's policy and a test of these steps, in YAML with the first one's dash in the first column."""
    head = (
        f"apiVersion: gridwright.dev/v1alpha1\nkind: PolicyTest\nmetadata: {{name: it}}\nspec:\n  at: {AT}\n  steps:\n"
    )
    loaded = load_documents(
        [("fleet.yaml", fleet), ("it.yaml", head + "".join(f"    {line}\n" for line in steps.splitlines()))]
    )
    assert loaded.findings == loaded.of_tests == ()
    assert loaded.policy is not None
    return loaded.policy, loaded.tests[0]


def ran(steps: str, fleet: str = FLEET) -> Result:
    """What comes of these steps."""
    policy, test = read(steps, fleet)
    return run(test, policy, evidence())
