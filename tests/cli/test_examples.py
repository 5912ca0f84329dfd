"""The examples that need no servers: they check without a finding, and their plans are what their documents ask."""

from pathlib import Path
from typing import Any

import pytest
from process import ROOT, gridwright

EXAMPLES = sorted(path for path in (ROOT / "examples").iterdir() if path.is_dir())


@pytest.mark.parametrize("folder", EXAMPLES, ids=lambda folder: folder.name)
def test_an_example_has_no_finding(folder: Path) -> None:
    ran = gridwright("check", folder)
    assert (ran.status, ran.out) == (0, f"{folder}: no findings\n")


def barred(example: str, service: str, stage: str) -> dict[str, set[str]]:
    """By pool, the rules that keep a stage of a service from it."""
    answer: Any = gridwright("explain", ROOT / "examples" / example, service, "--json").json()
    uses = [use for use in answer["candidates"] if use["stage"] == stage]
    assert uses
    return {use["placement"]["pool"]: {each["rule"] for each in use["objections"]} for use in uses}


def test_names_are_removed_where_the_hospital_allows_it_and_pictures_sorted_where_health_data_may_be() -> None:
    names, pictures = (barred("health", "x-ray-triage", stage) for stage in ("deidentify", "sort"))
    assert names["hospital"] == pictures["hospital"] == set()
    assert names["paris-reserved"] == {"certification"}
    assert pictures["paris-reserved"] == set()
    assert pictures["paris-spot"] == {"forbidden_certification", "purchase"}
    assert pictures["virginia-spot"] >= {"certification", "residency", "link_security", "purchase"}


def test_genomes_are_read_on_attested_machines_by_verified_builds_alone() -> None:
    answer: Any = gridwright("explain", ROOT / "examples" / "confidential", "call-variants", "--json").json()
    found = {
        (use["placement"]["variant"], use["placement"]["pool"]): {each["rule"] for each in use["objections"]}
        for use in answer["candidates"]
    }
    assert found == {
        ("bf16", "sealed"): set(),
        ("bf16", "plain"): {"attestation", "encryption_at_rest"},
        ("fp8", "sealed"): {"provenance", "pinned"},
        ("fp8", "plain"): {"attestation", "encryption_at_rest", "provenance", "pinned"},
    }
    assert barred("confidential", "benchmark-variants", "call") == {"sealed": set(), "plain": set()}


def test_a_team_is_kept_to_fewer_places_than_its_organisation_and_a_service_by_what_both_ask() -> None:
    cards = barred("organisation", "card-reader", "read")
    assert cards["paris-owned"] == set()
    assert cards["frankfurt-rented"] == {"certification", "residency", "purchase", "separation"}
    spoken = barred("organisation", "spoken-search", "hear")
    assert spoken["paris-owned"] == {"dedication"}
    assert spoken["frankfurt-rented"] == set()
    assert spoken["frankfurt-spot"] == {"purchase"}


def test_what_follows_a_blurring_that_was_tested_leaves_the_square_and_nothing_before_it() -> None:
    found = {stage: barred("privacy", "square-watch", stage) for stage in ("blur", "describe")}
    assert found["blur"]["boxes"] == set()
    assert found["blur"]["cards"] >= {"locality"}
    assert found["describe"]["cards"] == set()


def test_old_tapes_wait_until_nobody_has_to_give_way_to_them() -> None:
    ran = gridwright("test", ROOT / "examples" / "radio")
    assert ran.status == 0, ran.out
