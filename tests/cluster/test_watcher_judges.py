"""The watcher's judgement: a story that is well is clean, and in one that is not, what must not be is found."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.watcher.judging import Judged, judged
from tests.cluster.watcher.seen import Seen

Story = dict[str, list[dict[str, Any]]]
POLICY = "/apis/gridwright.dev/v1alpha1"
KILLED_AT = 100.0


def kept(kind: str, name: str, version: int, at: float, **more: Any) -> dict[str, Any]:
    """A line of the watcher: an object in a version."""
    metadata = {"name": name, "uid": f"{kind} {name}", "resourceVersion": str(version), **more.pop("metadata", {})}
    return {"at": at, "type": "ADDED", "kind": kind, "object": {"metadata": metadata, **more}}


def node(name: str, pool: str) -> dict[str, Any]:
    return kept("/api/v1/nodes", name, 1, 0.0, metadata={"labels": {"gridwright.dev/pool": pool}})


def lease(term: int, version: int, at: float) -> dict[str, Any]:
    spec = {"leaseTransitions": term, "holderIdentity": f"replica-{term}"}
    namespace = {"namespace": "gridwright-system"}
    return kept("/apis/coordination.k8s.io/v1/leases", "gridwright", version, at, metadata=namespace, spec=spec)


def event(name: str, version: int, at: float) -> dict[str, Any]:
    """An event that payments are served as planned."""
    told = {"type": "Normal", "reason": "Done", "note": "Applied is True: all was done", "action": "Applied"}
    of = {"regarding": {"kind": "Service", "name": "payments"}, "reportingController": "gridwright.dev/controller"}
    return kept("/apis/events.k8s.io/v1/events", name, version, at, **told, **of)


def written(term: int, version: int, at: float, **more: Any) -> dict[str, Any]:
    """A line of the API server: a leader's apply of a server."""
    instant = f"1970-01-01T00:{int(at // 60):02d}:{at % 60:06.3f}+00:00"
    return {
        "verb": "patch",
        "requestURI": "/",
        "impersonatedUser": {"extra": {"gridwright-term": [f"{term}.replica-{term}"]}},
        "objectRef": {"resource": "statefulsets", "namespace": "gridwright-vault", "name": "vault-0"},
        "responseStatus": {"code": 201},
        "responseObject": {"metadata": {"resourceVersion": str(version)}},
        "requestReceivedTimestamp": instant,
        "stageTimestamp": instant,
        **more,
    }


def load(at: float, name: str = "vault-0", model: str = "fraud--fp16", count: int = 1, **more: Any) -> dict[str, Any]:
    config = {"instance_group": [{"count": count}]}
    note = {"at": at, "what": "load", "node": name, "model": model, "config": config, "is_new": True, "done": True}
    return note | more


def begun(at: float, *where: str, **more: Any) -> dict[str, Any]:
    return load(at, *where, done=False, **more)


def story() -> Story:
    """A leader makes a server and begins to load; it is killed, and the next one does what is left."""
    documents = [
        kept(f"{POLICY}/pools", "vault", 2, 0.0, spec={"site": "vault", "memory": "4GiB", "dedicatedTo": {}}),
        kept(f"{POLICY}/pools", "hall", 3, 0.0, spec={"site": "hall", "memory": "4GiB"}),
        *(
            kept(f"{POLICY}/models", name, 4, 0.0, spec={"variants": [{"name": "fp16", "memory": "1500MiB"}]})
            for name in ("fraud", "chat")
        ),
        kept(
            f"{POLICY}/services",
            "payments",
            5,
            0.0,
            spec={"data": {"classes": ["cardholder"]}, "stages": [{"model": "fraud"}]},
        ),
        kept(
            f"{POLICY}/complianceprofiles",
            "cards",
            6,
            0.0,
            spec={"certifications": {}, "appliesTo": {"data": {"classes": ["cardholder"]}}},
        ),
    ]
    way = {"service": "payments", "origin": "vault"}
    placed = {"model": "fraud", "variant": "fp16", "pool": "vault"}
    fleet = {"loads": [{"node": "vault-0", "placement": placed, "instances": 1}], "routes": [way]}
    return {
        "record": [
            node("vault-0", "vault"),
            node("hall-0", "hall"),
            *documents,
            lease(1, 10, 50.0),
            kept("/apis/apps/v1/statefulsets", "vault-0", 20, 99.0),
            lease(2, 30, KILLED_AT + 11),
            event("first", 31, KILLED_AT + 13),
        ],
        "notes": [
            {"at": 99.2, "what": "start", "node": "vault-0", "uid": "1"},
            begun(99.5),
            load(100.5),
            {"at": KILLED_AT + 13, "what": "routes", "origin": "vault"},
        ],
        "audit": [written(1, 20, 98.9), written(2, 20, KILLED_AT + 12, responseStatus={"code": 200})],
        "rounds": [
            {"at": 98.0, "what": "change"},
            {"at": KILLED_AT, "what": "kill"},
            {"at": KILLED_AT + 14, "what": "led"},
            {"at": KILLED_AT + 20, "what": "settled", "keeps": 3, "fleet": fleet, "routes": [way]},
        ],
    }


