"""What differs between what a plan asks for and what stands, and which scalers are in the way."""

from dataclasses import replace
from typing import Any

from controller.cluster.servers.scalers import targets
from controller.cluster.servers.standing import Key, Standing, difference, digest, is_ours, key_of, standing

MANIFEST: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "StatefulSet",
    "metadata": {"name": "a", "namespace": "gridwright-edge", "annotations": {"gridwright.dev/node": "a"}},
    "spec": {"replicas": 1},
}
KEY = key_of(MANIFEST)
STANDS = Standing(KEY, "uid", digest(MANIFEST), "owned")


def live(**status: Any) -> dict[str, Any]:
    """A StatefulSet as an API server has it."""
    metadata = {
        **MANIFEST["metadata"],
        "uid": "uid",
        "labels": {"app.kubernetes.io/managed-by": "gridwright", "gridwright.dev/pool": "edge"},
        "managedFields": [
            {"manager": "gridwright", "operation": "Apply", "fieldsV1": {"f:spec": {"f:replicas": {}}}},
            {"manager": "kube-controller-manager", "operation": "Update", "subresource": "status", "fieldsV1": {}},
        ],
    }
    return {"metadata": metadata, "spec": {"replicas": 1}, "status": status}


def test_what_was_never_applied_by_this_process_is_applied() -> None:
    assert difference([MANIFEST], [], {}).apply == (MANIFEST,)
    assert difference([MANIFEST], [STANDS], {}).apply == (MANIFEST,)


def test_what_an_earlier_process_applied_is_applied_again_a_few_objects_at_a_time_after_what_differs() -> None:
    many = [{**MANIFEST, "metadata": {**MANIFEST["metadata"], "name": f"n{number}"}} for number in range(250)]
    stands = [replace(STANDS, key=key_of(each), content=digest(each)) for each in many[:-1]]
    applied: dict[Key, str] = {}
    sizes = []
    for _ in range(4):
        todo = difference(many, [*stands, replace(STANDS, key=key_of(many[-1]), content=digest(many[-1]))], applied)
        sizes.append(len(todo.apply))
        applied |= {key_of(each): "owned" for each in todo.apply}
    assert sizes == [100, 100, 50, 0]
    assert difference(many, stands, {}).apply == (many[-1], *many[:100])


def test_what_is_owned_as_it_was_after_it_was_applied_is_left() -> None:
    assert difference([MANIFEST], [STANDS], {KEY: "owned"}).apply == ()


def test_what_somebody_took_a_field_of_or_is_wanted_otherwise_is_applied() -> None:
    assert difference([MANIFEST], [STANDS], {KEY: "owned before"}).apply == (MANIFEST,)
    other = {**MANIFEST, "spec": {"replicas": 2}}
    assert difference([other], [STANDS], {KEY: "owned"}).apply == (other,)


def test_what_is_wanted_no_more_goes_servers_first_and_others_may_use_the_rest() -> None:
    keys = [Key(kind, "gridwright-edge", "a") for kind in ("Service", "StatefulSet", "NetworkPolicy")]
    kept = [Key("Namespace", "", "gridwright-edge"), Key("PriorityClass", "", "gridwright-servers")]
    stands = [replace(STANDS, key=key) for key in (*keys, *kept)]
    assert [each.key.kind for each in difference([], stands, {}).remove] == ["StatefulSet", "NetworkPolicy", "Service"]


def test_whoever_takes_a_field_changes_what_is_owned_and_a_status_does_not() -> None:
    before = standing("StatefulSet", live())
    assert standing("StatefulSet", live(readyReplicas=1)).fields == before.fields
    taken = live()
    taken["metadata"]["managedFields"][0]["fieldsV1"] = {"f:spec": {}}
    assert standing("StatefulSet", taken).fields != before.fields


def test_what_is_kept_of_an_object() -> None:
    kept = standing("StatefulSet", live(readyReplicas=1, replicas=1, updatedReplicas=1))
    assert (kept.key, kept.uid, kept.is_outdated) == (KEY, "uid", False)
    assert is_ours(live())
    assert not is_ours({"metadata": {"name": "a"}})


def test_a_pod_of_an_earlier_template_is_outdated_and_one_that_ends_is_not() -> None:
    revisions = {"currentRevision": "a-1", "updateRevision": "a-2"}
    assert standing("StatefulSet", live(replicas=1, updatedReplicas=0, **revisions)).is_outdated
    assert not standing("StatefulSet", live(replicas=1, updatedReplicas=1, **revisions)).is_outdated
    ending = {**live(replicas=1, updatedReplicas=0, **revisions), "spec": {"replicas": 0}}
    assert not standing("StatefulSet", ending).is_outdated


def test_a_scaler_is_in_the_way_of_the_stateful_set_that_it_names() -> None:
    def scaler(name: str, target: dict[str, str]) -> dict[str, Any]:
        return {"metadata": {"name": name, "namespace": "n"}, "spec": {"scaleTargetRef": target}}

    some = [
        scaler("one", {"kind": "StatefulSet", "name": "a"}),
        scaler("two", {"name": "b"}),
        scaler("three", {"kind": "Deployment", "name": "c"}),
    ]
    assert targets("ScaledObject", some) == {Key("StatefulSet", "n", "a"): "ScaledObject n/one"}
