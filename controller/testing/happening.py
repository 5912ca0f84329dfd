"""What becomes of a scene when something happens, and what cannot happen in it."""

from dataclasses import replace
from datetime import datetime, timedelta

from collectors.evidence.records import ARTEFACT, Evidence
from controller.comparison import known_to
from controller.fleet import Fleet, Load
from controller.planning.options import placement_of
from controller.testing.documents import policy_of, with_text, without_document
from controller.testing.results import Trouble
from controller.testing.scene import Scene, changed, less
from controller.whatif import AssumedRate, rates
from policy.findings import Level, Place
from policy.resolved import WHOLE_PERMILLE, Policy
from policy.testing import (
    Added,
    DemandBecomes,
    Event,
    EvidenceEnds,
    LinkChanges,
    LinkLost,
    NodesLost,
    PriceChanges,
    Removed,
    SiteLost,
    TimePasses,
)
from policy.units import RATE

FIRST_YEAR, LAST_YEAR = 1970, 9_000
"""Beyond them there are instants that no calendar here can reckon with."""


def after(scene: Scene, event: Event) -> Scene | Trouble:
    """The scene once an event has happened; Trouble where it means nothing."""
    gone = _gone(scene, event)
    if gone:
        return Trouble(event.place, gone, "take the event out, or let it happen before what it speaks of is gone")
    if isinstance(event, EvidenceEnds):
        kept = tuple(item for item in scene.evidence if not _is_withdrawn(item, event, scene.policy))
        if kept == scene.evidence:
            return _nothing_held(event, scene)
        scene = replace(scene, evidence=kept)
    elif isinstance(event, TimePasses):
        if not is_reckonable(scene.now):
            return beyond_time(event.place)
        scene = replace(scene, now=scene.now + timedelta(seconds=event.seconds))
    elif isinstance(event, DemandBecomes):
        scene = replace(scene, rates=_asked(scene, event))
    elif isinstance(event, Added | Removed):
        return _with_documents(scene, event)
    else:
        fleet = _left(scene, event) if isinstance(event, NodesLost) else scene.fleet
        scene = replace(scene, policy=changed(scene.policy, event), fleet=fleet)
    return replace(scene, happened=(*scene.happened, event))


def is_reckonable(now: datetime) -> bool:
    """Whether turns and events can go on from an instant."""
    return FIRST_YEAR <= now.year < LAST_YEAR


def beyond_time(place: Place) -> Trouble:
    """What is told of an instant from which they cannot."""
    message = f"the test leaves the years from {FIRST_YEAR} to {LAST_YEAR}"
    return Trouble(place, message, "begin at another instant, or let less time pass")


def _gone(scene: Scene, event: Event) -> str:
    """Why an event changes nothing, in words: what it speaks of went with an earlier one."""
    policy = scene.policy
    pools = {pool.name for pool in policy.pools if pool.nodes}
    if isinstance(event, SiteLost) and not any(pool.site == event.site for pool in policy.pools):
        return f"no pool stands at {event.site}, so nothing is lost with it"
    if isinstance(event, NodesLost | PriceChanges) and event.pool not in pools:
        return f"there is no node of {event.pool} any more"
    if isinstance(event, LinkLost | LinkChanges) and policy.link(event.a, event.b) is None:
        return f"no link joins {event.a} and {event.b} any more"
    if isinstance(event, DemandBecomes) and not any(_is_meant(event, rate) for rate in rates(policy, ())):
        return f"nobody asks for {event.service or 'anything'} from {event.origin or 'anywhere'} any more"
    return ""


def _is_meant(event: DemandBecomes, rate: AssumedRate) -> bool:
    return event.service in {"", rate.service} and event.origin in {"", rate.origin}


def _left(scene: Scene, event: NodesLost) -> Fleet:
    """What stands without that on the nodes that are gone."""
    pool = scene.policy.pool(event.pool)
    gone = frozenset(pool.node_names()[max(0, pool.nodes - event.nodes) :])
    loads: list[Load] = []
    for load in scene.fleet.loads:
        lost = sum(
            item.count
            for item in (scene.state.plan.instances if scene.state else ())
            if item.node in gone and placement_of(item.option) == str(load.placement)
        )
        loads += [replace(load, instances=load.instances - lost)] if load.instances > lost else []
    return replace(scene.fleet, loads=tuple(loads))


def _asked(scene: Scene, event: DemandBecomes) -> tuple[AssumedRate, ...]:
    def asked(rate: AssumedRate) -> AssumedRate:
        if not _is_meant(event, rate):
            return rate
        if event.factor_permille is not None:
            return replace(rate, milli_rps=min(RATE.most, rate.milli_rps * event.factor_permille // 1000))
        origins = scene.policy.service(rate.service).origins
        share = next(origin.share_permille for origin in origins if origin.site == rate.origin)
        whole = WHOLE_PERMILLE if event.origin else share
        return replace(rate, milli_rps=event.milli_rps * whole // WHOLE_PERMILLE)

    return tuple(asked(rate) for rate in rates(scene.policy, scene.rates))


def _is_withdrawn(item: Evidence, event: EvidenceEnds, policy: Policy) -> bool:
    """Of a site, also what its pools hold, of a pool, what its nodes do, and of a model, what its artefacts do."""
    subjects = {(event.subject_kind, event.subject)}
    for pool in policy.pools:
        if (event.subject_kind, event.subject) in (("site", pool.site), ("pool", pool.name)):
            subjects |= {("pool", pool.name), *(("node", name) for name in pool.node_subjects())}
    for model in policy.models:
        if (event.subject_kind, event.subject) == ("model", model.name):
            subjects |= {(ARTEFACT, variant.digest) for variant in model.variants}
    return (item.subject_kind, item.subject) in subjects and event.standard in {"", item.standard}


def _nothing_held(event: EvidenceEnds, scene: Scene) -> Trouble:
    held = sorted(
        {item.standard for item in scene.evidence if _is_withdrawn(item, replace(event, standard=""), scene.policy)}
    )
    what = f"no evidence of {event.standard}" if event.standard else "no evidence"
    hint = (
        f"it holds {', '.join(held)}" if held else "it holds nothing at the test's instant; see its evidence and `at`"
    )
    return Trouble(event.place, f"{event.subject_kind} {event.subject} has {what} that could end", hint)


def _with_documents(scene: Scene, event: Added | Removed) -> Scene | Trouble:
    texts = (
        with_text(scene.texts, _name(event.place), event.text)
        if isinstance(event, Added)
        else without_document(scene.texts, event.kind, event.name)
    )
    read = policy_of(texts)
    if read.policy is None:
        first = next(finding for finding in read.findings if finding.level is Level.ERROR)
        return Trouble(event.place, f"the policy would have errors: {first.place}: {first.message}", first.hint)
    policy = less(read.policy, scene.without)
    for before in scene.happened:
        policy = changed(policy, before)
    fleet = known_to(policy, scene.fleet)
    evidence = tuple(item for item in scene.evidence if _is_believed(item, policy))
    return replace(scene, policy=policy, texts=texts, fleet=fleet, evidence=evidence, happened=(*scene.happened, event))


def _is_believed(item: Evidence, policy: Policy) -> bool:
    """Whether a policy has its issuer; where it has none at all, only what nobody signed counts."""
    return item.issuer in {issuer.iss for issuer in policy.issuers} if policy.issuers else not item.digest


def _name(place: Place) -> str:
    return f"{place.file} (added in line {place.line})"
