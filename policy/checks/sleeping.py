"""Services that scale to zero, and what keeps them from it; judged when every document could be read."""

from collections.abc import Iterator

from policy.catalogue import error
from policy.findings import Finding
from policy.resolved import Policy, ScaleToZero, Service, Stage
from policy.waking import SECOND_US, time_to_load_us


def sleepless(policy: Policy) -> Iterator[Finding]:
    """Errors: a wake-up that nothing is loaded in, and bounds and rates that something stands for all the time."""
    for service in policy.services:
        if service.scale_to_zero:
            yield from _too_late(policy, service, service.scale_to_zero)
            yield from _kept_ready(service)
    yield from _kept_standing(policy)


def _too_late(policy: Policy, service: Service, clause: ScaleToZero) -> Iterator[Finding]:
    """The stage that takes longest to load where it loads fastest, if that is too long."""
    loads_us = {stage.name: least for stage in service.stages if (least := _fastest_us(policy, stage)) is not None}
    if not loads_us:
        return  # that nothing may serve it is told elsewhere
    slowest = max(loads_us, key=lambda name: loads_us[name])
    left_us = time_to_load_us(clause, policy.scaling)
    if loads_us[slowest] > left_us:
        before_us = clause.wake_up_us - left_us
        message = (
            f"`{service.name}` promises to wake up within {_seconds(clause.wake_up_us)}: {_seconds(before_us)} pass "
            f"besides loading, and stage `{slowest}` loads for {_seconds(loads_us[slowest])} where it is fastest"
        )
        hint = (
            f"make `wakeUp` at least {_seconds(before_us + loads_us[slowest])}, or `interval` of the ScalingPolicy "
            "shorter, or take `scaleToZero` out"
        )
        yield error("GW0455", clause.place, message, hint)


def _fastest_us(policy: Policy, stage: Stage) -> int | None:
    used = {pool.device for pool in policy.pools}
    profiles = (each for device in policy.devices if device.device in used for each in device.variants)
    return min((each.load_us for each in profiles if each.model == stage.model), default=None)


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


def _seconds(time_us: int) -> str:
    return f"{time_us / SECOND_US:.10g} s"
