"""Shadow prices of nodes with devices, and what no placement can cost less than.

The relaxation places parts of instances, x of class c on nodes of kind k, and uses y nodes of a kind:

    minimise    sum weight_c u_c + sum price_k y_k
    such that   sum_k x_ck + u_c >= count_c
                sum_c part_f(c, k) x_ck <= y_k                    for each way f to measure a node
                sum_{c of size s} devices_c x_ck <= sum_p p_s z_kp, sum_p z_kp <= devices_k y_k, y_k <= nodes_k

where z counts packings p of one device, generated as they pay. A way to measure a node is the part of its CPU or memory
that an instance takes, or that part x rounded by a dual feasible function (Fekete and Schepers 2001),

    u_j(x) = x where (j + 1) x is whole, floor((j + 1) x) / j otherwise,

which keeps sums up to 1 up to 1, and so says that eight of a size above one ninth fill a node.

The bound is taken from the prices alone and holds for any that are not negative: with use_ck what an instance takes at
these prices, and value_k what a whole node has, packings of its devices at their best,

    cost >= sum_c count_c min(weight_c, min_k use_ck) - sum_k nodes_k max(0, value_k - price_k).
"""

from typing import Final, NamedTuple

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import coo_array

from controller.planning.fleet.device_shares import Packing, best_packing, first_packings
from controller.planning.fleet.devices import CPU, DEVICES, MEMORY, SHARE, SHARES, DeviceProblem, Floats, Ints, fitting

PAYS: Final = 1e-7


class DevicePrices(NamedTuple):
    """In dollars."""

    use: Floats
    """[C, K]: of what an instance takes; infinite where it has no room."""
    instance: Floats
    """[C]: of an instance: its weight, or what it takes where it costs least."""
    rate: Floats
    """[K, 3]: of CPU, of memory, of a share."""
    bound: float
    """No placement costs less."""


class _Form(NamedTuple):
    """What stays the same while packings are generated: F measures, S sizes of shares, P pairs of class and kind."""

    problem: DeviceProblem
    parts: Floats  # [F, C, K]
    sizes: Ints  # [S]
    size_of: Ints  # [C], S for none
    devices: Ints  # [K]
    pair_class: Ints  # [P]
    pair_kind: Ints  # [P]


class _Duals(NamedTuple):
    measure: Floats  # [F, K]
    share: Floats  # [K, S]


def prices(problem: DeviceProblem, roundings: int, rounds: int) -> DevicePrices:
    """Prices after so many rounds of packings, or when none pays any more, with so many rounded measures."""
    form = _form(problem, roundings)
    packings = [
        (kind, packing) for kind in np.flatnonzero(form.devices).tolist() for packing in first_packings(form.sizes)
    ]
    found: list[DevicePrices] = []
    for _ in range(max(1, rounds)):
        duals, device_price = _solved(form, packings)
        better = [best_packing(duals.share[kind], form.sizes) for kind in range(form.devices.size)]
        found.append(_prices(form, duals, np.array([value for value, _ in better])))
        new = [
            (kind, packing)
            for kind, (value, packing) in enumerate(better)
            if form.devices[kind] and value > device_price[kind] + PAYS
        ]
        if not new:
            break
        packings += new
    return max(found, key=lambda one: one.bound)


def _form(problem: DeviceProblem, roundings: int) -> _Form:
    wants = problem.class_need[:, DEVICES] > 0
    sizes = np.unique(problem.class_need[wants, SHARE])
    size_of = np.where(wants, np.searchsorted(sizes, problem.class_need[:, SHARE]), sizes.size)
    pair_class, pair_kind = np.nonzero(fitting(problem))
    devices = (problem.kind_free[:, DEVICES:] > 0).sum(axis=1)
    parts = [_part(problem, column, j) for column in (CPU, MEMORY) for j in range(roundings + 1)]
    return _Form(problem, np.array(parts), sizes, size_of, devices, pair_class, pair_kind)


