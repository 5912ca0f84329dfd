"""A pool that has lost its last node: nothing is said of its nodes any more, only of itself and of its site."""

from dataclasses import replace

import pytest

from rules.attestation import Attestation
from rules.encryption_at_rest import EncryptionAtRest
from rules.kernel.problem import Problem
from tests.rules.build import Fleet, plan
from tests.rules.examples import attestation, encryption_at_rest

RULES = [
    (Attestation(), attestation.fleet(attestation.asks())),
    (EncryptionAtRest(), encryption_at_rest.fleet()),
]
SENT = plan({}, {"near": 0, "far": 1000})


def emptied(fleet: Fleet) -> Problem:
    """The same once `cloud` has no node left."""
    problem = fleet.problem
    pools = (replace(pool, nodes=0) if pool.name == "cloud" else pool for pool in problem.policy.pools)
    nodes = tuple(node for node in problem.nodes if node.pool != "cloud")
    return replace(problem, policy=replace(problem.policy, pools=tuple(pools)), nodes=nodes)


@pytest.mark.parametrize(("rule", "fleet"), RULES)
@pytest.mark.parametrize(
    ("kind", "name", "is_kept"), [("node", "cloud/cloud-0", False), ("pool", "cloud", True), ("site", "lyon", True)]
)
def test_a_pool_without_nodes_is_judged_by_what_is_said_of_itself_and_its_site(
    rule: Attestation | EncryptionAtRest, fleet: Fleet, kind: str, name: str, *, is_kept: bool
) -> None:
    problem = emptied(fleet.attested(kind, name, 0, 2000, claims=("storage-opaque",)))
    barred = {problem.option(row.option).placement.pool for row in rule.exclusions(problem)}
    assert ("cloud" not in barred) is is_kept
    assert [violation.measured for violation in rule.check(SENT, problem)] == ([] if is_kept else [0])
