"""What is wrong with tests: names that lead nowhere, and what can never be judged."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from policy.catalogue import error, warning
from policy.checks.contradictions import priced_elsewhere
from policy.checks.references import Reference, Unread
from policy.documents import KINDS, TEST
from policy.documents.link import LinkSpec
from policy.documents.service import ServiceSpec
from policy.findings import Finding, Level
from policy.parse import Path, parse
from policy.testing import (
    Added,
    Allowed,
    Barred,
    DemandBecomes,
    Event,
    Expectation,
    LinkChanges,
    LinkLost,
    NeverOn,
    PolicyTest,
    Removed,
    Replicas,
    RunsOnly,
    Served,
    TailBelow,
    Unchanged,
)
from policy.validate import Valid, validate
from policy.words import shown, suggestion

_LEADS_TO: Final[Mapping[str, str]] = MappingProxyType(
    {
        "service": "Service",
        "unchanged": "Service",
        "runsNowhere": "Service",
        "origin": "Site",
        "site": "Site",
        "siteLost": "Site",
        "sites": "Site",
        "between": "Site",
        "linkLost": "Site",
        "pool": "Pool",
        "pools": "Pool",
        "model": "Model",
        "by": "ComplianceProfile",
    }
)
"""The kind that the names in a field of a step are of."""


def named_by(valid: Valid, test: PolicyTest) -> Iterator[Reference]:
    """What a test refers to, but for what it adds itself."""
    data = valid.source.data
    if isinstance(data, dict):
        own = {pair for event in _events(test) if isinstance(event, Added) for pair in named_in(event)}
        named = [*_names(valid, data["spec"], ()), *_removed(valid, test)]
        yield from (each for each in named if (each.kind, each.name) not in own)


def _names(valid: Valid, data: Any, path: Path) -> Iterator[Reference]:
    if isinstance(data, list):
        for index, each in enumerate(data):
            yield from _names(valid, each, (*path, index))
    if isinstance(data, dict):
        for key, value in data.items():
            kind, below = _LEADS_TO.get(key), (*path, key)
            if kind is None:
                yield from _names(valid, value, below)
            elif isinstance(value, str):
                yield Reference(kind, value, valid.place(*below))
            elif isinstance(value, list):
                yield from (Reference(kind, name, valid.place(*below, i)) for i, name in enumerate(value))


def _removed(valid: Valid, test: PolicyTest) -> Iterator[Reference]:
    for at, step in enumerate(test.steps):
        for index, event in enumerate(step.events):
            if isinstance(event, Removed) and event.kind in KINDS:
                yield Reference(event.kind, event.name, valid.place("steps", at, "when", index, "removed", "name"))


def named_in(added: Added) -> frozenset[tuple[str, str]]:
    """Kind and name of every document in a text that a test adds."""
    found = (validate(document)[0] for document in parse("", added.text).documents)
    return frozenset((valid.kind, valid.name) for valid in found if valid)


def beside_others(test: PolicyTest) -> Finding:
    """The test is in a file with documents that are in force."""
    message = "the test shares its file with documents in force, so each edit of it makes a new revision of the policy"
    return warning("GW0375", test.place, message, "move the test to a file of its own")


def unusable(test: PolicyTest) -> Iterator[Finding]:
    """What of a test can never be judged, whatever the policy."""
    if not any(step.expectations for step in test.steps):
        message = f"`{test.name}` expects nothing, so it can only pass"
        yield warning("GW0376", test.place, message, "add what has to hold under `expect`")
    for step in test.steps:
        for event in step.events:
            yield from _no_documents(event)
            yield from priced_elsewhere(event) if isinstance(event, LinkChanges) else ()
            if isinstance(event, Removed) and (event.kind not in KINDS or event.kind == TEST):
                hint = suggestion(event.kind, set(KINDS) - {TEST}, "leave the event out")
                yield error("GW0302", event.place, f"there is no kind {shown(event.kind)}", hint)
        for expectation in step.expectations:
            if isinstance(expectation, Unchanged) and not step.events:
                message = "nothing happens in this step, so nothing could change"
                yield error("GW0378", expectation.place, message, "let something happen under `when` first")
            if isinstance(expectation, Replicas) and expectation.minimum > expectation.maximum:
                message = f"at least {expectation.minimum} and at most {expectation.maximum} of {expectation.model}"
                yield error("GW0305", expectation.place, message, "make `min` no greater than `max`")


def _no_documents(event: Event) -> Iterator[Finding]:
    if not isinstance(event, Added):
        return
    parsed = parse("", event.text)
    wrong = [*parsed.findings]
    for document in parsed.documents:
        valid, findings = validate(document)
        wrong += findings
        if valid and valid.kind == TEST:
            yield error("GW0377", event.place, "a test adds a test, which changes no plan", "write it as a document")
    for finding in wrong:
        if finding.level is Level.ERROR:
            line = f"line {finding.place.line} of what is added: " if finding.place else ""
            yield error("GW0377", event.place, f"{line}{finding.message}", finding.hint)
    if not parsed.documents and not wrong:
        yield error("GW0377", event.place, "what is added holds no document", "write documents as in a file")


def unknown_parts(tests: Iterable[PolicyTest], documents: Sequence[Valid], unread: Unread) -> Iterator[Finding]:
    """Stages and origins that a service does not have, and links that nobody declares."""
    services = {valid.name: valid.spec for valid in documents if isinstance(valid.spec, ServiceSpec)}
    links = {frozenset(valid.spec.between) for valid in documents if isinstance(valid.spec, LinkSpec)}
    for test in tests:
        own = {pair for event in _events(test) if isinstance(event, Added) for pair in named_in(event)}
        for each in (each for step in test.steps for each in (*step.events, *step.expectations)):
            service = services.get(_service_of(each))
            if service is not None and ("Service", _service_of(each)) not in own:
                yield from _of_service(each, _service_of(each), service)
            may_be_there = unread or any(kind == "Link" for kind, _ in own)
            if isinstance(each, LinkLost | LinkChanges) and not may_be_there and {each.a, each.b} not in links:
                hint = suggestion("", (" - ".join(sorted(link)) for link in links), "add a Link")
                yield error("GW0302", each.place, f"no Link joins {shown(each.a)} and {shown(each.b)}", hint)


def _of_service(each: Event | Expectation, name: str, service: ServiceSpec) -> Iterator[Finding]:
    stages, origins = [stage.name for stage in service.stages], [origin.site for origin in service.origins]
    if isinstance(each, RunsOnly | NeverOn | Allowed | Barred) and each.where.stage not in {"", *stages}:
        hint = suggestion(each.where.stage, stages, "leave `stage` out")
        yield error("GW0302", each.place, f"{name} has no stage {shown(each.where.stage)}", hint)
    if isinstance(each, DemandBecomes | Served | TailBelow) and each.origin not in {"", *origins}:
        hint = suggestion(each.origin, origins, "leave `origin` out")
        yield error("GW0302", each.place, f"{name} has no origin {shown(each.origin)}", hint)


def _service_of(each: Event | Expectation) -> str:
    if isinstance(each, RunsOnly | NeverOn | Allowed | Barred):
        return each.where.service
    return each.service if isinstance(each, DemandBecomes | Served | TailBelow) else ""


def _events(test: PolicyTest) -> Iterator[Event]:
    return (event for step in test.steps for event in step.events)
