"""What a test's fleet is in, and what becomes of that when something happens."""

from dataclasses import dataclass, replace
from datetime import datetime

from collectors.evidence.records import Evidence
from controller.decision import State
from controller.fleet import EMPTY, Fleet
from controller.testing.documents import Text, texts_of
from controller.whatif import AssumedRate, WhatIf, rates
from policy.clause_list import without_clause
from policy.findings import Place
from policy.resolve import revision
from policy.resolved import Link, Policy, Pool
from policy.testing import (
    Event,
    LinkChanges,
    LinkLost,
    NodesLost,
    PriceChanges,
    SiteLost,
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
    return Scene(less(policy, without), texts_of(policy), evidence, now, without=without)


def less(policy: Policy, without: Place | None) -> Policy:
    """The policy without the clause at a place."""
    return without_clause(policy, without) if without else policy


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
        egress=(
            *event.egress,
            *(each for each in link.egress if each.site not in {price.site for price in event.egress}),
        ),
        compressions=link.compressions if event.compressions is None else event.compressions,
        precisions=link.precisions if event.precisions is None else event.precisions,
    )
