"""A variable is the value that its line says, in every respect but the place where it is told."""

from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from policy.environments import MAX_ENVIRONMENTS
from policy.findings import Level, Place
from policy.parse import parse
from policy.rereading import Rereading
from policy.resolved import Policy, Purchase, UseVariant
from policy.source import load, load_documents
from policy.variables import FIXED, uses

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "environments"
TEXTS = [(file.name, file.read_text()) for file in sorted((ROOT / "examples" / "embedded").glob("*.yaml"))]
GOOD = ("good.yaml", (Path(__file__).parent / "good.yaml").read_text())
HEAD = "apiVersion: gridwright.dev/v1alpha1\n"
ANYWHERE = Place("", 1, 1)


def document(kind: str, name: str, spec: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": "gridwright.dev/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec}


def dumped(*documents: Any) -> str:
    return yaml.safe_dump_all(documents, allow_unicode=True, sort_keys=False)


def in_environment(name: str) -> Policy:
    policy = load(EXAMPLE, name).policy
    assert policy is not None
    return policy


def test_each_environment_has_its_own_values() -> None:
    dev, prod = in_environment("dev"), in_environment("prod")
    assert [policy.pool("edge-paris").nodes for policy in (dev, prod)] == [1, 4]
    assert [policy.pool("edge-paris").purchase for policy in (dev, prod)] == [Purchase.SPOT, Purchase.RESERVED]
    assert [policy.services[0].expected_rate_milli_rps for policy in (dev, prod)] == [2_000, 30_000]
    assert [policy.cost.ceilings[0].millicents_per_hour for policy in (dev, prod)] == [50_000, 400_000]
    assert [policy.compliance[0].residency.within for policy in (dev, prod) if policy.compliance[0].residency] == [
        ("EU",),
        ("FR",),
    ]
    assert dev.revision != prod.revision


def test_the_documents_of_a_policy_keep_the_environment_that_was_chosen() -> None:
    prod = in_environment("prod")
    again = load_documents(prod.documents)
    assert again.findings == ()
    assert again.policy == prod


def test_a_document_may_choose_the_environment_as_the_command_line_does() -> None:
    texts = [(file.name, file.read_text()) for file in EXAMPLE.glob("*.yaml")]
    here = ("here.yaml", dumped(document("Environment", "prod", {})))
    policy = load_documents([*texts, here]).policy
    assert policy is not None
    assert policy.pools == in_environment("prod").pools


def test_both_at_once_are_told(tmp_path: Path) -> None:
    for file in EXAMPLE.glob("*.yaml"):
        (tmp_path / file.name).write_text(file.read_text())
    (tmp_path / "here.yaml").write_text(dumped(document("Environment", "prod", {})))
    assert [finding.id for finding in load(tmp_path, "dev").findings] == ["GW0308"]
    assert [finding.id for finding in load(tmp_path).findings] == []


def test_the_place_of_what_a_variable_says_is_its_line() -> None:
    (clause,) = [each.residency for each in in_environment("prod").compliance]
    assert clause is not None
    assert str(clause.place).startswith("policy.yaml:")  # the clause; its one word is the variable's
    spoilt = [("policy.yaml", (EXAMPLE / "policy.yaml").read_text())]
    values = (EXAMPLE / "variables.yaml").read_text().replace("prod: reserved", "prod: sometimes")
    choice = ("choice.yaml", dumped(document("Environment", "prod", {})))
    (finding,) = load_documents([*spoilt, ("variables.yaml", values), choice]).findings
    assert finding.place is not None
    assert values.splitlines()[finding.place.line - 1][finding.place.column - 1 :] == "sometimes}"
    use = next(at for at, line in enumerate(spoilt[0][1].splitlines(), 1) if "var: edgePurchase" in line)
    assert f"it is used at policy.yaml:{use}:" in finding.message


