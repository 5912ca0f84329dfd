"""Every finding of policy as custom resources, in the one place that words it."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from policy.findings import Finding, Level, Place
from policy.overruling import Overruled
from policy.schema.crd import GROUP, plural

TITLES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "GW2190": "a document is overruled by that of another source",
        "GW2191": "a source is held at what was last good beside the other",
        "GW2202": "a resource was given fields that the cluster does not keep any more",
    }
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


def overruled(document: Overruled) -> Finding:
    """Both sources have it, and the other one counts."""
    kind, name = document.identity
    message = f"{kind} {name} does not count, as {document.by} has it too and wins"
    hint = "take one of both away; `customResources` of the connections says which source wins"
    return Finding("GW2190", Level.WARNING, message, hint, document.place, f"{kind} {name}")


def held_back(*, of_cluster: bool) -> Finding:
    """Both as they are now are no policy; what is in force is of one as it is, and of the other as it was."""
    which = "the custom resources stay" if of_cluster else "the files stay"
    message = f"{which} as they were when they were last good, and the other source is taken as it is"
    return Finding("GW2191", Level.WARNING, message, "correct the errors that are told beside this")
