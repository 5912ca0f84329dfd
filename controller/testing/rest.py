"""A scene brought to rest: the real decisions, turn after turn, and what can be asked of the last one."""

from dataclasses import dataclass, replace
from functools import cached_property

from controller.decision import Decision
from controller.explain import Candidate, candidates
from controller.planning.build import Built, build
from controller.settling import Settled, pause, settled
from controller.testing.scene import Scene
from policy.resolved import Policy


@dataclass(frozen=True)
class Rest:
    """The turns under a policy, until nothing was left to do or there were enough of them."""

    policy: Policy
    settled: Settled

    @property
    def turns(self) -> tuple[Decision, ...]:
        """Every decision on the way."""
        return self.settled.turns

    @property
    def decision(self) -> Decision:
        """The last one."""
        return self.settled.decision

    @cached_property
    def built(self) -> Built:
        """The problem that the last decision was made on, with what it has learnt."""
        return build(self.policy, self.settled.seen, self.decision.state, self.decision.at)

    @cached_property
    def candidates(self) -> tuple[Candidate, ...]:
        """Every placement of every stage, with what is against it."""
        return candidates(self.policy, self.decision, self.built.exclusions)


def rest(scene: Scene) -> tuple[Scene, Rest]:
    """The scene once the fleet has come to rest, a turn later, and the way there."""
    found = settled(scene.policy, scene.evidence, scene.now, scene.fleet, state=scene.state, whatif=scene.whatif())
    last = found.decision
    resting = replace(scene, fleet=last.fleet, state=last.state, now=last.at + pause(scene.policy))
    return resting, Rest(scene.policy, found)
