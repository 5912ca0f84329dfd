"""Spans of time that come once, or again and again."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Window:
    """From a second (Unix time) to another that is not in it; with `every_s`, again after each so many seconds."""

    from_s: int
    until_s: int
    every_s: int = 0

    def first_s(self, now_s: int) -> int | None:
        """The first second from `now_s` on that lies in it; None when it is over for good."""
        if now_s <= self.from_s:
            return self.from_s
        since_s = (now_s - self.from_s) % self.every_s if self.every_s else now_s - self.from_s
        if since_s < self.until_s - self.from_s:
            return now_s
        return now_s - since_s + self.every_s if self.every_s else None

    def last_start_s(self, before_s: int) -> int | None:
        """The last second before `before_s` at which it begins; None when it does not begin before."""
        if before_s <= self.from_s:
            return None
        times = (before_s - 1 - self.from_s) // self.every_s if self.every_s else 0
        return self.from_s + times * self.every_s
