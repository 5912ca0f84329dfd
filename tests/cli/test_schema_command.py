"""`gridwright schema` as people and scripts run it."""

import json

import yaml
from process import gridwright

from policy.documents import KINDS
from policy.schema.files import kept


def test_the_schema_is_printed_as_it_is_kept() -> None:
    assert gridwright("schema").json() == kept()


def test_one_kind_is_told_alone_and_whole() -> None:
    alone = gridwright("schema", "--kind", "Site").json()
    assert alone["properties"]["kind"]["enum"] == ["Site"]
    assert alone["properties"]["spec"] == kept()["definitions"]["Site"]
    assert "$ref" not in json.dumps(alone)


def test_definitions_are_printed_for_every_kind_or_one() -> None:
    every = [*yaml.safe_load_all(gridwright("schema", "--crd").out)]
    (one,) = yaml.safe_load_all(gridwright("schema", "--crd", "--kind", "Link").out)
    assert [each["spec"]["names"]["kind"] for each in every] == [*KINDS]
    assert one in every


def test_a_kind_that_is_none_is_an_error_with_the_nearest() -> None:
    ran = gridwright("schema", "--kind", "Sit")
    assert ran.status == 1
    assert "did you mean `Site`?" in ran.err
