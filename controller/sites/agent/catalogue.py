"""Every finding that a site's agent makes, in the one place that words it."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final

from controller.sites.report import Deviation
from policy.findings import Finding, Level

TITLES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "GW2180": "a site does not take up a plan",
        "GW2181": "a site's own limits leave a load no room",
        "GW2182": "a site has withdrawn what its evidence no longer allows",
        "GW2183": "a site is cut off, and goes by the last plan that it took up",
        "GW2184": "a site serves a demand by its fallback",
        "GW2185": "a site could not do what its plan asks",
        "GW2186": "a site's certificate was not renewed",
    }
)


def plan_refused(site: str, why: str) -> Finding:
    """What came as a plan is not to be followed; the one before stays in force."""
    hint = "see whether the hub is the right one, and whether the clocks agree; the plan before stays in force"
    return Finding("GW2180", Level.ERROR, why, hint, subject=f"site {site}")


def no_room(site: str, item: Deviation) -> Finding:
    """A plan that does not fit is brought about as far as it does."""
    message = f"{item.placement} gets {item.chosen} of {item.planned} instances, for the site's limits leave no more"
    hint = "mend `limits` in the agent's document, or the memory of the pool in the policy"
    return Finding("GW2181", Level.ERROR, message, hint, subject=f"site {site}")


def withdrawn(site: str, item: Deviation) -> Finding:
    """Evidence goes before service, also when nobody can be asked."""
    message = f"{item.placement} is not loaded, for evidence behind it ends"
    hint = "renew the evidence: the next plan tells the site"
    return Finding("GW2182", Level.WARNING, message, hint, subject=f"site {site}")


def cut_off(site: str, since: datetime) -> Finding:
    """What was planned last is kept, and scaled inside its envelope."""
    message = f"the hub has not answered since {since.isoformat(timespec='seconds')}"
    hint = "see whether the network is up and the hub runs; until then the site goes by its last plan"
    return Finding("GW2183", Level.WARNING, message, hint, subject=f"site {site}")


def on_fallback(site: str, item: Deviation) -> Finding:
    """Requests that went on to another site are served here."""
    message = f"{item.service} from {item.origin} goes by its fallback, for another site on its way does not answer"
    hint = "see to the link or the other site; requests go there again once it has answered for a while"
    return Finding("GW2184", Level.WARNING, message, hint, subject=f"site {site}")


def undone(site: str, trouble: str) -> Finding:
    """It is tried again; the rest of the plan goes on."""
    hint = "the message has the words of the server or the gateway; it is tried again"
    return Finding("GW2185", Level.ERROR, trouble, hint, subject=f"site {site}")


def unrenewed(site: str, trouble: str, ends: datetime) -> Finding:
    """Without a certificate the site can be told nothing more, and goes on by its last plan."""
    message = f"the certificate, which ends at {ends.isoformat(timespec='seconds')}, was not renewed: {trouble}"
    hint = "see to what is told; once it has ended, have `gridwright site token` make a token and start the agent anew"
    return Finding("GW2186", Level.WARNING, message, hint, subject=f"site {site}")