def judge(told: Story, folder: Path) -> Judged:
    for name, lines in told.items():
        file = folder / ("audit.log" if name == "audit" else f"{name}.jsonl")
        file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return judged(Seen(folder), frozenset({"vault"}))


def test_a_story_that_is_well_is_clean(tmp_path: Path) -> None:
    found = judge(story(), tmp_path)
    assert found.is_clean, found.breaches
    (takeover,) = found.takeovers
    assert (takeover.leased_s, takeover.acted_s, takeover.amid) == (11.0, 12.0, True)
    assert found.actions == 3, "the server, its load and the routes: what the next leader found done is none"


def test_a_server_that_a_budget_keeps_may_stand(tmp_path: Path) -> None:
    told = story()
    told["notes"] += [begun(KILLED_AT + 13, "vault-1"), load(KILLED_AT + 13.5, "vault-1")]
    told["record"].append(node("vault-1", "vault"))
    assert judge(told, tmp_path).breaches["lost"]
    pod = {"resource": "pods", "subresource": "eviction", "namespace": "gridwright-vault", "name": "vault-1-0"}
    told["audit"].append(written(2, 0, KILLED_AT + 18, objectRef=pod, responseStatus={"code": 429}))
    assert judge(told, tmp_path).breaches["lost"] == ()


def loads_again(told: Story) -> None:
    told["notes"].append(begun(KILLED_AT + 13, is_new=False))


def undoes_and_loads_again(told: Story) -> None:
    gone = {"at": KILLED_AT + 12, "what": "unload", "node": "vault-0", "model": "fraud--fp16", "is_new": True}
    told["notes"] += [gone, begun(KILLED_AT + 13), load(KILLED_AT + 13.5)]


def unloads_what_is_not_loaded(told: Story) -> None:
    told["notes"].append({"at": 113.0, "what": "unload", "node": "vault-0", "model": "chat--fp16", "is_new": False})


def tells_again(told: Story) -> None:
    told["record"].append(event("second", 32, KILLED_AT + 14))


def loses_a_load(told: Story) -> None:
    told["notes"] = [note for note in told["notes"] if note["what"] != "load"]


def loses_a_route(told: Story) -> None:
    told["rounds"][-1]["routes"] = []


def never_settles(told: Story) -> None:
    told["rounds"][-1]["keeps"] = 0


def acts_late(told: Story) -> None:
    told["audit"].pop()
    told["notes"][-1]["at"] = told["rounds"][2]["at"] = KILLED_AT + 15.5


def never_acts(told: Story) -> None:
    told["audit"].pop()
    told["notes"].pop()
    told["rounds"] = told["rounds"][:2]


def writes_after_its_term(told: Story) -> None:
    told["record"].append(kept("/apis/apps/v1/statefulsets", "vault-1", 41, KILLED_AT + 14.5))
    told["record"].append(kept("/apis/apps/v1/statefulsets", "vault-2", 40, KILLED_AT + 14.0))
    told["audit"] += [written(2, 40, KILLED_AT + 14), written(1, 41, KILLED_AT + 14.5)]


def keeps_what_no_plan_has(told: Story) -> None:
    told["notes"] += [begun(KILLED_AT + 13, count=2), load(KILLED_AT + 13.5, count=2)]


def loads_where_nothing_certifies(told: Story) -> None:
    told["notes"] += [begun(KILLED_AT + 13, "hall-0"), load(KILLED_AT + 13.5, "hall-0")]


def loads_beyond_the_memory(told: Story) -> None:
    told["notes"].append(begun(KILLED_AT + 13, count=3))


def loads_on_nodes_of_others(told: Story) -> None:
    told["notes"].append(begun(KILLED_AT + 13, "vault-0", "chat--fp16"))


def admits_a_pod_elsewhere(told: Story) -> None:
    labels = {"labels": {"gridwright.dev/pool": "vault"}}
    told["record"].append(kept("/api/v1/pods", "vault-0-0", 50, 113.0, metadata=labels, spec={"nodeName": "hall-0"}))


@pytest.mark.parametrize(
    ("spoil", "breach"),
    [
        (loads_again, "twice"),
        (undoes_and_loads_again, "twice"),
        (unloads_what_is_not_loaded, "twice"),
        (tells_again, "twice"),
        (loses_a_load, "lost"),
        (loses_a_route, "lost"),
        (keeps_what_no_plan_has, "lost"),
        (never_settles, "lost"),
        (acts_late, "late"),
        (never_acts, "late"),
        (writes_after_its_term, "out of order"),
        (loads_where_nothing_certifies, "against a rule"),
        (loads_beyond_the_memory, "against a rule"),
        (loads_on_nodes_of_others, "against a rule"),
        (admits_a_pod_elsewhere, "against a rule"),
    ],
)
def test_what_must_not_be_is_found(spoil: Callable[[Story], None], breach: str, tmp_path: Path) -> None:
    told = story()
    spoil(told)
    assert judge(told, tmp_path).breaches[breach]
