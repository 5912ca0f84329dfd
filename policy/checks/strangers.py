"""Evidence about what no document declares: a slip in a name, and the site that was meant stays without."""

from collections.abc import Iterable, Iterator
from typing import Protocol

from policy.catalogue import warning
from policy.findings import Finding, Place
from policy.resolved import Policy
from policy.words import shown, suggestion


class Told(Protocol):
    """A piece of evidence, as far as whom it speaks of goes."""

    @property
    def subject_kind(self) -> str:
        """What kind of thing it speaks of, such as "site"."""
        ...

    @property
    def subject(self) -> str:
        """Its name."""
        ...

    @property
    def place(self) -> Place:
        """Where it is written."""
        ...


def strangers(evidence: Iterable[Told], policy: Policy) -> Iterator[Finding]:
    """A warning for each piece of evidence about a site, a pool or a link that the policy does not have.

    Nodes and artefacts come and go without a change of the policy: of them nothing is said.
    """
    known = {
        "site": [each.name for each in policy.sites],
        "pool": [each.name for each in policy.pools],
        "link": [each.name for each in policy.links],
    }
    for each in evidence:
        names = known.get(each.subject_kind)
        if names is not None and each.subject not in names:
            message = f"no document declares a {each.subject_kind} named {shown(each.subject)}, so this changes nothing"
            hint = suggestion(each.subject, names, f"declare the {each.subject_kind}, or take this out")
            yield warning("GW0439", each.place, message, hint)
