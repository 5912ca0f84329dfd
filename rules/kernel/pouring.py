"""Calls that are poured into rooms: a largest flow (Ford and Fulkerson 1956), amount by amount."""

import itertools
from collections import Counter, deque
from collections.abc import Iterable, Mapping


class Pouring:
    """Rooms that fill up. What was poured before is moved to other rooms of its own where that helps, and never out."""

    def __init__(self, rooms: Mapping[str, int]) -> None:
        self._left = dict(rooms)
        self._held: dict[str, Counter[int]] = {room: Counter() for room in rooms}
        self._rooms: list[tuple[str, ...]] = []

    def pour(self, amount: int, rooms: Iterable[str]) -> int:
        """How much of an amount finds a place in these rooms."""
        number = len(self._rooms)
        self._rooms.append(tuple(sorted(rooms)))
        placed = 0
        while placed < amount and (way := self._way(number)):
            displaced = [(room, source) for (_, room), (source, _) in itertools.pairwise(way)]
            last = way[-1][1]
            pushed = min(amount - placed, self._left[last], *(self._held[room][source] for room, source in displaced))
            for source, room in way:
                self._held[room][source] += pushed
            for room, source in displaced:
                self._held[room][source] -= pushed
            self._left[last] -= pushed
            placed += pushed
        return placed

    def poured(self) -> list[dict[str, int]]:
        """Where each amount is by now, in the order in which they came."""
        held = [{room: self._held[room][number] for room in rooms} for number, rooms in enumerate(self._rooms)]
        return [{room: amount for room, amount in each.items() if amount} for each in held]

    def _way(self, number: int) -> list[tuple[int, str]]:
        """Who goes where, from the amount of this number on: each displaces the next, and the last finds room."""
        came: dict[str, int] = {}
        displaced: dict[int, str] = {}
        ahead = deque([number])
        while ahead:
            source = ahead.popleft()
            for room in self._rooms[source]:
                if room in came:
                    continue
                came[room] = source
                if self._left[room] > 0:
                    return self._back(room, came, displaced)
                for other, held in self._held[room].items():
                    if held and other != number and other not in displaced:
                        displaced[other] = room
                        ahead.append(other)
        return []

    @staticmethod
    def _back(room: str, came: Mapping[str, int], displaced: Mapping[int, str]) -> list[tuple[int, str]]:
        way = [(came[room], room)]
        while way[0][0] in displaced:
            room = displaced[way[0][0]]
            way.insert(0, (came[room], room))
        return way
