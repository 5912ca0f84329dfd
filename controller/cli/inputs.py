"""What commands read: the policy documents and the evidence beside them."""

from datetime import UTC, datetime
from pathlib import Path

from collectors.evidence.files import read_documents, read_evidence
from collectors.evidence.records import Evidence
from controller.cli.errors import BrokenPolicyError, CliError
from controller.cli.sources import Source
from controller.documents import Documents
from policy.findings import Finding
from policy.resolved import Policy
from policy.source import EVIDENCE, Loaded


def read_all(source: Source, environment: str = "") -> tuple[Policy | None, tuple[Evidence, ...], tuple[Finding, ...]]:
    """The policy of `source` in an environment (None when it has errors), the evidence, and all findings, of tests too.

    Raises CliError when there is no such folder.
    """
    loaded, evidence, findings = _read(source, environment)
    return loaded.policy, evidence, (*loaded.findings, *loaded.of_tests, *findings)


def _read(source: Source, environment: str) -> tuple[Loaded, tuple[Evidence, ...], tuple[Finding, ...]]:
    folder = asserted_folder(source.folder)
    loaded = source.within(environment).load()
    return loaded, *evidence_beside(folder, loaded.policy, datetime.now(UTC))


def evidence_beside(
    folder: Path, policy: Policy | None, now: datetime
) -> tuple[tuple[Evidence, ...], tuple[Finding, ...]]:
    """The evidence beside a policy, and what is wrong with it.

    Statements can be judged by a policy without errors alone, so they wait until it has none.
    """
    if policy is None:
        return (), read_documents(folder / EVIDENCE)[1]
    return read_evidence(folder / EVIDENCE, policy.issuers, now)


def asserted_folder(folder: Path) -> Path:
    """The folder. Raises CliError when there is none."""
    if not folder.is_dir():
        hint = "give the folder of the policy documents, such as examples/embedded"
        raise CliError(f"{folder} is not a folder", hint)
    return folder


def read(source: Source, environment: str = "", *, as_json: bool = False) -> Documents:
    """The documents of `source`. Raises CliError, and BrokenPolicyError when the policy has errors."""
    loaded, evidence, of_evidence = _read(source, environment)
    findings = (*loaded.findings, *of_evidence)
    if loaded.policy is None:
        raise BrokenPolicyError(str(source), findings, as_json=as_json)
    return Documents(loaded.policy, evidence, findings)
