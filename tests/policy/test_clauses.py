"""Which versions a standard means, and which stages a profile covers."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.clauses import Comparison, Scope, Standard, VersionBound
from policy.resolved import Service, Stage
from policy.units import version_range
from tests.rules.build import Fleet, stage

VERSIONS = [(0,), (3, 9), (4,), (4, 0), (4, 0, 0, 1), (4, 1), (5,)]


def standard(versions: str) -> Standard:
    bounds = (VersionBound(Comparison(how), version) for how, version in version_range(versions))
    return Standard("pci-dss", tuple(bounds))


@pytest.mark.parametrize(
    ("versions", "meant"),
    [
        (">=4", [(4,), (4, 0), (4, 0, 0, 1), (4, 1), (5,)]),
        (">4.0", [(4, 0, 0, 1), (4, 1), (5,)]),
        ("<=4.0.0", [(0,), (3, 9), (4,), (4, 0)]),
        ("<4", [(0,), (3, 9)]),
        ("=4", [(4,), (4, 0)]),
        (">=4.0, <4.1", [(4,), (4, 0), (4, 0, 0, 1)]),
    ],
)
def test_a_range_means_these_versions(versions: str, meant: list[tuple[int, ...]]) -> None:
    assert [version for version in VERSIONS if standard(versions).met_by("pci-dss", version)] == meant
    assert not any(standard(versions).met_by("iso-27001", version) for version in VERSIONS)


@pytest.mark.parametrize("versions", [">=5, <5", ">4, <4.0", "=4, >4", "<0", ">=5, <=4.9.9", "=4, =4.1"])
def test_a_range_without_a_version_is_told(versions: str) -> None:
    assert not standard(versions).is_possible


bounds = st.builds(VersionBound, st.sampled_from(Comparison), st.sampled_from(VERSIONS))
ranges = st.builds(Standard, st.just("pci-dss"), st.lists(bounds, max_size=3).map(tuple))


@given(ranges)
def test_a_range_is_possible_when_some_version_fits(asked: Standard) -> None:
    fine = [(*version, *rest) for version in VERSIONS for rest in ((), (0, 0, 0, 0, 0, 0, 5))]
    assert asked.is_possible == any(asked.met_by("pci-dss", version) for version in fine)


@given(ranges, ranges)
def test_a_range_is_within_another_when_every_version_of_it_is(one: Standard, other: Standard) -> None:
    fine = [(*version, *rest) for version in VERSIONS for rest in ((), (0, 0, 0, 0, 0, 0, 5))]
    both = [other.met_by("pci-dss", version) for version in fine if one.met_by("pci-dss", version)]
    assert one.is_within(other) == all(both)
    assert not Standard("soc-2").is_within(one)


def service(**said: object) -> Service:
    fleet = Fleet().service("ocr", stage("find", "det"), stage("read", "rec"), **said)
    return fleet.problem.policy.services[0]


def names(stages: tuple[Stage, ...]) -> list[str]:
    return [each.name for each in stages]


def test_all_that_a_scope_says_has_to_fit() -> None:
    payments = (("team", "payments"), ("tier", "1"))
    asked = service(data_classes=("card",), data_subjects=("EU",), labels=payments, team="payments")
    fitting = {
        "classes": ("voice", "card"),
        "services": ("asr", "ocr"),
        "teams": ("support", "payments"),
        "labels": payments[:1],
        "stages": ("read", "write"),
    }
    other = {"classes": ("voice",), "services": ("asr",), "labels": (("team", "support"),), "stages": ("write",)}
    other |= {"teams": ("support",)}
    for given_ones in itertools.chain.from_iterable(itertools.combinations(fitting, n) for n in range(6)):
        scope = Scope(**{name: fitting[name] for name in given_ones})
        assert names(scope.covered(asked)) == (["read"] if "stages" in given_ones else ["find", "read"])
        for strange in given_ones:
            words = {name: fitting[name] for name in given_ones} | {strange: other[strange]}
            assert Scope(**words).covered(asked) == ()


def test_of_classes_and_subjects_one_is_enough() -> None:
    scope = Scope(classes=("card",), subjects=("EU",))
    assert scope.covered(service(data_classes=("card",)))
    assert scope.covered(service(data_classes=(), data_subjects=("EU",)))
    assert not scope.covered(service(data_classes=("voice",), data_subjects=("CH",)))


def test_a_label_has_to_have_the_value_too() -> None:
    scope = Scope(labels=(("team", "payments"),))
    assert not scope.covered(service(labels=(("team", "support"),)))
    assert not scope.covered(service(labels=(("crew", "payments"),)))
