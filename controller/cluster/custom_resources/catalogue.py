"""Every finding of policy as custom resources, in the one place that words it."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from policy.findings import Finding, Level, Place
from policy.schema.crd import GROUP, plural

TITLES: Final[Mapping[str, str]] = MappingProxyType(
    {"GW2202": "a resource was given fields that the cluster does not keep any more"}
)


def not_kept(file: str, fields: Sequence[str]) -> Finding:
    """An error, for what people wrote is no longer what is read: what was dropped may have been a bound.

    Kubernetes' note of who wrote a field outlives the field, also when the resource is written anew.
    """
    kind, _, name = file.removesuffix(".yaml").partition("/")
    message = f"{', '.join(fields)} was written, and the cluster's definition of today knows no such field"
    hint = (
        "say it as docs/language.md has it now, then have Kubernetes forget who wrote what: kubectl patch "
        f'{plural(kind)}.{GROUP} {name} --type merge --patch \'{{"metadata": {{"managedFields": [{{}}]}}}}\''
    )
    return Finding("GW2202", Level.ERROR, message, hint, Place(file, 1, 1))
