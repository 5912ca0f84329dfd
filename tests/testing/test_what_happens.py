"""Each event does to the fleet what it says, and what must hold then is judged on the real plan."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from small_fleet import FLEET, evidence, ran, read

from collectors.evidence.records import Attestation
from controller.testing.results import Outcome, Result
from controller.testing.run import run

HOLDS = {
    "the fleet at rest": """
- expect:
    - runsOnly: {service: calls, pools: [own]}
    - feasible: true
    - cost: {below: $0.20/h}
    - replicas: {model: vad, site: near, min: 1}
    - replicas: {model: vad, site: far, max: 0}
    - allowed: {service: calls, sites: [near, far]}
    - noFinding: {id: GW2010}
    - served: {service: calls, origin: near, atLeast: 100%}
    - p99: {service: music, below: 500ms}
""",
    "a lost site": """
- when: [{siteLost: near}]
  expect:
    - runsOnly: {service: calls, sites: [far]}
    - barred: {service: calls, pools: [own]}
    - cost: {below: $0/h, site: near}
""",
    "a pool without nodes": """
- when: [{nodesLost: {pool: own, nodes: 2}}]
  expect: [{runsOnly: {service: calls, pools: [cloud]}}]
""",
    "withdrawn evidence": """
- when: [{evidenceEnds: {site: near, standard: iso-27001}}]
  expect:
    - runsOnly: {service: calls, stage: listen, sites: [far]}
    - barred: {service: calls, sites: [near], by: voices}
    - allowed: {service: music, sites: [near]}
- when: [{evidenceEnds: {site: far}}]
  expect:
    - feasible: false
    - finding: {id: GW2010, service: calls}
    - noFinding: {id: GW2010, service: music}
    - barred: {service: calls, sites: [near, far], by: voices}
""",
    "evidence that runs out": """
- when: [{timePasses: 28d}]
  expect:
    - runsOnly: {service: calls, sites: [near]}
    - finding: {id: GW2014}
- when: [{timePasses: 2d}]
  expect: [{runsOnly: {service: calls, sites: [far]}}]
""",
    "more demand, of all and of one": """
- when: [{demand: {factor: 400%}}]
  expect:
    - replicas: {model: vad, min: 3}
    - served: {service: calls, atLeast: 100%}
- when: [{demand: {service: calls, rate: 0 req/s}}, {demand: {service: music, origin: far, factor: 10%}}]
  expect: [{replicas: {model: vad, max: 2}}]
""",
    "a link that is lost": """
- when: [{linkLost: [far, near]}]
  expect:
    - runsOnly: {service: calls, sites: [near]}
    - barred: {service: calls, sites: [far]}
    - runsOnly: {service: music, sites: [far]}
""",
    "a link that is slow, then not encrypted": """
- when: [{linkChanges: {between: [far, near], rtt: 600ms}}]
  expect: [{barred: {service: music, sites: [near]}}]
- when: [{linkChanges: {between: [near, far], rtt: 10ms, encryption: tls}}]
  expect:
    - allowed: {service: music, sites: [near]}
    - barred: {service: calls, sites: [far], by: voices}
""",
    "a link that admits other encodings, or none": """
- when:
    - added: |
        apiVersion: gridwright.dev/v1alpha1
        kind: Service
        metadata: {name: songs}
        spec:
          origins: [{site: far, share: 100%}]
          stages:
            - name: listen
              model: vad
              input: 100MiB
              encodings: [{compression: {format: gzip, size: 1%}}]
          placement: [{among: {pools: [own]}}]
          demand: {rate: 1 req/s}
          objectives: [{latency: {percentile: 99, below: 500ms}}]
    - linkChanges: {between: [far, near], admits: {compression: [gzip]}}
  expect: [{served: {service: songs, atLeast: 100%}}]
- when: [{linkChanges: {between: [near, far], rtt: 9ms}}]
  expect: [{served: {service: songs, atLeast: 100%}}]
- when: [{linkChanges: {between: [near, far], admits: {}}}]
  expect: [{finding: {id: GW2010, service: songs}}]
""",
    "another price": """
- when: [{priceChanges: {pool: own, price: $0.90/h}}]
  expect: [{runsOnly: {service: music, pools: [cloud]}}, {cost: {below: $0.50/h}}]
