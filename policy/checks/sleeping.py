"""Services that scale to zero, and what keeps them from it; judged when every document could be read."""

from collections.abc import Iterator

from policy.catalogue import error
from policy.checks.rooms import Rooms
from policy.findings import Finding
from policy.resolved import Policy, ScaleToZero, Service
from policy.waking import loads_for_us, seconds, time_to_load_us
from policy.words import counted


def sleepless(policy: Policy) -> Iterator[Finding]:
    """Errors: a wake-up that nothing is loaded in, and bounds and rates that something stands for all the time."""
    rooms = Rooms(policy)
    for service in policy.services:
        if service.scale_to_zero:
            yield from _too_late(policy, service, service.scale_to_zero, rooms)
            yield from _kept_ready(service)
    yield from _kept_standing(policy)


def _too_late(policy: Policy, service: Service, clause: ScaleToZero, rooms: Rooms) -> Iterator[Finding]:
    """The stages that take longest to load where they load fastest, if that is too long for some origin."""
    left_us = time_to_load_us(clause, policy.scaling)
    for origin in service.origins:
        least_us, slow = _least_us(service, rooms, origin.site)
        if least_us > left_us:
            before_us = clause.wake_up_us - left_us
            spares = service.availability.spares if service.availability else 0
            names = ", ".join(f"`{name}`" for name in slow)
            stages = f"stage {names} loads" if len(slow) == 1 else f"stages {names} load"
            beside = f", with {counted(spares, 'spare')}" if spares else ""
            message = (
                f"`{service.name}` promises to wake up within {seconds(clause.wake_up_us)}: {seconds(before_us)} pass "
                f"besides loading, and {stages} for {seconds(least_us)} where it is fastest{beside}"
            )
            hint = (
                f"make `wakeUp` at least {seconds(before_us + least_us)}, or `interval` of the ScalingPolicy "
                "shorter, or take `scaleToZero` out"
            )
            yield error("GW0455", clause.place, message, hint)
            return


def _least_us(service: Service, rooms: Rooms, origin: str) -> tuple[int, list[str]]:
    """What a path loads for at least, in us, and the stages that do; 0 where no stage has a pool, as others tell.

    Stages that have only some pools share these: one of them loads for no less than their times over its number.
    """
    loads_us = {
        stage: {room.pool.name: room.load_us for room in rooms.of(service, stage, [origin])} for stage in service.stages
    }
    least: list[tuple[int, list[str]]] = [(0, [])]
    for pools in dict.fromkeys(frozenset(by_pool) for by_pool in loads_us.values() if by_pool):
        shared = [stage for stage, by_pool in loads_us.items() if by_pool and pools.issuperset(by_pool)]
        by_model: dict[str, int] = {}  # stages of one model may share an instance
        for stage in shared:
            fastest_us = min(loads_us[stage].values())
            by_model[stage.model] = min(fastest_us, by_model.get(stage.model, fastest_us))
            least.append((loads_for_us(service, [("", fastest_us)]), [stage.name]))
        in_one_us = loads_for_us(service, [("", load_us) for load_us in by_model.values()])
        least.append((-(-in_one_us // len(pools)), [stage.name for stage in shared]))
    return max(least, key=lambda each: (each[0], -len(each[1])))


def _kept_ready(service: Service) -> Iterator[Finding]:
    for objective in service.throughput:
        message = f"`{service.name}` scales to zero, and promises that a rate is ready all the time"
        yield error("GW0457", objective.place, message, "take the objective out, or `scaleToZero`")


def _kept_standing(policy: Policy) -> Iterator[Finding]:
    """Bounds that keep instances of a model which only services call that scale to zero."""
    for bound in policy.scaling.bounds:
        calling = [each for each in policy.services if bound.model in {stage.model for stage in each.stages}]
        if bound.minimum and calling and all(each.scale_to_zero for each in calling):
            names = ", ".join(f"`{each.name}`" for each in calling)
            message = f"{bound.minimum} instance(s) of {bound.model} always stand, and only {names} would use them"
            hint = f"make `min` 0, or take `scaleToZero` out of {names}"
            yield error("GW0456", bound.place, message, hint)
