"""What each site has told last."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from collectors.snapshot import ServerState
from controller.sites.hub.peer import Peer
from controller.sites.report import Report, Sketch

WINDOW: Final = timedelta(seconds=30)
"""Over how long times are told, as they are of servers that send their own."""
MOST_SKETCHES: Final = 4096


@dataclass(slots=True)
class Heard:
    """A site's last report, when it came, and the sketches of those before it, with when each came."""

    report: Report
    at: datetime
    serial: str
    sketches: deque[tuple[datetime, Sketch]] = field(default_factory=lambda: deque(maxlen=MOST_SKETCHES))


class SiteReports:
    """Takes reports; `changed` is called after one by which a site has other loads than before, or is back."""

    def __init__(self, changed: Callable[[], None] = lambda: None) -> None:
        self._heard: dict[str, Heard] = {}
        self._changed = changed

    def take(self, report: Report, peer: Peer, now: datetime) -> bool:
        """Take a report that came over a connection of `peer`; False for one that is older than what is known.

        An agent that lost what it kept counts from the start again, and has another certificate by then.
        """
        known = self._heard.get(peer.site)
        if known is not None and known.serial == peer.serial and report.sequence <= known.report.sequence:
            return False
        sketches = known.sketches if known else deque[tuple[datetime, Sketch]](maxlen=MOST_SKETCHES)
        sketches.extend((now, each) for each in report.sketches)
        while sketches and now - sketches[0][0] > WINDOW:
            sketches.popleft()
        self._heard[peer.site] = Heard(report, now, peer.serial, sketches)
        if known is None or now - known.at > WINDOW or _loads(known.report) != _loads(report):
            self._changed()
        return True

    def of(self, site: str) -> Heard | None:
        """What was heard of a site last."""
        return self._heard.get(site)


def _loads(report: Report) -> list[tuple[str, ServerState | None]]:
    return [(server.name, server.reading.value) for server in report.seen.servers]
