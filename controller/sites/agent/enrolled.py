"""Being let in by the hub: with a token at the first start, and by the certificate before from then on."""

from datetime import datetime
from pathlib import Path

from controller.sites.agent.hub_calls import Hub, HubError
from controller.sites.agent.identity import Identity, keep_identity, kept_identity, new_key
from controller.sites.agent.keeping import AgentError


async def enrolled(folder: Path, site: str, address: str, ca_file: Path, token: str) -> Identity:
    """Who the agent is: as it was kept, else as the hub certifies it for the token. Raises AgentError."""
    identity = kept_identity(folder, site)
    if identity is not None:
        return identity
    if not token:
        raise AgentError(
            f"{folder} has no certificate of {site}; have `gridwright site token {site}` make a token where the "
            "controller runs, and give it at the first start"
        )
    key, hub = new_key(site), Hub(address, ca_file)
    try:
        credentials = await hub.register(key.enrolment(token))
    except HubError as error:
        raise AgentError(f"{site} cannot register ({error}); a token counts once and for a while") from error
    finally:
        await hub.close()
    if credentials.site != site:
        raise AgentError(f"the token is for {credentials.site} and not for {site}; have one made for {site}")
    return keep_identity(folder, key, credentials)


async def renewed(folder: Path, site: str, hub: Hub) -> Identity:
    """The next certificate, for a key that is new as well. Raises HubError and AgentError."""
    key = new_key(site)
    return keep_identity(folder, key, await hub.renew(key.enrolment()))


def is_due(identity: Identity, now: datetime) -> bool:
    """Whether it is time for the next certificate."""
    return now >= identity.renewed_at()
