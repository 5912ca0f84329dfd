"""Being let in by the hub: with a token at the first start, and by the certificate before from then on.

A certificate that was revoked, or ended while the site was cut off, renews nothing: another token does.
"""

import logging
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Final

from collectors.recording import encode
from controller.sites.agent.hub_calls import Hub, HubError, HubRefusedError
from controller.sites.agent.identity import Identity, keep_identity, kept_identity, new_key
from controller.sites.agent.keeping import AgentError, read_file, replace_file

LOG: Final = logging.getLogger("gridwright.agent")
SPENT: Final = "token.json"


async def enrolled(folder: Path, site: str, address: str, ca_file: Path, token: str) -> Identity:
    """Who the agent is: as the hub certifies it for a token that was not spent yet, else as it was kept.

    Whoever was let in before goes on as that where the hub cannot be asked now. Raises AgentError.
    """
    kept = kept_identity(folder, site)
    if kept is None and not token:
        raise AgentError(
            f"{folder} has no certificate of {site}; have `gridwright site token {site}` make a token where the "
            "controller runs, and give it at the first start"
        )
    if kept is not None and (not token or read_file(folder / SPENT, str) == _digest(token)):
        return kept
    try:
        return await _registered(folder, site, Hub(address, ca_file), token)
    except AgentError as error:
        if kept is None:
            raise
        LOG.warning("%s; it goes on with the certificate that ends at %s", error, kept.ends.isoformat())
        return kept


async def _registered(folder: Path, site: str, hub: Hub, token: str) -> Identity:
    key = new_key(site)
    try:
        credentials = await hub.register(key.enrolment(token))
    except HubRefusedError as error:
        raise AgentError(f"{site} cannot register ({error}); a token counts once and for a while") from error
    except HubError as error:
        next_step = "see whether the controller runs and `hub` is where it listens for sites, and start the agent anew"
        raise AgentError(f"{site} cannot register ({error}); {next_step}") from error
    finally:
        await hub.close()
    if credentials.site != site:
        raise AgentError(f"the token is for {credentials.site} and not for {site}; have one made for {site}")
    identity = keep_identity(folder, key, credentials)
    replace_file(folder / SPENT, encode(_digest(token)))
    return identity


def _digest(token: str) -> str:
    """By what a token is known again that counts no more."""
    return sha256(token.encode()).hexdigest()


async def renewed(folder: Path, site: str, hub: Hub) -> Identity:
    """The next certificate, for a key that is new as well. Raises HubError and AgentError."""
    key = new_key(site)
    return keep_identity(folder, key, await hub.renew(key.enrolment()))


def is_due(identity: Identity, now: datetime) -> bool:
    """Whether it is time for the next certificate."""
    return now >= identity.renewed_at()
