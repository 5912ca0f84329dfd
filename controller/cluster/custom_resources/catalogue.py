"""Every finding of custom resources beside another source, in the one place that words it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from policy.findings import Finding, Level
from policy.overruling import Overruled

TITLES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "GW2190": "a document is overruled by that of another source",
        "GW2191": "a source is held at what was last good beside the other",
    }
)


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
