"""Calls that could be in each other's way when a site is lost: which sets of them rows are written of."""

from dataclasses import replace

from policy.resolved import AvailabilityObjective
from rules.kernel.moving_groups import MOST_GROUPS, Group, crowds
from rules.kernel.problem import Problem
from tests.rules.build import Fleet, at, stage

SURVIVES = AvailabilityObjective(1, 1, at(14), survives_any_site=True)


def going(*refuges: tuple[str, ...], services: int = 1) -> Problem:
    """Requests from as many origins, all served in Paris, each of which may go to these sites instead."""
    sites = ("paris", *sorted({site for refuge in refuges for site in refuge}))
    fleet = Fleet()
    for site in sites:
        fleet = fleet.site(site).pool(site, site).option(f"rec@{site}", "rec", site)
    for service in range(services):
        fleet = fleet.service(f"svc{service}", stage("read", "rec"), availability=SURVIVES)
        for origin, refuge in enumerate(refuges):
            demand = f"svc{service}@{origin}"
            fleet = fleet.demand(f"svc{service}", str(origin))
            for site in ("paris", *refuge):
                fleet = fleet.path(f"{demand} to {site}", demand, f"rec@{site}")
    return fleet.problem


def without_paris(problem: Problem) -> list[tuple[Group, ...]]:
    return [members for site, members in crowds(problem) if site == "paris"]


def refuges(members: tuple[Group, ...]) -> list[list[str]]:
    return sorted(sorted(group.refuge) for group in members)


def test_of_calls_that_may_go_to_more_those_count_that_are_in_their_way() -> None:
    nested = without_paris(going(("lyon",), ("lyon", "nice")))
    assert [refuges(members) for members in nested] == [[["rec@lyon"]], [["rec@lyon"], ["rec@lyon", "rec@nice"]]]


def test_calls_of_two_services_count_alone_too_for_one_of_them_may_be_at_best_effort() -> None:
    found = without_paris(going(("lyon",), services=2))
    assert sorted(sorted(name for group in members for name in group.services) for members in found) == [
        ["svc0"],
        ["svc0", "svc1"],
        ["svc1"],
    ]


def test_the_order_of_demands_changes_nothing() -> None:
    asked = going(("lyon",), services=2)
    assert without_paris(replace(asked, demands=asked.demands[::-1])) == without_paris(asked)


def test_no_row_is_written_of_calls_to_which_others_could_be_added_for_nothing() -> None:
    found = without_paris(going(("lyon",), ("lyon", "nice"), services=2))
    assert sorted(map(len, found)) == [1, 1, 2, 2, 2, 4]


def chain(length: int) -> Problem:
    """Calls that may go to one of two sites, and share one of them with the calls before and after."""
    return going(*((f"s{number}", f"s{number + 1}") for number in range(length)))


def test_as_many_groups_as_are_told_apart_stay_as_they_are() -> None:
    told = {group.refuge for members in without_paris(chain(MOST_GROUPS)) for group in members}
    assert sorted(map(len, told)) == [2] * MOST_GROUPS


def test_of_one_group_more_two_become_one_that_may_go_where_both_may() -> None:
    told = {group.refuge for members in without_paris(chain(MOST_GROUPS + 1)) for group in members}
    assert sorted(map(len, told)) == [1] + [2] * (MOST_GROUPS - 1)


def asked_by(whole: Problem, *services: str) -> Problem:
    """The problem with what each origin asks asked of one of these services."""
    (asking,), names = whole.policy.services, sorted(set(services))
    policy = replace(whole.policy, services=tuple(replace(asking, name=name) for name in names))
    demands = (replace(each, service=name) for each, name in zip(whole.demands, services, strict=True))
    return replace(whole, policy=policy, demands=tuple(demands))


def told_apart(problem: Problem) -> set[tuple[str, frozenset[str]]]:
    """Of the groups that are told apart the services and where they may go."""
    members = (group for each in without_paris(problem) for group in each)
    return {("".join(sorted(group.services)), group.refuge) for group in members}


def chain_of(*services: str) -> Problem:
    """Such a chain, in which each link is of one of these services."""
    return asked_by(chain(len(services)), *services)


def test_calls_of_one_service_become_one_before_others_and_are_still_its_own() -> None:
    assert sorted(service for service, _ in told_apart(chain_of("a", "b", "c", "c", "d", "e", "f"))) == list("abcdef")


def test_calls_of_several_services_that_became_one_are_asked_for_at_any_level() -> None:
    told = told_apart(chain_of(*"abcdefg"))
    (joined,) = (refuge for service, refuge in told if not service)
    assert (len(told), len(joined)) == (MOST_GROUPS, 1)


def test_calls_that_could_go_nowhere_together_do_not_become_one_for_being_of_one_service() -> None:
    assert all(refuge for _, refuge in told_apart(chain_of("a", "b", "c", "a", "d", "e", "f")))


def test_what_became_one_is_of_no_service_when_more_is_added_to_it() -> None:
    wide, narrow = [("x", "y", "z")] * 3, [("x", f"s{number}") for number in range(5)]
    told = told_apart(asked_by(going(*wide, *narrow), *"abcdefgh"))
    assert sorted(service for service, _ in told) == ["", "d", "e", "f", "g", "h"]


def test_what_became_one_is_not_added_to_before_those_that_have_more_in_common() -> None:
    wide, narrow, near = [("x", "y", "z")] * 2, [("x", f"s{number}") for number in range(4)], [("x", "p", "q")] * 2
    told = told_apart(asked_by(going(*wide, *narrow, *near), *"abcdefgh"))
    assert sorted(service for service, _ in told) == ["", "", "c", "d", "e", "f"]