def _part(problem: DeviceProblem, column: int, j: int) -> Floats:
    """[C, K]: the part of a node's CPU or memory, rounded by u_j; as it is for j = 0."""
    need, there = problem.class_need[:, [column]], np.maximum(1, problem.kind_free[:, column])[None, :]
    if j == 0:
        return np.asarray(need / there)
    return np.where((j + 1) * need % there == 0, need / there, ((j + 1) * need // there) / j)


def _solved(form: _Form, packings: list[tuple[int, Packing]]) -> tuple[_Duals, Floats]:
    """The prices of the relaxation with these packings: of measures and shares, and [K] of a whole device."""
    problem = form.problem
    (measures, classes, kinds), sizes, pairs = form.parts.shape, form.sizes.size, form.pair_class.size
    u, y, z = pairs, pairs + classes, pairs + classes + kinds
    measure_row, size_row = classes, classes + measures * kinds
    device_row = size_row + kinds * sizes
    rows = _Rows()
    rows.add(form.pair_class, np.arange(pairs), -np.ones(pairs))
    rows.add(np.arange(classes), u + np.arange(classes), -np.ones(classes))
    for f in range(measures):
        at = measure_row + f * kinds
        rows.add(at + form.pair_kind, np.arange(pairs), form.parts[f, form.pair_class, form.pair_kind])
        rows.add(at + np.arange(kinds), y + np.arange(kinds), -np.ones(kinds))
    pair = np.flatnonzero(form.size_of[form.pair_class] < sizes)
    at_size = size_row + form.pair_kind[pair] * sizes + form.size_of[form.pair_class[pair]]
    rows.add(at_size, pair, problem.class_need[form.pair_class[pair], DEVICES].astype(float))
    kind_of = np.array([kind for kind, _ in packings], np.int64)
    held = np.array([packing for _, packing in packings], np.int64).reshape(len(packings), sizes)
    packing, size = np.nonzero(held)
    rows.add(size_row + kind_of[packing] * sizes + size, z + packing, -held[packing, size].astype(float))
    rows.add(device_row + kind_of, z + np.arange(kind_of.size), np.ones(kind_of.size))
    rows.add(device_row + np.arange(kinds), y + np.arange(kinds), -form.devices.astype(float))
    costs = np.concatenate((np.zeros(pairs), problem.class_weight, problem.kind_price, np.zeros(kind_of.size)))
    limits = np.zeros(device_row + kinds)
    limits[:classes] = -problem.class_count
    upper = np.full(costs.size, np.inf)
    upper[y:z] = problem.kind_nodes
    found = linprog(
        costs,
        A_ub=rows.matrix(limits.size, costs.size),
        b_ub=limits,
        bounds=np.column_stack((np.zeros(costs.size), upper)),
        method="highs",
    )
    duals = np.maximum(0.0, -found.ineqlin.marginals)
    measure = duals[measure_row:size_row].reshape(measures, kinds)
    return _Duals(measure, duals[size_row:device_row].reshape(kinds, sizes)), duals[device_row:]


def _prices(form: _Form, duals: _Duals, device_value: Floats) -> DevicePrices:
    """What follows from prices; `device_value` is what a device of each kind can hold at most at them."""
    problem = form.problem
    share = np.hstack((duals.share, np.zeros((duals.share.shape[0], 1))))[:, form.size_of].T
    use = np.full(problem.class_allowed.shape, np.inf)
    at = (form.pair_class, form.pair_kind)
    whole = np.einsum("fck,fk->ck", form.parts, duals.measure) + problem.class_need[:, [DEVICES]] * share
    use[at] = whole[at]
    instance = np.minimum(problem.class_weight, use.min(axis=1))
    value = duals.measure.sum(axis=0) + form.devices * device_value
    surplus = np.maximum(0.0, value - problem.kind_price)
    bound = float(problem.class_count @ instance - problem.kind_nodes @ surplus)
    by_column = duals.measure.reshape(2, -1, duals.measure.shape[1]).sum(axis=1)
    there = np.maximum(1, problem.kind_free[:, :DEVICES])
    return DevicePrices(use, instance, np.column_stack((by_column.T / there, device_value / SHARES)), bound)


class _Rows:
    """Coefficients of a sparse matrix, in pieces."""

    def __init__(self) -> None:
        self._pieces: list[tuple[Ints, Ints, Floats]] = []

    def add(self, rows: Ints, columns: Ints, values: Floats) -> None:
        self._pieces.append((rows, columns, values))

    def matrix(self, rows: int, columns: int) -> coo_array:
        at, across, values = (np.concatenate(part) for part in zip(*self._pieces, strict=True))
        return coo_array((values, (at, across)), shape=(rows, columns)).tocsr()
