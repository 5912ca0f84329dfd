"""Devices' facts, and latencies on a device that no table holds."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from synthetic import A40, A100, T4, V100, measured

from controller.performance.tables.common_work import common_work
from controller.performance.tables.devices import Mix, UnknownDeviceError, catalogue, device_named, log_speed
from controller.performance.tables.measurement import Measurement
from controller.performance.tables.shares import SHARES, alike, fit_hosts
from controller.performance.tables.unseen_device import LONE_HALF_WIDTH, predict_unseen

SIZES = (1, 2, 4, 8)
TRAFFIC = Mix(matrix=0.0, vector=0.0, bandwidth=1.0, power_limited=False)


@pytest.mark.parametrize(
    ("name", "device"),
    [
        (A100, "A100-SXM4-80GB"),
        ("A100-40GB", "A100-SXM4-40GB"),
        (V100, "V100-SXM2-32GB"),
        (A40, "A40"),
        (T4, "T4"),
    ],
)
def test_a_tables_name_leads_to_one_device(name: str, device: str) -> None:
    assert device_named(name).name == device
    assert device_named(name).source
    assert device_named(name).bandwidth_source


def test_an_unknown_device_is_told_with_the_next_step() -> None:
    with pytest.raises(UnknownDeviceError, match=r"add a row to devices\.csv"):
        device_named("NVIDIA X1")


def test_every_name_of_the_catalogue_is_its_own_and_has_a_flagship_that_is_no_slower() -> None:
    for name, device in catalogue().items():
        assert device_named(name) is device
        assert catalogue()[device.flagship].fp16_tflops >= device.fp16_tflops


def test_a_boards_power_bounds_what_it_sustains() -> None:
    peak, sustained = (Mix(1.0, 0.0, 0.0, power_limited=limited) for limited in (False, True))
    t4, v100 = device_named(T4), device_named(V100)
    assert math.exp(log_speed(t4, "FP16", peak)) == pytest.approx(65)
    # 125 TFLOPS at 300 W, of which 70 W are 29.2.
    assert math.exp(log_speed(t4, "FP16", sustained)) == pytest.approx(29.17, abs=0.01)
    assert log_speed(v100, "FP16", sustained) == log_speed(v100, "FP16", peak)
    assert math.exp(log_speed(t4, "FP32", peak)) == pytest.approx(8.1)


def bandwidth(device: str) -> float:
    return device_named(device).bandwidth_gb_s / device_named(A100).bandwidth_gb_s


def roofline(devices: tuple[str, ...], slow_host: float = 1.0) -> list[Measurement]:
    """Work of which a part is the host's, the rest bound by bandwidth; V100's host is slower by a factor."""
    return [
        measured(
            10 * k * (share * (slow_host if device == V100 else 1) + (1 - share) / bandwidth(device)),
            model=f"net-{share}-{k}",
            device=device,
        )
        for share in (0.0, 0.25, 0.5, 0.75, 1.0)
        for k in (1, 2, 3)
        for device in devices
    ]


def test_the_host_that_is_slower_is_found() -> None:
    groups = alike(common_work(roofline((A100, V100), slow_host=1.4)), frozenset())
    hosts = fit_hosts(groups, TRAFFIC)
    even = fit_hosts(alike(common_work(roofline((A100, V100))), frozenset()), TRAFFIC)
    assert hosts[V100] - hosts[A100] > even[V100] - even[A100] + 0.1


def test_a_device_between_two_known_ones_is_predicted_between_them() -> None:
    rows = roofline((A100, T4))
    by_model = {(row.setup.model, row.device): row.mean_ms for row in rows}
    for item in predict_unseen(common_work(rows), V100):
        fast, slow = by_model[item.work.setup.model, A100], by_model[item.work.setup.model, T4]
        assert 0.95 * fast <= item.avg_ms <= 1.05 * slow
        assert item.low_ms < item.avg_ms < item.high_ms
        assert item.p99_ms == pytest.approx(1.2 * item.avg_ms)


def test_work_that_the_host_bounds_is_not_slowed_by_a_slow_device_and_work_that_the_device_bounds_is() -> None:
    found = {item.work.setup.model: item.avg_ms for item in predict_unseen(common_work(roofline((A100, V100))), T4)}
    assert found["net-1.0-1"] / 10 < 1.6
    assert found["net-0.0-1"] / 10 > 3


def test_what_was_measured_on_the_device_itself_is_not_looked_at() -> None:
    rows = roofline((A100, V100))
    lies = [measured(1e6, model=row.setup.model, device=T4) for row in rows]
    honest, lied_to = (predict_unseen(common_work(each), T4) for each in (rows, [*lies, *rows]))
    assert {item.work.setup: item.avg_ms for item in lied_to} == pytest.approx(
        {item.work.setup: item.avg_ms for item in honest}
    )


def test_an_interval_is_wider_where_the_device_is_further_away() -> None:
    near = predict_unseen(common_work(roofline((A100, V100, T4))), A40)[0]
    far = predict_unseen(common_work(roofline((A100, V100, A40))), T4)[0]
    assert far.high_ms / far.avg_ms > near.high_ms / near.avg_ms


def test_one_known_device_gives_a_factor_of_two() -> None:
    (only,) = predict_unseen(common_work([measured(10.0)]), V100)
    assert math.log(only.high_ms / only.avg_ms) == pytest.approx(LONE_HALF_WIDTH)
    with pytest.raises(ValueError, match="any device but"):
        predict_unseen(common_work([measured(10.0)]), A100)


def test_what_grows_neither_with_the_batch_nor_with_the_concurrency_is_constant() -> None:
    by_batch = [measured(6.0 + 2 * b, batch=b) for b in (1, 2, 4, 8)]
    by_concurrency = [measured(6.0 + 2 * n, model="other", concurrency=n) for n in (1, 2, 4, 8)]
    for work in common_work([*by_batch, *by_concurrency]):
        size = work.batch * work.concurrency
        assert work.constant_share[A100] == pytest.approx(6 / (6 + 2 * size), abs=0.01)
        assert np.exp(work.on[A100].log_mean) == pytest.approx(6 + 2 * size)


def test_time_outside_the_server_is_constant_whatever_it_grows_with() -> None:
    rows = [measured(2.0 * b, batch=b, outside_ms=0.5 * b) for b in (1, 2, 4, 8)]
    alone = measured(10.0, model="alone", outside_ms=4.0)
    *swept, single = common_work([*rows, alone])
    assert [work.constant_share[A100] for work in swept] == pytest.approx([0.25] * 4, abs=0.01)
    assert single.constant_share[A100] == pytest.approx(0.4)


def test_of_work_measured_once_and_without_its_parts_nothing_is_known_beforehand() -> None:
    (work,) = common_work([measured(10.0)])
    assert work.constant_share == {}


def test_the_share_expected_beforehand_has_the_mean_that_was_found_even_near_the_ends() -> None:
    for outside_ms in (0.5, 5.0, 9.5):
        (group,) = alike(common_work([measured(10.0, outside_ms=outside_ms)]), frozenset())
        density = np.exp(group.prior[0] - group.prior[0].max())
        assert float(density @ SHARES / density.sum()) == pytest.approx(outside_ms / 10, abs=0.02)


def test_a_busy_servers_sweep_tells_that_its_work_is_the_devices() -> None:
    def rows(mean_ms: Callable[[int], float]) -> list[Measurement]:
        return [measured(k * mean_ms(n), concurrency=n, device=d) for d, k in ((A100, 1.0), (V100, 1.6)) for n in SIZES]

    busy, idle = (predict_unseen(common_work(rows(each)), T4)[-1].avg_ms for each in (lambda n: n, lambda _: 8.0))
    assert busy > 1.1 * idle
