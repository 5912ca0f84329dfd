"""First placement from nothing: every objective is met, and no card data is near the uncertified site."""

from controller.embedded.demo.protected import protected_calls, protected_services, uncertified_pools
from controller.embedded.demo.stage import Seen, Stage, by_pool, instances, pools_serving, told

PLACED_WITHIN_S = 60
WATCH_S = 14.0


async def play(stage: Stage) -> Seen:
    """Wait for the placement, offer the base load, and look where the calls were answered."""
    placed = await stage.until(lambda: stage.settled() and instances(stage.wanted()) > 0, PLACED_WITHIN_S)
    stage.traffic.scale(1.0)
    await stage.rest(2)
    start_s = stage.now_s()
    await stage.rest(WATCH_S)
    end_s = stage.now_s()
    await stage.rest(1)
    p99_ms, failed = stage.p99_ms(start_s, end_s), stage.failures(start_s, end_s)
    barred = uncertified_pools(stage.policy, stage.status().snapshot, stage.wall())
    touched = sum(
        pools_serving(stage.wanted(), service) & barred != set() for service in protected_services(stage.policy)
    )
    answered = protected_calls(stage.policy, stage.answered(), barred)
    return Seen(
        "all services within their p99 objective, none refused; no call with card data at a site without pci-dss, "
        "nor a route to one",
        f"placed on {by_pool(stage.wanted())}; p99 {told(p99_ms)}; {failed} calls not answered; without pci-dss: "
        f"{', '.join(sorted(barred))}, which answered {answered} protected calls and has {touched} protected routes",
        placed and stage.met(p99_ms) and not failed and not touched and not answered and bool(barred),
    )
