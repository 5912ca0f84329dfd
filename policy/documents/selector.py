"""Which services a clause or a pool means."""

from pydantic import Field

from policy.documents.base import Line, Name, Spec, Word


class DataSelectorSpec(Spec):
    """Data of one of these classes, or about one of these subjects."""

    classes: list[Word] = Field(default_factory=list)
    subjects: list[Word] = Field(default_factory=list)


class ServicesSpec(Spec):
    """Services that fit in all of what is given; every one when nothing is."""

    data: DataSelectorSpec = DataSelectorSpec()
    teams: list[Name] = Field(default_factory=list)
    services: list[Name] = Field(default_factory=list)
    labels: dict[Line, Line] = Field(default_factory=dict)