@pytest.mark.parametrize("text", ['"{var: nodes}"', "${nodes}", "$(nodes)", "'{{ nodes }}'"])
def test_nothing_is_put_together_from_texts(text: str) -> None:
    pool = (
        f"{HEAD}kind: Pool\nmetadata: {{name: more}}\n"
        f"spec: {{site: edge-paris, device: edge-module, nodes: {text}, memory: 8GiB, price: $1/h}}\n"
    )
    variables = dumped(document("Variables", "sizes", {"values": {"nodes": {"dev": 1}}}))
    loaded = load_documents([GOOD, ("pool.yaml", pool), ("variables.yaml", variables)])
    assert loaded.policy is None
    assert {finding.id for finding in loaded.findings if finding.level is Level.ERROR} <= {"GW0204", "GW0101"}


def test_a_model_may_be_called_var() -> None:
    service = yaml.safe_load_all(GOOD[1])
    good = [each for each in service if each["kind"] != "Organisation"]
    texts = dumped(*good).replace("silero-vad", "var")
    degrading = document("Service", "more", next(each["spec"] for each in good if each["kind"] == "Service"))
    degrading["spec"] = degrading["spec"] | {"degrade": [{"use": {"var": "fp16"}}]}
    loaded = load_documents([("good.yaml", texts), ("more.yaml", dumped(degrading).replace("silero-vad", "var"))])
    assert loaded.policy is not None, loaded.findings
    (step,) = loaded.policy.service("more").degrade
    assert isinstance(step, UseVariant)
    assert (step.model, step.variant) == ("var", "fp16")


def test_nothing_is_said_of_values_that_may_stand_in_what_is_broken() -> None:
    pool = dumped(document("Pool", "more", {"site": {"var": "place"}, "nodes": {"var": "nodes"}}))
    for broken in ("kind: Variables\nmetadata: {name: x}\nspec: {values: {nodes: {dev: [1]}}}\n", "spec: ["):
        found = load_documents([GOOD, ("pool.yaml", pool), ("broken.yaml", HEAD + broken)]).findings
        assert {finding.place.file for finding in found if finding.place} == {"broken.yaml"}


def test_an_edit_of_a_value_is_seen_where_it_is_used(tmp_path: Path) -> None:
    for file in EXAMPLE.glob("*.yaml"):
        (tmp_path / file.name).write_text(file.read_text())
    rereading = Rereading(tmp_path, "prod")
    first = rereading.load()
    variables = tmp_path / "variables.yaml"
    variables.write_text(variables.read_text().replace("prod: 4}", "prod: 44}"))
    second = rereading.load()
    assert first is not None
    assert second is not None
    assert first.policy is not None
    assert second.policy is not None
    assert [loaded.policy.pool("edge-paris").nodes for loaded in (first, second) if loaded.policy] == [4, 44]


def bare(value: Any) -> Any:
    """The value with every place in it the same."""
    if isinstance(value, Place):
        return ANYWHERE
    if isinstance(value, tuple):
        return tuple(map(bare, value))
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{each.name: bare(getattr(value, each.name)) for each in fields(value) if each.init})
    return value


