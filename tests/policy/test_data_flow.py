"""Which data each stage handles, worked out by hand, and what holds of every pipeline."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from policy.clauses import Scope
from policy.data_flow import NO_DATA, Data, Reads, data, handled, removals
from policy.resolved import Removal, Service, Stage
from tests.rules.build import Fleet, at

FACES, VOICES = data(["faces"], []), data(["voices"], [])
PEOPLE = data([], ["passers-by"])
OUTPUTS = Reads.OUTPUTS


def stage(name: str, *after: str, reads: Reads = Reads.EVERYTHING, adds: Data = NO_DATA, **removed: Data) -> Stage:
    removal = Removal(removed["removes"], (), at(5)) if "removes" in removed else None
    return Stage(name, "model", after, 1, 0, at(4), reads, adds, removal)


def service(*stages: Stage, classes: tuple[str, ...] = ("faces",)) -> Service:
    return Fleet().service("watch", *stages, data_classes=classes).problem.policy.services[0]


def test_everything_has_what_the_requests_carry_where_nothing_is_said() -> None:
    asked = service(stage("find"), stage("blur", "find"), stage("write", "blur"))
    assert handled(asked) == {"find": FACES, "blur": FACES, "write": FACES}


def test_an_output_carries_on_what_was_read_and_what_was_added() -> None:
    asked = service(stage("find", adds=PEOPLE), stage("blur", "find", reads=OUTPUTS), stage("alone"))
    assert handled(asked) == {"find": FACES | PEOPLE, "blur": FACES | PEOPLE, "alone": FACES}


def test_what_is_removed_is_gone_for_who_reads_outputs_alone() -> None:
    blur = stage("blur", removes=FACES)
    asked = service(blur, stage("write", "blur", reads=OUTPUTS), stage("store", "blur"), stage("sum", "store", "write"))
    gone = handled(asked, removals(asked))
    assert gone == {"blur": FACES, "write": data((), ()), "store": FACES, "sum": FACES}
    assert handled(asked) == dict.fromkeys(gone, FACES)


def test_one_way_around_a_removal_is_enough_to_have_it() -> None:
    blur, keep = stage("blur", removes=FACES), stage("keep")
    asked = service(blur, keep, stage("write", "blur", "keep", reads=OUTPUTS))
    assert handled(asked, removals(asked))["write"] == FACES


def test_whoever_reads_everything_has_what_an_earlier_stage_put_out_before_it_was_removed() -> None:
    blur = stage("blur", "find", reads=OUTPUTS, removes=PEOPLE)
    stages = stage("write", "pass"), stage("pass", "blur", reads=OUTPUTS), blur, stage("find", adds=PEOPLE)
    found = handled(service(*stages, classes=()), removals(service(*stages)))
    assert found == {"write": PEOPLE, "pass": data((), ()), "blur": PEOPLE, "find": PEOPLE}


def test_what_a_stage_adds_it_does_not_remove() -> None:
    blur = stage("blur", adds=FACES, removes=FACES | VOICES)
    asked = service(blur, stage("write", "blur", reads=OUTPUTS), classes=("faces", "voices"))
    assert handled(asked, removals(asked))["write"] == FACES


def test_stages_that_wait_for_each_other_or_for_nobody_have_an_answer_too() -> None:
    circle = service(stage("one", "two", "nobody", adds=PEOPLE), stage("two", "one", reads=OUTPUTS))
    assert handled(circle) == {"one": FACES | PEOPLE, "two": FACES | PEOPLE}


def test_a_profile_covers_the_stages_that_handle_its_data() -> None:
    blur = stage("blur", "find", removes=FACES | PEOPLE)
    asked = service(stage("find", adds=PEOPLE), blur, stage("write", "blur", reads=OUTPUTS))
    gone = handled(asked, removals(asked))

    def names(scope: Scope, handles: dict[str, Data] | None = None) -> list[str]:
        return [each.name for each in scope.covered(asked, handles)]

    assert names(Scope(classes=("faces",))) == names(Scope(subjects=("passers-by",))) == ["find", "blur", "write"]
    assert names(Scope(classes=("faces",)), gone) == ["find", "blur"]
    assert names(Scope(classes=("faces",), stages=("blur", "write")), gone) == ["blur"]
    assert names(Scope(), gone) == ["find", "blur", "write"]
    assert names(Scope(classes=("voices",)), gone) == []


def test_a_scope_means_a_service_by_all_that_it_may_ever_carry() -> None:
    asked = service(stage("find", adds=PEOPLE), stage("blur", "find", removes=FACES | PEOPLE))
    assert Scope(classes=("faces",)).means(asked)
    assert Scope(subjects=("passers-by",)).means(asked)
    assert Scope(subjects=("passers-by",), stages=("find",)).means(asked)
    assert not Scope(subjects=("passers-by",), stages=("write",)).means(asked)
    assert not Scope(classes=("voices",)).means(asked)


WORDS = st.sampled_from([(), ("faces",), ("voices",), ("faces", "voices")])


@st.composite
def pipelines(draw: st.DrawFn) -> Service:
    """Up to six stages in any order, each after some of those that were drawn before it."""
    stages: list[Stage] = []
    for number in range(draw(st.integers(1, 6))):
        after = draw(st.lists(st.sampled_from([each.name for each in stages]), unique=True)) if stages else []
        adds, removes = data(draw(WORDS), ()), data(draw(WORDS), ())
        reads = draw(st.sampled_from(Reads))
        stages.append(stage(f"s{number}", *after, reads=reads, adds=adds, removes=removes))
    return service(*draw(st.permutations(stages)), classes=draw(WORDS))


@given(pipelines(), st.data())
def test_less_that_is_removed_is_more_that_is_handled(asked: Service, drawn: st.DataObject) -> None:
    every = removals(asked)
    fewer = frozenset(drawn.draw(st.lists(st.sampled_from(sorted(every)), unique=True))) if every else every
    more, less = handled(asked, fewer), handled(asked, every)
    assert all(less[name] <= more[name] <= handled(asked)[name] <= asked.carried for name in more)


@given(pipelines())
def test_the_order_in_which_stages_are_written_is_no_matter(asked: Service) -> None:
    mixed = replace(asked, stages=tuple(reversed(asked.stages)))
    assert handled(asked, removals(asked)) == handled(mixed, removals(mixed))
