"""The instances of one pool on its nodes: rows of a programme, and places again from its values."""

import itertools
from typing import NamedTuple

import numpy as np

from controller.planning.fleet.packed import Ints
from controller.planning.fleet.program import Program
from controller.planning.fleet.rooms import Rooms
from controller.planning.fleet.slots import Sizes, cuts, fitting, sizes


class Cut(NamedTuple):
    """Nodes of one kind: unknown `of[q]` says how many of them are cut into `slots[q]`, and `used` how many in all.

    Most of the cost hangs on `used`, so it is what is best branched on.
    """

    nodes: Ints
    of: range
    used: int
    slots: Ints

    def contents(self, values: Ints) -> Ints:
        """[N, S]: slots on the first N nodes."""
        return np.repeat(self.slots, values[self.of.start : self.of.stop], axis=0)

    def assign(self, wanted: Ints, of: Sizes, values: Ints) -> None:
        """Set the unknowns to cuts that hold what is wanted on some of the nodes [N, S]."""
        offered = of.levels(self.slots)
        for one in of.levels(wanted):
            for cut in np.flatnonzero((offered >= one).all(axis=1))[:1].tolist():
                values[self.of[cut]] += 1
                values[self.used] += self.used not in self.of


class Apart(NamedTuple):
    """Nodes of one kind that are told apart: `of[n * S + s]` instances of size s stand on node n, `on[n]` if any do."""

    nodes: Ints
    of: range
    on: range
    slots: Ints

    def contents(self, values: Ints) -> Ints:
        """[N, S]: instances on the first N nodes."""
        return values[self.of.start : self.of.stop].reshape(len(self.on), -1)

    def assign(self, wanted: Ints, _: Sizes, values: Ints) -> None:
        """Set the unknowns to what is wanted on some of the nodes [N, S]."""
        enough = wanted[: len(self.on)]
        values[self.of.start : self.of.start + enough.size] = enough.ravel()
        values[self.on.start : self.on.start + len(enough)] = 1


