"""What a test's fleet is in, and what becomes of that when something happens."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from collectors.evidence.records import Evidence
from controller.comparison import known_to
from controller.decision import State
from controller.fleet import EMPTY, Fleet, Load
from controller.planning.options import placement_of
from controller.testing.documents import Text, policy_of, texts_of, with_text, without_document
from controller.testing.results import Trouble
from controller.whatif import AssumedRate, WhatIf
from policy.clause_list import without_clause
from policy.findings import Level, Place
from policy.resolve import revision
from policy.resolved import WHOLE_PERMILLE, Link, Policy, Pool
from policy.testing import (
    Added,
    DemandBecomes,
    Event,
    EvidenceEnds,
    LinkChanges,
    LinkLost,
    NodesLost,
    PriceChanges,
    Removed,
    SiteLost,
    TimePasses,
)


@dataclass(frozen=True, slots=True)
class Scene:
    """The policy, the evidence, the instant (UTC), and what stands and is remembered.

    `rates` are those that a test has set, in thousandths of a request a second; demands that are not in it are asked at
    what their services expect. `happened` are the events so far, `without` the place of a clause that is left out.
    """

    policy: Policy
    texts: tuple[Text, ...]
    evidence: tuple[Evidence, ...]
    now: datetime
    rates: tuple[AssumedRate, ...] = ()
    happened: tuple[Event, ...] = ()
    fleet: Fleet = EMPTY
    state: State | None = None
    without: Place | None = None

    def whatif(self) -> WhatIf:
        """What there is to imagine: the rate of every demand, as if it were measured, and the sites that are lost."""
        lost = tuple(event.site for event in self.happened if isinstance(event, SiteLost))
        return WhatIf(rates=rates(self.policy, self.rates), lost_sites=lost)


def opening(policy: Policy, evidence: tuple[Evidence, ...], now: datetime, without: Place | None = None) -> Scene:
    """Nothing has happened, and nothing runs."""
    return Scene(_less(policy, without), texts_of(policy), evidence, now, without=without)


def _less(policy: Policy, without: Place | None) -> Policy:
    return without_clause(policy, without) if without else policy


def after(scene: Scene, event: Event) -> Scene | Trouble:
    """The scene once an event has happened; Trouble where it means nothing."""
    if isinstance(event, EvidenceEnds):
        kept = tuple(item for item in scene.evidence if not _is_withdrawn(item, event, scene.policy))
        if kept == scene.evidence:
            return _nothing_held(event, scene)
        scene = replace(scene, evidence=kept)
    elif isinstance(event, TimePasses):
        scene = replace(scene, now=scene.now + timedelta(seconds=event.seconds))
    elif isinstance(event, DemandBecomes):
        scene = replace(scene, rates=_asked(scene, event))
    elif isinstance(event, Added | Removed):
        return _with_documents(scene, event)
    else:
        fleet = _left(scene, event) if isinstance(event, NodesLost) else scene.fleet
        scene = replace(scene, policy=changed(scene.policy, event), fleet=fleet)
    return replace(scene, happened=(*scene.happened, event))


def rates(policy: Policy, known: tuple[AssumedRate, ...]) -> tuple[AssumedRate, ...]:
    """The rate of every demand of a policy."""
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


def changed(policy: Policy, event: Event) -> Policy:
    """The policy with nodes, a link or a price as they are after the event; the same one after any other.

    It has another revision: what is remembered of the one before is no answer for it.
    """
    other = _edited(policy, event)
    return policy if other is policy else replace(other, revision=revision([(policy.revision, repr(event))]))


def _edited(policy: Policy, event: Event) -> Policy:
    if isinstance(event, NodesLost):
        return replace(policy, pools=tuple(_fewer(pool, event) for pool in policy.pools))
    if isinstance(event, PriceChanges):
        pools = (
            replace(pool, price_millicents_per_hour=event.millicents_per_hour) if pool.name == event.pool else pool
            for pool in policy.pools
        )
        return replace(policy, pools=tuple(pools))
    if isinstance(event, LinkLost):
        return replace(policy, links=tuple(link for link in policy.links if {link.a, link.b} != {event.a, event.b}))
    if isinstance(event, LinkChanges):
        return replace(policy, links=tuple(_changed_link(link, event) for link in policy.links))
    return policy


def _fewer(pool: Pool, event: NodesLost) -> Pool:
    return replace(pool, nodes=max(0, pool.nodes - event.nodes)) if pool.name == event.pool else pool


def _changed_link(link: Link, event: LinkChanges) -> Link:
    if {link.a, link.b} != {event.a, event.b}:
        return link
    return replace(
        link,
        rtt_us=link.rtt_us if event.rtt_us is None else event.rtt_us,
        jitter_us=link.jitter_us if event.jitter_us is None else event.jitter_us,
        bandwidth_kbps=link.bandwidth_kbps if event.bandwidth_kbps is None else event.bandwidth_kbps,
        encryption=link.encryption if event.encryption is None else event.encryption,
    )


def _left(scene: Scene, event: NodesLost) -> Fleet:
    """What stands without that on the nodes that are gone."""
    pool = scene.policy.pool(event.pool)
    gone = frozenset(pool.node_names()[max(0, pool.nodes - event.nodes) :])
    loads: list[Load] = []
    for load in scene.fleet.loads:
        lost = sum(
            item.count
            for item in (scene.state.plan.instances if scene.state else ())
            if item.node in gone and placement_of(item.option) == str(load.placement)
        )
        loads += [replace(load, instances=load.instances - lost)] if load.instances > lost else []
    return replace(scene.fleet, loads=tuple(loads))


def _asked(scene: Scene, event: DemandBecomes) -> tuple[AssumedRate, ...]:
    def asked(rate: AssumedRate) -> AssumedRate:
        if event.service not in {"", rate.service} or event.origin not in {"", rate.origin}:
            return rate
        if event.factor_permille is not None:
            return replace(rate, milli_rps=rate.milli_rps * event.factor_permille // 1000)
        origins = scene.policy.service(rate.service).origins
        share = next(origin.share_permille for origin in origins if origin.site == rate.origin)
        whole = WHOLE_PERMILLE if event.origin else share
        return replace(rate, milli_rps=event.milli_rps * whole // WHOLE_PERMILLE)

    return tuple(asked(rate) for rate in rates(scene.policy, scene.rates))


def _is_withdrawn(item: Evidence, event: EvidenceEnds, policy: Policy) -> bool:
    """Of a site, also what its pools hold."""
    subjects = {(event.subject_kind, event.subject)}
    if event.subject_kind == "site":
        subjects |= {("pool", pool.name) for pool in policy.pools if pool.site == event.subject}
    return (item.subject_kind, item.subject) in subjects and event.standard in {"", item.standard}


def _nothing_held(event: EvidenceEnds, scene: Scene) -> Trouble:
    held = sorted(
        {item.standard for item in scene.evidence if _is_withdrawn(item, replace(event, standard=""), scene.policy)}
    )
    what = f"no evidence of {event.standard}" if event.standard else "no evidence"
    hint = (
        f"it holds {', '.join(held)}" if held else "it holds nothing at the test's instant; see its evidence and `at`"
    )
    return Trouble(event.place, f"{event.subject_kind} {event.subject} has {what} that could end", hint)


def _with_documents(scene: Scene, event: Added | Removed) -> Scene | Trouble:
    texts = (
        with_text(scene.texts, _name(event.place), event.text)
        if isinstance(event, Added)
        else without_document(scene.texts, event.kind, event.name)
    )
    read = policy_of(texts)
    if read.policy is None:
        first = next(finding for finding in read.findings if finding.level is Level.ERROR)
        return Trouble(event.place, f"the policy would have errors: {first.place}: {first.message}", first.hint)
    policy = _less(read.policy, scene.without)
    for before in scene.happened:
        policy = changed(policy, before)
    fleet = known_to(policy, scene.fleet)
    return replace(scene, policy=policy, texts=texts, fleet=fleet, happened=(*scene.happened, event))


def _name(place: Place) -> str:
    return f"{place.file} (added in line {place.line})"
