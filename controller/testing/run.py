"""One test from its beginning to its end: pure, with the real planner and the real verifier."""

from collections.abc import Iterator
from dataclasses import replace

from collectors.evidence.records import Evidence
from controller.testing.exercise import exercised
from controller.testing.happening import after, beyond_time, is_reckonable
from controller.testing.judging import judged
from controller.testing.rest import Rest, rest
from controller.testing.results import Failure, Outcome, Result, Trouble
from controller.testing.scene import Scene, opening
from policy.findings import Place
from policy.resolved import Policy
from policy.testing import PolicyTest, Step


def run(test: PolicyTest, policy: Policy, evidence: tuple[Evidence, ...], without: Place | None = None) -> Result:
    """What comes of a test; `evidence` is what counts at the instant of the test.

    With `without`, as if the clause at that place had never been written.

    The fleet comes to rest first. Each step lets its events happen and the fleet come to rest again, and every
    expectation of it is judged. Once an event cannot happen, the steps from there on are not judged.
    """
    if not is_reckonable(test.at):
        return Result(test.name, test.place, Outcome.BROKEN, troubles=(beyond_time(test.place),))
    scene, now = rest(opening(policy, evidence, test.at, without))
    failures: list[Failure] = []
    troubles: list[Trouble] = []
    took_part: dict[Place, None] = dict.fromkeys(exercised(now))
    for number, step in enumerate(test.steps, 1):
        happened = _happen(scene, step)
        if isinstance(happened, Trouble):
            troubles.append(happened)
            break
        before = now
        if step.events:
            scene, now = rest(happened)
            took_part |= dict.fromkeys(exercised(now))
        for wrong in _wrong(step, before, now):
            if isinstance(wrong, Trouble):
                troubles.append(wrong)
            else:
                failures.append(replace(wrong, step=number))
    outcome = Outcome.BROKEN if troubles else Outcome.FAILED if failures else Outcome.PASSED
    return Result(test.name, test.place, outcome, tuple(failures), tuple(troubles), tuple(sorted(took_part)))


def _happen(scene: Scene, step: Step) -> Scene | Trouble:
    for event in step.events:
        happened = after(scene, event)
        if isinstance(happened, Trouble):
            return happened
        scene = happened
    return scene


def _wrong(step: Step, before: Rest, now: Rest) -> Iterator[Failure | Trouble]:
    for expectation in step.expectations:
        wrong = judged(expectation, before, now)
        if wrong is not None:
            yield wrong
