"""Which clauses of a policy its tests cover: those that take part in a plan, or those without which a test fails."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from collectors.evidence.records import Evidence
from controller.clause_words import said
from controller.testing.results import Result
from controller.testing.run import run
from policy.clause_list import clauses_of
from policy.findings import Place
from policy.resolved import Policy
from policy.testing import PolicyTest


@dataclass(frozen=True, slots=True)
class Covered:
    """A clause, in words, with the tests that cover it."""

    place: Place
    clause: str
    tests: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Mutant:
    """The policy without the clause at `place`, and the tests, all of which pass with it, in which it takes part."""

    place: Place
    policy: Policy
    tests: tuple[PolicyTest, ...]


def coverage(policy: Policy, covering: Mapping[Place, Sequence[str]]) -> tuple[Covered, ...]:
    """Every clause by its place, with the names of tests that cover those places."""
    written = clauses_of(policy)
    return tuple(Covered(each.place, said(each), tuple(covering.get(each.place, ()))) for each in written)


def exercising(results: Sequence[Result]) -> dict[Place, list[str]]:
    """The tests in which the clause at each place takes part."""
    found: dict[Place, list[str]] = {}
    for result in results:
        for place in result.exercised:
            found.setdefault(place, []).append(result.test)
    return found


def mutants(policy: Policy, tests: Sequence[PolicyTest], results: Sequence[Result]) -> tuple[Mutant, ...]:
    """The policy without each clause in turn. What took part in no plan that passes changes none."""
    by_name = {test.name: test for test in tests}
    passed = exercising([result for result in results if result.has_passed])
    places = [each.place for each in clauses_of(policy) if each.place in passed]
    return tuple(Mutant(place, policy, tuple(by_name[name] for name in passed[place])) for place in places)


def noticed_by(mutant: Mutant, evidence: Mapping[Place, tuple[Evidence, ...]]) -> str | None:
    """The first test that fails without the clause; None when all go on passing. `evidence` is by the test's place."""
    for test in mutant.tests:
        if not run(test, mutant.policy, evidence[test.place], without=mutant.place).has_passed:
            return test.name
    return None
