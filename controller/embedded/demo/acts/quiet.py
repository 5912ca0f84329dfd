"""Traffic falls: the fleet shrinks, objectives are kept, and it does not flap."""

import itertools

from controller.embedded.demo.recording import Decided
from controller.embedded.demo.stage import Seen, Stage, by_pool, instances, told

FACTOR = 0.4
SHRUNK_WITHIN_S = 35
STILL_S = 14.0


async def play(stage: Stage) -> Seen:
    """Offer little, wait until the fleet is smaller, then see whether it stays as it is."""
    before = stage.wanted()
    start_s = stage.now_s()
    stage.traffic.scale(FACTOR)
    shrunk = await stage.until(
        lambda: instances(stage.wanted()) < instances(before) and stage.settled(), SHRUNK_WITHIN_S
    )
    still_from = stage.now_s()
    await stage.rest(STILL_S)
    end_s = stage.now_s()
    await stage.rest(1)
    p99_ms, failed = stage.p99_ms(start_s, end_s), stage.failures(start_s, end_s)
    back = came_back([d for d in stage.recording.decisions if d.at_s >= start_s])
    return Seen(
        "fewer instances, every p99 under its objective all the while, and nothing that was taken away comes back",
        f"from {by_pool(before)} to {by_pool(stage.wanted())}, still for the last {end_s - still_from:.0f} s; "
        f"p99 {told(p99_ms)}; {failed} calls not answered; came back: {', '.join(back) or 'nothing'}",
        shrunk and stage.met(p99_ms) and not failed and not back,
    )


def came_back(decisions: list[Decided]) -> list[str]:
    """The placements that were wanted less in one decision and more again in a later one."""
    shrunk: set[str] = set()
    back: set[str] = set()
    for before, after in itertools.pairwise(decisions):
        for placement in {*before.wanted, *after.wanted}:
            change = after.wanted.get(placement, 0) - before.wanted.get(placement, 0)
            if change < 0:
                shrunk.add(placement)
            elif change > 0 and placement in shrunk:
                back.add(placement)
    return sorted(back)
