"""What commands read: the policy documents and the evidence beside them."""

from datetime import UTC, datetime
from pathlib import Path

from collectors.evidence.files import read_documents, read_evidence
from collectors.evidence.records import Evidence
from controller.cli.errors import BrokenPolicyError, CliError
from controller.documents import Documents
from policy.findings import Finding
from policy.resolved import Policy
from policy.source import EVIDENCE, load


def read_all(folder: Path, environment: str = "") -> tuple[Policy | None, tuple[Evidence, ...], tuple[Finding, ...]]:
    """The policy of `folder` in an environment (None when it has errors), the evidence, and every finding.

    Raises CliError when there is no such folder.
    """
    loaded = load(asserted_folder(folder), environment)
    evidence, findings = evidence_beside(folder, loaded.policy, datetime.now(UTC))
    return loaded.policy, evidence, (*loaded.findings, *findings)


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


def read(folder: Path, environment: str = "", *, as_json: bool = False) -> Documents:
    """The documents of `folder`. Raises CliError, and BrokenPolicyError when the policy has errors."""
    policy, evidence, findings = read_all(folder, environment)
    if policy is None:
        raise BrokenPolicyError(folder, findings, as_json=as_json)
    return Documents(policy, evidence, findings)
