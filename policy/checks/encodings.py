"""Encodings that are never used: no Link admits them, or they make nothing smaller. Judged once all can be read."""

from collections.abc import Iterator

from policy.catalogue import warning
from policy.findings import Finding
from policy.resolved import Encoding, Fidelity, Policy, Service, Stage


def idle_encodings(policy: Policy) -> Iterator[Finding]:
    """A warning for each encoding of a stage that inputs are never sent in."""
    for service in policy.services:
        for stage in service.stages:
            for encoding in stage.encodings:
                yield from _idle(policy, service, stage, encoding)


def _idle(policy: Policy, service: Service, stage: Stage, encoding: Encoding) -> Iterator[Finding]:
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
