"""What stages are declared to remove: when it counts, and that less of it never allows more.

The solver's side follows data from stage to stage, the verifier's goes back from a stage: they have to agree.
"""

import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy.clauses import DATA_REMOVAL, LocalityClause, Scope, SeparationClause
from policy.data_flow import Data, Datum, Reads, data
from policy.documents.service import MAX_STAGES
from policy.resolved import Removal, Stage
from rules.catalogue import COMPLIANCE
from rules.dedication import Dedication
from rules.kernel.evidence import Vouched
from rules.kernel.measure import covers
from rules.kernel.plan import Plan
from rules.kernel.problem import Problem
from tests.rules.build import NEEDED_UNTIL_S, NOW_S, Fleet, at, plan, two_places

CARD: Final = data(["card"], [])
CLAUSE: Final = LocalityClause(at(55))
WORDS: Final = st.sampled_from([(), ("card",), ("voice",), ("card", "voice")])
SECONDS: Final = st.sampled_from([0, NOW_S, NOW_S + 1, NEEDED_UNTIL_S - 1, NEEDED_UNTIL_S, 3000])


def piped(*stages: Stage, classes: tuple[str, ...] = ("card",)) -> Fleet:
    """The stages, each of a model of its own name with a variant `full`, in Paris or, each by itself, in Lyon."""
    fleet = two_places().service("ocr", *stages, data_classes=classes).demand("ocr", "paris")
    for each in stages:
        fleet = fleet.model(each.model, full=f"sha256:{each.model}")
        for pool in ("edge", "cloud"):
            fleet = fleet.option(f"{each.model}@{pool}", each.model, pool, variant="full")
    for pools in itertools.product(("edge", "cloud"), repeat=len(stages)):
        options = [f"{each.model}@{pool}" for each, pool in zip(stages, pools, strict=True)]
        fleet = fleet.path("-".join(pools), "ocr@paris", *options)
    return fleet.profile("card", locality=CLAUSE)


def blurred(*verifiers: str) -> Fleet:
    """Two stages: the first removes card data, the second reads what that puts out."""
    blur = Stage("blur", "blur", (), 1, 0, at(1), removes=Removal(CARD, verifiers, at(2)))
    return piped(blur, Stage("read", "read", ("blur",), 1, 0, at(1), Reads.OUTPUTS))


def said(
    until_s: int, digest: str = "sha256:blur", from_s: int = 0, words: Data = CARD, signer: str = "lab"
) -> Vouched:
    return Vouched(digest, signer, DATA_REMOVAL, (1,), from_s, until_s, tuple(sorted(words)))


def with_word(fleet: Fleet, *word: Vouched) -> Problem:
    return replace(fleet.problem, provenances=word)


def through(problem: Problem, path: str) -> Plan:
    stand = {(option.id, f"{option.placement.pool}-0"): 1 for option in problem.options}
    return plan(stand, {path: 1000})


def allowed(problem: Problem) -> set[str]:
    """The paths that no check of a rule on compliance objects to; the solver's side has to say the same."""
    rules = (*COMPLIANCE, Dedication())
    barred = {(row.stage, row.option) for rule in rules for row in rule.exclusions(problem)}
    stages = problem.policy.services[0].stages
    found = set()
    for path in problem.paths:
        kept = not any(True for rule in rules for _ in rule.check(through(problem, path.id), problem))
        free = all((each.name, option) not in barred for each, option in zip(stages, path.options, strict=True))
        assert kept == free, path
        found |= {path.id} if kept else set()
    return found


COUNTS: Final = {"edge-edge", "edge-cloud"}
"""The paths that are allowed where the removal counts; else the first of them alone."""


@pytest.mark.parametrize(
    "word",
    [
        [said(2000)],
        [said(2000, from_s=1000)],
        [said(1500), said(2000, from_s=1500, signer="other")],
        [said(2000, words=CARD | data(["voice"], []))],
    ],
)
def test_a_removal_counts_as_long_as_somebody_vouches_for_it(word: list[Vouched]) -> None:
    assert allowed(with_word(blurred(), *word)) == COUNTS


@pytest.mark.parametrize(
    "word",
    [
        [],
        [said(1999)],
        [said(2000, from_s=1001)],
        [said(1500), said(2000, from_s=1501)],
        [said(2000, "sha256:read")],
        [said(2000, words=data(["voice"], ["card"]))],
        [replace(said(2000), removes=())],
    ],
)
def test_and_no_longer_and_of_nothing_else(word: list[Vouched]) -> None:
    assert allowed(with_word(blurred(), *word)) == {"edge-edge"}


def test_only_the_word_of_those_who_are_named_counts() -> None:
    assert allowed(with_word(blurred("lab", "court"), said(2000))) == COUNTS
    assert allowed(with_word(blurred("court"), said(2000))) == {"edge-edge"}


def test_every_variant_of_the_model_has_to_be_vouched_for() -> None:
    fleet = blurred()
    models = fleet.problem.policy.models
    (full,) = models[0].variants
    for digest, word, free in (
        ("sha256:half", [said(2000)], {"edge-edge"}),
        ("sha256:half", [said(2000), said(2000, "sha256:half")], COUNTS),
        ("", [said(2000), said(2000, "")], {"edge-edge"}),
    ):
        more = replace(models[0], variants=(full, replace(full, name="half", digest=digest)))
        policy = replace(fleet.problem.policy, models=(more, *models[1:]))
        assert allowed(replace(fleet.problem, policy=policy, provenances=tuple(word))) == free


