"""What a service has of its team and organisation: the nearest default, within the strictest limit."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from policy.findings import Level
from policy.resolved import Shed, UseVariant
from policy.source import Loaded, load, load_documents

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "organisation"
GOOD = [
    document
    for document in yaml.safe_load_all((Path(__file__).parent / "good.yaml").read_text())
    if document["kind"] != "Organisation"
]


def document(kind: str, name: str, spec: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": "gridwright.dev/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec}


def loaded(top: dict[str, Any], team: dict[str, Any], said: dict[str, Any], *more: dict[str, Any]) -> Loaded:
    """The good policy with an organisation, a team, and what its service says besides its origins and stages."""
    others = [each for each in GOOD if each["kind"] != "Service"]
    own = next(each["spec"] for each in GOOD if each["kind"] == "Service") | {"objectives": []}
    tiers = [document("Organisation", "acme", top), document("Team", "calls", team)]
    service = document("Service", "call-vad", own | {"team": "calls"} | said)
    return load_documents([("policy.yaml", yaml.safe_dump_all([*others, *more, *tiers, service]))])


def test_a_service_has_what_its_team_says_and_else_what_the_organisation_says() -> None:
    policy = load(EXAMPLE).policy
    assert policy is not None
    reader, search = policy.service("card-reader"), policy.service("spoken-search")
    assert (reader.latency[0].percentile_bp, reader.latency[0].below_us) == (9_900, 1_000_000)
    assert (search.latency[0].percentile_bp, search.latency[0].below_us) == (9_500, 2_000_000)
    assert reader.availability is not None
    assert (reader.availability.sites, reader.availability.nodes) == (1, 2)
    assert reader.accuracy is not None
    assert search.accuracy is not None
    assert (reader.accuracy.floor_ppm, search.accuracy.floor_ppm) == (960_000, 900_000)
    assert (reader.priority, search.priority) == (200, 20)


def test_of_default_steps_a_service_has_those_for_models_that_it_calls() -> None:
    policy = load(EXAMPLE).policy
    assert policy is not None
    first, second = policy.service("spoken-search").degrade
    assert isinstance(first, UseVariant)
    assert (first.model, first.variant) == ("speech", "int8")
    assert isinstance(second, Shed)
    top = {"defaults": {"degrade": [{"use": {"other": "fp32"}}, {"shed": "10%"}]}}
    other = document("Model", "other", next(each["spec"] for each in GOOD if each["kind"] == "Model"))
    found = loaded(top, {}, {}, other).policy
    assert found is not None
    assert [type(step) for step in found.service("call-vad").degrade] == [Shed]


def test_a_service_s_own_order_takes_the_place_of_the_whole_default() -> None:
    found = loaded({"defaults": {"degrade": [{"shed": "10%"}, {"shed": "20%"}]}}, {}, {"degrade": [{"shed": "1%"}]})
    assert found.policy is not None
    (step,) = found.policy.service("call-vad").degrade
    assert isinstance(step, Shed)
    assert step.share_permille == 10
    none = loaded({"defaults": {"degrade": [{"shed": "10%"}]}}, {}, {"degrade": []}).policy
    assert none is not None
    assert none.service("call-vad").degrade == ()


def test_each_place_is_that_of_the_tier_that_said_it() -> None:
    policy = load(EXAMPLE).policy
    assert policy is not None
    service = policy.service("card-reader")
    assert service.accuracy is not None
    lines = (EXAMPLE / "structure.yaml").read_text().splitlines()
    place = service.accuracy.place
    assert place.file == "structure.yaml"
    assert lines[place.line - 1][place.column - 1 :] == "accuracy: {floor: 96%}"


def test_a_priority_of_zero_is_said_and_no_priority_is_not() -> None:
    top = {"defaults": {"priority": 7}}
    for said, priority in (({"priority": 0}, 0), ({}, 7)):
        policy = loaded(top, {}, said).policy
        assert policy is not None
        assert policy.service("call-vad").priority == priority
    bare = loaded({}, {}, {}).policy
    assert bare is not None
    assert bare.service("call-vad").priority == 0


def test_a_default_gives_way_to_a_team_s_limit_and_is_no_error() -> None:
    top = {
        "defaults": {
            "priority": 9,
            "objectives": [{"accuracy": {"floor": "93%"}}, {"availability": {"nodes": 2}}],
            "degrade": [{"use": {"silero-vad": "fp16"}}, {"shed": "5%"}],
        }
    }
    team = {"limits": {"priority": 3, "accuracy": {"floor": "95%"}, "availability": {"sites": 2}}}
    found = loaded(top, team, {})
    assert [each for each in found.findings if each.level is Level.ERROR] == []
    assert found.policy is not None
    service = found.policy.service("call-vad")
    assert service.accuracy is not None
    assert service.availability is not None
    assert (service.priority, service.accuracy.floor_ppm) == (3, 950_000)
    assert (service.availability.sites, service.availability.nodes) == (2, 2)
    assert [type(step) for step in service.degrade] == [Shed]


def test_teams_and_the_organisation_add_their_clauses_to_the_profiles() -> None:
    policy = load(EXAMPLE).policy
    assert policy is not None
    names = {service.name: [p.name for p in policy.compliance if p.covered(service)] for service in policy.services}
    assert names == {
        "card-reader": ["apart-from-search", "Organisation acme", "Team payments", "Service card-reader"],
        "spoken-search": ["spoken-words", "Organisation acme"],
    }


@pytest.mark.parametrize("alone", ["Organisation", "Team"])
def test_one_tier_alone_has_its_limits_and_defaults(alone: str) -> None:
    own = next(each["spec"] for each in GOOD if each["kind"] == "Service")
    tier = document(
        alone, "calls", {"limits": {"priority": 5}, "defaults": {"objectives": [{"accuracy": {"floor": "94%"}}]}}
    )
    of_team = {"team": "calls"} if alone == "Team" else {}
    others = [each for each in GOOD if each["kind"] != "Service"]
    within, beyond = (
        load_documents([("policy.yaml", yaml.safe_dump_all([*others, tier, document("Service", "call-vad", said)]))])
        for said in (own | of_team | {"priority": 5}, own | of_team | {"priority": 6})
    )
    assert within.policy is not None
    assert within.policy.service("call-vad").accuracy is not None
    assert [finding.id for finding in beyond.findings] == ["GW0351"]


LEAST = {"sites": 1, "racks": 0, "nodes": 1, "spares": 0}
PARTS = {
    "priority": st.integers(0, 4),
    "floor": st.sampled_from(["92%", "94%", "95%", "96%"]),
    "places": st.fixed_dictionaries({name: st.integers(least, 2) for name, least in LEAST.items()}),
    "use": st.booleans(),
}
SAID = st.fixed_dictionaries({}, optional=PARTS)


def limits(drawn: dict[str, Any]) -> dict[str, Any]:
    made = {"priority": drawn.get("priority")} if "priority" in drawn else {}
    made |= {"accuracy": {"floor": drawn["floor"]}} if "floor" in drawn else {}
    return made | ({"availability": drawn["places"]} if "places" in drawn else {})


def said(drawn: dict[str, Any]) -> dict[str, Any]:
    objectives = [{"accuracy": {"floor": drawn["floor"]}}] if "floor" in drawn else []
    objectives += [{"availability": drawn["places"]}] if "places" in drawn else []
    steps = [{"use": {"silero-vad": "fp16"}}] if drawn.get("use") else []
    made: dict[str, Any] = {"objectives": objectives, "degrade": steps}
    return made | ({"priority": drawn["priority"]} if "priority" in drawn else {})


@settings(max_examples=150, deadline=None)
@given(top=SAID, below=SAID, own=SAID, proposed=SAID)
def test_without_an_error_a_service_is_within_every_limit_and_has_what_it_says(
    top: dict[str, Any], below: dict[str, Any], own: dict[str, Any], proposed: dict[str, Any]
) -> None:
    found = loaded({"limits": limits(top)}, {"limits": limits(below), "defaults": said(proposed)}, said(own))
    beyond = any(finding.id == "GW0351" for finding in found.findings)
    values = [limits(top), limits(below)]
    assert beyond == _is_beyond(values, own, proposed)
    if found.policy is None:
        return
    service = found.policy.service("call-vad")
    floor = service.accuracy.floor_ppm / 10_000 if service.accuracy else 0
    places = {name: getattr(service.availability, name) if service.availability else 0 for name in LEAST}
    for value in values:
        assert service.priority <= value.get("priority", 1_000)
        assert floor >= _percent(value.get("accuracy", {}).get("floor", "0%"))
        asked = value.get("availability", dict.fromkeys(LEAST, 0))
        assert all(places[name] >= asked[name] for name in LEAST)
        if _percent(value.get("accuracy", {}).get("floor", "0%")) > 94:
            assert not service.degrade
    if "priority" in own:
        assert service.priority == own["priority"]
    if "floor" in own:
        assert floor == _percent(own["floor"])
    if "places" in own:
        assert places == own["places"]


def _percent(text: str) -> float:
    return float(text.removesuffix("%"))


def _is_beyond(values: list[dict[str, Any]], own: dict[str, Any], proposed: dict[str, Any]) -> bool:
    """Worked out from the documents: a service's or a team's word against a limit, or the team's limit against one."""
    statements = [said(own), said(proposed)]
    top, below = values
    pairs = [(statement, value) for statement in statements for value in values]
    loose = any(
        statement.get("priority", 0) > value.get("priority", 1_000)
        or any(
            _percent(objective["accuracy"]["floor"]) < _percent(value.get("accuracy", {"floor": "0%"})["floor"])
            for objective in statement["objectives"]
            if "accuracy" in objective
        )
        or any(
            objective["availability"][name] < value.get("availability", {name: 0})[name]
            for objective in statement["objectives"]
            if "availability" in objective
            for name in LEAST
        )
        or (bool(statement["degrade"]) and _percent(value.get("accuracy", {"floor": "0%"})["floor"]) > 94)
        for statement, value in pairs
    )
    return (
        loose
        or below.get("priority", 0) > top.get("priority", 1_000)
        or _percent(below.get("accuracy", {"floor": "100%"})["floor"])
        < _percent(top.get("accuracy", {"floor": "0%"})["floor"])
        or any(
            below.get("availability", {name: 1_000})[name] < top.get("availability", {name: 0})[name] for name in LEAST
        )
    )
