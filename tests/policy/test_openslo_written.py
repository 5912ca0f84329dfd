"""What is written as OpenSLO is read back as the same objectives."""

from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as some

from policy.findings import Place
from policy.openslo.writing import left_out, written
from policy.resolved import LatencyObjective, Policy
from policy.source import load, load_documents

EXAMPLES = Path(__file__).parents[2] / "examples"
GOOD = ("good.yaml", (Path(__file__).parent / "good.yaml").read_text())
NOWHERE = Place("", 1, 1)


def read_back(policy: Policy) -> list[tuple[str, list[LatencyObjective]]]:
    """The objectives of each service by the documents without their own, and what was written."""
    texts = []
    for name, text in policy.documents:
        documents = list(yaml.safe_load_all(text))
        for document in documents:
            if document["kind"] == "Service":
                document["spec"]["objectives"] = [
                    each for each in document["spec"].get("objectives", []) if "latency" not in each
                ]
        texts.append((name, yaml.safe_dump_all(documents)))
    again = load_documents([*texts, ("written.yaml", written(policy))]).policy
    assert again is not None
    return objectives(again)


def objectives(policy: Policy) -> list[tuple[str, list[LatencyObjective]]]:
    return [(each.name, [replace(one, place=NOWHERE) for one in each.latency]) for each in policy.services]


@pytest.mark.parametrize("example", ["embedded", "health"])
def test_the_objectives_of_an_example_come_back(example: str) -> None:
    policy = load(EXAMPLES / example).policy
    assert policy is not None
    assert read_back(policy) == objectives(policy)


@settings(max_examples=30)
@given(
    some.integers(1, 9999),
    some.integers(1, 366 * 86_400 * 1_000_000),
    some.integers(1, 527_040),
    some.sampled_from(["", "edge-paris"]),
    some.sampled_from([("", False), ("listen", False), ("", True), ("listen", True)]),
)
def test_every_objective_comes_back(
    percentile_bp: int, below_us: int, minutes: int, origin: str, meant: tuple[str, bool]
) -> None:
    policy = load_documents([GOOD]).policy
    assert policy is not None
    (service,) = policy.services
    objective = LatencyObjective(percentile_bp, below_us, minutes * 60, NOWHERE, origin, *meant)
    bare = replace(service, latency=(objective,), availability=None, accuracy=None, throughput=())
    promised = replace(policy, services=(bare,))
    assert left_out(promised) == ()
    assert read_back(promised) == objectives(promised)


def test_what_openslo_has_no_words_for_is_told() -> None:
    policy = load(EXAMPLES / "embedded").policy
    assert policy is not None
    assert {finding.id for finding in left_out(policy)} == {"GW0397"}
    (service, *_) = (each for each in policy.services if each.latency)
    short = replace(service.latency[0], window_s=30)
    told = left_out(replace(policy, services=(replace(service, latency=(short,), availability=None, accuracy=None),)))
    assert [finding.level for finding in told] == ["warning"]
    assert written(replace(policy, services=(replace(service, latency=(short,)),))) == ""
