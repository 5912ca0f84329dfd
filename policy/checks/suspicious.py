"""What can be meant and hardly is: promises that distance breaks, limits that limit nothing or everything.

Judged only when every document could be read, as absences are.
"""

from collections.abc import Iterator

from policy.catalogue import warning
from policy.checks.distances import Distances, in_a_row
from policy.data_flow import handled, removals
from policy.findings import Finding
from policy.resolved import Policy, Pool, Service
from policy.words import counted, dollars_per_hour


def suspicious(policy: Policy) -> list[Finding]:
    """Warnings for what works as it is written and seems to be a slip."""
    distances = Distances(policy)
    services = (finding for service in policy.services for finding in _too_far(policy, service, distances))
    return [*services, *_bounds(policy), *_ceilings(policy), *_horizon(policy), *_racks(policy)]


def _too_far(policy: Policy, service: Service, distances: Distances) -> Iterator[Finding]:
    """Latency objectives that no site can meet, however fast it computes."""
    most_us = len(service.stages) * max(distances.longest_us(origin.site) for origin in service.origins)
    if all(objective.below_us >= most_us for objective in service.latency):
        return
    in_all = in_a_row(service)
    for objective in service.latency:
        rounds = 1 if objective.stage else in_all
        for origin in service.origins:
            if objective.origin not in ("", origin.site):
                continue
            if objective.below_us >= rounds * distances.longest_us(origin.site):
                continue
            least = handled(service, removals(service))
            clauses = [
                profile.residency for profile in policy.compliance if profile.covered(service, least) == service.stages
            ]
            bounds = frozenset(clause.within for clause in clauses if clause)
            way_us = distances.shortest_us(origin.site, bounds, objective.percentile_bp)
            if way_us is not None and objective.below_us < rounds * way_us:
                times = f", {rounds} times in a row" if rounds > 1 else ""
                message = (
                    f"`{service.name}` promises less than {objective.below_us / 1000:g} ms, and from `{origin.site}` "
                    f"the nearest site that it may use is {way_us / 1000:g} ms there and back{times}"
                )
                yield warning("GW0330", objective.place, message, "allow more time, or add a pool nearer to the origin")
                break


def _bounds(policy: Policy) -> Iterator[Finding]:
    """Replica bounds of what is not there."""
    called = {stage.model for service in policy.services for stage in service.stages}
    idle = {model.name for model in policy.models} - called
    bare = _bare(policy)
    for bound in policy.scaling.bounds:
        told = f"the bound of {bound.minimum} to {bound.maximum} instances bounds nothing"
        if bound.model in idle:
            message = f"no stage calls `{bound.model}`, so {told} that is needed"
            yield warning("GW0331", bound.place, message, "name a model that is called, or take the bound out")
        elif bound.site in bare:
            message = f"`{bound.site}` has no pool, so {told}"
            yield warning("GW0332", bound.place, message, "name a site with pools, or take the bound out")


def _ceilings(policy: Policy) -> Iterator[Finding]:
    """Ceilings that nothing is under: there is no pool, or none that a single node could be paid of."""
    cheapest: dict[str, Pool] = {}
    for pool in sorted(policy.pools, key=lambda pool: pool.price_millicents_per_hour):
        cheapest.setdefault("", pool)
        cheapest.setdefault(pool.site, pool)
    bare, priced = _bare(policy), {price.site for link in policy.links for price in link.egress}
    for ceiling in (each for each in policy.cost.ceilings if each.is_of_nodes):
        node = cheapest.get(ceiling.site)
        if ceiling.site in bare - priced:
            message = f"`{ceiling.site}` has no pool, and nothing costs what leaves it"
            yield warning("GW0332", ceiling.place, message, "name a site with pools, or take the ceiling out")
        elif node and ceiling.millicents_per_hour < node.price_millicents_per_hour:
            message = (
                f"{dollars_per_hour(ceiling.millicents_per_hour)} does not pay for one node: the cheapest is of "
                f"`{node.name}` at {dollars_per_hour(node.price_millicents_per_hour)}"
            )
            yield warning("GW0333", ceiling.place, message, "raise the ceiling, or add a cheaper pool")


def _horizon(policy: Policy) -> Iterator[Finding]:
    """A variant that is not loaded by the end of the minute that forecasts are of, the slowest of all."""
    used = {pool.device for pool in policy.pools}
    called = {stage.model for service in policy.services for stage in service.stages}
    variants = [(v, d.device) for d in policy.devices if d.device in used for v in d.variants if v.model in called]
    if not variants:
        return
    slowest, device = max(variants, key=lambda item: item[0].load_us)
    ready_s = -(-slowest.load_us // 1_000_000) + policy.scaling.interval_s
    if ready_s > policy.scaling.horizon_s:
        message = (
            f"`{slowest.model}` takes {slowest.load_us / 1_000_000:g} s to load as `{slowest.variant}` on `{device}`, "
            f"and forecasts look {policy.scaling.horizon_s} s ahead: it is ready after what it was loaded for"
        )
        yield warning("GW0390", slowest.place, message, f"make `horizon` of the ScalingPolicy at least {ready_s}s")


def _racks(policy: Policy) -> Iterator[Finding]:
    """Racks in which no node stands."""
    for pool in policy.pools:
        idle = [rack for rack in pool.racks[pool.nodes :] if rack not in pool.racks[: pool.nodes]]
        if idle:
            message = f"`{pool.name}` has {counted(pool.nodes, 'node')}, so none stands in {', '.join(idle)}"
            yield warning(
                "GW0391", pool.place, message, "name a rack for each node, or fewer that they stand in by turns"
            )


def _bare(policy: Policy) -> frozenset[str]:
    """The sites without pools."""
    return frozenset(site.name for site in policy.sites) - {pool.site for pool in policy.pools}
