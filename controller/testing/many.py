"""Many tests at once, in processes that live for several of them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from multiprocessing import get_context
from time import perf_counter
from typing import TypeVar

from collectors.evidence.records import Evidence
from controller.testing.coverage import Mutant, mutants, noticed_by
from controller.testing.results import Result
from controller.testing.run import run
from policy.findings import Place
from policy.resolved import Policy
from policy.testing import PolicyTest

Given = TypeVar("Given")
Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class Timed:
    """What came of a test, and how long that took."""

    result: Result
    seconds: float


@dataclass(frozen=True, slots=True)
class Suite:
    """Tests of a policy, with the evidence that counts at each of their instants."""

    policy: Policy
    tests: tuple[PolicyTest, ...]
    evidence: Mapping[datetime, tuple[Evidence, ...]]


class Workers:
    """Processes that are prepared once each; with one job everything is done in this one, which is prepared already."""

    def __init__(self, processes: ProcessPoolExecutor | None) -> None:
        self._processes = processes

    def spread(self, work: Callable[[Given], Made], over: Sequence[Given]) -> Iterator[Made]:
        """What comes of each, as they end. The rest is dropped when nobody asks on."""
        if self._processes is None:
            yield from map(work, over)
            return
        waiting = [self._processes.submit(work, each) for each in over]
        try:
            yield from (done.result() for done in as_completed(waiting))
        finally:
            for each in waiting:
                each.cancel()


@contextmanager
def workers(jobs: int, prepare: Callable[[], None]) -> Iterator[Workers]:
    """So many processes, each of which calls `prepare` first; they end with the block."""
    if jobs == 1:
        yield Workers(None)
        return
    with ProcessPoolExecutor(jobs, get_context("spawn"), prepare) as processes:
        yield Workers(processes)


def run_all(suite: Suite, at: Workers) -> Iterator[Timed]:
    """What came of each test, as they end."""
    return at.spread(_timed, [(test, suite.policy, suite.evidence[test.at]) for test in suite.tests])


def mutants_of(suite: Suite, results: Sequence[Result]) -> tuple[Mutant, ...]:
    """The policy without each clause that takes part in a test that passes."""
    return mutants(suite.policy, suite.tests, results)


def notice_all(suite: Suite, over: Sequence[Mutant], at: Workers) -> Iterator[tuple[Place, str | None]]:
    """Of each mutant its clause's place and a test that fails without it, None where none does, as they come."""
    evidence = {test.place: suite.evidence[test.at] for test in suite.tests}
    return at.spread(_noticed, [(mutant, evidence) for mutant in over])


def in_order(results: Sequence[Timed]) -> tuple[Timed, ...]:
    """By the name of the test, however they ended."""
    return tuple(sorted(results, key=lambda each: each.result.test))


def _timed(given: tuple[PolicyTest, Policy, tuple[Evidence, ...]]) -> Timed:
    began = perf_counter()
    result = run(*given)
    return Timed(result, perf_counter() - began)


def _noticed(given: tuple[Mutant, Mapping[Place, tuple[Evidence, ...]]]) -> tuple[Place, str | None]:
    mutant, evidence = given
    return mutant.place, noticed_by(mutant, evidence)
