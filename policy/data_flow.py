"""Which data the stages of a service handle: classes and subjects that flow along its stages."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from policy.resolved import Service, Stage


class Reads(StrEnum):
    """What a stage is sent: the request and all that stages before it put out, or the outputs of those in `after`."""

    EVERYTHING = "everything"
    OUTPUTS = "outputs"


@dataclass(frozen=True, slots=True, order=True)
class Datum:
    """A class of data, or whose data it is; `kind` is "class" or "subject"."""

    kind: str
    word: str

    def __str__(self) -> str:
        return f"{self.kind} `{self.word}`"


Data = frozenset[Datum]
NO_DATA: Final[Data] = frozenset()

Removed = tuple[str, Datum]
"""The name of a stage, and what its output does not carry on."""


def data(classes: Iterable[str], subjects: Iterable[str]) -> Data:
    """Classes and subjects as one set."""
    return frozenset((*(Datum("class", word) for word in classes), *(Datum("subject", word) for word in subjects)))


def removals(service: "Service") -> frozenset[Removed]:
    """All that its stages are declared to remove, whoever vouches for it."""
    return frozenset((stage.name, each) for stage in service.stages if stage.removes for each in stage.removes.data)


def handled(service: "Service", removed: Collection[Removed] = ()) -> dict[str, Data]:
    """By stage, what it reads and what it adds.

    An output carries on all that its stage reads, less what is among `removed`, and what it adds. Without any removal
    this is the most that a stage may handle.
    """
    names = [stage.name for stage in service.stages]
    handles, put_out, behind = (dict.fromkeys(names, NO_DATA) for _ in range(3))
    before: tuple[dict[str, Data], ...] = ()
    while before != (handles, behind):
        before = dict(handles), dict(behind)
        for stage in service.stages:
            read = _read(service, stage, put_out, behind)
            handles[stage.name] = stage.adds | read
            put_out[stage.name] = stage.adds.union(each for each in read if (stage.name, each) not in removed)
            behind[stage.name] = put_out[stage.name].union(*(behind.get(name, NO_DATA) for name in stage.after))
    return handles


def _read(service: "Service", stage: "Stage", put_out: dict[str, Data], behind: dict[str, Data]) -> Data:
    """What a stage reads; `behind` is what it and all stages before it put out."""
    if stage.reads is Reads.OUTPUTS:
        return NO_DATA.union(*(put_out.get(name, NO_DATA) for name in stage.after))
    return service.requested.union(*(behind.get(name, NO_DATA) for name in stage.after))
