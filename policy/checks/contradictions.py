"""What is valid and cannot be meant: documents against themselves, and links against each other."""

from collections.abc import Iterable, Iterator
from graphlib import CycleError, TopologicalSorter
from typing import Final

from policy.catalogue import error
from policy.clauses import ComplianceProfile
from policy.data_flow import Reads
from policy.findings import Finding, Place
from policy.resolve import Item
from policy.resolved import (
    WHOLE_PERMILLE,
    Ceiling,
    CostPolicy,
    DegradeStep,
    DeviceProfile,
    Link,
    Model,
    Policy,
    ScalingPolicy,
    Service,
    Shed,
    UseVariant,
)
from policy.testing import LinkChanges
from policy.tiers import Organisation, Team

LONGEST_HORIZON_S: Final = 3_600


def contradictions(item: Item) -> list[Finding]:
    """Every contradiction of a document with itself, as errors."""
    findings = [*_doubled(_lists(item))]
    if isinstance(item, Service):
        findings += _service(item)
    elif isinstance(item, ScalingPolicy):
        findings += _numbers(item)
    elif isinstance(item, Link):
        findings += _link(item)
    elif isinstance(item, DeviceProfile):
        findings += _first_responses(item)
    findings += _versions(item) if isinstance(item, ComplianceProfile) else _of_its_own(item)
    return findings


def _of_its_own(item: Item) -> Iterator[Finding]:
    """Contradictions in what a document of another kind asks for under `compliance`, and in its defaults."""
    if isinstance(item, Service | Organisation | Team) and item.compliance:
        yield from _versions(item.compliance)
    if isinstance(item, Organisation | Team):
        yield from _sheds(item.name, item.defaults.degrade or ())


def doubled_links(policy: Policy) -> list[Finding]:
    """Links that tell of the same two sites."""
    pairs = [(" and ".join(sorted((link.a, link.b))), link.place) for link in policy.links]
    return [*_doubled([("the link between", pairs)])]


def _service(service: Service) -> Iterator[Finding]:
    total = sum(origin.share_permille for origin in service.origins)
    if total != WHOLE_PERMILLE:
        message = f"the shares of the origins of `{service.name}` add up to {total / 10:g}%"
        hint = "let them add up to 100%" if len(service.origins) > 1 else "write 100%: requests come from nowhere else"
        yield error("GW0304", service.origins[0].place, message, hint)
    circle = _circle(service)
    if circle:
        stage = next(stage for stage in service.stages if stage.name == circle[0])
        message = f"the stages wait for each other: {' -> '.join(circle)}"
        yield error("GW0303", stage.place, message, "take one of them out of `after`")
    for stage in service.stages:
        if stage.reads is Reads.OUTPUTS and not stage.after:
            message = f"stage `{stage.name}` reads outputs alone, and comes after no stage"
            yield error("GW0385", stage.place, message, "name in `after` the stages whose outputs it is sent")
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
    for step in service.degrade:
        if isinstance(step, UseVariant) and step.model not in called:
            message = f"`{service.name}` has no stage that calls `{step.model}`"
            yield error("GW0311", step.place, message, f"name one of {', '.join(sorted(called))}")
    yield from _sheds(service.name, service.degrade)


def _sheds(name: str, steps: Iterable[DegradeStep]) -> Iterator[Finding]:
    shed = 0
    for step in steps:
        if isinstance(step, Shed):
            shed += step.share_permille
            if step.share_permille == 0 or shed > WHOLE_PERMILLE:
                message = f"with this step `{name}` would shed {shed / 10:g}% of its requests"
                yield error("GW0311", step.place, message, "let the steps shed more than 0% and up to 100% together")


def _numbers(scaling: ScalingPolicy) -> Iterator[Finding]:
    for bound in scaling.bounds:
        if bound.minimum > bound.maximum:
            message = f"at least {bound.minimum} and at most {bound.maximum} instances of {bound.model}"
            yield error("GW0305", bound.place, message, "make `min` no greater than `max`")
    if scaling.stale_after_s < scaling.interval_s:
        message = f"readings are stale after {scaling.stale_after_s} s and are taken every {scaling.interval_s} s"
        yield error("GW0305", scaling.place, message, "make `staleAfter` two or three times `interval`")
    if scaling.horizon_s > LONGEST_HORIZON_S:
        message = f"forecasts would look {scaling.horizon_s} s ahead, and what is known goes on for an hour at most"
        yield error("GW0305", scaling.place, message, "make `horizon` no longer than 1h")


