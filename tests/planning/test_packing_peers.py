"""The schedulers that packing is measured against do what their descriptions say: cases worked out by hand."""

from pathlib import Path

import numpy as np
import pytest
from packing import figures, middle
from packing_fragments import Typical, fragments, typical
from packing_peers import (
    BEST_FIT,
    FGD,
    LEAST_ALLOCATED,
    MOST_ALLOCATED,
    PEERS,
    decreasing,
    place_each,
    scored,
)
from packing_trace import LISTS, NODES, PODS, Pods, counting_nodes, pod_set, pod_sets, without_last

from controller.planning.fleet.device_check import broken
from controller.planning.fleet.device_state import DeviceState, emptied, plan_of, put
from controller.planning.fleet.devices import DevicePlan

NODE = {"cpu_milli": "10000", "memory_mib": "10000", "gpu": "2", "model": "T4"}


def pod(cpu: int, gpus: int, milli: int, spec: str = "") -> dict[str, str]:
    row = {"cpu_milli": str(cpu), "memory_mib": "1000", "num_gpu": str(gpus), "gpu_milli": str(milli)}
    return row | {"gpu_spec": spec}


def placed_by(pods: Pods, peer: int, state: DeviceState) -> DeviceState:
    problem = pods.problem
    often = typical(problem)
    there = problem.kind_free
    place_each(state, there, problem.class_need, problem.class_allowed, pods.arrivals, peer, often)
    assert broken(problem, plan_of(state)) == []
    return state


FREE = np.array([6000, 8000, 1000, 500])
THERE = np.array([10000, 10000, 1000, 1000])
WANTS = np.array([2000, 1000, 1, 500])


def test_least_allocated_adds_what_is_left_and_how_balanced_it_is() -> None:
    # 40 % of the CPU and 70 % of the memory are left: 55; they are 0.3 apart, which is a deviation of 0.15: 85.
    assert scored(FREE, THERE, WANTS, LEAST_ALLOCATED) == 55 + 85


def test_most_allocated_is_the_mean_of_what_is_taken_with_gpus_only_for_pods_that_want_them() -> None:
    # 60 % of the CPU, 30 % of the memory, and 1000 of 2000 shares.
    assert scored(FREE, THERE, WANTS, MOST_ALLOCATED) == (60 + 30 + 50) // 3
    assert scored(FREE, THERE, np.array([2000, 1000, 0, 0]), MOST_ALLOCATED) == (60 + 30) // 2


def test_best_fit_prefers_the_node_with_the_least_left() -> None:
    assert scored(FREE, THERE, WANTS, BEST_FIT) == pytest.approx(-(0.4 + 0.7 + 0.5))
    assert scored(FREE[:2], THERE[:2], np.array([2000, 1000, 0, 0]), BEST_FIT) == pytest.approx(-(0.4 + 0.7))


def test_best_fit_decreasing_takes_gpus_first_and_then_cpu() -> None:
    pods = pod_set("", [NODE], [pod(9000, 0, 0), pod(1000, 1, 500), pod(2000, 1, 500), pod(1000, 2, 1000)])
    assert decreasing(pods.problem, pods.arrivals).tolist() == [3, 2, 1, 0]


def test_fragments_are_the_shares_that_the_next_pod_is_not_expected_to_use() -> None:
    pods = pod_set("", [NODE], [pod(1000, 1, 600), pod(1000, 1, 300), pod(1000, 2, 1000), pod(1000, 0, 0)])
    state = emptied(pods.problem)
    put(state, pods.problem.class_need, 0, 0, 0b01)
    often = Typical(pods.problem.class_need, pods.problem.class_allowed, np.array([0.4, 0.3, 0.2, 0.1]))
    # 400 and 1000 are left: 600 cannot use the 400, 300 can use all, two GPUs are not there, and no GPU uses nothing.
    assert fragments(state, 0, often) == pytest.approx(0.4 * 400 + 0.2 * 1400 + 0.1 * 1400)


def test_a_pod_without_cpu_left_or_of_another_model_can_use_nothing() -> None:
    pods = pod_set("", [NODE], [pod(8000, 1, 100), pod(4000, 1, 100), pod(1000, 1, 100, "A10|P100")])
    state = emptied(pods.problem)
    put(state, pods.problem.class_need, 0, 0, 0b01)
    often = Typical(pods.problem.class_need, pods.problem.class_allowed, np.array([0.0, 0.5, 0.5]))
    assert fragments(state, 0, often) == pytest.approx(1900)


