"""The good documents, with a service of letters and a second pool, and what is told of them."""

from pathlib import Path

from policy.source import load_documents

GOOD = (Path(__file__).parent / "good.yaml").read_text()
LETTERS = """
---
apiVersion: gridwright.dev/v1alpha1
kind: Pool
metadata: {name: cloud-frankfurt}
spec: {site: cloud-frankfurt, device: edge-module, nodes: 2, memory: 1GiB, price: $0.20/h}
---
apiVersion: gridwright.dev/v1alpha1
kind: Service
metadata: {name: letters}
spec:
  data: {classes: [letters]}
  origins: [{site: edge-paris, share: 100%}]
  stages: [{name: listen, model: silero-vad}]
  demand: {rate: 1 req/s}
  objectives:
    - latency: {percentile: 99, below: 300ms}
"""
OF_LETTERS = """
---
apiVersion: gridwright.dev/v1alpha1
kind: ComplianceProfile
metadata: {name: letters}
spec:
  appliesTo: {data: {classes: [letters]}}
"""


def messages(finding_id: str, text: str, good: str = GOOD) -> list[str]:
    """The findings of that id on the good documents with these."""
    findings = load_documents([("good.yaml", good), ("letters.yaml", text)]).findings
    return [finding.message for finding in findings if finding.id == finding_id]