""",
    "teams that come and go": """
- when: [{removed: {kind: Service, name: music}}]
  expect: [{unchanged: [calls]}]
- when:
    - added: |
        apiVersion: gridwright.dev/v1alpha1
        kind: Service
        metadata: {name: radio}
        spec:
          origins: [{site: far, share: 100%}]
          stages: [{name: listen, model: vad}]
          demand: {rate: 1 req/s}
          objectives: [{latency: {percentile: 99, below: 500ms}}]
  expect:
    - unchanged: [calls]
    - served: {service: radio, atLeast: 100%}
""",
}


@pytest.mark.parametrize("steps", HOLDS.values(), ids=HOLDS)
def test_what_is_so_is_found_to_be_so(steps: str) -> None:
    result = ran(steps.strip("\n"))
    assert (result.failures, result.troubles, result.outcome) == ((), (), Outcome.PASSED)


FAILS = {
    "- expect: [{runsOnly: {service: calls, sites: [far]}}]": "listen on own (from near)",
    "- expect: [{neverOn: {service: calls, pools: [own, cloud]}}]": "listen on own (from near)",
    "- expect: [{allowed: {service: calls, stage: listen, pools: [own]}}, {barred: {service: calls, pools: [own]}}]": (
        "allowed is listen on own from near"
    ),
    "- expect: [{cost: {below: $0.01/h}}]": "$0.10/h",
    "- expect: [{replicas: {model: vad, site: far, min: 1}}]": "0",
    "- expect: [{feasible: false}]": "all of them are",
    "- expect: [{finding: {id: GW2010}}]": "there is GW2014",
    "- expect: [{p99: {service: calls, below: 1ms}}]": " ms from near",
    "- when: [{siteLost: near}]\n  expect: [{unchanged: [calls]}]": "calls left listen on own (from near); ",
    "- when: [{evidenceEnds: {site: near}}, {evidenceEnds: {site: far}}]\n"
    "  expect: [{runsOnly: {service: calls, sites: [near, far]}}]": "nothing of it is served",
    "- when: [{evidenceEnds: {site: near}}, {evidenceEnds: {site: far}}]\n"
    "  expect: [{served: {service: calls, atLeast: 1%}}]": "0 % from near",
    "- when: [{evidenceEnds: {site: near}}]\n  expect: [{allowed: {service: calls, sites: [near]}}]": (
        "certification: own does not hold iso-27001"
    ),
    "- when: [{siteLost: far}]\n  expect: [{barred: {service: calls, sites: [far], by: voices}}]": (
        "the server of pool cloud does not answer"
    ),
}


@pytest.mark.parametrize(("steps", "found"), FAILS.items())
def test_what_is_not_so_fails_with_what_the_plan_says(steps: str, found: str) -> None:
    result = ran(steps)
    assert result.outcome is Outcome.FAILED
    assert len(result.failures) == 1
    assert found in result.failures[0].found
    assert result.failures[0].place.file == "it.yaml"
    assert result.failures[0].step == 1


BROKEN = {
    "- when: [{evidenceEnds: {site: near, standard: pci-dss}}]": ("no evidence of pci-dss", "it holds iso-27001"),
    "- when: [{removed: {kind: Service, name: music}}]\n  expect: [{served: {service: music, atLeast: 0%}}]": (
        "music is not in the policy any more",
        "before it leaves",
    ),
    "- when: [{removed: {kind: Service, name: music}}, {demand: {service: music, factor: 200%}}]": (
        "nobody asks for music from anywhere any more",
        "take the event out",
    ),
    "- when: [{nodesLost: {pool: own, nodes: 9}}, {nodesLost: {pool: own}}]": (
        "there is no node of own any more",
        "take the event out",
    ),
    "- when: [{linkLost: [near, far]}, {linkChanges: {between: [far, near], rtt: 1ms}}]": (
        "no link joins far and near any more",
        "take the event out",
    ),
    '- when: [{added: "apiVersion: gridwright.dev/v1alpha1\\nkind: Pool\\nmetadata: {name: own}\\nspec: {site: near, '
    'device: card, nodes: 1, memory: 8GiB, price: $1/h}"}]': ("would have errors", "rename one of the two"),
    "- expect: [{finding: {id: GW2110}}]": ("no plan comes with a finding GW2110", "did you mean"),
    "- when: [{removed: {kind: Site, name: far}}]\n  expect: [{feasible: true}]": (
        "would have errors",
        "add a document of kind Site",
    ),
}


@pytest.mark.parametrize(("steps", "told"), BROKEN.items())
def test_what_would_pass_whatever_the_policy_says_is_broken(steps: str, told: tuple[str, str]) -> None:
    policy, test = read(steps + "\n- expect: [{feasible: false}]")
    result = run(test, policy, evidence())
    assert result.outcome is Outcome.BROKEN
    assert told[0] in result.troubles[0].message
    assert told[1] in result.troubles[0].hint


@pytest.mark.parametrize("year", [1, 1969, 9_999])
def test_an_instant_beyond_all_reckoning_is_told(year: int) -> None:
    policy, test = read("- expect: [{feasible: true}]")
    result = run(replace(test, at=datetime(year, 12, 31, 23, 59, 59, tzinfo=UTC)), policy, evidence())
    assert [trouble.message for trouble in result.troubles] == ["the test leaves the years from 1970 to 9000"]


def test_demand_that_grows_beyond_all_measure_stays_a_rate() -> None:
    events = ", ".join(["{demand: {factor: 10000%}}"] * 20)
    assert ran(f"- when: [{events}]\n  expect: [{{feasible: false}}]").outcome is Outcome.PASSED


def test_the_same_test_gives_the_same_result() -> None:
    steps = HOLDS["withdrawn evidence"].strip("\n")
    first, second = ran(steps), ran(steps)
    assert first == second
    assert isinstance(first, Result)


def test_a_document_that_is_taken_out_may_come_back() -> None:
    music = FLEET[FLEET.index("kind: Service\nmetadata: {name: music}") :].split("---")[0]
    text = f"apiVersion: gridwright.dev/v1alpha1\n{music}"
    added = "".join(f"        {line}\n" for line in text.splitlines())
    steps = f"""- when: [{{removed: {{kind: Service, name: music}}}}]
