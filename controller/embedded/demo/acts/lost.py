"""A Triton process is killed: routes leave it at once, capacity is rebuilt, and its return is reconciled."""

from controller.embedded.demo.stage import NothingServedError, Seen, Stage, by_pool, pools_serving, told

LEFT_WITHIN_S = 10
SETTLED_WITHIN_S = 30
BACK_WITHIN_S = 30
WATCH_S = 8.0


async def play(stage: Stage) -> Seen:
    """Kill the servers of the pool that most routes go to, watch, start it again, watch."""
    pool = _busiest(stage)
    before = _pools(stage)
    killed_s = stage.now_s()
    await stage.servers.kill(pool)
    left = await stage.until(lambda: pool not in _pools(stage), LEFT_WITHIN_S)
    left_s = stage.now_s()
    turns = stage.turns()
    await stage.until(lambda: stage.turns() > turns and stage.settled(), SETTLED_WITHIN_S)
    start_s = stage.now_s()
    await stage.rest(WATCH_S)
    end_s = stage.now_s()
    await stage.rest(1)
    p99_ms, failed = stage.p99_ms(start_s, end_s), stage.failures(start_s, end_s)
    meanwhile = stage.failures(killed_s - 2, start_s)
    await stage.servers.restart(pool)
    turns = stage.turns()
    back = await stage.until(
        lambda: stage.turns() > turns + 1 and stage.settled() and _as_wanted(stage, pool), BACK_WITHIN_S
    )
    return Seen(
        "routes leave the dead server at once, every objective is met again without it, and when it is back it holds "
        "what the plan asks of it",
        f"{pool} killed; routes gone after {left_s - killed_s:.1f} s, {meanwhile} calls not answered until the fleet "
        f"had settled; then p99 {told(p99_ms)}, {failed} not answered; back with {by_pool(stage.wanted())}",
        pool in before and left and stage.met(p99_ms) and not failed and back,
    )


def _pools(stage: Stage) -> set[str]:
    return {pool for service in stage.policy.services for pool in pools_serving(stage.wanted(), service.name)}


def _busiest(stage: Stage) -> str:
    """The pool that the largest part of all requests goes to and that others can stand in for."""
    weight: dict[str, int] = {}
    for routes in stage.wanted().routes:
        for way in routes.ways:
            for placement in way.placements:
                weight[placement.pool] = weight.get(placement.pool, 0) + way.weight_permille
    if not weight:
        raise NothingServedError("no service is served anywhere")
    edges = {origin.site for service in stage.policy.services for origin in service.origins}
    return max(weight, key=lambda pool: (stage.policy.pool(pool).site in edges, weight[pool], pool))


def _as_wanted(stage: Stage, pool: str) -> bool:
    """Whether the pool's servers report exactly what the last decision asks of them."""
    snapshot = stage.status().snapshot
    servers = [server for server in snapshot.servers if server.pool == pool] if snapshot else []
    if not servers or any(server.reading.value is None for server in servers):
        return False
    held = {
        (model.model, model.variant, server.node): model.instances
        for server in servers
        for model in (server.reading.value.models if server.reading.value else ())
        if model.instances
    }
    wanted = {
        (x.placement.model, x.placement.variant, x.node): x.instances
        for x in stage.wanted().loads
        if x.placement.pool == pool
    }
    return held == wanted
