"""Killing whoever leads at random moments of transitions, again and again, while others write down what happens."""

import json
import random
import time
from collections.abc import Callable
from typing import Any

import httpx

from tests.cluster.killing.changes import Changes
from tests.cluster.killing.ground import NAMES, Ground

LONGEST_S = 6.0
"""The most time between the beginning of a transition and the kill."""
AT_ONCE_PART, AT_ONCE_S = 0.25, 2.0
"""So often the kill comes within that time of the change, whether or not a transition has begun."""
BEGINS_S = 8.0
"""A change that has nothing begin within that time asked for nothing; there is another one."""
SETTLED_PART = 0.5
"""So often what is there is compared with the plan before the next change."""
PATIENCE_S = 180.0
LOOK_S = 0.25
ROUNDS = "rounds.jsonl"


class Rounds:
    """The rounds on a ground; what they do is written down beside what is seen."""

    def __init__(self, ground: Ground, seed: int) -> None:
        self._ground = ground
        self._dice = random.Random(seed)  # noqa: S311 -- to be repeated
        self._changes = Changes(ground, self._dice)
        self._file = ground.work / ROUNDS

    def run(self, kills: int, tell: Callable[[str], None] = lambda _: None) -> None:
        """Start both replicas, kill that often, and return once all is settled."""
        self._changes.begin()
        for name in NAMES:
            self._ground.replicas.start(name)
        self._settle()
        for number in range(kills):
            tell(f"{number + 1} of {kills}: {self._round()}")
            if self._dice.random() < SETTLED_PART or number == kills - 1:
                self._settle()

    def _round(self) -> str:
        them = self._ground.replicas
        leader = self._leader()
        standby = next(name for name in NAMES if name != leader)
        self._await(lambda: them.stands_by(standby), f"{standby} stands by")
        change = self._changed()
        self._note("kill", replica=leader)
        them.kill(leader)
        killed_at = time.monotonic()
        them.start(leader)
        self._await(lambda: bool(them.decided(standby)), f"{standby} leads")
        self._note("led", replica=standby)
        return f"{change}; {leader} is killed, and {standby} has decided {time.monotonic() - killed_at:.1f} s later"

    def _changed(self) -> str:
        """Have something change, and return at a random moment of what follows."""
        while True:
            begun = self._ground.notes.stat().st_size
            self._note("change", change=(change := self._changes.one()))
            if self._dice.random() < AT_ONCE_PART:
                time.sleep(self._dice.uniform(0, AT_ONCE_S))
                return change
            end = time.monotonic() + BEGINS_S
            while time.monotonic() < end:
                if self._ground.notes.stat().st_size > begun:
                    time.sleep(self._dice.uniform(0, LONGEST_S))
                    return change
                time.sleep(LOOK_S / 10)

    def _leader(self) -> str:
        self._await(lambda: self._ground.replicas.leader() is not None, "somebody leads")
        return self._ground.replicas.leader() or self._leader()

    def _await(self, holds: Callable[[], bool], what: str) -> None:
        """Wait until it holds. A replica that ended by itself, as one that may lead no longer, is started again."""
        end = time.monotonic() + PATIENCE_S
        while not holds():
            assert time.monotonic() < end, f"not so after {PATIENCE_S:g} s: {what}"
            for name in self._ground.replicas.ended():
                self._note("ended", replica=name)
                self._ground.replicas.start(name)
            time.sleep(LOOK_S)

    def _settle(self) -> None:
        """Wait until the leader has kept what is there three times, and write down what it plans."""
        them, kept = self._ground.replicas, set[str]()
        end = time.monotonic() + PATIENCE_S
        while len(kept) < 3 and time.monotonic() < end:
            decided = them.decided(self._leader())
            is_kept = bool(decided) and decided[0]["verdict"] == "keep" and not decided[0]["steps"]
            kept = {*kept, decided[0]["decision"]} if is_kept else set()
            time.sleep(LOOK_S)
        plan = them.decided(self._leader())[0]
        self._note("settled", keeps=len(kept), fleet=plan["fleet"], routes=self._followed())

    def _followed(self) -> list[Any]:
        """The routes that the gateway follows."""
        dump = httpx.get(f"http://{self._ground.gateway}/config_dump", trust_env=False).json()
        carried = [each["route_config"]["metadata"]["filter_metadata"]["gridwright"] for each in dump["configs"]]
        return [routes for each in carried for routes in json.loads(each["routes"])]

    def _note(self, what: str, **more: Any) -> None:
        with self._file.open("a") as file:
            file.write(json.dumps({"at": time.time(), "what": what, **more}) + "\n")
