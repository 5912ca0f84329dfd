"""What a route's status tells of it: whether its Gateway has seen it as it is now, and takes it."""

from typing import Any

import pytest

from controller.cluster.routes.told import told

PARENT = {"namespace": "edge", "name": "paris", "sectionName": "http"}
TRUE = {"Accepted": "True", "ResolvedRefs": "True"}


def route(*statuses: tuple[dict[str, str], dict[str, str], int | None]) -> Any:
    """A route in generation 3; each status has whose parent, the conditions, and the generation that they are of."""
    parents = [
        {
            "parentRef": parent,
            "conditions": [
                {
                    "type": kind,
                    "status": status,
                    "reason": "Because",
                    "message": "told so",
                    **({"observedGeneration": generation} if generation else {}),
                }
                for kind, status in conditions.items()
            ],
        }
        for parent, conditions, generation in statuses
    ]
    metadata = {"name": "r", "namespace": "gridwright-routes", "generation": 3}
    return {"metadata": metadata, "spec": {"parentRefs": [PARENT]}, "status": {"parents": parents}}


@pytest.mark.parametrize("generation", [3, None])
def test_a_route_that_is_taken_as_it_is_now_is_followed(generation: int | None) -> None:
    assert told(route((PARENT, TRUE, generation))).is_followed


@pytest.mark.parametrize(
    "statuses",
    [
        (),
        ((PARENT, TRUE, 2),),
        ((PARENT, {"Accepted": "True"}, 3),),
        (({**PARENT, "sectionName": "other"}, TRUE, 3),),
        (({**PARENT, "name": "lyon"}, TRUE, 3),),
    ],
    ids=["nothing", "the generation before", "a half", "another listener", "another Gateway"],
)
def test_what_was_not_told_yet_is_awaited(statuses: Any) -> None:
    tells = told(route(*statuses))
    assert not tells.is_followed
    assert not tells.against
    assert "Gateway edge/paris does not tell ResolvedRefs of it" in str(tells)


@pytest.mark.parametrize("kind", ["Accepted", "ResolvedRefs"])
def test_what_is_against_a_route_is_told_in_its_gateways_words(kind: str) -> None:
    tells = told(route((PARENT, {**TRUE, kind: "False"}, 3)))
    assert str(tells) == f"Gateway edge/paris: {kind} is False (Because): told so"


def test_a_route_of_which_some_rules_are_dropped_is_not_followed() -> None:
    assert told(route((PARENT, {**TRUE, "PartiallyInvalid": "True"}, 3))).against
    assert told(route((PARENT, {**TRUE, "PartiallyInvalid": "False"}, 3))).is_followed


def test_a_route_that_was_just_made_has_no_status() -> None:
    live = route()
    del live["status"]
    assert len(told(live).awaited) == 2
