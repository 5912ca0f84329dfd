"""Objectives of the first response, where nothing tells when that leaves; judged when every document could be read."""

from collections.abc import Iterator

from policy.catalogue import warning
from policy.findings import Finding
from policy.resolved import LatencyObjective, Policy, Service, Stage


def without_first_response(policy: Policy) -> Iterator[Finding]:
    """A warning for each objective, and stage that it goes by, with a profile that tells only of whole responses."""
    used = {pool.device for pool in policy.pools}
    for service in policy.services:
        for objective in service.latency:
            for stage in _meant(service, objective) if objective.of_first else ():
                lacking = [
                    f"`{profile.model}/{profile.variant}` on `{device.device}`"
                    for device in policy.devices
                    for profile in device.variants
                    if device.device in used and profile.model == stage.model and not profile.first_us
                ]
                if lacking:
                    message = (
                        f"`{service.name}` promises its first response, and the profile of {lacking[0]} has no "
                        f"`firstResponse`: of stage `{stage.name}` the whole response is waited for there"
                    )
                    hint = "add `firstResponse` to the profile of a decoupled model, or take `of: first-response` out"
                    yield warning("GW0389", objective.place, message, hint)


def _meant(service: Service, objective: LatencyObjective) -> list[Stage]:
    """The stage that is named, else those that no other stage comes after."""
    if objective.stage:
        return [stage for stage in service.stages if stage.name == objective.stage]
    followed = {name for stage in service.stages for name in stage.after}
    return [stage for stage in service.stages if stage.name not in followed]
