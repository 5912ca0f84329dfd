"""What there is to tell people about a site. Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from controller.sites.agent import catalogue
from controller.sites.agent.intent import Intent, deviations
from controller.sites.agent.state import AgentState
from controller.sites.report import Cause, Phase
from policy.findings import Finding

_TOLD: Final = {
    Cause.NO_ROOM: catalogue.no_room,
    Cause.ENDED: catalogue.withdrawn,
    Cause.FALLBACK: catalogue.on_fallback,
}


@dataclass(frozen=True, slots=True)
class Troubles:
    """Why a plan was not taken up, the state not kept, the certificate not renewed, which ends then; else empty."""

    plan_refused: str
    unkept: str
    unrenewed: str
    certificate_ends: datetime


def findings(state: AgentState, intent: Intent | None, troubles: Troubles) -> tuple[Finding, ...]:
    """All of it. `intent` is what the plan comes to, None without one."""
    site = state.site
    differing = deviations(state.plan, state, intent, state.latest) if state.plan and intent else ()
    found = [_TOLD[item.cause](site, item) for item in differing if item.cause in _TOLD]
    found += [catalogue.undone(site, failure.trouble) for failure in state.failures if failure.trouble]
    if state.phase is Phase.CUT_OFF and state.cut_off_since is not None:
        found.append(catalogue.cut_off(site, state.cut_off_since))
    if troubles.plan_refused:
        found.append(catalogue.plan_refused(site, troubles.plan_refused))
    if troubles.unkept:
        found.append(catalogue.undone(site, troubles.unkept))
    if troubles.unrenewed:
        found.append(catalogue.unrenewed(site, troubles.unrenewed, troubles.certificate_ends))
    return tuple(found)
