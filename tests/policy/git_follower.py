"""A branch that is followed, and what came of it."""

from pathlib import Path

from git_repository import Repository

from policy.findings import Level
from policy.git.address import parse_address
from policy.git.following import Following


def follow(repository: Repository, store: Path, **more: object) -> Following:
    return Following(parse_address(repository.address(**more)), store)  # type: ignore[arg-type]


def against(following: Following) -> list[str]:
    return [finding.id for finding in following.load().findings if finding.level is Level.ERROR]


def in_force(following: Following) -> str:
    policy = following.load().policy
    return policy.commit if policy else ""
