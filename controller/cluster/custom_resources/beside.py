"""Custom resources beside another source of the same policy: one of both counts where both have a document.

What is read of either is judged with the other. Where both as they are now are not good together, one of them stays as
it was last good, so that what is broken in one source keeps no change of the other from being taken.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock

from controller.cluster.custom_resources.catalogue import held_back, overruled
from controller.cluster.custom_resources.conditions import Resource, Standing
from controller.cluster.custom_resources.policies import PREFIX, ClusterPolicy
from policy.environments import chosen
from policy.findings import Finding, Place
from policy.folder import read_texts
from policy.overruling import Merged, Texts, merged
from policy.read_file import read_file
from policy.source import EVIDENCE, Loaded, loaded


@dataclass(frozen=True, slots=True)
class Read:
    """What a source held: its texts, and what kept others from being read."""

    texts: Texts
    findings: tuple[Finding, ...] = ()


class Beside:
    """A policy of files and of custom resources, which win or yield. `load` and `judged` may be called by any thread.

    `standing` tells how the resources stood when the policy was last loaded.
    """

    def __init__(self, cluster: ClusterPolicy, *, cluster_wins: bool, environment: str = "") -> None:
        self._cluster = cluster
        self._cluster_wins = cluster_wins
        self._environment = environment
        self._good: tuple[Read, Read] | None = None
        self._last: tuple[tuple[Read, Read], Loaded, Standing] | None = None
        self._lock = Lock()
        self.standing = Standing()

    def judged(self, folder: Path) -> Loaded:
        """What a folder would give beside the resources, as they are or as they were last good."""
        files = _read(folder)
        with self._lock:
            resources = [self._resources()[0], *(() if self._good is None else (self._good[1],))]
        tried = [self._together(files, each)[0] for each in resources]
        return next((each for each in tried if each.policy is not None), tried[0])

    def load(self, folder: Path) -> Loaded:
        """The policy of both as they are now, or as far as they are good; errors beside it are of what is not taken."""
        with self._lock:
            files = _read(folder)
            resources, untold = self._resources()
            now = files, resources
            if self._last is None or self._last[0] != now:
                self._last = (now, *self._weighed(now))
            _, found, self.standing = self._last
        return replace(found, findings=(*untold, *found.findings))

    def _resources(self) -> tuple[Read, tuple[Finding, ...]]:
        texts, lost, untold = self._cluster.texts()
        told = tuple(replace(each, place=_beside_files(each.place)) for each in lost)
        return Read(tuple((f"{PREFIX}{name}", text) for name, text in texts), told), untold

    def _weighed(self, now: tuple[Read, Read]) -> tuple[Loaded, Standing]:
        whole, merge = self._together(*now)
        told = (*whole.findings, *map(overruled, merge.overruled))
        if whole.policy is not None:
            self._good = now
            return replace(whole, findings=told), self._standing(merge, is_taken=True)
        for part in self._parts(now):
            found, of_part = self._together(*part)
            if found.policy is not None:
                self._good, is_taken = part, part[1] == now[1]
                told = (held_back(of_cluster=not is_taken), *told)
                return replace(found, findings=told), self._standing(of_part, is_taken=is_taken)
        return replace(whole, findings=told), self._standing(merge, is_taken=False)

    def _parts(self, now: tuple[Read, Read]) -> Iterator[tuple[Read, Read]]:
        """What may stand instead: one source as it is beside the other as it was last good, or both as they were."""
        if self._good is not None:
            files, resources = self._good
            yield from ((now[0], resources), (files, now[1]), (files, resources))

    def _together(self, files: Read, resources: Read) -> tuple[Loaded, Merged]:
        one, other = (resources, files) if self._cluster_wins else (files, resources)
        merge = merged(one.texts, other.texts)
        texts = [*merge.texts, *chosen(self._environment)]
        return loaded(texts, (*files.findings, *resources.findings), read_file), merge

    def _standing(self, merge: Merged, *, is_taken: bool) -> Standing:
        losing = () if self._cluster_wins else merge.overruled
        return Standing(PREFIX, {Resource(*each.identity): str(each.by) for each in losing}, is_taken)


def _read(folder: Path) -> Read:
    texts, findings = read_texts(folder, skip=EVIDENCE)
    return Read(tuple(texts), tuple(findings))


def _beside_files(place: Place | None) -> Place | None:
    return replace(place, file=f"{PREFIX}{place.file}") if place else None
