"""Where policy comes from: a folder of YAML files, or the texts that a journal kept."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from policy.bundles import BUNDLES, taken
from policy.catalogue import error
from policy.checks import check
from policy.checks.references import Unread, nowhere
from policy.checks.tests import beside_others, unknown_parts
from policy.environments import chosen
from policy.findings import Finding, Level, Place
from policy.folder import read_texts
from policy.openslo.keeping import keep
from policy.read_file import ReadFile, read_file
from policy.resolve import resolve, twice
from policy.resolved import Policy
from policy.testing import PolicyTest
from policy.uncollected import uncollected
from policy.validate import Valid
from policy.varied import with_values

EVIDENCE: Final = "evidence"
"""The folder beside the policy that holds evidence; a collector reads it."""
MAX_FINDINGS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a source gave: the policy, None when anything in it is an error, and all findings, by place.

    A policy beside errors is an earlier one, of a source that keeps its last good one and refused what came after.
    `environments` are those that variables have values for. `tests` are those whose documents are valid; they are no
    part of the policy, and `of_tests` is what is wrong with them and others.
    """

    policy: Policy | None
    findings: tuple[Finding, ...] = ()
    environments: tuple[str, ...] = ()
    tests: tuple[PolicyTest, ...] = ()
    of_tests: tuple[Finding, ...] = ()


def load(folder: Path, environment: str = "") -> Loaded:
    """The policy of every YAML file under a folder, its evidence aside, with variables as they are in an environment.

    Never raises for what the folder holds.
    """
    texts, findings = read_texts(folder, skip=EVIDENCE)
    return loaded([*texts, *chosen(environment)], findings, read_file)


def load_documents(texts: Iterable[tuple[str, str]]) -> Loaded:
    """The policy of (name, text) pairs, in any order. Never raises for what they hold."""
    return loaded(texts, (), read_file)


def loaded(
    texts: Iterable[tuple[str, str]], unreadable: Iterable[Finding], read: Callable[[str, str], ReadFile]
) -> Loaded:
    """The policy of (name, text) pairs, each read by `read`, and what kept others from being pairs."""
    with uncollected():
        in_force = taken(sorted(texts), read)
        return _put_together(in_force.texts, in_force.files, [*unreadable, *in_force.findings])


def _put_together(
    texts: tuple[tuple[str, str], ...], files: Sequence[ReadFile], unreadable: Iterable[Finding]
) -> Loaded:
    findings = [*unreadable, *(finding for file in files for finding in file.wrong)]
    torn = any(finding.level is Level.ERROR for finding in findings)
    if not torn and not any(file.documents for file in files):
        hint = "write documents of the kinds in docs/language.md into .yaml files there"
        findings.append(error("GW0108", Place(".", 1, 1), "there is no policy document", hint))
        return Loaded(None, tuple(findings))
    varied = with_values(files, torn=torn)
    declared = [pair for file in varied.files for pair in file.declared]
    documents = [valid for valid, _ in declared]
    policy, clashes = resolve(declared, _in_force(texts, files))
    unread = Unread(frozenset(identity for file in varied.files for identity in file.broken), torn)
    referred = (reference for file in varied.files for reference in file.referred)
    findings += [finding for file in varied.files for finding in file.findings]
    findings += [*varied.findings, *(() if unread else varied.unused)]
    policy, not_kept = keep(policy, [valid for file in varied.files for valid in file.openslo], unread)
    together = [*clashes, *not_kept, *check(policy, documents, referred, unread)]
    findings += varied.naming_uses(together)
    broken = bool(unread) or any(finding.level is Level.ERROR for finding in findings)
    tests, wrong = _tests(documents, files, unread)
    return Loaded(None if broken else policy, in_order(findings), varied.environments, tests, in_order(wrong))


def _in_force(texts: Iterable[tuple[str, str]], files: Iterable[ReadFile]) -> tuple[tuple[str, str], ...]:
    """The texts that are kept with the policy: no file of tests alone, unless a bundle's digest counts it."""
    both = zip(texts, files, strict=True)
    return tuple(text for text, file in both if not file.is_tests_alone or text[0].startswith(f"{BUNDLES}/"))


def _tests(
    documents: Sequence[Valid], files: Sequence[ReadFile], unread: Unread
) -> tuple[tuple[PolicyTest, ...], list[Finding]]:
    """The tests by name, none of a broken document, and what is wrong with them: nothing of it touches the policy.

    What tests name is not judged while some of the policy cannot be read.
    """
    declared = [pair for file in files for pair in file.tests.declared]
    referred = [reference for file in files for reference in file.tests.referred]
    findings = [finding for file in files for finding in file.tests.findings]
    findings += [*twice([valid for valid, _ in declared]), *nowhere(documents, () if unread else referred, unread)]
    tests = sorted((test for _, test in declared), key=lambda test: test.name)
    findings += [*unknown_parts(tests, documents, unread)]
    findings += [beside_others(test) for file in files if file.documents for _, test in file.tests.declared]
    return tuple(tests), findings


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Findings by place; errors first and no more than MAX_FINDINGS when there are too many to read."""
    ordered = sorted(findings, key=lambda item: (item.place or Place("", 0, 0), item.id, item.message))
    if len(ordered) <= MAX_FINDINGS:
        return tuple(ordered)
    errors_first = sorted(ordered, key=lambda item: item.level is not Level.ERROR)
    message = f"{len(ordered) - MAX_FINDINGS} more findings are not told"
    first = errors_first[MAX_FINDINGS]
    rest = replace(
        error("GW0102", first.place or Place(".", 1, 1), message, "mend the ones before first"), level=first.level
    )
    return (*errors_first[:MAX_FINDINGS], rest)
