"""Traffic triples: instances grow or move, and p99 is back within two control intervals after they are loaded."""

from controller.embedded.demo.stage import Seen, Stage, by_pool, told
from controller.fleet import Fleet

FACTOR = 3.0
SEEN_WITHIN_S = 25
SETTLED_WITHIN_S = 30
WATCH_S = 10.0


async def play(stage: Stage) -> Seen:
    """Offer three times the base load, wait until the fleet has settled on it, and look two intervals later."""
    before = stage.wanted()
    stage.traffic.scale(FACTOR)
    grew = await stage.until(lambda: _grew_or_moved(before, stage.wanted()), SEEN_WITHIN_S)
    turns = stage.turns()
    await stage.until(lambda: stage.turns() > turns and stage.settled(), SETTLED_WITHIN_S)
    loaded_s = stage.now_s()
    await stage.rest(2 * stage.policy.scaling.interval_s)
    start_s = stage.now_s()
    await stage.rest(WATCH_S)
    end_s = stage.now_s()
    await stage.rest(1)
    p99_ms, failed = stage.p99_ms(start_s, end_s), stage.failures(start_s, end_s)
    return Seen(
        "instances grow or move; two control intervals after they are loaded, every p99 is under its objective",
        f"from {by_pool(before)} to {by_pool(stage.wanted())}, loaded {loaded_s:.0f} s into the demo; "
        f"p99 then {told(p99_ms)}; {failed} calls not answered",
        grew and stage.met(p99_ms) and not failed,
    )


def _grew_or_moved(before: Fleet, after: Fleet) -> bool:
    """Whether any placement has more instances than it had."""
    counts = before.instances()
    return any(count > counts[placement] for placement, count in after.instances().items())
