"""Every finding of routes as objects of the Gateway API, in the one place that words it."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from controller.cluster.names import ROUTES
from policy.findings import Finding, Level

TITLES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "GW2160": "a Gateway refuses a route",
        "GW2161": "a plan's routes cannot be said by the Gateway API",
        "GW2162": "a stage is not called by gRPC",
        "GW2163": "a Gateway neither counts nor keeps the requests of a service that sleeps",
        "GW2164": "a Gateway does not tell in time that it follows a route",
        "GW2165": "the cluster has no Gateway API",
        "GW2166": "a Gateway packs no inputs",
    }
)


def refused(subject: str, against: Iterable[str]) -> Finding:
    """In the Gateway's words."""
    message = f"its Gateway does not take it: {'; '.join(against)}"
    hint = (
        f"mend what it names: the listener has to allow routes of {ROUTES}, and the Gateway has to know what is asked"
    )
    return Finding("GW2160", Level.ERROR, message, hint, subject=subject)


def unsayable(subject: str, why: str, hint: str) -> Finding:
    """Nothing is written then: what a route cannot say it must not say almost."""
    return Finding("GW2161", Level.ERROR, why, hint, subject=subject)


def without_grpc(subject: str, why: str) -> Finding:
    """It is called by HTTP as before."""
    hint = (
        "nothing where it is called by HTTP; else keep to one variant, for a gateway cannot name another in a message"
    )
    return Finding("GW2162", Level.INFO, f"it is not called by gRPC: {why}", hint, subject=subject)


def not_woken(subject: str) -> Finding:
    """Envoy by files counts what comes and keeps it until there is a route."""
    message = (
        "its origin has a Gateway of the cluster, which keeps no requests and tells nobody of them: it wakes nobody"
    )
    hint = "take scaleToZero off it, or name an Envoy of your own under `gateways` for its origin"
    return Finding("GW2163", Level.WARNING, message, hint, subject=subject)


def not_followed(subject: str, waited_s: float, why: str) -> Finding:
    """Without that, nobody knows where requests go."""
    hint = "see whether the Gateway is there, has a controller and allows the route; the next turn looks again"
    return Finding("GW2164", Level.ERROR, f"not followed after {waited_s:g} s: {why}", hint, subject=subject)


def not_installed(told: str) -> Finding:
    """Its definitions come with most gateways, or by themselves."""
    hint = "install its definitions (the standard channel, 1.3 or later) with a gateway that follows them"
    return Finding("GW2165", Level.ERROR, f"the cluster has no Gateway API: {told}", hint, subject="routes")


def not_packed(subject: str, stages: Iterable[str]) -> Finding:
    """It is as slow as what it weighs."""
    message = f"inputs of {', '.join(stages)} are planned as gzip and go as they are: a Gateway does not pack them"
    hint = "have callers pack them, name an Envoy of your own for the origin, or take gzip out of the encodings"
    return Finding("GW2166", Level.WARNING, message, hint, subject=subject)
