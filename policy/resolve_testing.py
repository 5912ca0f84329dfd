"""A PolicyTest document as the rest of Gridwright reads it."""

from policy.documents.event import EventSpec
from policy.documents.expectation import ExpectationSpec, FindingSpec, WhereSpec
from policy.documents.policy_test import PolicyTestSpec
from policy.findings import Place
from policy.resolved import Egress, Encryption
from policy.testing import (
    Added,
    Allowed,
    Barred,
    CostBelow,
    DemandBecomes,
    Event,
    EvidenceEnds,
    Expectation,
    Feasible,
    Found,
    LinkChanges,
    LinkLost,
    NeverOn,
    NodesLost,
    PolicyTest,
    PriceChanges,
    Removed,
    Replicas,
    RunsNowhere,
    RunsOnly,
    Served,
    SiteLost,
    Step,
    TailBelow,
    TimePasses,
    Unchanged,
    Where,
)
from policy.validate import Valid


def policy_test(valid: Valid, spec: PolicyTestSpec) -> PolicyTest:
    """The test; each event and each expectation keeps its place."""
    steps = (
        Step(
            tuple(_event(event, valid.place("steps", at, "when", i)) for i, event in enumerate(step.when)),
            tuple(_expectation(each, valid.place("steps", at, "expect", i)) for i, each in enumerate(step.expect)),
            valid.place("steps", at),
        )
        for at, step in enumerate(spec.steps)
    )
    return PolicyTest(valid.name, spec.at, tuple(steps), valid.place())


def _event(spec: EventSpec, place: Place) -> Event:
    if spec.site_lost:
        return SiteLost(spec.site_lost, place)
    if spec.nodes_lost:
        return NodesLost(spec.nodes_lost.pool, spec.nodes_lost.nodes, place)
    if ends := spec.evidence_ends:
        named = (("site", ends.site), ("pool", ends.pool), ("model", ends.model))
        kind, subject = next((kind, name) for kind, name in named if name)
        return EvidenceEnds(kind, subject, ends.standard or "", place)
    if spec.time_passes:
        return TimePasses(spec.time_passes, place)
    return _of_use(spec, place) or _of_a_link(spec, place) or _of_documents(spec, place)


def _of_use(spec: EventSpec, place: Place) -> DemandBecomes | PriceChanges | None:
    if demand := spec.demand:
        return DemandBecomes(demand.service or "", demand.origin or "", demand.rate or 0, demand.factor, place)
    if spec.price_changes:
        return PriceChanges(spec.price_changes.pool, spec.price_changes.price, place)
    return None


def _of_documents(spec: EventSpec, place: Place) -> Added | Removed:
    if spec.removed:
        return Removed(spec.removed.kind, spec.removed.name, place)
    return Added(spec.added or "", place)


def _of_a_link(spec: EventSpec, place: Place) -> LinkLost | LinkChanges | None:
    if spec.link_lost:
        a, b = spec.link_lost
        return LinkLost(a, b, place)
    if link := spec.link_changes:
        a, b = link.between
        encryption = Encryption(link.encryption) if link.encryption else None
        egress = tuple(Egress(site, price, place) for site, price in link.egress.items())
        compressions = tuple(link.admits.compression) if link.admits else None
        precisions = tuple(link.admits.precision) if link.admits else None
        return LinkChanges(
            a, b, link.rtt, link.jitter, link.bandwidth, encryption, place, egress, compressions, precisions
        )
    return None


def _expectation(spec: ExpectationSpec, place: Place) -> Expectation:
    found = _of_places(spec, place) or _of_numbers(spec, place) or _of_findings(spec, place)
    return found or Unchanged(tuple(spec.unchanged or ()), place)


def _of_places(spec: ExpectationSpec, place: Place) -> Expectation | None:
    if spec.runs_only:
        return RunsOnly(_where(spec.runs_only), place)
    if spec.runs_nowhere:
        return RunsNowhere(spec.runs_nowhere, place)
    if spec.never_on:
        return NeverOn(_where(spec.never_on), place)
    if spec.allowed:
        return Allowed(_where(spec.allowed), place)
    if spec.barred:
        return Barred(_where(spec.barred), spec.barred.by or "", place)
    return None


def _where(spec: WhereSpec) -> Where:
    return Where(spec.service, spec.stage or "", tuple(spec.sites), tuple(spec.pools))


def _of_numbers(spec: ExpectationSpec, place: Place) -> Expectation | None:
    if served := spec.served:
        return Served(served.service, served.origin or "", served.at_least, place)
    if spec.p99:
        return TailBelow(spec.p99.service, spec.p99.origin or "", spec.p99.below, place)
    if spec.cost:
        return CostBelow(spec.cost.below, spec.cost.site or "", place)
    if replicas := spec.replicas:
        return Replicas(replicas.model, replicas.site or "", replicas.min, replicas.max, place)
    return None


def _of_findings(spec: ExpectationSpec, place: Place) -> Expectation | None:
    if spec.feasible is not None:
        return Feasible(spec.feasible, place)
    if spec.finding:
        return _found(spec.finding, place, wanted=True)
    if spec.no_finding:
        return _found(spec.no_finding, place, wanted=False)
    return None


def _found(spec: FindingSpec, place: Place, *, wanted: bool) -> Found:
    return Found(spec.id, spec.service or "", wanted, place)
