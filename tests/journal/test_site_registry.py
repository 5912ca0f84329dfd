"""Which sites may call in, and their plans, in both databases: a token counts once, and one writer gives out plans."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert

from controller.journal.errors import JournalError, JournalHeldError
from controller.journal.place import Place
from controller.journal.tables import SITE_PLAN
from controller.journal.writer import Journal
from controller.sites.hub.registry import Certified, SiteRegistry
from controller.sites.site_plan import SitePlan

NOW = datetime(2026, 11, 27, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)
PARIS, LYON = "edge-paris", "edge-lyon"


@pytest.fixture
def registry(place: Place) -> Iterator[SiteRegistry]:
    with closing(SiteRegistry.open(place)) as registry:
        yield registry


def of_generation(generation: int) -> SitePlan:
    return SitePlan(PARIS, generation, NOW, NOW + HOUR, ())


def registered(registry: SiteRegistry, certified: Certified, serial: str) -> bool:
    """Have an agent of the site register."""
    return registry.certify(certified, serial, NOW, registry.new_token(certified.site, NOW + HOUR))


def test_a_token_is_taken_once_also_by_two_at_the_same_time(registry: SiteRegistry, place: Place) -> None:
    token, paris = registry.new_token(PARIS, NOW + HOUR), Certified(PARIS, NOW + HOUR)
    assert registry.site_of(token, NOW) == PARIS
    with closing(SiteRegistry.open(place)) as other, ThreadPoolExecutor(2) as threads:
        asked = ((registry, "A1"), (other, "A2"))
        taken = sorted(threads.map(lambda each: each[0].certify(paris, each[1], NOW, token), asked))
    assert taken == [False, True]
    assert registry.site_of(token, NOW) == ""
    assert len(registry.certified()) == 1


def test_a_token_that_has_ended_or_is_of_another_site_or_was_revoked_gives_nothing(registry: SiteRegistry) -> None:
    paris, late = Certified(PARIS, NOW + 2 * HOUR), registry.new_token(PARIS, NOW + HOUR)
    assert registry.site_of(late, NOW + HOUR) == ""
    assert not registry.certify(paris, "A1", NOW + HOUR, late)
    assert not registry.certify(paris, "A2", NOW, registry.new_token(LYON, NOW + HOUR))
    waiting = registry.new_token(PARIS, NOW + HOUR)
    assert registry.site_of(waiting, NOW) == PARIS
    registry.revoke(PARIS)
    assert not registry.certify(paris, "A3", NOW, waiting)
    assert registry.certified() == ()


def test_a_certificate_counts_until_it_ends_or_its_site_is_revoked(registry: SiteRegistry) -> None:
    paris, later = Certified(PARIS, NOW + HOUR), Certified(PARIS, NOW + 2 * HOUR)
    assert registered(registry, paris, "A1")
    assert registry.renew(later, "A2", NOW, by="A1")
    assert registered(registry, Certified(LYON, NOW + HOUR), "B1")
    assert registry.certified() == (Certified(LYON, NOW + HOUR), later)
    assert registry.counts(PARIS, "A1", NOW)
    assert not registry.counts(LYON, "A1", NOW)
    assert not registry.counts(PARIS, "A1", NOW + HOUR)
    assert registry.revoke(PARIS) == 2
    assert not registry.counts(PARIS, "A2", NOW)
    assert not registry.renew(later, "A3", NOW, by="A2")
    assert registry.certified() == (Certified(LYON, NOW + HOUR),)


def test_an_agent_that_registers_takes_the_place_of_the_one_before(registry: SiteRegistry) -> None:
    paris = Certified(PARIS, NOW + HOUR)
    assert registered(registry, paris, "A1")
    assert registry.renew(paris, "A2", NOW, by="A1")
    assert registered(registry, Certified(LYON, NOW + HOUR), "B1")
    assert registered(registry, paris, "A3")
    assert [registry.counts(PARIS, serial, NOW) for serial in ("A1", "A2", "A3")] == [False, False, True]
    assert registry.counts(LYON, "B1", NOW)


def test_generations_only_grow_and_one_that_knows_another_is_refused(registry: SiteRegistry) -> None:
    registry.put_plan(of_generation(3), after=0)
    for stale, after in ((of_generation(4), 2), (of_generation(3), 3)):
        with pytest.raises(JournalError, match=r"has generation 3 and not .*another controller gives out plans"):
            registry.put_plan(stale, after)
    registry.put_plan(of_generation(5), after=3)
    assert registry.plan(PARIS) == of_generation(5)
    assert registry.plan(LYON) is None


def test_who_may_no_longer_write_the_journal_gives_out_no_plan(place: Place) -> None:
    with closing(Journal.open(place, lead=lambda: "1.a")) as former:
        of_former = SiteRegistry.open(place, former.term)
        of_former.put_plan(of_generation(1), after=0)
    with closing(Journal.open(place, lead=lambda: "2.b")) as journal, closing(of_former):
        with pytest.raises(JournalHeldError):
            of_former.put_plan(of_generation(2), after=1)
        with closing(SiteRegistry.open(place, journal.term)) as registry:
            registry.put_plan(of_generation(2), after=1)
            assert registry.plan(PARIS) == of_generation(2)


def test_a_plan_of_another_release_is_told_as_such(registry: SiteRegistry) -> None:
    with registry._opened.writing() as connection:  # noqa: SLF001 -- as another release would have written it
        connection.execute(insert(SITE_PLAN).values(site=PARIS, generation=1, body=b'{"of": "another"}'))
    with pytest.raises(JournalError, match="the plan of edge-paris cannot be read"):
        registry.plan(PARIS)
