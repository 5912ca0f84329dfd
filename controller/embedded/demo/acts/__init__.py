"""The acts, in the order in which they are played."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from controller.embedded.demo.acts import certification, first, impossible, lost, quiet, tripled
from controller.embedded.demo.stage import Seen, Stage


@dataclass(frozen=True, slots=True)
class Play:
    """An act's name and what is done in it."""

    name: str
    play: Callable[[Stage], Awaitable[Seen]]


ACTS: Final = (
    Play("first placement from nothing", first.play),
    Play("traffic triples", tripled.play),
    Play("the certification of a site in use ends", certification.play),
    Play("a Triton process is killed", lost.play),
    Play("a policy that cannot be met", impossible.play),
    Play("traffic falls", quiet.play),
)
