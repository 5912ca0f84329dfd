"""Surfaces: exact where simulated, monotone in load and instances, and kept; and what becomes of stages on a path."""

import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.performance import surface, surface_store
from controller.performance.pipeline import PERCENTILES_BP, chains, path_latencies_us, sampled
from controller.performance.surface import LEVELS, Shape, known, quantiles, shape_of, surface_of
from controller.performance.surface_store import cache_folder, kept_surfaces
from policy.findings import Place
from policy.resolved import Stage

HERE = Place("policy.yaml", 1, 1)
SHAPES = st.builds(
    shape_of,
    st.sampled_from([(1000,), (600, 800), (900, 1000, 1100, 1200), (250, 500, 750, 1000)]),
    st.sampled_from([1, 2, 3, 4]),
    st.sampled_from([1, 3]),
)


@settings(max_examples=40)
@given(SHAPES, st.floats(0, 1.2), st.floats(0, 0.3))
def test_more_load_is_never_faster(shape: Shape, load: float, more: float) -> None:
    assert (quantiles(shape, load + more) >= quantiles(shape, load)).all()


@settings(max_examples=20)
@given(st.sampled_from([(1000,), (600, 800), (900, 1000, 1100, 1200)]), st.floats(0, 0.95))
def test_more_instances_at_the_same_utilisation_are_never_slower(batch_us: tuple[int, ...], load: float) -> None:
    one, two, four = (quantiles(shape_of(batch_us, count, 1), load) for count in (1, 2, 4))
    assert (two <= one).all()
    assert (four <= two).all()


def test_an_idle_server_takes_its_service_time() -> None:
    assert quantiles(shape_of((1000,), 1, 1), 0.0)[LEVELS // 2] == pytest.approx(1.0, rel=1e-3)


def test_half_the_speed_at_half_the_rate_is_twice_the_latency() -> None:
    assert shape_of((1000, 1500), 1, 1) == shape_of((2000, 3000), 1, 1)


def test_a_number_of_instances_that_has_no_surface_takes_that_of_fewer() -> None:
    assert shape_of((1000,), 7, 1) == shape_of((1000,), 4, 1)


def made_and_kept(folder: Path) -> tuple[Shape, np.ndarray]:
    """A surface that a process made and kept; the next one knows nothing of it yet."""
    shape = shape_of((1000, 1200), 1, 1)
    forget()
    with kept_surfaces(folder):
        made = surface_of(shape)
    forget()
    return shape, made


def forget() -> None:
    surface._known.clear()  # noqa: SLF001 - as a process begins


def test_what_one_process_simulated_the_next_one_knows(tmp_path: Path) -> None:
    shape, made = made_and_kept(tmp_path)
    with kept_surfaces(tmp_path):
        assert (known()[shape] == made).all()


def test_what_other_sources_made_is_not_known(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    made_and_kept(tmp_path)
    monkeypatch.setattr(surface_store, "_edition", lambda: "another")
    with kept_surfaces(tmp_path):
        assert known() == {}


@pytest.mark.parametrize("content", [b"", b"garbage" * 1000])
def test_a_cache_that_is_no_cache_changes_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "surfaces.sqlite").write_bytes(content)
    shape, made = made_and_kept(tmp_path)
    assert (surface_of(shape) == made).all()


def test_a_surface_that_is_not_whole_is_not_known(tmp_path: Path) -> None:
    shape, made = made_and_kept(tmp_path)
    with closing(sqlite3.connect(tmp_path / "surfaces.sqlite")) as connection, connection:
        connection.execute("UPDATE surface SET data = ?", (made.tobytes()[:-4],))
    with kept_surfaces(tmp_path):
        assert shape not in known()


def test_a_cache_that_cannot_be_made_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    shape, made = made_and_kept(tmp_path / "file")
    with kept_surfaces(tmp_path / "file"):
        assert (surface_of(shape) == made).all()


def test_no_more_than_so_many_surfaces_are_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(surface_store, "MOST", 2)
    forget()
    with kept_surfaces(tmp_path):
        for step in range(3):
            surface_of(shape_of((300 + 100 * step, 1000), 1, 1))
    forget()
    with kept_surfaces(tmp_path):
        assert len(known()) == 2


def test_the_users_cache_is_where_the_environment_says(tmp_path: Path) -> None:
    assert cache_folder({"XDG_CACHE_HOME": str(tmp_path)}) == tmp_path / "gridwright"
    assert cache_folder({}) == Path.home() / ".cache" / "gridwright"


def stage(name: str, *after: str) -> Stage:
    return Stage(name, "model", after, 1, 0, HERE)


def test_the_percentiles_of_a_chain_are_those_of_the_sum() -> None:
    """Three exponential stages make an Erlang distribution, whose p99 is 8.406 means, not 3 * 4.605."""
    levels = (np.arange(LEVELS) + 0.5) / LEVELS
    legs = [sampled(i, -1e6 * np.log1p(-levels)) for i in range(3)]
    (found,) = path_latencies_us([(0, 1, 2)], [samples[None] for samples in legs], np.zeros((1, 3), np.int64))
    by_percentile = dict(found)
    assert by_percentile[5000] == pytest.approx(2.674e6, rel=0.03)
    assert by_percentile[9500] == pytest.approx(6.296e6, rel=0.04)
    assert by_percentile[9900] == pytest.approx(8.406e6, rel=0.06)


def test_a_single_stage_keeps_its_own_percentiles() -> None:
    values = np.arange(LEVELS, dtype=np.float64)
    (found,) = path_latencies_us([(0,)], [sampled(0, values)[None]], np.zeros((1, 1), np.int64))
    assert found == tuple((bp, LEVELS * bp // 10_000 - 1) for bp in PERCENTILES_BP)


def test_the_slower_branch_of_a_dag_decides() -> None:
    stages = (stage("a"), stage("b", "a"), stage("c", "a"), stage("d", "b", "c"))
    ways = chains(stages)
    assert sorted(ways) == [(0, 1, 3), (0, 2, 3)]
    constant = [np.full((1, LEVELS), value) for value in (1.0, 10.0, 20.0, 100.0)]
    (found,) = path_latencies_us(ways, constant, np.zeros((1, 4), np.int64))
    assert {value for _, value in found} == {121}


def test_many_paths_are_sampled_in_their_order() -> None:
    samples = np.repeat(np.arange(1200.0)[:, None], LEVELS, axis=1)
    backwards = np.arange(1200)[::-1, None]
    found = path_latencies_us([(0,)], [samples], backwards)
    assert [percentiles[0][1] for percentiles in found] == list(range(1199, -1, -1))