def test_pipelines_as_long_as_they_may_be_are_followed_back_at_once() -> None:
    names = [f"s{at}" for at in range(MAX_STAGES)]
    made = Stage("", "read", (), 1, 0, at(1), Reads.OUTPUTS)
    stages = [replace(made, name=name, after=tuple(names[:number])) for number, name in enumerate(names)]
    service = replace(blurred().problem.policy.services[0], stages=tuple(stages), data_classes=())
    problem = replace(blurred().problem, policy=replace(blurred().problem.policy, services=(service,)))
    (profile,) = problem.policy.compliance
    assert not covers(profile, stages[-1], service, problem)
    first = replace(service, stages=(replace(stages[0], adds=CARD), *stages[1:]))
    asked = replace(problem, policy=replace(problem.policy, services=(first,)))
    assert covers(profile, stages[-1], first, asked)


def test_a_model_that_is_not_declared_removes_nothing() -> None:
    problem = with_word(blurred(), said(2000), said(2000, ""))
    assert allowed(replace(problem, policy=replace(problem.policy, models=()))) == {"edge-edge"}


def test_a_service_stays_who_it_is_for_others_whatever_it_removes() -> None:
    """Pools for card data are for it as a whole, and nobody has to keep apart from it who would not otherwise."""
    problem = with_word(blurred(), said(2000))
    pools = tuple(replace(pool, dedicated_to=Scope(classes=("card",))) for pool in problem.policy.pools)
    apart = SeparationClause(Scope(), at(56))
    profiles = tuple(replace(each, separation=apart) for each in problem.policy.compliance)
    assert allowed(replace(problem, policy=replace(problem.policy, pools=pools, compliance=profiles))) == COUNTS


@st.composite
def problems(draw: st.DrawFn) -> Problem:
    """A pipeline of two or three stages, what is said of their models, and what is asked."""
    stages: list[Stage] = []
    for number in range(draw(st.integers(2, 3))):
        after = draw(st.lists(st.sampled_from([each.name for each in stages]), unique=True)) if stages else []
        adds, removes = data(draw(WORDS), ()), data(draw(WORDS), ())
        removal = Removal(removes, draw(st.sampled_from([(), ("lab",)])), at(2))
        reads = draw(st.sampled_from(Reads))
        stages.append(Stage(f"s{number}", f"m{number}", tuple(after), 1, 0, at(1), reads, adds, removal))
    fleet = piped(*stages, classes=draw(WORDS))
    words = st.builds(
        said,
        SECONDS,
        st.sampled_from([f"sha256:{each.model}" for each in stages]),
        SECONDS,
        WORDS.map(lambda found: data(found, ())),
        st.sampled_from(["lab", "court"]),
    )
    if draw(st.booleans()):
        fleet = fleet.profile("apart", separation=SeparationClause(Scope(), at(56)))
    return with_word(fleet, *draw(st.lists(words, max_size=6)))


@settings(max_examples=300)
@given(problems())
def test_both_sides_find_the_same_stages_covered(problem: Problem) -> None:
    (service,) = problem.policy.services
    for profile in problem.policy.compliance:
        covered = problem.covered(profile, service)
        for each in service.stages:
            assert covers(profile, each, service, problem) == (each in covered)
    allowed(problem)


def fewer_words(problem: Problem, drawn: st.DataObject) -> Problem:
    """A statement less."""
    out = drawn.draw(st.integers(0, len(problem.provenances)))
    return replace(problem, provenances=(*problem.provenances[:out], *problem.provenances[out + 1 :]))


def a_shorter_word(problem: Problem, drawn: st.DataObject) -> Problem:
    """Every statement ends sooner, or begins later."""
    less = drawn.draw(st.sampled_from([1, 500, 1500]))
    shorter = (
        replace(each, from_s=each.from_s + less // 2, until_s=each.until_s - less) for each in problem.provenances
    )
    return replace(problem, provenances=tuple(shorter))


def longer_needed(problem: Problem, drawn: st.DataObject) -> Problem:
    """The plan is needed for longer."""
    return replace(problem, needed_until_s=problem.needed_until_s + drawn.draw(st.integers(1, 1500)))


def one_stage(problem: Problem, drawn: st.DataObject) -> Problem:
    """A stage removes less, adds more or reads more."""
    stages = list(problem.policy.services[0].stages)
    at_, word = drawn.draw(st.integers(0, len(stages) - 1)), drawn.draw(st.sampled_from(["card", "voice"]))
    stage, removal = stages[at_], stages[at_].removes
    assert removal is not None
    stages[at_] = drawn.draw(
        st.sampled_from(
            [
                replace(stage, removes=None),
                replace(stage, removes=replace(removal, data=removal.data - {Datum("class", word)})),
                replace(
                    stage, removes=replace(removal, verifiers=("court",) if not removal.verifiers else ("nobody",))
                ),
                replace(stage, adds=stage.adds | {Datum("class", word)}),
                replace(stage, reads=Reads.EVERYTHING),
            ]
        )
    )
    service = replace(problem.policy.services[0], stages=tuple(stages))
    return replace(problem, policy=replace(problem.policy, services=(service,)))


@pytest.mark.parametrize("way", [fewer_words, a_shorter_word, longer_needed, one_stage], ids=lambda way: way.__name__)
@settings(max_examples=150)
@given(data=st.data())
def test_less_that_is_known_to_be_removed_never_allows_more(
    way: Callable[[Problem, st.DataObject], Problem], data: st.DataObject
) -> None:
    problem = data.draw(problems())
    assert allowed(way(problem, data)) <= allowed(problem)
