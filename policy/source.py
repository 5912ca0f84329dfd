"""Where policy comes from: a folder of YAML files, or the texts that a journal kept."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from policy.catalogue import error
from policy.checks import check
from policy.checks.references import Unread
from policy.findings import Finding, Level, Place
from policy.folder import read_texts
from policy.parse import Document, parse
from policy.resolve import resolve
from policy.resolved import Policy
from policy.uncollected import uncollected
from policy.validate import validate

EVIDENCE: Final = "evidence"
"""The folder beside the policy that holds evidence; a collector reads it."""
MAX_FINDINGS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a source gave: the policy, None when anything in it is an error, and all findings, by place."""

    policy: Policy | None
    findings: tuple[Finding, ...] = ()


def load(folder: Path) -> Loaded:
    """The policy of every YAML file under a folder, its evidence aside. Never raises for what the folder holds."""
    texts, findings = read_texts(folder, skip=EVIDENCE)
    with uncollected():
        return _loaded(texts, findings)


def load_documents(texts: Iterable[tuple[str, str]]) -> Loaded:
    """The policy of (name, text) pairs, in any order. Never raises for what they hold."""
    with uncollected():
        return _loaded(tuple(texts), ())


def _loaded(texts: Sequence[tuple[str, str]], unreadable: Sequence[Finding]) -> Loaded:
    kept = tuple(sorted(texts))
    findings = list(unreadable)
    documents: list[Document] = []
    for name, text in kept:
        parsed = parse(name, text)
        findings += parsed.findings
        documents += parsed.documents
    torn = any(finding.level is Level.ERROR for finding in findings)
    if not documents and not torn:
        hint = "write documents of the kinds in docs/language.md into .yaml files there"
        findings.append(error("GW0108", Place(".", 1, 1), "there is no policy document", hint))
        return Loaded(None, tuple(findings))
    judged = [(document, *validate(document)) for document in documents]
    valid = [item for _, item, _ in judged if item is not None]
    findings += [finding for _, _, wrong in judged for finding in wrong]
    policy, clashes = resolve(valid, kept)
    unread = Unread(frozenset(_identity(document) for document, item, _ in judged if item is None), torn)
    findings += [*clashes, *check(policy, valid, unread)]
    broken = any(finding.level is Level.ERROR for finding in findings)
    return Loaded(None if broken else policy, in_order(findings))


def _identity(document: Document) -> tuple[str, str]:
    """Kind and name that a document states, however broken; empty where it states none."""
    data = document.data if isinstance(document.data, dict) else {}
    metadata = data.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    return str(data.get("kind")), str(name)


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Findings by place; errors first and no more than MAX_FINDINGS when there are too many to read."""
    ordered = sorted(findings, key=lambda item: (item.place or Place("", 0, 0), item.id, item.message))
    if len(ordered) <= MAX_FINDINGS:
        return tuple(ordered)
    errors_first = sorted(ordered, key=lambda item: item.level is not Level.ERROR)
    message = f"{len(ordered) - MAX_FINDINGS} more findings are not told"
    rest = error("GW0102", errors_first[MAX_FINDINGS].place or Place(".", 1, 1), message, "mend the ones before first")
    return (*errors_first[:MAX_FINDINGS], rest)
