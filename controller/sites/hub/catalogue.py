"""Every finding of sites with agents, in the one place that words it."""

from collections.abc import Iterable
from datetime import datetime
from types import MappingProxyType
from typing import Final

from controller.sites.report import Cause, Deviation
from policy.findings import Finding, Level

TITLES: Final = MappingProxyType(
    {
        "GW2144": "a site calls in and brings nothing about",
        "GW2145": "a certificate of the controller's own ends soon, or has ended",
        "GW2170": "a site has not called in for some time",
        "GW2171": "a site did not bring its plan about",
        "GW2172": "a site has something else than its plan says",
        "GW2173": "no agent has registered for a site",
        "GW2174": "what was planned for a site could not be given out",
        "GW2175": "a site tells of pools or origins that the policy does not have there",
    }
)


def cut_off(site: str, since: datetime) -> Finding:
    """It goes on by itself."""
    message = f"nothing was heard since {since.isoformat(timespec='seconds')}; it keeps its last plan meanwhile"
    hint = "see whether its agent runs and reaches the address of `sites`; nothing is planned for it until it calls"
    return Finding("GW2170", Level.WARNING, message, hint, subject=f"site {site}")


def stuck(site: str, since: datetime) -> Finding:
    """It serves on, and nothing can be changed there."""
    message = (
        f"it calls in, and has brought nothing about that it was told since {since.isoformat(timespec='seconds')}; "
        "what it has stays, and all else is changed around it"
    )
    hint = "see its agent's log and findings: a disk that is full, or a server that hangs"
    return Finding("GW2144", Level.WARNING, message, hint, subject=f"site {site}")


def ending(file: str, ends: datetime, now: datetime) -> Finding:
    """Sites go on by themselves from then on."""
    at = ends.isoformat(timespec="seconds")
    told = (
        f"{file} ended at {at}: no site can call in" if ends <= now else f"{file} ends at {at}: then no site calls in"
    )
    hint = "make another (docs/sites.md, Keys that end), and start the controller anew"
    return Finding("GW2145", Level.ERROR if ends <= now else Level.WARNING, told, hint, subject=file)


def refused(site: str, generation: int, reason: str) -> Finding:
    """In the agent's words."""
    message = f"generation {generation} of its plan was not brought about: {reason}"
    hint = "mend what the message names; the next turn decides anew from what the site has"
    return Finding("GW2171", Level.WARNING, message, hint, subject=f"site {site}")


def deviates(site: str, deviations: Iterable[Deviation]) -> Finding:
    """Scaled inside an envelope, withdrawn as evidence ended, left out for want of room, or on a fallback."""
    told = tuple(deviations)
    by_itself = all(each.cause in {Cause.SCALED, Cause.FALLBACK} for each in told)
    message = f"it has by its own choice: {'; '.join(map(_words, told))}"
    hint = "nothing: it is within what its plan allows" if by_itself else "renew the evidence, or see its node's room"
    return Finding("GW2172", Level.INFO if by_itself else Level.WARNING, message, hint, subject=f"site {site}")


def _words(each: Deviation) -> str:
    if each.placement is None:
        return f"requests for {each.service} from {each.origin} are served at the site alone"
    on = f" on {each.node}" if each.node else ""
    return f"{each.placement}{on} has {each.chosen} and not {each.planned} ({each.cause})"


def unregistered(site: str) -> Finding:
    """Nothing can be planned there."""
    message = "no agent has a certificate for it, so nothing is planned there"
    hint = f"`gridwright site token {site}` gives a token to start its agent with"
    return Finding("GW2173", Level.WARNING, message, hint, subject=f"site {site}")


def not_given_out(site: str, trouble: str) -> Finding:
    """The site keeps the plan that it has."""
    hint = "the message says what to see to; it is tried again after the next turn"
    return Finding("GW2174", Level.WARNING, trouble, hint, subject=f"site {site}")


def strange(site: str, names: Iterable[str]) -> Finding:
    """What a site tells of others counts for nothing."""
    message = f"it tells of {', '.join(sorted(names))}, which the policy does not have there: that is left out"
    hint = "name the site's own pools and origins in its agent's connections document"
    return Finding("GW2175", Level.WARNING, message, hint, subject=f"site {site}")
