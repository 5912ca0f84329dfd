"""What if: a snapshot as it would be with more traffic, without a site, without a certification.

The decision on it is the real one: `decide` cannot tell an imagined snapshot from an observed one.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from collectors.evidence.records import Evidence
from collectors.snapshot import Offered, Rate, Reading, Server, ServerState, Snapshot
from controller.actions import Transition
from controller.decision import Decision, State, Verdict
from controller.documents import loaded
from controller.fleet import Fleet
from controller.nearest import nearest
from policy.clauses import ATTESTATION
from policy.findings import Finding, Level
from policy.resolved import WHOLE_PERMILLE, Policy, Service
from policy.waking import silence_s

SOURCE: Final = "imagined"
WINDOW_S: Final = 60.0
"""The window that an imagined rate claims to have been measured over."""
UNKNOWN_NAME: Final = "GW4001"
Decide = Callable[[Policy, Snapshot, State, datetime], Decision]


@dataclass(frozen=True, slots=True)
class TrafficFactor:
    """Requests times `permille` / 1000, of one service or of all (empty), from one origin or from all (empty)."""

    permille: int
    service: str = ""
    origin: str = ""

    def covers(self, service: str, origin: str) -> bool:
        """Whether the demand of that service and origin is meant."""
        return self.service in {"", service} and self.origin in {"", origin}


@dataclass(frozen=True, slots=True)
class AssumedRate:
    """The rate of one demand, whatever is measured; factors apply to it too."""

    service: str
    origin: str
    milli_rps: int


@dataclass(frozen=True, slots=True)
class LostCertification:
    """A standard that a site, and every pool of it, no longer holds; or `attestation`, which none of it has now."""

    site: str
    standard: str


@dataclass(frozen=True, slots=True)
class WhatIf:
    """What is imagined, all at once. A lost site serves nothing; what its origin asks for goes on being asked."""

    traffic: tuple[TrafficFactor, ...] = ()
    rates: tuple[AssumedRate, ...] = ()
    lost_sites: tuple[str, ...] = ()
    lost_certifications: tuple[LostCertification, ...] = ()


NOTHING: Final = WhatIf()
"""All is as it was observed."""


def rates(policy: Policy, known: tuple[AssumedRate, ...] = ()) -> tuple[AssumedRate, ...]:
    """The rate of every demand of a policy: what is expected, where nothing else is known."""
    milli_rps = {(rate.service, rate.origin): rate.milli_rps for rate in known}
    return tuple(
        AssumedRate(
            service.name,
            origin.site,
            milli_rps.get(
                (service.name, origin.site),
                service.expected_rate_milli_rps * origin.share_permille // WHOLE_PERMILLE,
            ),
        )
        for service in policy.services
        for origin in service.origins
    )


def imagine(whatif: WhatIf, policy: Policy, snapshot: Snapshot) -> Snapshot:
    """The snapshot with all of it. A demand that was never measured is taken at its expected rate.

    So many times nothing is what was observed: it tells of no longer silence than that.
    """
    return replace(
        snapshot,
        servers=tuple(_server(item, whatif, policy) for item in snapshot.servers),
        offered=_offered(whatif, policy, snapshot),
        evidence=tuple(item for item in snapshot.evidence if not _is_lost(item, whatif, policy)),
    )


def would_decide(whatif: WhatIf, policy: Policy, snapshot: Snapshot, state: State, decide: Decide) -> Decision:
    """What the loop would decide if it saw all of that now.

    The turn in which a service wakes up plans for one request of it. There the decision is that of the turn after,
    which plans for what arrives, with the steps of both. No turn acts here, so none leaves a question open.
    """
    state = replace(state, left_open=None)
    imagined, at = imagine(whatif, policy, snapshot), snapshot.at
    first = decide(policy, imagined, state, at)
    if first.verdict is not Verdict.CHANGE or set(state.asleep) <= set(first.state.asleep):
        return first
    second = decide(policy, _standing(imagined, first.fleet), first.state, at)
    waves = (*first.transition.waves, *second.transition.waves)
    duration_us = first.transition.duration_us + second.transition.duration_us
    verdict = first.verdict if second.verdict is Verdict.KEEP else second.verdict
    return replace(second, verdict=verdict, transition=Transition(waves, duration_us))


def _standing(snapshot: Snapshot, fleet: Fleet) -> Snapshot:
    """The snapshot once a fleet stands; servers that did not answer still do not."""
    servers = (
        replace(each, reading=Reading(ServerState(loaded(fleet, each.pool, each.node)), snapshot.at, SOURCE))
        if each.reading.value
        else each
        for each in snapshot.servers
    )
    return replace(snapshot, servers=tuple(servers))


def unknown_names(whatif: WhatIf, policy: Policy) -> tuple[Finding, ...]:
    """A finding for each name that the policy does not have; nothing can be imagined of it."""
    services = [service.name for service in policy.services]
    origins = [origin.site for service in policy.services for origin in service.origins]
    standards = [
        name
        for profile in policy.compliance
        for name in (
            *(each.name for clause in profile.certifications for each in clause.any_of),
            *(clause.standard.name for clause in profile.forbidden),
            *((ATTESTATION,) if profile.attestation else ()),
            *((profile.storage.standard, ATTESTATION) if profile.storage else ()),
        )
    ]
    sites = [site.name for site in policy.sites]
    demands: tuple[TrafficFactor | AssumedRate, ...] = (*whatif.traffic, *whatif.rates)
    return (
        *_unknown("service", (item.service for item in demands if item.service), services),
        *_unknown("origin", (item.origin for item in demands if item.origin), origins),
        *_unknown("site", (*whatif.lost_sites, *(item.site for item in whatif.lost_certifications)), sites),
        *_unknown("standard", (item.standard for item in whatif.lost_certifications), standards),
    )


def _server(server: Server, whatif: WhatIf, policy: Policy) -> Server:
    if policy.pool(server.pool).site in whatif.lost_sites:
        return replace(server, reading=Reading(None, None, SOURCE))
    return server


def _offered(whatif: WhatIf, policy: Policy, snapshot: Snapshot) -> tuple[Offered, ...]:
    found = []
    for service in policy.services:
        for origin in service.origins:
            reading = snapshot.offered_rate(service.name, origin.site)
            expected = service.expected_rate_milli_rps * origin.share_permille // WHOLE_PERMILLE
            base = reading.value.milli_rps if reading.value else expected
            asked = _rate(whatif, service.name, origin.site, base)
            if asked is not None:
                window_s = _window_s(policy, service, asked)
                reading = Reading(Rate(asked, round(asked * window_s / 1000), window_s), snapshot.at, SOURCE)
            found.append(Offered(service.name, origin.site, reading))
    return tuple(found)


def _window_s(policy: Policy, service: Service, milli_rps: int) -> float:
    """The window that a rate claims; nobody has asked for so long that a service sleeps which may."""
    if milli_rps or service.scale_to_zero is None:
        return WINDOW_S
    return max(WINDOW_S, silence_s(service.scale_to_zero, policy.scaling))


def _rate(whatif: WhatIf, service: str, origin: str, base_milli_rps: int) -> int | None:
    """The imagined rate of a demand; None when nothing is imagined of it."""
    assumed = [item.milli_rps for item in whatif.rates if (item.service, item.origin) == (service, origin)]
    factors = [item.permille for item in whatif.traffic if item.covers(service, origin)]
    if not assumed and not (factors and base_milli_rps):
        return None
    rate = assumed[-1] if assumed else base_milli_rps
    for permille in factors:
        rate = rate * permille // 1000
    return rate


def _is_lost(evidence: Evidence, whatif: WhatIf, policy: Policy) -> bool:
    if evidence.subject_kind == "site":
        site = evidence.subject
    else:
        of_pool = evidence.subject.partition("/")[0]
        named = (pool.site for pool in policy.pools if pool.name == of_pool)
        site = next(named, "")
    return LostCertification(site, evidence.standard) in whatif.lost_certifications


def _unknown(kind: str, names: Iterable[str], known: list[str]) -> list[Finding]:
    return [
        Finding(UNKNOWN_NAME, Level.ERROR, f"no {kind} is named '{name}'", nearest(name, known), subject=name)
        for name in dict.fromkeys(names)
        if name not in known
    ]
