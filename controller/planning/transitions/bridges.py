"""Paths between two plans: what routes go over while servers are set anew, where it was not among those looked at.

In passing, requests take the old plan's routes over placements that are batched as the new plan wants them. With few
paths every one is there; of a large fleet's the missing ones are priced here.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from controller.performance.bursts import burst_of
from controller.performance.margin import margin_permille
from controller.planning.build import Built
from controller.planning.pricing import Habits, Views, choices, priced
from rules.kernel.plan import Plan
from rules.kernel.problem import Demand, Option, Path, Problem


def bridged(built: Built, judged: Problem, running: Plan, target: Plan) -> Problem:
    """The whole problem with every path that a transition from what runs to a plan may go over.

    What `judged` asks of plans beside its policy, so does that: the parts of a plan are judged as it is.
    """
    whole = replace(built.whole, floors=judged.floors, assured=judged.assured)
    known = {(path.demand, path.options) for path in whole.paths}
    missing = dict.fromkeys(use for use in _passing(whole, running, target) if use not in known)
    views = Views(whole, built.speed)
    found = (_path(built, views, whole.demand(demand), tuple(map(whole.option, names))) for demand, names in missing)
    return replace(whole, paths=(*whole.paths, *found)) if missing else whole


def _passing(whole: Problem, running: Plan, target: Plan) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each demand with the options that its routes go over: placements set as either plan has them, at loads of both.

    While routes are partly those of the one and partly those of the other plan, each placement is as busy as in the
    plan that lets it be busier.
    """
    first, last = ({o.placement: o for o in map(whole.option, plan.used_options())} for plan in (running, target))
    busiest = {
        placement: max(item[placement].load_permille for item in (first, last) if placement in item)
        for placement in {*first, *last}
    }
    later, earlier = {**first, **last}, {**last, **first}
    settings = {(o.placement, o.max_batch, o.queue_delay_us, o.load_permille): o.id for o in whole.options}
    for route in (*running.routes, *target.routes):
        path = whole.path(route.path)
        options = [whole.option(option) for option in path.options]
        for servers in (later, earlier):
            set_as = [servers.get(option.placement, option) for option in options]
            for loads in (
                [o.load_permille for o in options],
                [busiest.get(o.placement, o.load_permille) for o in options],
            ):
                yield (
                    path.demand,
                    tuple(
                        settings[server.placement, server.max_batch, server.queue_delay_us, load]
                        for server, load in zip(set_as, loads, strict=True)
                    ),
                )


def _path(built: Built, views: Views, demand: Demand, options: tuple[Option, ...]) -> Path:
    key = (demand.service, demand.origin)
    seen = Habits(margin_permille(built.state.margins, *key), burst_of(built.state.bursts, *key))
    service = built.whole.service_of(demand)
    stages = []
    for at, (stage, option) in enumerate(zip(service.stages, options, strict=True)):
        hops = views.hops(demand, stage, np.flatnonzero(views.offers(stage.model).among({option.id})))
        stages.append(choices(views, demand, at, seen, hops.at(np.flatnonzero(~hops.barred))))
    (path,) = priced(demand, service, stages, np.zeros((1, len(options)), np.int64), seen)
    return path
