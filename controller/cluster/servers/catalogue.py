"""Every finding of servers as objects of a cluster, in the one place that words it."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from policy.findings import Finding, Level
from policy.resolved import Pool

TITLES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "GW2130": "no resource of Kubernetes is named for a pool's device",
        "GW2131": "somebody else has set fields that a server needs otherwise",
        "GW2132": "another scaler has a server as its target",
        "GW2133": "a quota leaves a server no room",
        "GW2134": "a server may not be evicted now",
        "GW2135": "a server is not ready in time",
        "GW2136": "the API server refuses an object",
        "GW2137": "an object has a name that a server needs, and is not Gridwright's",
        "GW2138": "a server runs with settings of before",
        "GW2139": "this replica is not the leader any more",
        "GW2140": "somebody else has servers admitted",
        "GW2141": "nothing judges where servers stand",
    }
)


def unknown_device(pool: Pool) -> Finding:
    """Without it a server would come to a node and find no device."""
    message = f"no resource is named for the device {pool.device}, so no server is made for the pool"
    hint = f"name it under `devices` of the servers' settings, such as {pool.device}: nvidia.com/gpu, or null for a CPU"
    return Finding("GW2130", Level.ERROR, message, hint, pool.place, f"pool {pool.name}")


def owned_by_others(subject: str, fields: Iterable[str]) -> Finding:
    """A conflict of server-side apply: the fields and their managers, in the API server's words."""
    message = f"not applied, for others have set what Gridwright sets: {'; '.join(sorted(fields))}"
    hint = "have them leave these fields alone; Gridwright never takes a field from its owner"
    return Finding("GW2131", Level.ERROR, message, hint, subject=subject)


def scaled_by_others(subject: str, scaler: str) -> Finding:
    """Two scalers of one workload undo each other."""
    message = f"{scaler} scales it, so Gridwright leaves it alone"
    hint = f"delete {scaler}, or take its pool out of the policy"
    return Finding("GW2132", Level.ERROR, message, hint, subject=subject)


def beyond_quota(subject: str, told: str) -> Finding:
    """The words are those of the API server, which name the quota."""
    hint = "raise the quota, or lower what servers ask for under `resources` of their settings"
    return Finding("GW2133", Level.WARNING, told, hint, subject=subject)


def kept_by_budget(subject: str, told: str) -> Finding:
    """No plan wants it, or its machine is gone; its pod stays until the budget allows to evict it."""
    hint = (
        "nothing: it goes as soon as the other servers of its pool are ready; they are named by GW2135 if they are late"
    )
    return Finding("GW2134", Level.INFO, f"it is to go and stays for now: {told}", hint, subject=subject)


def awaited(subject: str, waited_s: float, why: str) -> Finding:
    """What holds up a server that an action waits for, as its pod tells."""
    message = f"not ready after {waited_s:g} s of waiting: {why}"
    hint = "see `kubectl describe` of its pod; the next turn waits for it again"
    return Finding("GW2135", Level.WARNING, message, hint, subject=subject)


def late(subject: str, start_s: int, why: str) -> Finding:
    """What holds up a server that had its time to start, as its pod tells."""
    message = f"not ready, and made more than {start_s} s ago: {why}"
    hint = (
        "see `kubectl describe` of its pod; cordon its node to have plans avoid it, or raise startS if it is only slow"
    )
    return Finding("GW2135", Level.WARNING, message, hint, subject=subject)


def refused(subject: str, told: str) -> Finding:
    """In the API server's words."""
    hint = "the message names what forbids it: a permission, an admission policy or a field of the servers' settings"
    return Finding("GW2136", Level.ERROR, f"the API server refuses it: {told}", hint, subject=subject)


def not_ours(subject: str) -> Finding:
    """An object without our label is never written or deleted."""
    hint = "rename or delete it: Gridwright touches only what has app.kubernetes.io/managed-by=gridwright"
    return Finding("GW2137", Level.ERROR, "it is there and is not managed by Gridwright", hint, subject=subject)


def outdated(subject: str) -> Finding:
    """It would be restarted to have the new ones, with all that it serves."""
    hint = "delete its pod when that suits: it comes back with the settings of now"
    return Finding("GW2138", Level.INFO, "its pod was made by earlier settings and goes on", hint, subject=subject)


def deposed(subject: str, told: str) -> Finding:
    """A write or an action came after another replica had taken over, or may have."""
    hint = "nothing: the other replica goes on from what is there"
    return Finding("GW2139", Level.INFO, f"not done, for another replica may lead: {told}", hint, subject=subject)


def propped_open(subject: str, seats: Iterable[str]) -> Finding:
    """Whoever has added these is a field manager of its own, and nothing is taken from one."""
    message = f"somebody else has servers admitted that no plan has: {', '.join(sorted(seats))}"
    hint = "take these keys out, and see who may write in gridwright-system"
    return Finding("GW2140", Level.ERROR, message, hint, subject=subject)


def unjudged(subject: str, names: Iterable[str]) -> Finding:
    """What is written for the API server to judge by is judged by nobody."""
    message = f"pods of pools may stand anywhere, as the cluster has no {', '.join(names)}"
    hint = "install this release of Gridwright again: it has them"
    return Finding("GW2141", Level.ERROR, message, hint, subject=subject)
