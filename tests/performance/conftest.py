from pathlib import Path

import pytest

from policy.resolved import Policy
from policy.source import load


@pytest.fixture(scope="session")
def example() -> Policy:
    policy = load(Path(__file__).parents[2] / "examples" / "embedded").policy
    assert policy is not None
    return policy