- when:
    - added: |
{added}  expect: [{{served: {{service: music, atLeast: 100%}}}}, {{unchanged: [calls]}}]"""
    assert ran(steps).outcome is Outcome.PASSED


AUDITOR = """\
---
apiVersion: gridwright.dev/v1alpha1
kind: Issuer
metadata: {name: auditor}
spec:
  algorithms: [EdDSA]
  keys: [{kty: OKP, crv: Ed25519, x: 11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo}]
  claims: {standards: [iso-27001], sites: [near, far]}
"""


def test_what_an_issuer_said_is_not_believed_once_it_is_removed() -> None:
    gone = "- when: [{removed: {kind: Issuer, name: auditor}}]\n  expect: [{feasible: false}]"
    policy, test = read(f"- expect: [{{feasible: true}}]\n{gone}", FLEET + AUDITOR)
    signed = tuple(replace(item, digest="a" * 64) for item in evidence())
    result = run(test, policy, signed)
    assert (result.failures, result.troubles) == ((), ())


def test_evidence_of_a_node_ends_with_that_of_its_pool_and_site() -> None:
    attested = FLEET.replace("certifications: {allOf: [{standard: iso-27001}]}", "attestation: {tee: [tdx]}")
    assert attested != FLEET
    results = tuple(
        replace(
            evidence()[0],
            id=node,
            subject_kind="node",
            subject=node,
            attestation=Attestation("auditor", ("tdx",), (), (), datetime(2026, 5, 1, tzinfo=UTC)),
        )
        for node in ("own/own-0", "own/own-1")
    )
    for subject in ("{pool: own}", "{site: near}"):
        policy, test = read(
            f"- expect: [{{runsOnly: {{service: calls, pools: [own]}}}}]\n"
            f"- when: [{{evidenceEnds: {subject}}}]\n  expect: [{{feasible: false}}]",
            attested + AUDITOR.replace("iso-27001", "attestation"),
        )
        result = run(test, policy, results)
        assert (result.failures, result.troubles) == ((), ())
