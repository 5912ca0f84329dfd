"""Reading a policy in every environment that its variables know."""

from collections.abc import Iterable
from dataclasses import replace

from collectors.evidence.records import Evidence
from controller.cli.inputs import asserted_folder, read_all
from controller.cli.sources import Source
from policy.findings import Finding
from policy.source import in_order, load

NONE_CHOSEN = "GW0363"


def read_in_each(source: Source, environment: str) -> tuple[tuple[Evidence, ...], tuple[Finding, ...]]:
    """The evidence and every finding: in the environment that is given, else in each where variables differ.

    Findings that are not those of all environments say of which they are. Raises CliError when there is no such folder.
    """
    loaded = load(asserted_folder(source.folder), environment)
    if all(finding.id != NONE_CHOSEN for finding in loaded.findings):
        _, evidence, findings = read_all(source, environment)
        return evidence, findings
    read = {name: read_all(source, name) for name in loaded.environments}
    each_once = dict.fromkeys(item for _, items, _ in read.values() for item in items)
    return tuple(each_once), in_order(_merged({name: findings for name, (_, _, findings) in read.items()}))


def _merged(found: dict[str, tuple[Finding, ...]]) -> Iterable[Finding]:
    """Each finding once."""
    where: dict[Finding, dict[str, None]] = {}
    for name, findings in found.items():
        for finding in findings:
            where.setdefault(finding, {})[name] = None
    for finding, names in where.items():
        everywhere = len(names) == len(found)
        yield finding if everywhere else replace(finding, message=f"in {' and '.join(names)}: {finding.message}")
