"""The policy of a folder or a repository, and of a cluster's custom resources beside it, as turns go by it."""

import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path

from controller.background import in_background
from controller.cluster.custom_resources.beside import Beside
from controller.cluster.custom_resources.policies import ClusterPolicy
from controller.cluster.custom_resources.reporting import StatusReporter
from controller.cluster.joining import Cluster
from controller.loop.looking import looking, store_beside
from controller.loop.turn_policy import TurnPolicy
from policy.git.address import Address
from policy.git.following import Following
from policy.source import Loaded


@dataclass(frozen=True, slots=True)
class Sources:
    """Where both are. What is kept of a repository stands beside `journal`; with `cluster_wins` its resources win."""

    files: Path | Address
    cluster: Cluster
    cluster_wins: bool
    journal: Path
    environment: str = ""


@asynccontextmanager
async def reading_both(
    sources: Sources, nudge: Callable[[], None], clock: Callable[[], datetime]
) -> AsyncIterator[tuple[TurnPolicy, StatusReporter]]:
    """Follow both while the block runs, and tell the resources what turns make of them."""
    resources = ClusterPolicy(sources.cluster.reads, clock, nudge, sources.environment)
    beside = Beside(resources, cluster_wins=sources.cluster_wins, environment=sources.environment)
    reporter = StatusReporter(sources.cluster.writes, resources, socket.gethostname(), clock, lambda: beside.standing)
    async with resources.running(), in_background(reporter.run()):
        if isinstance(sources.files, Path):
            yield TurnPolicy(sources.files, beside.load), reporter
            return
        store = store_beside(sources.journal, sources.files)
        following = Following(sources.files, store, sources.environment, beside.judged)
        async with looking(following):
            yield TurnPolicy(following.folder, partial(_with_commit, beside, following)), reporter


def _with_commit(beside: Beside, following: Following, folder: Path) -> Loaded:
    """The policy of both, with the commit that its files are of, and what is against a newer one."""
    found = beside.load(folder)
    policy = replace(found.policy, commit=following.commit) if found.policy else None
    return replace(found, policy=policy, findings=(*following.against, *found.findings))