class Packing:
    """One pool. `counts` are the unknowns for instances of each vector of `use`, no more than `most` in all."""

    def __init__(self, program: Program, counts: Ints, use: Ints, most: int, rooms: Rooms) -> None:
        self.sizes, self.size = sizes(use, rooms.left)
        self.pieces: list[Cut | Apart] = []
        for kind in range(rooms.pool.size):
            slots = cuts(self.sizes, rooms.left[kind], most)
            if slots is None:
                self.pieces.append(_apart(program, self.sizes, rooms, kind, most))
            elif slots.any():
                self.pieces.append(_cut(program, slots, rooms, kind, most))
        self.unknowns = np.array([unknown for piece in self.pieces for unknown in piece.of], np.int64)
        pieces = [np.empty((0, len(self.sizes.use)), np.int64), *(piece.slots for piece in self.pieces)]
        self.offered = self.sizes.levels(np.concatenate(pieces))
        self.apart = any(isinstance(piece, Apart) for piece in self.pieces)
        self._hold(program, counts)

    def _hold(self, program: Program, counts: Ints) -> None:
        """Demand that at each level there are as many slots as instances."""
        for size in range(len(self.sizes.use)):
            offered = self.offered[:, size]
            at = counts[self.size <= size] if self.sizes.nested else counts[self.size == size]
            program.row(
                [*self.unknowns[offered > 0].tolist(), *at.tolist()],
                [*offered[offered > 0].tolist(), *([-1] * at.size)],
                lowest=0,
            )

    def need(self, program: Program, counts: Ints, kin: Ints, most: int) -> None:
        """Demand whole nodes for some of the vectors, of which there are `most` instances: a node counts for no more.

        It follows from the levels for whole nodes only, and is dearer than they are for parts of nodes.
        """
        size = int(self.size[kin[0]])
        held = self.offered[:, size]
        if self.apart or held.max(initial=0) <= most or (self.size[kin] != size).any():
            return
        unknowns, factors = self.unknowns.tolist(), np.minimum(held, most).tolist()
        terms = {unknown: factor for unknown, factor in zip(unknowns, factors, strict=True) if factor}
        for piece in self.pieces:
            if isinstance(piece, Cut) and all(terms.get(unknown) == most for unknown in piece.of):
                terms = {piece.used: most} | {each: factor for each, factor in terms.items() if each not in piece.of}
        program.row([*terms, *counts[kin].tolist()], [*terms.values(), *([-1] * kin.size)], lowest=0)

    def places(self, instances: Ints, values: Ints) -> Ints:
        """The node of each instance, which is given by its vector; there are slots for all of them."""
        slot_size, slot_node = self._slots(values)
        slot_order = np.argsort(slot_size, kind="stable")
        size = self.size[instances]
        order = np.argsort(size, kind="stable")
        rank = np.arange(instances.size)
        if not self.sizes.nested:
            rank += np.searchsorted(slot_size[slot_order], size[order]) - np.searchsorted(size[order], size[order])
        nodes = np.empty(instances.size, np.int64)
        nodes[order] = slot_node[slot_order[rank]]
        return nodes

    def _slots(self, values: Ints) -> tuple[Ints, Ints]:
        """The size and the node of each slot; nodes that are in use already come first."""
        none = np.empty(0, np.int64)
        found = [(piece.nodes, piece.contents(values)) for piece in self.pieces]
        kinds = np.arange(len(self.sizes.use))
        size = [np.repeat(np.tile(kinds, len(held)), held.ravel()) for _, held in found]
        node = [np.repeat(nodes[: len(held)], held.sum(axis=1)) for nodes, held in found]
        return np.concatenate([none, *size]), np.concatenate([none, *node])

    def assign(self, instances: Ints, nodes: Ints, values: Ints) -> None:
        """Set the unknowns about nodes to what a plan has on them; instances are given by their vectors."""
        for piece in self.pieces if nodes.size else ():
            here = np.isin(nodes, piece.nodes)
            _, place = np.unique(nodes[here], return_inverse=True)
            wanted = np.zeros((place.max(initial=-1) + 1, len(self.sizes.use)), np.int64)
            np.add.at(wanted, (place, self.size[instances[here]]), 1)
            piece.assign(wanted, self.sizes, values)


def _cut(program: Program, slots: Ints, rooms: Rooms, kind: int, most: int) -> Cut:
    nodes, price = rooms.nodes[kind], float(rooms.price[kind])
    enough = min(nodes.size, most)
    if len(slots) == 1:
        of = program.unknowns([enough], [price])
        return Cut(nodes, of, of[0], slots)
    of = program.unknowns([enough] * len(slots), [0.0] * len(slots))
    (used,) = program.unknowns([enough], [price])
    program.row([*of, used], [*([1] * len(slots)), -1], highest=0)
    return Cut(nodes, of, used, slots)


def _apart(program: Program, of: Sizes, rooms: Rooms, kind: int, most: int) -> Apart:
    left, price, nodes = rooms.left[kind], float(rooms.price[kind]), rooms.nodes[kind]
    fits = fitting(of, left, most)
    kinds, enough = len(fits), min(nodes.size, most)
    held = program.unknowns(fits * enough, [0.0] * (kinds * enough))
    on = program.unknowns([1] * enough, [price] * enough)
    for node, powered in enumerate(on):
        here = held[node * kinds : (node + 1) * kinds]
        for resource, has in enumerate(left[of.scarce].tolist()):
            program.row([*here, powered], [*(use[resource] for use in of.use), -has], highest=0)
        # With nothing scarce in it a row would let instances stand on a node that is not paid for.
        program.row([*here, powered], [*([1] * kinds), -most], highest=0)
    for before, after in itertools.pairwise(on):
        program.row([before, after], [1, -1], lowest=0)
    return Apart(nodes, held, on, np.tile(np.eye(kinds, dtype=np.int64), (enough, 1)))
