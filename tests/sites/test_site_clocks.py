"""A clock that is set while the controller runs: no site is cut off by it, and none is told of a time that is over."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from collectors.snapshot import Offered, Rate, Reading, Snapshot
from controller.clocks import NeverBack, Steady
from controller.sites.hub.collecting import SiteArrivals, SiteReadings
from controller.sites.hub.heard import SiteReports
from controller.sites.hub.peer import Peer
from controller.sites.hub.publishing import SitePlans
from controller.sites.hub.registry import SiteRegistry
from controller.sites.hub.sites import Sites
from controller.sites.report import Phase, Report
from controller.sites.signed import Expected, key_id, verified
from controller.sites.site_plan import SitePlan
from tests.planning.world import PARIS, POLICY, START, VAD

HOUR = timedelta(hours=1)
SILENT_AFTER = timedelta(seconds=30)


@dataclass
class Machine:
    """Its clock can be set; how long it runs cannot."""

    clock_shows: datetime = START
    runs_s: float = 0.0

    def clock(self) -> datetime:
        return self.clock_shows

    def seconds(self) -> float:
        return self.runs_s

    def wait(self, seconds: float) -> None:
        self.runs_s += seconds
        self.clock_shows += timedelta(seconds=seconds)


class NoOthers:
    name = "arrivals"

    async def collect(self, now: datetime) -> Snapshot:
        return Snapshot(now)


async def certified() -> frozenset[str]:
    return frozenset((PARIS,))


@pytest.mark.parametrize("step", [HOUR, -HOUR, timedelta(days=400), -timedelta(days=400)])
async def test_silence_is_what_passed_whatever_the_clock_was_set_to(tmp_path: Path, step: timedelta) -> None:
    machine, reports = Machine(), SiteReports()
    registry = SiteRegistry.open(tmp_path / "journal.db")
    plans = SitePlans(registry, Ed25519PrivateKey.generate(), machine.clock)
    steady = Steady(machine.clock, machine.seconds)
    sites = Sites((PARIS,), lambda: POLICY.pools, plans, reports, steady, steady(), SILENT_AFTER)
    rate = Reading(Rate(3_000, 30, 10.0), datetime(1970, 1, 1, tzinfo=UTC), "gateway")
    seen = Snapshot(START, offered=(Offered(VAD, PARIS, rate),))
    report = Report(PARIS, 1, datetime(1970, 1, 1, 0, 0, 2, tzinfo=UTC), Phase.CONNECTED, 0, seen)
    assert reports.take(report, Peer(PARIS, "01"), steady())

    machine.wait(20)
    machine.clock_shows += step
    now = machine.clock()
    assert sites.cut_off_since(PARIS, now) is None
    (told,) = (await SiteArrivals(sites, NoOthers()).collect(now)).offered
    assert told.reading.at == now - timedelta(seconds=22), "it was 2 s old when it came"

    machine.wait(11)
    now = machine.clock()
    assert sites.cut_off_since(PARIS, now) == now - timedelta(seconds=31)
    (finding,) = (await SiteReadings(sites, certified).collect(now)).findings
    assert finding.id == "GW2170"
    assert (now - timedelta(seconds=31)).isoformat(timespec="seconds") in finding.message
    registry.close()


async def test_a_plan_is_signed_for_no_time_before_that_of_another(tmp_path: Path) -> None:
    machine, key = Machine(), Ed25519PrivateKey.generate()
    registry = SiteRegistry.open(tmp_path / "journal.db")
    plans = SitePlans(registry, key, NeverBack(machine.clock, machine.seconds))
    keys = {key_id(key.public_key()): key.public_key()}

    async def signed_at() -> datetime:
        await plans.publish(PARIS, lambda plan: plan, SitePlan(PARIS, 0, START, START), anew=True)
        token = await plans.given_out(PARIS, 0, 0)
        assert token is not None
        return verified(token, keys, Expected(PARIS, 0, START)).issued_at

    assert await signed_at() == START
    machine.wait(5)
    machine.clock_shows -= HOUR
    machine.wait(5)
    assert await signed_at() == START + timedelta(seconds=10), "it goes on from where it was"
    machine.clock_shows = START + HOUR
    assert await signed_at() == START + HOUR, "evidence may have ended by then"
    registry.close()
