"""Documents that are each valid and cannot all be meant."""

from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter

from policy.catalogue import error
from policy.clauses import Standard
from policy.findings import Finding, Place
from policy.resolved import WHOLE_PERMILLE, Policy, Service, Shed, UseVariant


def contradictions(policy: Policy) -> list[Finding]:
    """Every contradiction, as errors."""
    services = (finding for service in policy.services for finding in _service(service))
    return [*services, *_doubled(policy), *_numbers(policy), *_links(policy)]


def _service(service: Service) -> Iterator[Finding]:
    total = sum(origin.share_permille for origin in service.origins)
    if total != WHOLE_PERMILLE:
        message = f"the shares of the origins of `{service.name}` add up to {total / 10:g}%"
        yield error("GW0304", service.origins[0].place, message, "let them add up to 100%")
    circle = _circle(service)
    if circle:
        stage = next(stage for stage in service.stages if stage.name == circle[0])
        message = f"the stages wait for each other: {' -> '.join(circle)}"
        yield error("GW0303", stage.place, message, "take one of them out of `after`")
    yield from _degrade(service)


def _circle(service: Service) -> tuple[str, ...]:
    """Stages that wait for each other, the first one again at the end; none in a proper order."""
    try:
        TopologicalSorter({stage.name: stage.after for stage in service.stages}).prepare()
    except CycleError as found:
        circle: list[str] = found.args[1]
        return tuple(reversed(circle))
    return ()


def _degrade(service: Service) -> Iterator[Finding]:
    called = {stage.model for stage in service.stages}
    shed = 0
    for step in service.degrade:
        if isinstance(step, UseVariant) and step.model not in called:
            message = f"`{service.name}` has no stage that calls `{step.model}`"
            yield error("GW0311", step.place, message, f"name one of {', '.join(sorted(called))}")
        if isinstance(step, Shed):
            shed += step.share_permille
            if step.share_permille == 0 or shed > WHOLE_PERMILLE:
                message = f"with this step `{service.name}` would shed {shed / 10:g}% of its requests"
                yield error("GW0311", step.place, message, "let the steps shed more than 0% and up to 100% together")


def _numbers(policy: Policy) -> Iterator[Finding]:
    for bound in policy.scaling.bounds:
        if bound.minimum > bound.maximum:
            message = f"at least {bound.minimum} and at most {bound.maximum} instances of {bound.model}"
            yield error("GW0305", bound.place, message, "make `min` no greater than `max`")
    for standard, place in _standards(policy):
        if not standard.is_possible:
            yield error("GW0305", place, f"no version fits `{standard}`", "change one of the comparisons")
    scaling = policy.scaling
    if scaling.stale_after_s < scaling.interval_s:
        message = f"readings are stale after {scaling.stale_after_s} s and are taken every {scaling.interval_s} s"
        yield error("GW0305", scaling.place, message, "make `staleAfter` two or three times `interval`")


def _links(policy: Policy) -> Iterator[Finding]:
    for link in policy.links:
        if link.a == link.b:
            message = f"the link joins `{link.a}` with itself"
            yield error("GW0310", link.place, message, "name two sites; within a site no link is needed")


def _standards(policy: Policy) -> Iterator[tuple[Standard, Place]]:
    for profile in policy.compliance:
        for clause in profile.certifications:
            yield from ((standard, clause.place) for standard in clause.any_of)
        yield from ((clause.standard, clause.place) for clause in profile.forbidden)


def _doubled(policy: Policy) -> Iterator[Finding]:
    """The same thing twice in one list; the second one's place."""
    for what, items in _lists(policy):
        first: dict[str, Place] = {}
        for name, place in items:
            if first.setdefault(name, place) != place:
                yield error(
                    "GW0301", place, f"{what} {name} is listed already, at {first[name]}", "keep one of the two"
                )


def _lists(policy: Policy) -> Iterator[tuple[str, list[tuple[str, Place]]]]:
    """What may not stand twice, list by list."""
    for service in policy.services:
        uses = [step for step in service.degrade if isinstance(step, UseVariant)]
        yield f"in {service.name}, stage", [(stage.name, stage.place) for stage in service.stages]
        yield f"in {service.name}, origin", [(origin.site, origin.place) for origin in service.origins]
        yield f"in {service.name}, use of", [(f"{use.model} {use.variant}", use.place) for use in uses]
    for model in policy.models:
        yield f"in {model.name}, variant", [(variant.name, variant.place) for variant in model.variants]
    for device in policy.devices:
        profiles = [(f"{item.model} {item.variant}", item.place) for item in device.variants]
        yield f"in {device.device}, profile of", profiles
    yield "the link between", [(" and ".join(sorted((link.a, link.b))), link.place) for link in policy.links]
    yield "the ceiling of", [(ceiling.site or "all sites", ceiling.place) for ceiling in policy.cost.ceilings]
    bounds = policy.scaling.bounds
    yield "the bound of", [(f"{bound.model} at {bound.site or 'all sites'}", bound.place) for bound in bounds]