def _first_responses(device: DeviceProfile) -> Iterator[Finding]:
    """Times until first responses of batches that are not profiled, or that take longer than the whole."""
    for profile in device.variants:
        whole_us = dict(profile.service_us)
        for batch, time_us in profile.first_us:
            if time_us > whole_us.get(batch, 0):
                whole = f"{whole_us[batch] / 1000:g} ms" if batch in whole_us else "not known"
                message = f"the first response to batch {batch} takes {time_us / 1000:g} ms, and the whole is {whole}"
                hint = "list in `firstResponse` batches of `serviceTime`, with times no longer than theirs"
                yield error("GW0305", profile.place, message, hint)


def _link(link: Link) -> Iterator[Finding]:
    if link.a == link.b:
        message = f"the link joins `{link.a}` with itself"
        yield error("GW0310", link.place, message, "name two sites; within a site no link is needed")
    yield from priced_elsewhere(link)


def priced_elsewhere(link: Link | LinkChanges) -> Iterator[Finding]:
    """Prices of what leaves a site that the link does not join."""
    for price in link.egress:
        if price.site not in (link.a, link.b):
            message = f"nothing leaves `{price.site}` over the link between `{link.a}` and `{link.b}`"
            yield error("GW0380", price.place, message, f"name `{link.a}` or `{link.b}`")


def _versions(profile: ComplianceProfile) -> Iterator[Finding]:
    standards = [(standard, clause.place) for clause in profile.certifications for standard in clause.any_of]
    standards += [(clause.standard, clause.place) for clause in profile.forbidden]
    standards += [(clause.standard, clause.place) for clause in profile.provenance]
    for standard, place in standards:
        if not standard.is_possible:
            yield error("GW0305", place, f"no version fits `{standard}`", "change one of the comparisons")
    for forbidden in profile.forbidden:
        for clause in profile.certifications:
            possible = [standard for standard in clause.any_of if standard.is_possible]
            if possible and all(standard.is_within(forbidden.standard) for standard in possible):
                message = f"`{clause}` must be held, at {clause.place}, and must not be held here"
                yield error(
                    "GW0305", forbidden.place, message, "take one of the two out, or narrow one to other versions"
                )


Listed = tuple[str, list[tuple[str, Place]]]
"""What a list is of, and its entries by name."""


def _doubled(lists: Iterable[Listed]) -> Iterator[Finding]:
    """The same thing twice in one list; the second one's place."""
    for what, entries in lists:
        first: dict[str, Place] = {}
        for name, place in entries:
            if first.setdefault(name, place) != place:
                yield error(
                    "GW0301", place, f"{what} {name} is listed already, at {first[name]}", "keep one of the two"
                )


def _lists(item: Item) -> Iterator[Listed]:
    """What may not stand twice, list by list."""
    if isinstance(item, Service):
        uses = [step for step in item.degrade if isinstance(step, UseVariant)]
        yield f"in {item.name}, stage", [(stage.name, stage.place) for stage in item.stages]
        yield f"in {item.name}, origin", [(origin.site, origin.place) for origin in item.origins]
        yield f"in {item.name}, use of", [(f"{use.model} {use.variant}", use.place) for use in uses]
    elif isinstance(item, Organisation | Team):
        uses = [step for step in item.defaults.degrade or () if isinstance(step, UseVariant)]
        yield f"in {item.name}, use of", [(f"{use.model} {use.variant}", use.place) for use in uses]
    elif isinstance(item, Model):
        yield f"in {item.name}, variant", [(variant.name, variant.place) for variant in item.variants]
    elif isinstance(item, DeviceProfile):
        profiles = [(f"{each.model} {each.variant}", each.place) for each in item.variants]
        yield f"in {item.device}, profile of", profiles
    elif isinstance(item, CostPolicy):
        yield "the ceiling of", [(_ceiling(each), each.place) for each in item.ceilings]
    elif isinstance(item, ScalingPolicy):
        bounds = [(f"{bound.model} at {bound.site or 'all sites'}", bound.place) for bound in item.bounds]
        yield "the bound of", bounds


def _ceiling(ceiling: Ceiling) -> str:
    """What it is of."""
    if ceiling.service:
        return f"service {ceiling.service}"
    return f"team {ceiling.team}" if ceiling.team else ceiling.site or "all sites"
