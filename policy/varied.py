"""Files with the values of their variables: the documents that waited for them, read as all others are."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from policy.environments import in_force, unused
from policy.findings import Finding
from policy.read_file import ReadFile, identity, read_documents
from policy.variables import FIXED, Use, Value, filled, naming_uses


@dataclass(frozen=True, slots=True)
class Varied:
    """Files of which no document waits, the variables that they use, and what was found of these.

    `unused` are warnings that mean something only when every document could be read.
    """

    files: tuple[ReadFile, ...]
    environments: tuple[str, ...]
    findings: tuple[Finding, ...]
    unused: tuple[Finding, ...]
    used: tuple[Use, ...]
    values: Mapping[str, Value]

    def naming_uses(self, findings: Iterable[Finding]) -> list[Finding]:
        """The findings; those at a variable's value say where it is used."""
        return naming_uses(findings, (use for use in self.used if use.variable in self.values), self.values)


def with_values(files: Sequence[ReadFile], *, torn: bool) -> Varied:
    """The files in the environment that is in force. A document with a variable that has no value counts as broken.

    Where files are `torn`, or what declares values is broken, nothing is said of values that are missing.
    """
    used = tuple(use for file in files for _, uses in file.waiting for use in uses)
    items = [item for file in files for _, item in file.declared]
    found = in_force(items, used)
    whole = tuple(_whole(file, found.values) if file.waiting else file for file in files)
    torn = torn or any(kind in FIXED for file in files for kind, _ in file.broken)
    return Varied(whole, found.known, () if torn else found.findings, tuple(unused(items, used)), used, found.values)


def _whole(file: ReadFile, values: Mapping[str, Value]) -> ReadFile:
    for document, used in file.waiting:
        if any(use.variable not in values for use in used):
            file = replace(file, broken=(*file.broken, identity(document)))
            continue
        read = read_documents([filled(document, used, values)])
        file = replace(
            file,
            declared=(*file.declared, *read.declared),
            referred=(*file.referred, *read.referred),
            broken=(*file.broken, *read.broken),
            findings=(*file.findings, *naming_uses(read.findings, used, values)),
        )
    return replace(file, waiting=())
