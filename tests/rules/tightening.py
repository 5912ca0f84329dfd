"""Ways to ask for more: each gives a policy that says everything that the one before did, and something besides."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from hypothesis import strategies as st

from policy.clauses import (
    Scope,
)
from policy.resolved import (
    AccuracyObjective,
    AvailabilityObjective,
    Ceiling,
    CostObjective,
    Maintenance,
    Policy,
    Pool,
    PoolsClause,
    ScaleToZero,
    Service,
    TogetherClause,
    Within,
)
from policy.windows import Window
from tests.rules.drawn_profiles import (
    HERE,
)
from tests.rules.tightening_profiles import (
    a_profile_covers_more,
    attestation_asks_for_more,
    certifications_are_of_fewer_versions,
    fewer_models_are_pinned,
    jurisdictions_are_fewer,
    links_are_better,
    links_are_proven_to_be_better,
    models_are_vouched_for_by_fewer,
    more_versions_are_forbidden,
    one_changed,
    one_profile_more,
    payloads_are_truer,
    ways_to_buy_are_fewer,
)


def pools_are_fewer(policy: Policy, data: st.DataObject) -> Policy:
    """Another clause on where a service may run."""
    names = st.lists(st.sampled_from([each.name for each in policy.pools] or ["none"]), min_size=1, unique=True)

    def stricter(service: Service) -> Service:
        clause = PoolsClause((), tuple(data.draw(names)), (), (), is_barred=data.draw(st.booleans()), place=HERE)
        return replace(service, pools=(*service.pools, clause))

    return one_changed(policy, "services", stricter, data)


def stages_stay_together(policy: Policy, data: st.DataObject) -> Policy:
    """All of a service's, at one site, in one rack or pool, or on one node."""

    def stricter(service: Service) -> Service:
        names = tuple(stage.name for stage in service.stages)
        clause = TogetherClause(names, data.draw(st.sampled_from(Within)), HERE)
        return replace(service, together=(*service.together, clause))

    return one_changed(policy, "services", stricter, data)


def a_pool_is_for_fewer(policy: Policy, data: st.DataObject) -> Policy:
    """For one service alone, where it is for all."""
    service = data.draw(st.sampled_from(["nobody", *(each.name for each in policy.services)]))

    def stricter(pool: Pool) -> Pool:
        return pool if pool.dedicated_to else replace(pool, dedicated_to=Scope(services=(service,)))

    changed = one_changed(policy, "pools", stricter, data)
    # a pool that is for fewer is one that others may be apart in
    return policy if any(profile.separation for profile in policy.compliance) else changed


def somebody_works_there(policy: Policy, data: st.DataObject) -> Policy:
    """Maintenance of one pool, at some time."""
    pools = st.sampled_from([each.name for each in policy.pools] or ["none"])
    from_s = data.draw(st.integers(500, 2500))
    window = Window(from_s, from_s + data.draw(st.integers(1, 400)), data.draw(st.sampled_from([0, 500])))
    return replace(
        policy, maintenance=(*policy.maintenance, Maintenance("work", (), (data.draw(pools),), window, HERE))
    )


