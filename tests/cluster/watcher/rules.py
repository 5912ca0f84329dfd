"""The hard rules of a policy, read from its documents in the cluster, and held against every moment that was seen."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.cluster.watcher.seen import POOL, Line, Seen, name_of

GROUP = "/apis/gridwright.dev/v1alpha1"
MIB = {"MiB": 1, "GiB": 1024}


@dataclass(frozen=True)
class Rules:
    """By models and pools: how much memory an instance takes and a node has, what is protected, and where it may be."""

    memory_mib: Mapping[str, int]
    room_mib: Mapping[str, int]
    protected: frozenset[str]
    certified: frozenset[str]
    dedicated: frozenset[str]
    pool_of: Mapping[str, str]


def rules_of(seen: Seen, certified_sites: frozenset[str]) -> Rules:
    """Of the documents as they were last; what is judged here never changes."""
    sites = {name_of(each): each["spec"]["site"] for each in _documents(seen, "pools")}
    pools = {name_of(each): each["spec"] for each in _documents(seen, "pools")}
    variants = {
        f"{name_of(each)}--{variant['name']}": _mib(variant["memory"])
        for each in _documents(seen, "models")
        for variant in each["spec"]["variants"]
    }
    classes = {
        word
        for each in _documents(seen, "complianceprofiles")
        if "certifications" in each["spec"]
        for word in each["spec"]["appliesTo"]["data"]["classes"]
    }
    services = [each["spec"] for each in _documents(seen, "services")]
    models = {
        stage["model"]
        for spec in services
        if classes & set(spec.get("data", {}).get("classes", ()))
        for stage in spec["stages"]
    }
    return Rules(
        memory_mib=variants,
        room_mib={name: _mib(spec["memory"]) for name, spec in pools.items()},
        protected=frozenset(name for name in variants if name.partition("--")[0] in models),
        certified=frozenset(pool for pool, site in sites.items() if site in certified_sites),
        dedicated=frozenset(name for name, spec in pools.items() if "dedicatedTo" in spec),
        pool_of=seen.pool_of,
    )


def _documents(seen: Seen, kind: str) -> list[dict[str, Any]]:
    return list({name_of(line["object"]): line["object"] for line in seen.of(f"{GROUP}/{kind}")}.values())


def _mib(text: str) -> int:
    return int(float(text[:-3]) * MIB[text[-3:]])


@dataclass
class Holding:
    """What the servers hold: by node, of each model the instances that it may have at this moment."""

    now: dict[str, dict[str, int]] = field(default_factory=lambda: defaultdict(dict))

    def take(self, note: Line) -> None:
        """Go on by a note. A load that has begun and is not done counts with the instances of before and of after."""
        node, model = note.get("node", ""), note.get("model", "")
        match note["what"]:
            case "start" | "end":
                self.now.pop(node, None)
            case "unload":
                self.now[node].pop(model, None)
            case "load":
                count = sum(group["count"] for group in note["config"]["instance_group"])
                self.now[node][model] = count if note["done"] else max(count, self.now[node].get(model, 0))

    def settled(self) -> dict[tuple[str, str], int]:
        """Instances by node and model."""
        return {(node, model): count for node, models in self.now.items() for model, count in models.items()}


def broken(seen: Seen, rules: Rules) -> Iterator[str]:
    """Each moment at which a hard rule did not hold."""
    holding = Holding()
    for note in seen.notes:
        holding.take(note)
        if note["what"] == "load":
            node, model = note["node"], note["model"]
            yield from (f"{note['at']:.3f}: {why}" for why in _against(rules, node, model, holding.now[node]))
    for line in seen.of("/api/v1/pods"):
        pool, node = line["object"]["metadata"].get("labels", {}).get(POOL), line["object"]["spec"].get("nodeName")
        if pool and node and rules.pool_of[node] != pool:
            yield f"{line['at']:.3f}: a pod of {pool} was admitted on {node}"


def _against(rules: Rules, node: str, model: str, held: Mapping[str, int]) -> Iterator[str]:
    pool = rules.pool_of[node]
    if model in rules.protected and pool not in rules.certified:
        yield f"{model} was loaded on {node}, which has no certification"
    if model not in rules.protected and pool in rules.dedicated:
        yield f"{model} was loaded on {node}, which is dedicated to others"
    if rules.protected & held.keys() and held.keys() - rules.protected:
        yield f"{node} held {', '.join(sorted(held))} together"
    taken = sum(rules.memory_mib[each] * count for each, count in held.items())
    if taken > rules.room_mib[pool]:
        yield f"{node} held {taken} MiB of {rules.room_mib[pool]}"
