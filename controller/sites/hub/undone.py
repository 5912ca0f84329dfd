"""What sites were told and did not bring about in time, so that nobody waits for it again."""

from dataclasses import dataclass
from datetime import datetime

from controller.sites.report import Report


@dataclass(frozen=True, slots=True)
class _NotDone:
    generation: int
    given: datetime


class Undone:
    """Of each site, the newest generation that it had for as long as any other takes, and since when."""

    def __init__(self) -> None:
        self._of: dict[str, _NotDone] = {}

    def note(self, site: str, generation: int, given: datetime) -> None:
        """A site has not brought a generation about that it was given then."""
        self._of[site] = _NotDone(generation, given)

    def forget(self, site: str) -> None:
        """What a site is told from now on has its own time."""
        self._of.pop(site, None)

    def since(self, site: str, report: Report) -> datetime | None:
        """Since when a site that reports this brings nothing about.

        None once it has brought that generation about, or a newer one, or tells why it cannot.
        """
        not_done = self._of.get(site)
        return not_done.given if not_done and _answered(report) < not_done.generation else None


def _answered(report: Report) -> int:
    """The newest generation that a site has brought about or refused."""
    return max(report.generation, report.refused.generation if report.refused else 0)
