"""Building the problem of one instant from a policy, a snapshot and what is remembered."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Final

from collectors.snapshot import LoadedModel, Snapshot
from controller.decision import State
from controller.fleet import Seat
from controller.performance.alone import Accompanied, accompanied, alone, effects_of, learn_effects
from controller.performance.bursts import burst_of, learn_bursts
from controller.performance.learn import learn
from controller.performance.margin import learn_margins, margin_permille
from controller.performance.windows import windows
from controller.planning.beside import on_full_devices
from controller.planning.clearance import clearance, useless
from controller.planning.cut_off import without_cut_off
from controller.planning.demand import Asked, ask, demand_id
from controller.planning.excluded import (
    exclusions_of,
    slow_uses,
    unreachable,
    without_server,
)
from controller.planning.hung import begun, looked_at, paused
from controller.planning.kept import Kept
from controller.planning.known import known
from controller.planning.options import Speeds, speeds
from controller.planning.paths import NO_OPTIONS, Looked, Use, Uses
from controller.planning.pricing import Habits
from controller.planning.proofs import attestations, certifications, provenances
from controller.planning.running import located, moving, observed, usable_nodes
from controller.planning.sleep import sleep
from controller.planning.transitions.duration import ahead_s
from controller.planning.unmoved import overfull
from controller.planning.whole.size import is_small
from policy.resolved import Policy
from rules.catalogue import EXCLUDING, RULES, STANDING
from rules.kernel.formulation import Exclusion, Formulation, Row
from rules.kernel.latest import Latest
from rules.kernel.problem import Demand, Placement, Problem


@dataclass(frozen=True)
class Built:
    """A problem in two widths.

    `problem` has only the paths that no rule excludes: what is solved. `whole` has every path that exists: what
    transitions and conflicts are judged on; the others are `barred` in both. `slow` are the paths of allowed options
    that rules exclude. `asked`, `loaded` and `state` are what was read of demands and servers, and the state with all
    that was learnt now. `speed` is what the paths were priced with.
    """

    problem: Problem
    whole: Problem
    slow: tuple[Exclusion, ...]
    asked: Asked
    loaded: dict[Seat, LoadedModel]
    state: State
    speed: Speeds

    @cached_property
    def exclusions(self) -> tuple[Exclusion, ...]:
        """Why `problem` has less than `whole`: an exclusion for each option, and each use of it, that is left out.

        And of demands that sleep, what they may not use when they wake up; what is too slow for them is not known.
        """
        bare = replace(self.whole, demands=(*self.whole.demands, *self.whole.asleep), paths=())
        lost = without_server(bare)
        gone = {row.option for row in lost}
        present = replace(bare, options=tuple(option for option in bare.options if option.id not in gone))
        names = {row.path for row in self.slow} | {path.id for path in self.problem.paths}
        allowed = replace(present, paths=tuple(path for path in self.whole.paths if path.id in names))
        return (*lost, *unreachable(bare), *exclusions_of(present), *slow_uses(self.slow, allowed))


@dataclass(frozen=True)
class Read:
    """What was read of an instant: a problem that has no paths yet, and the rest as in `Built`."""

    problem: Problem
    asked: Asked
    loaded: dict[Seat, LoadedModel]
    state: State
    speed: Speeds


def read(policy: Policy, snapshot: Snapshot, state: State, now: datetime, kept: Kept) -> Read:
    """What there is at `now` to place and to ask for; no rule is asked what it has against it."""
    policy, snapshot = known(policy, snapshot, now)
    nodes = usable_nodes(policy, snapshot, now)
    loaded = observed(policy, snapshot, now)
    running = located(loaded, state, nodes)
    state = replace(state, hung=looked_at(state.hung, loaded, nodes, now))
    coming = located(begun(state.hung, loaded, moving(policy, snapshot, now), nodes, now), state, nodes)
    seen = accompanied(windows(policy, snapshot, loaded, state.learnt, now), running, nodes)
    state = replace(_having_learnt(policy, seen, state), margins=learn_margins(policy, snapshot, state, now))
    state = replace(state, bursts=learn_bursts(policy, snapshot, state.bursts, now))
    sleeping = sleep(policy, snapshot, state, now)
    asked = without_cut_off(ask(policy, snapshot, state.rates, now, state.peaks, sleep=sleeping), snapshot)
    state = replace(state, silences=sleeping.silences, asleep=tuple(sorted(sleeping.asleep)))
    speed = speeds(policy, state.learnt, state.interference, state.crowding)
    now_s = int(now.timestamp())
    bare = Problem(
        policy=policy,
        now_s=now_s,
        needed_until_s=now_s + policy.scaling.evidence_lead_s,
        demands=asked.demands,
        options=kept.options(policy, speed),
        paths=(),
        nodes=nodes,
        certifications=certifications(snapshot.evidence),
        running=running,
        floors=(),
        attestations=attestations(snapshot.evidence),
        provenances=provenances(policy, snapshot.evidence),
        asleep=asked.asleep,
        passing_s=ahead_s(policy.scaling) if state.is_late else 0,
        begun=coming,
    )
    if not running and not is_small(bare):
        # Nothing is known of who will stand beside whom, and a large fleet planned for less would have to move at once.
        state = replace(state, crowding=on_full_devices(bare, speed))
        speed = speeds(policy, state.learnt, state.interference, state.crowding)
        bare = replace(bare, options=kept.options(policy, speed))
    return Read(bare, asked, loaded, state, speed)


def build(policy: Policy, snapshot: Snapshot, state: State, now: datetime, kept: Kept | None = None) -> Built:
    """The problem at `now`; `kept` has what the last one may share with it."""
    kept = kept or Kept()
    found = read(policy, snapshot, state, now, kept)
    bare, asked, loaded, state, speed = found.problem, found.asked, found.loaded, found.state, found.speed
    bare = replace(bare, overfull=overfull(bare, paused(state.hung, now)))
    gone = frozenset(row.option for row in without_server(bare))
    forbidden = kept.forbidding.of(bare, gone)
    looked = Looked(forbidden.afar, _in_use(bare, state), forbidden.every)
    whole = replace(bare, paths=kept.paths(bare, speed, lambda demand: _habits(state, demand), looked))
    left = kept.left(whole, forbidden.every, gone)
    present = replace(
        bare,
        options=tuple(option for option in bare.options if option.id not in gone),
        paths=tuple(path for here in left for path in here.paths),
    )
    taken = frozenset[str]().union(*(here.taken for here in left))
    problem = _within_reach(present, taken)
    slow = tuple(row for rows in zip(*(here.slow for here in left), strict=True) for each in rows for row in each)
    others = frozenset[str]().union(*(here.barred for here in left))
    clearance.give(problem, useless(problem, taken, forbidden.every))
    return Built(replace(problem, barred=others), replace(whole, barred=others), slow, asked, loaded, state, speed)


def _having_learnt(policy: Policy, seen: tuple[Accompanied, ...], state: State) -> State:
    """The state with what these windows tell of neighbours, and of the times without them."""
    effects = learn_effects(policy, seen, state.learnt, effects_of(policy, state.interference))
    return replace(
        state,
        learnt=learn(policy, alone(seen, effects), state.learnt),
        interference=tuple(item for _, item in sorted(effects.known.items())),
    )


def write(problem: Problem) -> Formulation:
    """The rows of every rule that applies; more may be added to them.

    Of a problem that was just built, without the exclusions that bar nothing of it.
    """
    idle = clearance.of(problem)
    return Formulation(list(_every_row(problem) if idle is None else _rows(problem, idle)))


def write_all(problem: Problem) -> Formulation:
    """The same, with exclusions that bar nothing, too: whoever asks about clauses wants to know each."""
    return Formulation(list(_every_row(problem)))


def _every_row_of(problem: Problem) -> tuple[Row, ...]:
    form = Formulation()
    for rule in RULES:
        if rule.applies(problem):
            rule.constrain(form, problem)
    return tuple(form.rows)


def _rows_of(problem: Problem, idle: frozenset[str]) -> tuple[Row, ...]:
    """The rows without those that could bar a path; only of `idle` options it is asked whether they may stand."""
    form, asked = Formulation(), tuple(option for option in problem.options if option.id in idle)
    for rule in (rule for rule in RULES if rule not in EXCLUDING):
        judged = replace(problem, options=asked) if rule is STANDING else problem
        if rule.applies(judged) and (asked or rule is not STANDING):
            rule.constrain(form, judged)
    return tuple(form.rows)


_every_row: Final = Latest(_every_row_of)
_rows: Final = Latest(_rows_of)


def _within_reach(problem: Problem, taken: frozenset[str]) -> Problem:
    """Of a large problem, only the options that are `taken` or that run: no other is worth an instance.

    But for those of which a bound asks for instances although no path takes any of them.
    """
    if is_small(problem):
        return problem
    for bound in problem.policy.scaling.bounds:
        options = problem.options_of(bound.model) if bound.minimum else ()
        counted = {option.id for option in options if bound.site in {"", problem.site_of(option)}}
        taken |= counted if taken.isdisjoint(counted) else NO_OPTIONS
    runs = {item.placement for item in problem.running}
    return replace(problem, options=tuple(o for o in problem.options if o.id in taken or o.placement in runs))


def _in_use(problem: Problem, state: State) -> Uses:
    """What the routes that were last set go over, at the settings that were last planned."""
    planned = frozenset(item.option for item in state.plan.instances)
    options: dict[Placement, list[str]] = {}
    for option in problem.options if planned else ():
        if option.id in planned:
            options.setdefault(option.placement, []).append(option.id)
    services = {service.name: service for service in problem.policy.services}
    return _uses(
        (demand_id(routes.service, routes.origin), stage.name, option)
        for routes in state.fleet.routes
        if routes.service in services
        for way in routes.ways
        for stage, placement in zip(services[routes.service].stages, way.placements, strict=False)
        for option in options.get(placement, ())
    )


def _uses(uses: Iterable[Use]) -> Uses:
    found: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for demand, stage, option in uses:
        found[demand, stage].add(option)
    return {key: frozenset(options) for key, options in found.items()}


def without_paths(problem: Problem, gone: frozenset[str]) -> Problem:
    """The problem with some of its paths left out."""
    return replace(problem, paths=tuple(path for path in problem.paths if path.id not in gone))


def _habits(state: State, demand: Demand) -> Habits:
    key = (demand.service, demand.origin)
    return Habits(margin_permille(state.margins, *key), burst_of(state.bursts, *key))
