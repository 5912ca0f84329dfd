"""Which clauses tests cover, and which they would not miss."""

from dataclasses import fields, replace
from pathlib import Path

import pytest
from small_fleet import FLEET, evidence, read

from controller.clause_words import said
from controller.testing.coverage import coverage, exercising, mutants, noticed_by
from controller.testing.run import run
from policy.clause_list import WrittenClause, clauses_of, without_clause
from policy.clauses import ComplianceProfile
from policy.findings import Place
from policy.resolved import ScaleToZero, Service
from policy.source import load

EXAMPLES = Path(__file__).parents[2] / "examples"

CERTIFIED = "- when: [{evidenceEnds: {site: near}}]\n  expect: [{runsOnly: {service: calls, sites: [far]}}]"


def place_of(text: str, column: int) -> str:
    """Where the first line that has this text has it in that column."""
    number = next(at for at, line in enumerate(FLEET.splitlines(), 1) if text in line)
    return f"fleet.yaml:{number}:{column}"


def test_every_clause_is_there_and_can_be_left_out_alone() -> None:
    policy, _ = read(CERTIFIED)
    written = clauses_of(policy)
    assert [(each.kind, each.name, each.field) for each in written] == [
        ("Service", "calls", "latency"),
        ("Service", "music", "latency"),
        ("ComplianceProfile", "voices", "certifications"),
        ("ComplianceProfile", "voices", "link_security"),
        ("CostPolicy", "ceilings", "ceilings"),
    ]
    for each in written:
        less = without_clause(policy, each.place)
        assert clauses_of(less) == tuple(other for other in written if other != each)
        assert without_clause(less, each.place) == less


@pytest.mark.parametrize(
    ("after_s", "wake_up_us", "told"),
    [(900, 30_000_000, ("15m", "30s")), (90, 1_500_000, ("90s", "1500ms")), (7_200, 60_000_000, ("2h", "1m"))],
)
def test_sleep_is_told_in_the_units_of_documents(after_s: int, wake_up_us: int, told: tuple[str, str]) -> None:
    clause = ScaleToZero(after_s, wake_up_us, Place("it.yaml", 1, 1))
    text = said(WrittenClause(clause.place, "Service", "calls", "scale_to_zero", clause))
    assert text == (
        f"Service calls: nothing runs {told[0]} after the last request, and the next one is answered {told[1]} later "
        "at most"
    )


def test_what_a_service_and_a_profile_may_do_without_is_a_clause_or_a_part_of_it() -> None:
    clauses = {"latency", "availability", "accuracy", "degrade"}
    assert clauses <= {each.name for each in fields(Service)}
    asked = {"certifications", "forbidden", "residency", "link_security", "purchase"}
    assert asked <= {each.name for each in fields(ComplianceProfile)}


def test_a_clause_is_exercised_where_it_bars_something_or_its_limit_is_reached() -> None:
    policy, test = read(CERTIFIED)
    covered = coverage(policy, exercising([run(test, policy, evidence())]))
    assert {str(each.place): each.tests for each in covered if each.tests} == {
        place_of("iso-27001", 28): ("it",),
    }
    assert "ComplianceProfile voices: iso-27001 is held" in {each.clause for each in covered}


def test_a_ceiling_is_exercised_when_no_further_node_could_be_paid_for() -> None:
    fleet = FLEET.replace("below: $2.00/h", "below: $0.15/h")
    policy, test = read("- expect: [{cost: {below: $0.15/h}}]", fleet)
    assert place_of("ceilings: [", 19) in {str(place) for place in run(test, policy, evidence()).exercised}


@pytest.mark.parametrize(("asked", "is_reached"), [("spares: 1", True), ("nodes: 1", False)])
def test_spares_are_exercised_while_one_instance_less_would_be_too_few(asked: str, *, is_reached: bool) -> None:
    promised = f"objectives: [{{availability: {{{asked}}}}}, {{latency: {{percentile: 99, below: 500ms}}}}]"
    fleet = FLEET.replace("objectives: [{latency: {percentile: 99, below: 500ms}}]", promised, 1)
    policy, test = read("- expect: [{feasible: true}]", fleet)
    clause = policy.service("calls").availability
    assert clause is not None
    assert (clause.place in run(test, policy, evidence()).exercised) is is_reached


def noticed(steps: str, fleet: str = FLEET) -> dict[str, str | None]:
    """By clause that takes part, the test that fails without it."""
    policy, test = read(steps, fleet)
    result = run(test, policy, evidence())
    assert result.has_passed
    return {str(each.place): noticed_by(each, {test.place: evidence()}) for each in mutants(policy, [test], [result])}


def test_a_clause_is_missed_where_the_test_fails_without_it() -> None:
    assert noticed(CERTIFIED) == {place_of("iso-27001", 28): "it"}


def test_sleep_is_covered_by_a_test_in_which_the_service_sleeps() -> None:
    name = "metadata: {name: music}\nspec:\n"
    fleet = FLEET.replace(name, f"{name}  scaleToZero: {{after: 15m, wakeUp: 30s}}\n")
    place = next(f"fleet.yaml:{at}" for at, line in enumerate(fleet.splitlines(), 1) if "scaleToZero" in line)
    asked = "- when: [{demand: {service: music, rate: 1 req/s}}]\n  expect: [{feasible: true}]"
    slept = "- when: [{demand: {service: music, rate: 0 req/s}}]\n  expect: [{runsNowhere: music}]"
    assert not [each for each in noticed(asked, fleet) if each.startswith(place)]
    assert [test for each, test in noticed(slept, fleet).items() if each.startswith(place)] == ["it"]


def test_what_never_preempts_is_covered_by_a_test_in_which_it_waits() -> None:
    loaded = load(EXAMPLES / "radio")
    assert loaded.policy is not None
    clause = loaded.policy.service("archive").preemption
    assert clause is not None
    quiet, surge = (replace(loaded.tests[0], steps=loaded.tests[0].steps[:steps]) for steps in (1, 2))
    assert clause.place not in run(quiet, loaded.policy, ()).exercised
    found = mutants(loaded.policy, [surge], [run(surge, loaded.policy, ())])
    (mutant,) = (each for each in found if each.place == clause.place)
    assert noticed_by(mutant, {surge.place: ()}) == surge.name


def test_a_clause_that_takes_part_is_not_missed_by_a_test_that_passes_without_it() -> None:
    steps = "- when: [{evidenceEnds: {site: near}}]\n  expect: [{served: {service: calls, atLeast: 100%}}]"
    assert noticed(steps) == {place_of("iso-27001", 28): None}


def test_a_clause_stays_left_out_when_the_test_changes_documents() -> None:
    steps = f"- when: [{{removed: {{kind: Service, name: music}}}}]\n{CERTIFIED}"
    assert noticed(steps) == {place_of("iso-27001", 28): "it"}


def test_of_a_test_that_fails_no_clause_is_left_out() -> None:
    policy, test = read(
        "- when: [{evidenceEnds: {site: near}}]\n  expect: [{allowed: {service: calls, sites: [near]}}]"
    )
    assert mutants(policy, [test], [run(test, policy, evidence())]) == ()


@pytest.mark.parametrize(
    "folder", sorted(path for path in EXAMPLES.iterdir() if path.is_dir()), ids=lambda path: path.name
)
def test_every_clause_of_the_examples_has_words_for_what_it_asks(folder: Path) -> None:
    policy = load(folder, "prod" if folder.name == "environments" else "").policy
    assert policy is not None
    written = clauses_of(policy)
    assert written
    assert [each for each in written if said(each).endswith(f": {each.field}")] == []
