"""Which clause is named where a stage may run nowhere."""

import pytest
from letters import LETTERS, OF_LETTERS, messages


def told(text: str) -> list[str]:
    """The findings on stages that may run nowhere."""
    return messages("GW0473", text)


def test_nothing_is_told_of_a_stage_that_has_a_pool() -> None:
    assert told(LETTERS) == []


@pytest.mark.parametrize(
    ("clause", "named"),
    [
        ("    - accuracy: {floor: 99.9%}\n", "the accuracy floor"),
        ("  placement: [among: {sites: [edge-lyon]}]\n", "`among` of its placement"),
        ("  placement: [outside: {devices: [edge-module]}]\n", "`outside` of its placement"),
        (OF_LETTERS + "  jurisdiction: {within: [JP]}\n", "`jurisdiction` of `letters`"),
        (OF_LETTERS + "  purchase: {among: [reserved]}\n", "`purchase` of `letters`"),
    ],
)
def test_the_clause_that_leaves_no_pool_is_named(clause: str, named: str) -> None:
    pools = "all pools with a profile of `silero-vad` (`cloud-frankfurt`, `edge-paris`)"
    assert told(LETTERS + clause) == [f"stage `listen` of `letters` may run nowhere: {named} bars {pools}"]


def test_clauses_that_leave_no_pool_together_are_all_named() -> None:
    both = LETTERS + "  placement: [outside: {pools: [edge-paris]}]\n" + OF_LETTERS + "  locality: {at: origin}\n"
    expected = (
        "stage `listen` of `letters` may run nowhere: of the 2 pools with a profile of `silero-vad`, `outside` of its "
        "placement bars 1, `locality` of `letters` for requests from edge-paris bars 1"
    )
    assert told(both) == [expected]


def test_a_pool_where_no_instance_may_be_is_no_pool() -> None:
    # What is on one node of 8 MiB, or kept for others, is not there for the stage either.
    at_home = LETTERS.replace("memory: 1GiB", "memory: 8MiB") + "  placement: [among: {sites: [cloud-frankfurt]}]\n"
    expected = (
        "stage `listen` of `letters` may run nowhere: of the 2 pools with a profile of `silero-vad`, the size of an "
        "instance bars 1, `among` of its placement bars 1"
    )
    assert told(at_home) == [expected]
    kept = at_home.replace("8MiB", "1GiB, dedicatedTo: {services: [call-vad]}")
    assert "`dedicatedTo` bars 1" in told(kept)[0]
