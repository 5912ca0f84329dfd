"""Bounds on the whole fleet: what it may cost, how many instances there are, how fast it changes."""

from dataclasses import dataclass
from enum import StrEnum

from policy.findings import Place
from policy.windows import Window


@dataclass(frozen=True, slots=True)
class Ceiling:
    """The most that may be spent an hour: by the whole fleet, at one site, by one service or by those of a team.

    At most one of the three is named. What a service spends is what its requests use (`allocated_cost`).
    """

    site: str
    millicents_per_hour: int
    place: Place
    service: str = ""
    team: str = ""

    @property
    def is_of_nodes(self) -> bool:
        """Whether it bounds a bill of nodes and links, and no part of one."""
        return not self.service and not self.team


@dataclass(frozen=True, slots=True)
class CostPolicy:
    """Ceilings, and what starting one instance is worth avoiding."""

    name: str
    ceilings: tuple[Ceiling, ...]
    start_millicents: int
    place: Place


@dataclass(frozen=True, slots=True)
class ReplicaBound:
    """How many instances of a model may run, over the whole fleet (`site` empty) or at one site."""

    model: str
    site: str
    minimum: int
    maximum: int
    place: Place


class OnMissing(StrEnum):
    """What is planned for while nothing tells what arrives: the last rate, or at least what documents expect."""

    HOLD = "hold"
    EXPECTED = "expected"


@dataclass(frozen=True, slots=True)
class ScalingPolicy:
    """How fast the fleet may change, and how far readings may be trusted.

    `headroom_permille` is capacity kept above the measured rate. Placements are left `evidence_lead_s` before the
    evidence behind them ends. At most `step_share_permille` of a model's instances in a pool go in one step, and none
    within `cooldown_s` of its last start there; in a freeze nothing goes that is still allowed. Demands are planned for
    as the highest of the last `stabilisation_s`. Forecasts are of the minute that ends in `horizon_s`, whole minutes.
    """

    name: str
    interval_s: int
    headroom_permille: int
    cooldown_s: int
    step_share_permille: int
    stale_after_s: int
    evidence_lead_s: int
    bounds: tuple[ReplicaBound, ...]
    place: Place
    freezes: tuple[Window, ...] = ()
    stabilisation_s: int = 0
    on_missing: OnMissing = OnMissing.HOLD
    horizon_s: int = 120

    def is_frozen(self, now_s: int) -> bool:
        """Whether a second (Unix time) lies in a freeze."""
        return any(window.first_s(now_s) == now_s for window in self.freezes)
