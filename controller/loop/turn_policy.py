"""The policy that a turn goes by, from a folder or from what a repository is followed to."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from controller.loop.looking import looking, store_beside
from policy.git.address import Address
from policy.git.following import Following
from policy.resolve_bounds import default_scaling
from policy.resolved import Issuer, Policy, Pool, Service
from policy.source import EVIDENCE, Loaded, load


class TurnPolicy:
    """The policy that a turn follows from its reading on, for the collectors that judge what they read by it.

    The loop's status tells of the turn before: evidence would be believed once more after its issuer was taken away.
    """

    def __init__(
        self,
        folder: Path,
        read: Callable[[Path], Loaded],
        policy: Policy | None = None,
    ) -> None:
        """`policy` is followed until the first reading. Evidence is in the folder."""
        self.folder = folder
        self.evidence: Path | None = folder / EVIDENCE
        self.policy = policy
        self._read = read

    def load(self, folder: Path) -> Loaded:
        """Read the policy; while the files have errors, the last good one stays."""
        loaded = self._read(folder)
        self.policy = loaded.policy or self.policy
        return loaded

    def services(self) -> tuple[Service, ...]:
        """Those whose arrivals are counted."""
        return self.policy.services if self.policy else ()

    def pools(self) -> tuple[Pool, ...]:
        """Where models may stand."""
        return self.policy.pools if self.policy else ()

    def pool_names(self) -> tuple[str, ...]:
        """What the pools are called."""
        return tuple(pool.name for pool in self.pools())

    def horizon_s(self) -> int:
        """How far forecasts look ahead, in seconds."""
        return (self.policy.scaling if self.policy else default_scaling()).horizon_s

    def interval_s(self) -> int:
        """From one turn to the next, in seconds."""
        return (self.policy.scaling if self.policy else default_scaling()).interval_s

    def stale_after_s(self) -> int:
        """How old readings may be, in seconds."""
        return (self.policy.scaling if self.policy else default_scaling()).stale_after_s

    def issuers(self) -> tuple[Issuer, ...]:
        """Those whose statements count."""
        return self.policy.issuers if self.policy else ()


def in_no_folder(read: Callable[[Path], Loaded], evidence: Path | None) -> TurnPolicy:
    """Policy that is in no folder, with the folder of its evidence; None where there is none."""
    in_force = TurnPolicy(Path(), read)
    in_force.evidence = evidence
    return in_force


@asynccontextmanager
async def reading(source: Path | Address, journal: Path, environment: str = "") -> AsyncIterator[TurnPolicy]:
    """What reads the policy in an environment, from its folder or from what a repository is followed to."""
    if isinstance(source, Path):
        yield TurnPolicy(source, partial(load, environment=environment))
        return
    following = Following(source, store_beside(journal, source), environment)
    async with looking(following):
        yield TurnPolicy(following.folder, following.load)
