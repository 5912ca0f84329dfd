"""The look before acting judges what a decision goes over alone, and finds what judging the whole problem finds."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
from whole_fleet import NOW, WholeFleet, whole_fleet

from collectors.snapshot import CutOff, Reading, ServerState, Snapshot
from controller.actions import Transition
from controller.decision import Decision, State
from controller.planning.build import build
from controller.planning.decide import decide
from controller.planning.kept import Kept
from controller.planning.recheck import recheck
from controller.planning.verify import Moment, explained, verify
from policy.findings import Finding
from policy.uncollected import uncollected
from rules.catalogue import BARRING
from rules.kernel.problem import Problem

NODES, SEED = 30, 3
LOOKS = 16
HALF = 0.5
AWAY: Reading[ServerState] = Reading(None, None, "away")
OF_THE_FLEET = frozenset({"GW2020", "GW2021"})


def seen(fleet: WholeFleet, dice: np.random.Generator) -> Snapshot:
    """The fleet some time later, when some evidence was taken back, and some servers and sites are away."""
    snapshot = fleet.snapshot(None, NOW + timedelta(seconds=float(dice.integers(1, 90))))
    revoked, gone, apart = (dice.random() * most * (dice.random() < HALF) for most in (0.6, 0.5, 0.5))
    sites = (site.name for site in fleet.policy.sites if dice.random() < apart)
    return replace(
        snapshot,
        servers=tuple(replace(each, reading=AWAY) if dice.random() < gone else each for each in snapshot.servers),
        evidence=tuple(each for each in snapshot.evidence if dice.random() >= revoked),
        cut_off=tuple(CutOff(site, NOW) for site in sites),
    )


def whole(fleet: WholeFleet, snapshot: Snapshot, decision: Decision) -> Problem:
    """All that there is to choose from then, until when the decision relies on it."""
    found = build(fleet.policy, snapshot, decision.state, snapshot.at).whole
    until_s = int(decision.valid_until.timestamp()) if decision.valid_until else found.needed_until_s
    return replace(found, needed_until_s=min(found.needed_until_s, until_s))


def judged(problem: Problem, decision: Decision) -> list[str]:
    """What the verifier has against the plan on the way, of the rules that bar something."""
    barring = {rule.id for rule in BARRING}
    known = {path.id for path in problem.paths}
    plan = replace(decision.plan, routes=tuple(each for each in decision.plan.routes if each.path in known))
    broken = (each for each in verify(plan, problem, Moment.PASSING) if each.rule in barring)
    return list(map(str, explained(broken)))


def of_rules(found: tuple[Finding, ...]) -> list[str]:
    return [str(each) for each in found if each.id not in OF_THE_FLEET]


def test_what_is_found_is_what_judging_everything_finds() -> None:
    dice, kept, told = np.random.default_rng(7), Kept(), set[str]()
    fleet = whole_fleet(NODES, SEED)
    with uncollected():
        decision = decide(fleet.policy, fleet.snapshot(None, NOW), State(), NOW, kept)
        planned = replace(decision, transition=Transition())
        for _ in range(LOOKS):
            snapshot = seen(fleet, dice)
            soon = snapshot.at + timedelta(seconds=5)
            left = planned if dice.random() < HALF else replace(planned, valid_until=soon)
            found = recheck(fleet.policy, snapshot, left, snapshot.at, kept=kept)
            problem = whole(fleet, snapshot, left)
            assert of_rules(found) == judged(problem, left)
            lost = {each.path for each in left.plan.routes} - {path.id for path in problem.paths}
            assert bool(lost) == any(each.id == "GW2020" for each in found)
            told |= {each.id for each in found}
    assert told >= {"GW1007", "GW2020", "GW2021"}, "there was something to find"
