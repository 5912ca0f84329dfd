"""Stabilisation: a demand counts as the highest that it was within a window, so that capacity goes down late.

It never refuses anything: where a service falls short, those that it shares pools with count as what they ask now.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from controller.decision import Peak
from rules.kernel.problem import Problem


def highest_first(before: Iterable[Peak], latest: Peak, window: timedelta) -> tuple[Peak, ...]:
    """A demand's peaks, the highest first and the latest last; one counts to the end of the window, that included."""
    higher = (peak for peak in before if peak.milli_rps > latest.milli_rps and latest.at - peak.at <= window)
    return (*higher, latest)


def in_the_way(counted: Iterable[Peak], short: Iterable[str], problem: Problem, now: datetime) -> frozenset[str]:
    """The services that count as more than they ask now and share a pool with one that is served short."""
    past = {peak.service for peak in counted if peak.at < now}
    pools = {pool for service in short for pool in _pools(service, problem)}
    return frozenset(service for service in past if not _pools(service, problem).isdisjoint(pools))


def _pools(service: str, problem: Problem) -> set[str]:
    return {problem.option(option).placement.pool for stage in problem.taken(service) for option in stage}
