"""What commands read: the policy documents and the evidence beside them."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from collectors.evidence.files import read_documents, read_evidence
from collectors.evidence.records import Evidence
from controller.cli.errors import BrokenPolicyError, CliError
from controller.cli.sources import Source
from controller.documents import Documents
from policy.checks.strangers import strangers
from policy.findings import Finding
from policy.resolved import Policy
from policy.source import EVIDENCE, Loaded, in_order

NONE_CHOSEN: Final = "GW0363"


def read_all(source: Source, environment: str = "") -> tuple[Policy | None, tuple[Evidence, ...], tuple[Finding, ...]]:
    """The policy of `source` in an environment (None when it has errors), the evidence, and all findings, of tests too.

    Raises CliError when there is no such folder.
    """
    return _all_of(source, _loaded(source, environment))


def read_in_each(source: Source, environment: str) -> tuple[tuple[Evidence, ...], tuple[Finding, ...]]:
    """The evidence and every finding: in the environment that is given, else in each where variables differ.

    Findings that are not those of all environments say of which they are. Raises CliError when there is no such folder.
    """
    loaded = _loaded(source, environment)
    if all(finding.id != NONE_CHOSEN for finding in loaded.findings):
        _, evidence, findings = _all_of(source, loaded)
        return evidence, findings
    read = {name: read_all(source, name) for name in loaded.environments}
    each_once = dict.fromkeys(item for _, items, _ in read.values() for item in items)
    return tuple(each_once), in_order(_merged({name: findings for name, (_, _, findings) in read.items()}))


def _merged(found: Mapping[str, tuple[Finding, ...]]) -> Iterator[Finding]:
    """The findings of all environments, each once."""
    where: dict[Finding, dict[str, None]] = {}
    for name, findings in found.items():
        for finding in findings:
            where.setdefault(finding, {})[name] = None
    for finding, names in where.items():
        everywhere = len(names) == len(found)
        yield finding if everywhere else replace(finding, message=f"in {' and '.join(names)}: {finding.message}")


def _loaded(source: Source, environment: str) -> Loaded:
    asserted_folder(source.folder)
    return source.within(environment).load()


def _all_of(source: Source, loaded: Loaded) -> tuple[Policy | None, tuple[Evidence, ...], tuple[Finding, ...]]:
    evidence, findings = evidence_beside(source.folder, loaded.policy, datetime.now(UTC))
    return loaded.policy, evidence, (*loaded.findings, *loaded.of_tests, *findings)


def evidence_beside(
    folder: Path, policy: Policy | None, now: datetime
) -> tuple[tuple[Evidence, ...], tuple[Finding, ...]]:
    """The evidence beside a policy, and what is wrong with it.

    Statements can be judged by a policy without errors alone, so they wait until it has none.
    """
    if policy is None:
        return (), read_documents(folder / EVIDENCE)[1]
    evidence, findings = read_evidence(folder / EVIDENCE, policy.issuers, now)
    return evidence, in_order((*findings, *strangers(evidence, policy)))


def asserted_folder(folder: Path) -> Path:
    """The folder. Raises CliError when there is none."""
    if not folder.is_dir():
        hint = "give the folder of the policy documents, such as examples/embedded"
        raise CliError(f"{folder} is not a folder", hint)
    return folder


def read(source: Source, environment: str = "", *, as_json: bool = False) -> Documents:
    """The documents of `source`. Raises CliError, and BrokenPolicyError when the policy has errors."""
    loaded = _loaded(source, environment)
    evidence, of_evidence = evidence_beside(source.folder, loaded.policy, datetime.now(UTC))
    findings = (*loaded.findings, *of_evidence)
    if loaded.policy is None:
        raise BrokenPolicyError(str(source), findings, as_json=as_json)
    return Documents(loaded.policy, evidence, findings)
