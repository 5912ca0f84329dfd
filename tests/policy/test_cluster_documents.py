"""Custom resources as documents, and findings by their fields."""

import json
from pathlib import Path
from typing import Any

import pytest

from policy.cluster.documents import by_field, documents, write, written
from policy.cluster.resources import ClusterError, resources
from policy.findings import Finding, Level, Place
from policy.source import load

HEAD = {"apiVersion": "gridwright.dev/v1alpha1"}


def site(name: str, **spec: Any) -> dict[str, Any]:
    metadata = {"name": name, "uid": "1", "generation": 2, "labels": {"team": "ä"}}
    return {**HEAD, "kind": "Site", "metadata": metadata, "spec": spec, "status": {}}


def test_what_kubernetes_adds_is_left_out() -> None:
    ((name, text),) = documents([site("paris", jurisdictions=["FR"])])
    assert name == "Site/paris.yaml"
    assert json.loads(text) == {
        **HEAD,
        "kind": "Site",
        "metadata": {"name": "paris", "labels": {"team": "ä"}},
        "spec": {"jurisdictions": ["FR"]},
    }


@pytest.mark.parametrize(
    ("spec", "subject"),
    [
        ({"jurisdictions": ["FR", "?"]}, "Site/paris .spec.jurisdictions[1]"),
        ({"jurisdictions": 3}, "Site/paris .spec.jurisdictions"),
        ({"jurisdictions": ["FR"], "colour": "red"}, "Site/paris .spec.colour"),
        ({}, "Site/paris .spec"),
    ],
)
def test_a_finding_names_the_resource_and_the_field(tmp_path: Path, spec: dict[str, Any], subject: str) -> None:
    write([site("paris", **spec)], tmp_path)
    found = by_field(load(tmp_path).findings, tmp_path)
    assert subject in {each.message.partition(": ")[0] for each in found if each.level is Level.ERROR}
    assert all(each.place is None for each in found if each.message.startswith("Site/"))


def test_a_finding_of_no_resource_stays_as_it_is(tmp_path: Path) -> None:
    finding = Finding("GW0108", Level.ERROR, "there is no policy document", "write one", Place(".", 1, 1))
    assert by_field([finding], tmp_path) == (finding,)


def test_a_key_that_is_no_plain_word_stands_in_brackets() -> None:
    assert written(("metadata", "labels", "a.b/c", 2)) == ".metadata.labels['a.b/c'][2]"


def pointing_at(server: str, tmp_path: Path) -> str:
    """A kubeconfig whose only context, `here`, is of that server."""
    named = {"clusters": {"cluster": {"server": server}}, "users": {"user": {}}}
    named["contexts"] = {"context": {"cluster": "here", "user": "here"}}
    config = {kind: [{"name": "here", **one}] for kind, one in named.items()}
    (tmp_path / "config").write_text(json.dumps({"apiVersion": "v1", "kind": "Config", **config}))
    return str(tmp_path / "config")


def test_a_context_that_no_kubeconfig_has_is_told(tmp_path: Path) -> None:
    kubeconfig = pointing_at("http://127.0.0.1:1", tmp_path)
    with pytest.raises(ClusterError, match=rf"the kubeconfig {kubeconfig} leads nowhere: .*elsewhere") as raised:
        resources("elsewhere", kubeconfig)
    assert raised.value.hint == "name a context of it"


def test_a_server_that_does_not_answer_is_told(tmp_path: Path) -> None:
    kubeconfig = pointing_at("http://127.0.0.1:1", tmp_path)
    with pytest.raises(ClusterError, match=r"the API server does not answer: .*Connection refused") as raised:
        resources("here", kubeconfig)
    assert raised.value.hint == "check the context's server"
