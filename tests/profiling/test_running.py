"""The whole of a profiling run on a simulated server."""

from pathlib import Path

import pytest

from controller.profiling.deciding import Goal
from controller.profiling.document import DocumentError, Profiled, document, profiled
from controller.profiling.measured import Progress
from controller.profiling.running import measure
from controller.profiling.state import StateError, read_state, write_state
from tests.profiling.simulated import Simulated, silent

LONG_S = 3_600.0


def linear_us(batch: int) -> float:
    return 4_000 + 1_000.0 * batch


async def test_a_profile_is_what_the_server_takes_and_the_predictions_hold_on_it() -> None:
    server = Simulated(linear_us, fits=2)
    goal = Goal(server.max_batch, resizable=True)
    progress = await measure(server, goal, Progress(), LONG_S, silent(), clock=lambda: server.now_s)
    assert [point.batch for point in progress.batches] == [1, 6, 32]
    for point in progress.batches:
        assert point.mean_us == pytest.approx(linear_us(point.batch), rel=goal.error)
        assert point.relative_error <= goal.error
    assert [point.instances for point in progress.instances] == [1, 2, 4]
    found = profiled("toy", "fp32", progress)
    assert found.share_permille == pytest.approx(500, rel=0.05)
    assert found.load_us == 2_000_000
    for check in progress.checks:
        assert check.seen_us == pytest.approx(check.predicted_us, rel=0.15)


async def test_sure_means_need_fewer_requests_than_scattered_ones() -> None:
    requests = {}
    for scatter in (0.02, 0.5):
        server = Simulated(linear_us, scatter=scatter, max_batch=1)
        goal = Goal(1, resizable=False)
        progress = await measure(server, goal, Progress(), LONG_S, silent(), clock=lambda: 0.0)
        requests[scatter] = progress.batches[0].requests
    assert requests[0.02] < 50
    assert requests[0.5] > 200


async def test_a_size_that_the_server_cannot_take_ends_the_sizes_and_not_the_run() -> None:
    server = Simulated(linear_us, breaks_at=8)
    progress = await measure(server, Goal(32, resizable=True), Progress(), LONG_S, silent(), clock=lambda: 0.0)
    assert max(point.batch for point in progress.batches) == 8
    assert progress.notes[0] == "batches of 32: none of 1 requests was answered"
    assert progress.instances
    assert progress.checks


async def test_a_server_that_answers_nothing_is_asked_once() -> None:
    progress = await measure(
        Simulated(linear_us, breaks_at=0), Goal(8, resizable=True), Progress(), LONG_S, silent(), clock=lambda: 0.0
    )
    assert progress.batches == ()
    assert len(progress.notes) == 1


async def test_a_server_whose_instances_are_fixed_gives_a_profile_with_an_assumed_share() -> None:
    server = Simulated(linear_us, resizable=False)
    progress = await measure(server, Goal(4, resizable=True), Progress(), LONG_S, silent(), clock=lambda: 0.0)
    found = profiled("toy", "fp32", progress)
    assert found.share_permille is None
    assert "share: 100%" in document("cpu", [found])
    assert "# toy/fp32: share assumed" in document("cpu", [found])
    assert any("explicit" in note for note in found.notes)


async def test_a_run_that_was_cut_short_goes_on_from_its_state(tmp_path: Path) -> None:
    server, saved = Simulated(linear_us), list[Progress]()
    goal = Goal(32, resizable=True)
    first = await measure(server, goal, Progress(), 3.0, silent(saved), clock=lambda: server.now_s)
    assert first.notes[-1].startswith("the time was up before")
    write_state(tmp_path / "state.json", "toy on here", saved[-1])
    known = read_state(tmp_path / "state.json", "toy on here")
    assert known == saved[-1]
    whole = await measure(server, goal, known, LONG_S, silent(), clock=lambda: server.now_s)
    assert whole.batches[: len(known.batches)] == known.batches or len(known.batches) < 3
    assert len(whole.checks) == 2


def test_a_state_of_something_else_is_refused(tmp_path: Path) -> None:
    write_state(tmp_path / "state.json", "toy on here", Progress())
    with pytest.raises(StateError, match="delete it or give another file"):
        read_state(tmp_path / "state.json", "toy on there")
    (tmp_path / "state.json").write_text("{")
    with pytest.raises(StateError, match="not a state of profiling"):
        read_state(tmp_path / "state.json", "toy on here")


def test_a_document_rises_with_the_batch_even_where_noise_did_not() -> None:
    text = document("cpu", [Profiled("toy", "fp32", ((1, 5_000.4), (2, 4_990.0), (4, 8_000.0)), 500, 2_000_001)])
    assert "time: 5000us" in text
    assert "4990us" not in text
    assert "load: 2001ms" in text


def test_a_name_that_the_language_does_not_take_is_refused_with_its_place() -> None:
    with pytest.raises(DocumentError, match="is not a name"):
        document("My GPU", [Profiled("toy", "fp32", ((1, 5_000.0),))])