def latency_is_lower(policy: Policy, data: st.DataObject) -> Policy:
    """Each objective's limit, for all origins."""
    part = data.draw(st.sampled_from([1, 2, 10]))

    def stricter(service: Service) -> Service:
        return replace(
            service,
            latency=tuple(replace(item, below_us=item.below_us // part, origin="") for item in service.latency),
        )

    return one_changed(policy, "services", stricter, data)


def requests_cost_less(policy: Policy, data: st.DataObject) -> Policy:
    """A lower limit, or one where there was none."""
    below = data.draw(st.integers(0, 20))

    def stricter(service: Service) -> Service:
        least = min(service.cost.below_millicents if service.cost else below, below)
        return replace(service, cost=CostObjective(least, service.cost.requests if service.cost else 2000, HERE))

    return one_changed(policy, "services", stricter, data)


def it_wakes_up_sooner(policy: Policy, data: st.DataObject) -> Policy:
    """Up to a second sooner, or within a time where there was none."""
    sooner_us = data.draw(st.integers(0, 1_000_000))

    def stricter(service: Service) -> Service:
        clause = service.scale_to_zero or ScaleToZero(600, 21_000_000, HERE)
        return replace(service, scale_to_zero=replace(clause, wake_up_us=clause.wake_up_us - sooner_us))

    return one_changed(policy, "services", stricter, data)


def accuracy_is_higher(policy: Policy, data: st.DataObject) -> Policy:
    """The floor."""
    more = data.draw(st.integers(0, 1_000_000))

    def stricter(service: Service) -> Service:
        floor = max(service.accuracy.floor_ppm if service.accuracy else 0, more)
        return replace(service, accuracy=AccuracyObjective(floor, HERE))

    return one_changed(policy, "services", stricter, data)


def more_places_are_asked_for(policy: Policy, data: st.DataObject) -> Policy:
    """One site more, or one node."""
    what = data.draw(st.sampled_from(["sites", "nodes"]))

    def stricter(service: Service) -> Service:
        stands = service.availability or AvailabilityObjective(1, 1, HERE)
        return replace(service, availability=replace(stands, **{what: getattr(stands, what) + 1}))

    return one_changed(policy, "services", stricter, data)


def one_instance_more_is_spared(policy: Policy, data: st.DataObject) -> Policy:
    """An instance more of each stage of a service than its load takes."""

    def stricter(service: Service) -> Service:
        stands = service.availability or AvailabilityObjective(1, 1, HERE)
        return replace(service, availability=replace(stands, spares=stands.spares + 1))

    return one_changed(policy, "services", stricter, data)


def a_site_may_be_lost(policy: Policy, data: st.DataObject) -> Policy:
    """A service survives any site."""

    def stricter(service: Service) -> Service:
        stands = service.availability or AvailabilityObjective(1, 1, HERE)
        return replace(service, availability=replace(stands, survives_any_site=True))

    return one_changed(policy, "services", stricter, data)


def ceilings_are_lower(policy: Policy, data: st.DataObject) -> Policy:
    """Each by one millicent, and one more."""
    site = data.draw(st.sampled_from(["", *(each.name for each in policy.sites)]))
    ceilings = tuple(
        replace(each, millicents_per_hour=max(0, each.millicents_per_hour - 1)) for each in policy.cost.ceilings
    )
    more = Ceiling(site, data.draw(st.integers(0, 200)), HERE)
    return replace(policy, cost=replace(policy.cost, ceilings=(*ceilings, more)))


def a_part_has_a_ceiling(policy: Policy, data: st.DataObject) -> Policy:
    """Of one service more, or of one team."""
    service = data.draw(st.sampled_from(policy.services))
    named = {"team": service.team} if service.team and data.draw(st.booleans()) else {"service": service.name}
    more = Ceiling("", data.draw(st.integers(0, 50)), HERE, **named)
    return replace(policy, cost=replace(policy.cost, ceilings=(*policy.cost.ceilings, more)))


def bounds_are_narrower(policy: Policy, data: st.DataObject) -> Policy:
    """One instance more at least, or less at most."""
    low, high = data.draw(st.sampled_from([(1, 0), (0, 1), (0, 0)]))
    bounds = tuple(
        replace(each, minimum=each.minimum + low, maximum=max(0, each.maximum - high)) for each in policy.scaling.bounds
    )
    return replace(policy, scaling=replace(policy.scaling, bounds=bounds))


def a_link_admits_less(policy: Policy, data: st.DataObject) -> Policy:
    """No precision, or no compression."""
    change: dict[str, Any] = data.draw(st.sampled_from([{"precisions": ()}, {"compressions": ()}]))
    return one_changed(policy, "links", lambda link: replace(link, **change), data)


SCOPED: Final = {
    "certification",
    "forbidden_certification",
    "purchase",
    "attestation",
    "encryption_at_rest",
    "provenance",
    "pinned",
    "link_evidence",
    "payload_fidelity",
    "standing",
}
WAYS: Final[dict[Callable[[Policy, st.DataObject], Policy], set[str]]] = {
    one_profile_more: {"certification", "served", "latency", "budget", "standing"},
    a_profile_covers_more: SCOPED,
    certifications_are_of_fewer_versions: {"certification", "standing"},
    more_versions_are_forbidden: {"forbidden_certification"},
    jurisdictions_are_fewer: {"residency"},
    links_are_better: {"link_security"},
    links_are_proven_to_be_better: {"link_evidence"},
    payloads_are_truer: {"payload_fidelity"},
    a_link_admits_less: {"payload_encoding"},
    ways_to_buy_are_fewer: {"purchase"},
    pools_are_fewer: {"placement", "purchase"},
    stages_stay_together: {"together", "gathering"},
    a_pool_is_for_fewer: {"purchase", "placement", "standing"},
    somebody_works_there: {"maintenance", "purchase"},
    attestation_asks_for_more: {"attestation"},
    models_are_vouched_for_by_fewer: {"provenance"},
    fewer_models_are_pinned: {"pinned"},
    latency_is_lower: {"latency"},
    requests_cost_less: {"unit_cost"},
    it_wakes_up_sooner: {"wake_up"},
    accuracy_is_higher: {"accuracy"},
    more_places_are_asked_for: {"availability"},
    one_instance_more_is_spared: {"spares"},
    a_site_may_be_lost: {"survival"},
    ceilings_are_lower: {"budget", "allocated_cost"},
    a_part_has_a_ceiling: {"allocated_cost", "unit_cost"},
    bounds_are_narrower: {"replica_bounds"},
}
"""Each with the rules in whose examples it has something to change."""
