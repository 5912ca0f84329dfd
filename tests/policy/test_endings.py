"""Evidence that ends soon, judged at an instant that is given."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from policy.checks.endings import NOTICE, endings
from policy.findings import Level, Place

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
PLACE = Place("evidence/paris.yaml", 4, 18)


@dataclass(frozen=True)
class Claim:
    expires_at: datetime
    id: str = "paris"
    place: Place = PLACE
    issued_at: datetime = datetime(2020, 1, 1, tzinfo=UTC)


def told(left: timedelta) -> list[str]:
    return [finding.message for finding in endings([Claim(NOW + left)], NOW)]


def test_evidence_that_ends_within_the_notice_is_warned_of_at_its_place() -> None:
    (finding,) = endings([Claim(NOW + NOTICE), Claim(NOW + NOTICE + timedelta(seconds=1), "lyon")], NOW)
    assert (finding.id, finding.level, str(finding.place)) == ("GW0340", Level.WARNING, "evidence/paris.yaml:4:18")
    assert finding.message == "`paris` ends at 2026-06-03T12:00:00+00:00, 30 full days from now"


def test_evidence_ends_with_the_instant_that_it_names() -> None:
    assert "ends at" in told(timedelta(seconds=1))[0]
    assert "ended at" in told(timedelta(0))[0]
    assert "ended at" in told(-timedelta(days=400))[0]


def test_what_lives_for_a_day_is_warned_of_in_the_last_third_of_it() -> None:
    def warned(left: timedelta) -> bool:
        return bool(endings([Claim(NOW + left, issued_at=NOW + left - timedelta(hours=24))], NOW))

    assert warned(timedelta(hours=8))
    assert not warned(timedelta(hours=8, seconds=1))
