"""What was written to a resource and is not there any more, by the notes of who wrote what."""

from typing import Any

import pytest

from controller.cluster.custom_resources.dropped import dropped

SPEC = {"site": "paris", "rack": {"name": "a"}, "ports": [{"name": "http"}]}
KNOWN = {".": {}, "f:site": {}, "f:rack": {"f:name": {}}, "f:ports": {}}


def resource(*written: dict[str, Any]) -> dict[str, Any]:
    return {"metadata": {"managedFields": [{"fieldsV1": {"f:spec": each}} for each in written]}, "spec": SPEC}


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({}, ()),
        ({"f:tier": {}}, (".spec.tier",)),
        ({"f:tier": {".": {}, "f:of": {}}}, (".spec.tier",)),
        ({"f:rack": {"f:row": {}, "f:name": {}}}, (".spec.rack.row",)),
        ({"f:site": {"f:name": {}}}, ()),
        ({"f:ports": {'k:{"name":"http"}': {"f:port": {}}}}, ()),
    ],
)
def test_a_field_that_has_a_writer_and_no_value_was_dropped(more: dict[str, Any], told: tuple[str, ...]) -> None:
    assert dropped(resource({**KNOWN, **more}, KNOWN, {**KNOWN, **more})) == told


def test_what_was_told_of_a_resource_is_none_of_its_fields() -> None:
    status = {"fieldsV1": {"f:spec": {"f:tier": {}}}, "subresource": "status"}
    assert dropped({"metadata": {"managedFields": [status, {"manager": "empty"}]}, "spec": SPEC}) == ()
    assert dropped({"metadata": {}, "spec": SPEC}) == ()
