"""Which servers of a cluster stay: those that are planned with, hold something, or have not been silent for long."""

from datetime import UTC, datetime, timedelta

import pytest

from collectors.snapshot import LoadedModel, ModelState, Reading, Server, ServerState, Snapshot
from controller.cluster.pod_state import PodState
from controller.cluster.server_pods import ServerAddresses, ServerPod
from controller.cluster.serving import reached
from controller.cluster.store import Name
from controller.cluster.upkeep import in_use, silent
from controller.fleet import Fleet, Load
from rules.kernel.problem import Placement

NOW = datetime(2026, 11, 27, tzinfo=UTC)
LOADED = Placement("model", "fp32", "edge")


def server(node: str, *states: ModelState) -> Server:
    models = tuple(LoadedModel("model", "fp32", state, 1, 1, 0) for state in states)
    return Server("edge", Reading(ServerState(models), NOW, "triton"), node)


def away(node: str) -> Server:
    return Server("edge", Reading(None, None, "triton"), node)


@pytest.mark.parametrize(
    ("state", "stays"), [(ModelState.READY, True), (ModelState.LOADING, True), (ModelState.UNAVAILABLE, False)]
)
def test_a_server_stays_while_it_holds_something(state: ModelState, *, stays: bool) -> None:
    used = in_use(Fleet(), Snapshot(NOW, servers=(server("a", state),)), ())
    assert ("a" in used.get("edge", ())) is stays


def test_a_server_stays_while_it_is_planned_with() -> None:
    planned = Fleet((Load(LOADED, 1, 1, 0, "b"),))
    assert in_use(planned, Snapshot(NOW, servers=(server("a"),)), ()) == {"edge": {"b"}}


def test_a_silent_server_is_counted_from_when_it_fell_silent_and_anew_after_it_answered() -> None:
    later = NOW + timedelta(seconds=5)
    first = silent({}, Snapshot(NOW, servers=(away("a"),)))
    assert silent(first, Snapshot(later, servers=(away("a"), away("b")))) == {("edge", "a"): NOW, ("edge", "b"): later}
    answered = silent(first, Snapshot(later, servers=(server("a"),)))
    assert answered == {}
    assert silent(answered, Snapshot(later, servers=(away("a"),))) == {("edge", "a"): later}


def test_a_server_that_is_waited_for_stays() -> None:
    assert in_use(Fleet(), Snapshot(NOW, servers=(away("a"),)), [("edge", "a")]) == {"edge": {"a"}}
    assert in_use(Fleet(), Snapshot(NOW, servers=(away("a"),)), ()) == {}


def test_a_server_is_told_of_once_it_is_ready_or_late() -> None:
    pods = {
        Name("gridwright-edge", name): ServerPod("edge", name, made, state)
        for name, made, state in (
            ("ready", NOW, PodState("10.0.0.1", is_ready=True, why="")),
            ("starting", NOW, PodState("10.0.0.2", is_ready=False, why="pulling")),
            ("late", NOW - timedelta(seconds=600), PodState("10.0.0.3", is_ready=False, why="crashing")),
            ("nowhere", NOW - timedelta(seconds=600), PodState("", is_ready=False, why="pending")),
        )
    }
    addresses = ServerAddresses(lambda: pods, 600, reached, lambda: NOW)
    assert addresses.now() == {("edge", "ready"): reached("10.0.0.1"), ("edge", "late"): reached("10.0.0.3")}
