"""Encodings that are never used, whatever is planned. Judged once all can be read."""

from collections.abc import Iterator

from policy.catalogue import warning
from policy.data_flow import handled, removals
from policy.findings import Finding
from policy.resolved import Encoding, Fidelity, Policy, Service, Stage


def idle_encodings(policy: Policy) -> Iterator[Finding]:
    """A warning for each encoding of a stage that inputs are never sent in."""
    for service in policy.services:
        for stage in service.stages:
            for encoding in stage.encodings:
                yield from _idle(policy, service, stage, encoding)
                yield from _barred(policy, service, stage, encoding)


def _idle(policy: Policy, service: Service, stage: Stage, encoding: Encoding) -> Iterator[Finding]:
    """It makes nothing smaller, or no Link admits it."""
    sites = [origin.site for origin in service.origins]
    ways = [link for link in policy.links if link.a in sites or link.b in sites]
    if encoding.payload_bytes >= stage.payload_bytes:
        message = f"`{encoding.format}` leaves {encoding.payload_bytes} of the {stage.payload_bytes} bytes of an input"
        hint = "give the stage its `input` and the encoding its `size`, or take the encoding out"
        yield warning("GW0451", encoding.place, message, hint)
    elif not any(link.admits(encoding) for link in ways):
        kind = "precision" if encoding.fidelity is Fidelity.LOWERED else "compression"
        origins = ", ".join(f"`{site}`" for site in sites)
        message = f"no Link from {origins} admits `{encoding.format}`, so no input of `{stage.name}` is sent in it"
        hint = f"add `admits: {{{kind}: [{encoding.format}]}}` to a Link, or take the encoding out"
        yield warning("GW0450", encoding.place, message, hint)


def _barred(policy: Policy, service: Service, stage: Stage, encoding: Encoding) -> Iterator[Finding]:
    """A clause bars it wherever the stage runs, or it takes longer than a response may."""
    why = _against(policy, service, stage, encoding)
    if why:
        message = f"no input of `{stage.name}` is sent as `{encoding.format}`: {why}"
        yield warning("GW0474", encoding.place, message, "loosen the clause, or take the encoding out")


def _against(policy: Policy, service: Service, stage: Stage, encoding: Encoding) -> str:
    """The first reason that holds for every path; empty where there is none."""
    known_ppm = [each.accuracy_ppm for model in policy.models if model.name == stage.model for each in model.variants]
    floor_ppm = service.accuracy.floor_ppm if service.accuracy else 0
    if known_ppm and encoding.loses_ppm and max(known_ppm) - encoding.loses_ppm < floor_ppm:
        return f"it leaves no variant of `{stage.model}` as much accuracy as the floor asks for"
    best = max(each.fidelity.strength for each in stage.encodings)  # where one is left, the others may be for elsewhere
    least = handled(service, removals(service))
    for profile in policy.compliance:
        asked = profile.payloads
        if asked and best < asked.fidelity.strength and stage in profile.covered(service, least):
            return f"`{profile.name}` asks for payloads that are {asked.fidelity}"
    below_us = [each.below_us for each in service.latency if not each.stage]
    if all(service.end_to_end_from(each.site) for each in service.origins) and encoding.time_us >= max(
        below_us, default=0
    ):
        return f"it takes longer to encode and decode than `{service.name}` may take in all"
    return ""
