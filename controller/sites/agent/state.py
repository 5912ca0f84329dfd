"""What an agent knows, and what can happen to it: plain data, kept on disk between two starts."""

from dataclasses import dataclass
from datetime import datetime

from controller.fleet import Load, Seat
from controller.sites.agent.scaling import Choice, Signal
from controller.sites.agent.waves import Standing
from controller.sites.report import Phase, Refused
from controller.sites.site_plan import SiteLoad, SitePlan


@dataclass(frozen=True, slots=True, order=True)
class Failure:
    """Something that could not be done and is not tried before `until`: a seat's load, or routes where none is named.

    `trouble` is in the words of whoever refused. `blind`: its server does not tell what it holds, so whether it was
    done is not seen; it counts only for as long. `urgent`: it was to withdraw something, which no other failure puts
    off.
    """

    until: datetime
    trouble: str
    seat: Seat | None = None
    blind: bool = False
    urgent: bool = False


@dataclass(frozen=True, slots=True, order=True)
class Remote:
    """A pool of another site that does not answer. `answering_since` is when it began to again, if it did."""

    pool: str
    since: datetime
    answering_since: datetime | None = None


@dataclass(frozen=True, slots=True, order=True)
class Unread:
    """A seat on which something was begun `at` an instant, and whose server was not read since it ended.

    `answered`: the server has answered the last call for it. Without that, it is over once the server shows what was
    `asked`, which is empty where it shows that all the while, or may in between.
    """

    seat: Seat
    at: datetime
    asked: Load | None = None
    answered: bool = False


@dataclass(frozen=True, slots=True)
class AgentState:
    """All of it.

    `heard_at` is when the hub last answered, `cut_off_since` when it had last answered before the cut that is, or was
    last. `latest` is the latest instant that was ever seen: time does not go back. `former` are loads of plans before,
    as long as they may still be there. `applied` is the generation that was brought about last, `starts` how often the
    agent was started. `begun` has the most instances that a seat had, or was to have, as something was begun there that
    may still be under way: its server does not tell. Those that are `unread` have so many though it shows others.
    """

    site: str
    heard_at: datetime
    latest: datetime
    phase: Phase = Phase.RECONCILING
    cut_off_since: datetime | None = None
    plan: SitePlan | None = None
    former: tuple[SiteLoad, ...] = ()
    choices: tuple[Choice, ...] = ()
    failures: tuple[Failure, ...] = ()
    remotes: tuple[Remote, ...] = ()
    applied: int = 0
    starts: int = 0
    refused: Refused | None = None
    begun: tuple[tuple[Seat, int], ...] = ()
    unread: tuple[Unread, ...] = ()

    @property
    def generation(self) -> int:
        """Of the plan in force; 0 without one."""
        return self.plan.generation if self.plan else 0


@dataclass(frozen=True, slots=True)
class Heard:
    """The hub answered: with a plan that was found to be genuine, with none that is new, or with one to be refused."""

    plan: SitePlan | None = None
    refused: Refused | None = None


@dataclass(frozen=True, slots=True)
class Missed:
    """The hub did not answer."""


@dataclass(frozen=True, slots=True)
class Told:
    """The hub took a report. `phase` is what it says of the site, which may have changed while it was on its way."""

    phase: Phase


@dataclass(frozen=True, slots=True)
class Looked:
    """The site was looked at. `remote_silent` are pools of other sites that did not answer just now."""

    standing: Standing
    signals: tuple[Signal, ...] = ()
    remote_silent: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Failed:
    """An action could not be done, on a seat or, without one, at the gateways. `urgent`: it withdraws something.

    `blind`: it does so on a server that does not tell what it holds, and `trouble` is empty where it seems done.
    `hung`: the server took the call and did not answer.
    """

    trouble: str
    seat: Seat | None = None
    urgent: bool = False
    blind: bool = False
    hung: bool = False


@dataclass(frozen=True, slots=True)
class Answered:
    """What was begun on a seat was done."""

    seat: Seat


Event = Heard | Missed | Told | Looked | Failed | Answered
