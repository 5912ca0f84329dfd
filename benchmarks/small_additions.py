"""What is asked of some tiny problems beside the rest: by dice of its own, so that the rest stays the same."""

from dataclasses import replace

from dice import Dice
from small_services import HERE

from policy.resolved import (
    AvailabilityObjective,
    Ceiling,
    CostObjective,
    Egress,
    Policy,
    Pool,
    ScaleToZero,
    Service,
    TogetherClause,
    Within,
)
from rules.kernel.problem import Assured, Problem


def together(dice: Dice, service: Service) -> Service:
    """The service with its stages in one place: said only where it shares no instance, as what is slow as a whole."""
    names = tuple(stage.name for stage in service.stages)
    return replace(service, together=(TogetherClause(names, dice.one(tuple(Within)), HERE),))


def gathered(dice: Dice, policy: Policy) -> Policy:
    """The policy with services that gather the instances of one of their stages now and then: that bars no path."""
    places = (Within.RACK, Within.NODE, Within.NODE)
    services = tuple(
        replace(each, together=(*each.together, TogetherClause((dice.one(each.stages).name,), dice.one(places), HERE)))
        if dice.says(0.3)
        else each
        for each in policy.services
    )
    return replace(policy, services=services)


def with_cost(dice: Dice, service: Service, pools: tuple[Pool, ...]) -> Service:
    """The service with a price for its requests, about what a quarter of a node costs that answers one a second."""
    dearest = max(pool.price_millicents_per_hour for pool in pools)
    requests = dice.one((1_000, 10_000, 14_400))
    below = requests * dearest // (3_600 * dice.one((1, 2, 4, 4, 8)))
    return replace(service, cost=CostObjective(below, requests, HERE))


def waking(dice: Dice, policy: Policy, service: Service) -> Service:
    """The service, now and then with a wake-up that is about as long as what it loads; an option loads for 1 ms."""
    if not dice.says(0.6):
        return service
    around_us = policy.scaling.interval_s * 1_000_000 + 3_000_000
    return replace(service, scale_to_zero=ScaleToZero(600, around_us + dice.one((999, 1000, 1000, 2000, 3000)), HERE))


def with_spares(dice: Dice, service: Service) -> Service:
    """The service, now and then with instances to spare."""
    stands = service.availability or AvailabilityObjective(1, 1, HERE)
    return replace(service, availability=replace(stands, spares=dice.within(1, 2))) if dice.says(0.8) else service


def surviving(dice: Dice, service: Service) -> Service:
    """The service, now and then with any one site that may be lost."""
    stands = service.availability or AvailabilityObjective(1, 1, HERE)
    return replace(service, availability=replace(stands, survives_any_site=True)) if dice.says(0.8) else service


def in_racks(dice: Dice, policy: Policy) -> Policy:
    """The policy with nodes in racks now and then, and services that ask for some."""
    pools = tuple(replace(pool, racks=dice.one(((), ("a",), ("a", "b"), ("b", "a", "b")))) for pool in policy.pools)
    services = tuple(
        replace(each, availability=replace(each.availability, racks=dice.within(0, 3))) if each.availability else each
        for each in policy.services
    )
    return replace(policy, pools=pools, services=services) if dice.says(0.5) else policy


def with_prices(dice: Dice, problem: Problem) -> Problem:
    """The problem with links that have a price one way or both: about what a node costs, for what a demand sends."""
    if not dice.says(0.4):
        return problem
    links = tuple(
        replace(
            link,
            egress=tuple(
                Egress(site, dice.one((0, 3_000, 9_000, 40_000)), HERE) for site in (link.a, link.b) if dice.says(0.7)
            ),
        )
        for link in problem.policy.links
    )
    return replace(problem, policy=replace(problem.policy, links=links))


def with_parts(dice: Dice, problem: Problem) -> Problem:
    """The problem with a ceiling of a service or of both: about what its requests use of a node or two."""
    if not dice.says(0.25):
        return problem
    dearest = max(pool.price_millicents_per_hour for pool in problem.policy.pools)
    services = tuple(replace(service, team="all") for service in problem.policy.services)
    named = {"team": "all"} if dice.says(0.5) else {"service": dice.one(services).name}
    more = Ceiling("", dearest * dice.within(1, 6) // 4, HERE, **named)
    cost = replace(problem.policy.cost, ceilings=(*problem.policy.cost.ceilings, more))
    return replace(problem, policy=replace(problem.policy, services=services, cost=cost))


def with_assured(dice: Dice, problem: Problem) -> Problem:
    """The problem, now and then with what each service is assured of; the last level and all refused are nothing."""
    if not dice.says(0.3):
        return problem
    assured = tuple(
        Assured(
            service.name,
            dice.within(0, len(service.degrade) + 1),
            tuple((d.id, dice.one((0, 99, 300, 1000))) for d in problem.demands if d.service == service.name),
        )
        for service in problem.policy.services
    )
    return replace(problem, assured=assured)