def test_the_typical_classes_are_the_commonest_and_make_up_95_of_100_pods() -> None:
    pods = pod_set("", [NODE], [pod(1, 1, 100)] * 60 + [pod(2, 1, 100)] * 36 + [pod(3, 1, 100)] * 4)
    often = typical(pods.problem)
    assert often.need[:, 0].tolist() == [1, 2]
    assert often.part.tolist() == pytest.approx([60 / 96, 36 / 96])


def test_fgd_takes_the_device_that_leaves_the_others_whole() -> None:
    pods = pod_set("", [NODE], [pod(100, 1, 400), pod(100, 1, 1000), pod(100, 1, 1000), pod(100, 1, 400)])
    state = emptied(pods.problem)
    put(state, pods.problem.class_need, 0, 0, 0b10)
    placed_by(Pods("", pods.problem, np.array([0])), FGD, state)
    assert state.free[0, 2:].tolist() == [1000, 200]


def test_kubernetes_spreads_by_default_and_fills_up_with_most_allocated() -> None:
    pods = pod_set("", [NODE, NODE], [pod(1000, 1, 400)] * 2)
    spread = placed_by(pods, LEAST_ALLOCATED, emptied(pods.problem))
    filled = placed_by(pods, MOST_ALLOCATED, emptied(pods.problem))
    assert spread.held.tolist() == [1, 1]
    assert filled.held.tolist() == [2, 0]
    assert filled.free[0, 2:].tolist() == [200, 1000]


@pytest.mark.parametrize("peer", PEERS.values())
def test_a_pod_stands_only_on_models_that_it_allows_and_waits_where_there_is_no_room(peer: int) -> None:
    nodes = [NODE, NODE | {"model": "A10", "gpu": "1"}]
    pods = pod_set("", nodes, [pod(1000, 1, 1000, "A10|G2"), pod(1000, 1, 1000, "A10|G2"), pod(1000, 2, 1000)])
    state = placed_by(pods, peer, emptied(pods.problem))
    assert state.held.tolist() == [1, 1]
    assert state.waiting.tolist() == [1, 0]


def test_a_trace_is_read_as_it_is_written(tmp_path: Path) -> None:
    (tmp_path / NODES).write_text(
        "sn,cpu_milli,memory_mib,gpu,model\na,8000,90,1,T4\nb,8000,90,1,T4\nc,9000,91,2,A10\n"
    )
    head = "name,cpu_milli,memory_mib,num_gpu,gpu_milli"
    told = f"{head},gpu_spec,qos,pod_phase\np,1000,10,1,500,A10|T4,LS,Running\nq,2000,20,0,0,,LS,Failed\n"
    for name in LISTS:
        (tmp_path / PODS.format(name)).write_text(f"{head}\np,1000,10,2,1000\n" if name == "multigpu50" else told)
    sets = pod_sets(tmp_path)
    assert [one.name for one in sets if "multigpu50" in one.name] == ["multigpu50"]
    assert [one.arrivals.size for one in sets if "default" in one.name] == [2, 1]
    problem = sets[0].problem
    assert problem.kind_nodes.tolist() == [2, 1]
    assert problem.kind_free.tolist() == [[8000, 90, 1000, 0], [9000, 91, 1000, 1000]]
    assert problem.class_need.tolist() == [[1000, 10, 1, 500], [2000, 20, 0, 0]]
    assert problem.class_weight.tolist() == pytest.approx([0.52, 0.02])
    assert problem.class_allowed.tolist() == [[True, True], [True, True]]
    assert counting_nodes(problem).kind_price.tolist() == [1.0, 1.0]
    assert without_last(sets[0], 1).problem.class_count.tolist() == [1, 0]


def test_a_broken_packing_ends_the_benchmark() -> None:
    pods = pod_set("two", [NODE], [pod(1000, 1, 600), pod(1000, 1, 600)])
    apart = DevicePlan(np.array([0, 0]), np.array([0, 0]), np.array([0b01, 0b10]))
    assert figures(pods, apart, 0.0)["placed"] == len(pods.arrivals)
    together = apart._replace(instance_devices=np.array([0b01, 0b01]))
    with pytest.raises(SystemExit, match="1200 of 1000 shares of device 0"):
        figures(pods, together, 0.0)


def test_of_several_seeds_the_median_is_told() -> None:
    runs = [{"nodes": nodes, "unplaced_weight": 0.0} for nodes in (5, 3, 4)]
    assert middle(runs, "nodes") == runs[2] | {"of_each_seed": [5, 3, 4]}
    assert middle([runs[0], runs[2], {"nodes": 2, "unplaced_weight": 1.02}], "nodes")["nodes"] == 5
