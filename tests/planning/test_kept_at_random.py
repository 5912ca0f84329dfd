"""Whatever changes from turn to turn, what was kept gives the problem that is built without it."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest
from whole_fleet import NOW, WholeFleet, whole_fleet

from collectors.evidence.records import Evidence
from collectors.snapshot import Snapshot
from controller.decision import Crowding, State
from controller.planning import paths
from controller.planning.build import Built, build, write
from controller.planning.excluded import exclusions_of
from controller.planning.forbidden import Forbidding
from controller.planning.instants import ever
from controller.planning.kept import Kept
from policy.clauses import Scope
from policy.resolved import Policy
from policy.windows import Window
from rules.catalogue import EXCLUDING

LEAD_S = 120
SEEDS, TURNS = 5, 12


@dataclass
class Changing:
    """A fleet of which something else is seen in each turn."""

    dice: random.Random
    fleet: WholeFleet
    policy: Policy
    evidence: list[Evidence]
    now: datetime = NOW
    state: State = field(default_factory=State)
    away: set[int] = field(default_factory=set)
    revisions: int = 0

    def snapshot(self) -> Snapshot:
        """What is seen now."""
        seen = self.fleet.snapshot(None, self.now)
        servers = tuple(server for at, server in enumerate(seen.servers) if at not in self.away)
        return replace(seen, servers=servers, evidence=tuple(self.evidence))

    def time(self) -> None:
        self.now += timedelta(seconds=self.dice.choice((1, 15, 60, 299, 300, 301)))

    def to_an_instant(self) -> None:
        """To the second at which something ends, or at which it would no longer do, or to one beside it."""
        ends = {each.expires_at for each in self.evidence} | {each.issued_at for each in self.evidence}
        due = sorted(
            end - timedelta(seconds=lead - beside) for end in ends for lead in (0, LEAD_S) for beside in (-1, 0, 1)
        )
        self.now = next((second for second in due if second > self.now), self.now)

    def rates(self) -> None:
        self.fleet = self.fleet.changed(self.dice.randrange(1000), 0.3)

    def evidence_goes(self) -> None:
        self.evidence.pop(self.dice.randrange(len(self.evidence)))

    def evidence_is_renewed(self) -> None:
        at = self.dice.randrange(len(self.evidence))
        self.evidence[at] = replace(self.evidence[at], expires_at=self.now + timedelta(days=1))

    def a_server_goes_or_comes(self) -> None:
        self.away ^= {self.dice.randrange(len(self.policy.pools))}

    def crowding(self) -> None:
        place = self.dice.choice(build(self.policy, self.snapshot(), self.state, self.now).whole.options).placement
        self.state = replace(self.state, crowding=(Crowding(place, self.dice.randrange(1000, 2000)),))

    def policy_changes(self) -> None:
        self.revisions += 1
        services = tuple(
            replace(s, latency=tuple(replace(o, below_us=round(o.below_us * 0.9)) for o in s.latency))
            if self.dice.random() < 0.3
            else s
            for s in self.policy.services
        )
        self.policy = replace(self.policy, revision=f"changed {self.revisions}", services=services)


CHANGES: tuple[Callable[[Changing], None], ...] = (
    Changing.time,
    Changing.to_an_instant,
    Changing.to_an_instant,
    Changing.rates,
    Changing.evidence_goes,
    Changing.evidence_is_renewed,
    Changing.a_server_goes_or_comes,
    Changing.crowding,
    Changing.policy_changes,
)


def drawn(seed: int) -> Changing:
    """A small fleet whose evidence begins and ends within minutes, with work that comes again and again."""
    dice = random.Random(seed)  # noqa: S311 - a test's dice
    fleet = whole_fleet(24, seed)
    evidence = [
        replace(
            each,
            issued_at=NOW + timedelta(seconds=dice.randrange(-3000, 300)),
            expires_at=NOW + timedelta(seconds=LEAD_S + dice.randrange(-100, 1500)),
        )
        for each in fleet.snapshot().evidence
    ]
    start_s = int(NOW.timestamp())
    card, health, *others = fleet.policy.compliance
    assert health.attestation
    clauses = (
        replace(card, scope=Scope(services=("svc0",)), residency=None, link_security=None, purchase=None),
        replace(
            health,
            scope=Scope(services=("svc1",)),
            residency=None,
            link_security=None,
            attestation=replace(health.attestation, max_age_s=4000),
        ),
        *(replace(each, separation=None) for each in others),
    )
    policy = replace(
        fleet.policy,
        scaling=replace(fleet.policy.scaling, evidence_lead_s=LEAD_S),
        maintenance=tuple(
            replace(each, window=Window(start_s + 200, start_s + 320, 900)) for each in fleet.policy.maintenance
        ),
        compliance=clauses,
    )
    return Changing(dice, fleet, policy, evidence)


def facts(built: Built) -> tuple[object, ...]:
    return built.problem, built.whole, built.slow, built.state, write(built.problem).rows


@pytest.fixture(autouse=True)
def few_paths(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "MOST_PATHS", 300)


def test_what_is_kept_is_what_is_built_anew() -> None:
    forbidden = set[int]()
    for seed in range(SEEDS):
        changing, kept = drawn(seed), Kept()
        for _ in range(TURNS):
            found = build(changing.policy, changing.snapshot(), changing.state, changing.now, kept)
            assert facts(found) == facts(build(changing.policy, changing.snapshot(), changing.state, changing.now))
            forbidden.add(len(found.problem.barred))
            changing.dice.choice(CHANGES)(changing)
    assert len(forbidden) > SEEDS


def test_uses_are_judged_again_only_where_something_begins_or_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    judged = exclusions_of
    monkeypatch.setattr("controller.planning.excluded.exclusions_of", lambda *given: asked.append(1) or judged(*given))
    changing = drawn(1)
    changing.policy = replace(changing.policy, maintenance=())
    bare = replace(build(changing.policy, changing.snapshot(), State(), NOW).whole, paths=(), barred=frozenset())
    forbidding = Forbidding()
    asked.clear()
    edges = bare.now_s, bare.needed_until_s
    due_s = min(second - edge for second in ever(bare) for edge in edges if second > edge + 1)
    for later_s, times in ((0, 1), (due_s - 1, 1), (due_s, 2)):
        later = replace(bare, now_s=bare.now_s + later_s, needed_until_s=bare.needed_until_s + later_s)
        forbidding.of(later, frozenset())
        assert len(asked) == times


@pytest.mark.parametrize("seed", range(3))
def test_at_every_second_at_which_something_begins_or_ends_uses_are_judged_as_anew(seed: int) -> None:
    changing = drawn(seed)
    policy = changing.policy
    bare = replace(build(policy, changing.snapshot(), State(), NOW).whole, paths=(), barred=frozenset())
    windows = [each.window for each in policy.maintenance]
    turns = {w.from_s + at * w.every_s + length for w in windows for at in range(3) for length in (0, 120)}
    seconds = {each + beside - lead for each in ever(bare) | turns for beside in (-1, 0, 1) for lead in (0, LEAD_S)}
    forbidding, found = Forbidding(), set[int]()
    for now_s in sorted(each for each in seconds if each >= bare.now_s):
        at = replace(bare, now_s=now_s, needed_until_s=now_s + LEAD_S)
        kept = forbidding.of(at, frozenset())
        assert kept == Forbidding().of(at, frozenset())
        found.add(sum(map(len, kept.every.values())))
    assert len(found) > 2


@pytest.mark.parametrize("rule", EXCLUDING, ids=lambda rule: rule.id)
def test_no_rule_bars_by_a_rate(rule: object) -> None:
    changing = drawn(2)
    whole = build(changing.policy, changing.snapshot(), State(), NOW).whole
    other = replace(whole, demands=tuple(replace(each, rate_milli_rps=7) for each in whole.demands))
    assert exclusions_of(whole, (rule,)) == exclusions_of(other, (rule,))  # type: ignore[arg-type]
