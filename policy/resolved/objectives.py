"""What a service promises, and what it gives up first."""

from dataclasses import dataclass

from policy.findings import Place


@dataclass(frozen=True, slots=True)
class LatencyObjective:
    """The percentile (in basis points: 9900 is p99) of the end-to-end latency that must stay below `below_us`.

    It is meant for requests from the site `origin`, or from every origin where that is empty. With a `stage` it is
    meant for what that stage takes, the way there and back included. With `of_first` it is meant for the time until the
    response begins.
    """

    percentile_bp: int
    below_us: int
    window_s: int
    place: Place
    origin: str = ""
    stage: str = ""
    of_first: bool = False


@dataclass(frozen=True, slots=True)
class ThroughputObjective:
    """What must be ready to be answered: `rate_milli_rps` all the time, and `burst` requests at once on top of it.

    It is meant for requests from the site `origin`; where that is empty, for those of all origins by their shares.
    """

    rate_milli_rps: int
    burst: int
    origin: str
    place: Place


@dataclass(frozen=True, slots=True)
class AvailabilityObjective:
    """Every stage must run at no fewer than `sites` sites, in as many `racks` and on no fewer than `nodes` nodes.

    `spares` are instances beyond what the load takes. With `survives_any_site` the other objectives are met with
    whichever one site is lost.
    """

    sites: int
    nodes: int
    place: Place
    spares: int = 0
    racks: int = 0
    survives_any_site: bool = False


@dataclass(frozen=True, slots=True)
class AccuracyObjective:
    """The least accuracy that any variant serving the service may have."""

    floor_ppm: int
    place: Place


@dataclass(frozen=True, slots=True)
class CostObjective:
    """The most that the machines of a path may cost that answer so many requests."""

    below_millicents: int
    requests: int
    place: Place


@dataclass(frozen=True, slots=True)
class UseVariant:
    """A degrade step: the named variant of the model may be used, whatever the accuracy objective says."""

    model: str
    variant: str
    place: Place


@dataclass(frozen=True, slots=True)
class Shed:
    """A degrade step: up to this share of the requests may be refused."""

    share_permille: int
    place: Place


DegradeStep = UseVariant | Shed
