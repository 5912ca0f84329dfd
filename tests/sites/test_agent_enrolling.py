"""How an agent is let in by a real hub over TLS, what it keeps, and what it does not take."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from collectors.recording import encode
from controller.sites.agent.enrolled import enrolled, is_due, renewed
from controller.sites.agent.hub_calls import Hub, HubError, HubRefusedError
from controller.sites.agent.identity import IDENTITY, Identity, kept_identity
from controller.sites.agent.keeping import STATE, AgentError, keep_state, kept_state, open_folder
from controller.sites.agent.machine import step
from controller.sites.agent.state import Heard
from controller.sites.hub.making_keys import AUTHORITY
from controller.sites.signed import Expected, PlanRefusedError, Refusal, signed, verified
from tests.sites.agent_world import SITE, START, fresh, site_plan
from tests.sites.hubs import Called, hub_at

EDGE = "edge"


def address(called: Called) -> str:
    return called.url.removeprefix("https://")


def token(called: Called, site: str = EDGE) -> str:
    return called.registry.new_token(site, called.clock() + timedelta(hours=1))


async def let_in(called: Called, folder: Path, given: str) -> Identity:
    open_folder(folder)
    return await enrolled(folder, EDGE, address(called), called.keys / AUTHORITY, given)


def hub(called: Called, identity: Identity) -> Hub:
    return Hub(address(called), called.keys / AUTHORITY, identity)


async def test_a_token_is_needed_once_and_what_it_gave_is_kept_from_others(tmp_path: Path) -> None:
    folder = tmp_path / "agent"
    async with hub_at(tmp_path, EDGE) as called:
        first = await let_in(called, folder, token(called))
        assert await let_in(called, folder, "") == first
        with pytest.raises(AgentError, match="cannot register"):
            await let_in(called, tmp_path / "another", "no-token-of-anybody")
    assert {file.name: file.stat().st_mode & 0o777 for file in folder.iterdir()} == {
        "identity.pem": 0o600,
        "credentials.json": 0o600,
    }
    assert folder.stat().st_mode & 0o777 == 0o700


async def test_a_token_of_another_site_makes_no_agent_of_this_one(tmp_path: Path) -> None:
    async with hub_at(tmp_path, EDGE, "other") as called:
        with pytest.raises(AgentError, match="for other and not for edge"):
            await let_in(called, tmp_path / "agent", token(called, "other"))


async def test_a_certificate_is_renewed_in_time_with_a_new_key(tmp_path: Path) -> None:
    folder = tmp_path / "agent"
    async with hub_at(tmp_path, EDGE) as called:
        first = await let_in(called, folder, token(called))
        before = (folder / IDENTITY).read_bytes()
        assert not is_due(first, called.clock())
        assert is_due(first, first.ends - timedelta(hours=1))
        asking = hub(called, first)
        second = await renewed(folder, EDGE, asking)
        await asking.close()
        assert (folder / IDENTITY).read_bytes() != before
        assert kept_identity(folder, EDGE) == second
        asking = hub(called, second)
        assert await called.hub.plans.publish(EDGE, lambda plan: plan, replace(site_plan(), generation=4)) == 5
        assert await asking.plan(0) is not None
        await asking.close()


async def test_a_site_that_was_revoked_is_refused_in_the_hubs_words(tmp_path: Path) -> None:
    async with hub_at(tmp_path, EDGE) as called:
        asking = hub(called, await let_in(called, tmp_path / "agent", token(called)))
        called.registry.revoke(EDGE)
        with pytest.raises(HubRefusedError, match="403"):
            await asking.plan(0)
        await asking.close()


async def test_a_hub_of_another_authority_is_not_believed(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    async with hub_at(tmp_path / "a", EDGE) as one, hub_at(tmp_path / "b", EDGE) as other:
        identity = await let_in(one, tmp_path / "agent", token(one))
        asking = Hub(address(other), one.keys / AUTHORITY, identity)
        with pytest.raises(HubError, match="certificate verify failed"):
            await asking.plan(0)
        await asking.close()


async def test_a_plan_that_another_key_signed_is_refused_by_what_the_hub_gave(tmp_path: Path) -> None:
    async with hub_at(tmp_path, EDGE) as called:
        identity = await let_in(called, tmp_path / "agent", token(called))
    forged = signed(site_plan(7), Ed25519PrivateKey.generate())
    with pytest.raises(PlanRefusedError) as refused:
        verified(forged, identity.plan_keys, Expected(EDGE, 0, START))
    assert refused.value.refusal is Refusal.UNKNOWN_KEY


def test_what_an_agent_knew_is_there_after_a_crash_and_half_a_file_never_is(tmp_path: Path) -> None:
    state, _ = step(SITE, fresh(), Heard(site_plan(3)), START)
    keep_state(tmp_path, state)
    (tmp_path / f"{STATE}.partial").write_bytes(encode(state)[:100])  # as a crash while it was written leaves it
    assert kept_state(tmp_path, EDGE) == state


def test_a_folder_of_another_site_is_refused(tmp_path: Path) -> None:
    keep_state(tmp_path, fresh())
    with pytest.raises(AgentError, match="an agent of edge"):
        kept_state(tmp_path, "elsewhere")


def test_a_folder_that_others_may_read_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    with pytest.raises(AgentError, match="chmod 700"):
        open_folder(tmp_path)
