"""What tests of an agent's steps have in common: events one by one, plans brought about, and what is begun next."""

from dataclasses import replace
from datetime import datetime

from controller.actions import Action
from controller.sites.agent.machine import step
from controller.sites.agent.state import AgentState, Heard, Looked
from controller.sites.site_plan import SitePlan
from tests.sites.agent_world import SITE, START, Servers, fresh


def after(state: AgentState, event: object, now: datetime) -> AgentState:
    """The state after one event."""
    return step(SITE, state, event, now)[0]


def brought_about(plan: SitePlan, servers: Servers, state: AgentState | None = None) -> AgentState:
    """The state once servers that obey hold what a plan asks for."""
    state = after(state or fresh(), Heard(plan), START)
    for _ in range(20):
        state, wave = step(SITE, state, Looked(servers.standing()), START)
        if wave is None:
            return state
        servers.do(wave)
    raise AssertionError("it never comes to rest")


def under_way(servers: Servers, *actions: Action) -> Looked:
    """What is seen of servers while these actions are under way."""
    return Looked(replace(servers.standing(), under_way=actions))


def begun(
    state: AgentState, servers: Servers, *actions: Action, now: datetime = START
) -> tuple[str, tuple[Action, ...]]:
    """What is begun beside these actions."""
    wave = step(SITE, state, under_way(servers, *actions), now)[1]
    return (wave.name, wave.actions) if wave else ("", ())
