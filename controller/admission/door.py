"""The door of the pools: what servers are admitted by while a controller runs, and when none does.

Two policies, which an installation has, judge each pod of a pool's namespace by one ConfigMap, which the controller
keeps. It names the nodes on which a plan has servers; all others, and all nodes while there is no ConfigMap, are a no.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from collectors.evidence.records import Evidence
from controller.admission.judging import judged, question
from controller.admission.lasting import VALID_UNTIL, first_turn_s, valid_until
from controller.admission.policy import ALLOWED, WAYS, Manifest, binding, policy
from controller.admission.servers import Answers, Uses, admitted
from controller.cluster.names import MANAGED_BY, MANAGER, POOL, SYSTEM
from policy.resolved import Policy, Pool

NAME: Final = "gridwright-servers"
UNUSED: Final = "no plan has a server on it"
MOST_TOLD_BYTES: Final = 256 * 1024
"""Of reasons: an object takes so much and no more, and one that was too large would leave in force what it replaces."""
_OF_POOLS: Final = {"matchExpressions": [{"key": POOL, "operator": "Exists"}]}


@dataclass(frozen=True, slots=True)
class Judged:
    """The answers on compliance for a policy, and until when they stay the same: in words, and in Unix time or None."""

    revision: str
    pools: tuple[Pool, ...]
    evidence: tuple[Evidence, ...]
    answers: Answers
    until: str
    until_s: int | None


def policies() -> Iterator[Manifest]:
    """The two policies and their bindings, which are the same whatever is planned."""
    for way in WAYS:
        name = f"{NAME}-{way.name}"
        yield policy(name, way, f"namespaceObject.metadata.labels['{POOL}'] + '_' + {way.node}", UNUSED)
        yield binding(name, name, NAME, _OF_POOLS)


def rejudged(before: Judged | None, by: Policy, evidence: tuple[Evidence, ...], now: datetime) -> Judged:
    """The answers of now: those of before where neither the policy nor its evidence nor time has changed them."""
    now_s = int(now.timestamp())
    known = (before.revision, before.pools, before.evidence) if before else ()
    if before and known == (by.revision, by.pools, evidence) and (before.until_s is None or now_s < before.until_s):
        return before
    problem = question(by, evidence, now_s)
    return Judged(by.revision, by.pools, evidence, judged(problem), valid_until(problem), first_turn_s(problem))


def parameter(judged: Judged, pools: Collection[str], uses: Iterable[Uses]) -> Manifest:
    """The ConfigMap that admits servers where one of some uses has them and what is served there is allowed.

    `pools` are those that have their servers in the cluster.
    """
    here = [pool for pool in judged.pools if pool.name in pools]
    answers = [
        (key(pool, node), objection)
        for used in uses
        for (pool, node), objection in admitted(judged.answers, here, used).items()
    ]
    allowed = {node: ALLOWED for node, objection in answers if objection is None}
    reasons = {node: str(objection) for node, objection in answers if objection is not None and node not in allowed}
    data = allowed | dict(_told(reasons))
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": NAME,
            "namespace": SYSTEM,
            "labels": {MANAGED_BY: MANAGER},
            "annotations": {VALID_UNTIL: judged.until},
        },
        "data": dict(sorted(data.items())),
    }


def _told(reasons: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """As many of them as there is room for: a node without one is refused all the same."""
    left = MOST_TOLD_BYTES
    for node, reason in sorted(reasons.items()):
        left -= len(reason.encode())
        if left < 0:
            return
        yield node, reason


def key(pool: str, node: str) -> str:
    """What a node of a pool has in the ConfigMap; neither name has an underscore."""
    return f"{pool}_{node}"