def paths_in(value: object, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(value, dict):
        return [path for key, child in value.items() for path in paths_in(child, (*here, key))]
    if isinstance(value, list):
        return [path for key, child in enumerate(value) for path in paths_in(child, (*here, key))]
    return [here]


def at(value: Any, path: tuple[Any, ...]) -> Any:
    for part in path:
        value = value[part]
    return value


def with_value(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = with_value(copy[path[0]], path[1:], new)
    return copy


class _Plain(yaml.CSafeLoader):
    """Reads every scalar as it is written."""


_Plain.yaml_implicit_resolvers = {}
WRITTEN = [each for _, text in TEXTS for each in yaml.load_all(text, Loader=_Plain)]
WHOLE = load_documents(TEXTS).policy


def plain(value: Any) -> Any:
    """A value as YAML would have it unquoted."""
    return int(value) if isinstance(value, str) and value.isdecimal() else value


def unquoted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: unquoted(each) for key, each in value.items()}
    return [unquoted(each) for each in value] if isinstance(value, list) else plain(value)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_a_policy_is_the_same_whichever_of_its_values_are_variables(data: st.DataObject) -> None:
    documents: list[Any] = [unquoted(each) for each in WRITTEN]
    values: dict[str, Any] = {}
    for _ in range(data.draw(st.integers(1, 6))):
        which = data.draw(st.integers(0, len(documents) - 1))
        paths = [path for path in paths_in(documents[which]) if path[0] == "spec" and path[-1] != "var"]
        if not paths:
            continue
        path = data.draw(st.sampled_from(paths))
        name = f"v{len(values)}"
        values[name] = {"here": at(documents[which], path), "there": "not this one"}
        documents[which] = with_value(documents[which], path, {"var": name})
    variables = document("Variables", "all", {"values": values})
    loaded = load_documents([("policy.yaml", dumped(*documents, variables, document("Environment", "here", {})))])
    assert loaded.policy is not None, loaded.findings
    assert WHOLE is not None
    found, whole = (replace(each, documents=(), revision="") for each in (loaded.policy, WHOLE))
    assert bare(found) == bare(whole)


ODD = st.one_of(
    st.integers(-(10**20), 10**20),
    st.decimals(-1_000, 1_000, places=2).map(float),
    st.text(max_size=12),
    st.none(),
    st.booleans(),
    st.just([]),
    st.just({"var": "v"}),
)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_an_odd_value_of_a_variable_is_told_at_its_line_or_means_something(data: st.DataObject) -> None:
    documents: list[Any] = [unquoted(each) for each in WRITTEN]
    which = data.draw(st.integers(0, len(documents) - 1))
    path = data.draw(st.sampled_from([path for path in paths_in(documents[which]) if path[0] == "spec"]))
    documents[which] = with_value(documents[which], path, {"var": "v"})
    choice = data.draw(st.sampled_from(["here", "there", "h"]))
    variables = document("Variables", "all", {"values": {"v": {"here": data.draw(ODD), "there": data.draw(ODD)}}})
    texts = [("policy.yaml", dumped(*documents)), ("variables.yaml", dumped(variables))]
    loaded = load_documents([*texts, ("choice.yaml", dumped(document("Environment", choice, {})))])
    errors = [finding for finding in loaded.findings if finding.level is Level.ERROR]
    assert (loaded.policy is None) == bool(errors)
    for finding in errors:
        assert finding.place is not None
        lines = dict(texts).get(finding.place.file, "\n" * 9).splitlines()
        assert finding.place.line <= len(lines)


@pytest.mark.parametrize("kind", sorted(FIXED))
def test_what_a_policy_is_made_of_takes_no_variable(kind: str) -> None:
    text = dumped(document(kind, "x", {"bundle": {"var": "v"}, "values": {"a": {"dev": {"var": "v"}}}}))
    (parsed,) = parse("x.yaml", text).documents
    assert uses(parsed) == ()


def test_of_many_uses_of_a_wrong_value_a_few_are_named() -> None:
    words = [{"var": "v"} for _ in range(5_000)]
    site = document("Site", "many", {"jurisdictions": words})
    variables = document("Variables", "all", {"values": {"v": {"here": "not a word"}}})
    (finding,) = load_documents(
        [GOOD, ("site.yaml", dumped(site, document("Environment", "here", {}))), ("v.yaml", dumped(variables))]
    ).findings[:1]
    assert finding.place is not None
    assert finding.place.file == "v.yaml"
    assert finding.message.endswith(" and 4997 more")


@pytest.mark.parametrize(("environments", "told"), [(MAX_ENVIRONMENTS, "GW0362"), (MAX_ENVIRONMENTS + 1, "GW0102")])
def test_more_environments_than_anybody_has_are_refused_and_not_compared(environments: int, told: str) -> None:
    every = {f"e{number}": 1 for number in range(environments)}
    values = {"every": every, "most": {name: 1 for name in every if name != "e7"}}
    variables = document("Variables", "all", {"values": values})
    found = load_documents([GOOD, ("v.yaml", dumped(variables))]).findings
    assert {finding.id for finding in found} == {told, "GW0361"}
