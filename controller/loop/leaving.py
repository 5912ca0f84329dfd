"""Whether the first wave of a transition only takes away, so that it need not wait until parts are ready for more."""

from controller.actions import Action, SetRoutes, Transition, Unload
from controller.fleet import Fleet, RouteSet


def only_leaves_first(transition: Transition, running: Fleet) -> bool:
    """Whether nothing is loaded in the first wave, and requests go nowhere where they do not go already."""
    taken = {place for item in running.routes for place in _places(item)}
    return bool(transition.waves) and all(_only_leaves(action, taken) for action in transition.waves[0].actions)


def _only_leaves(action: Action, taken: set[object]) -> bool:
    match action:
        case Unload():
            return True
        case SetRoutes(routes):
            return all(place in taken for item in routes for place in _places(item))
    return False


def _places(item: RouteSet) -> set[object]:
    """The ways of a demand, and the servers that their requests are parted over."""
    demand = item.service, item.origin
    ways = {(*demand, way.placements, way.encodings) for way in item.ways}
    return ways | {(*demand, parts.placement, node) for parts in item.parts for node, _ in parts.nodes}
