"""The controller's role is what it needs: all that it does is allowed, and nothing else is.

A row of `DEEDS` is something that the controller does in a cluster, done with its account. Whatever new it comes to do
is a new row, and what its row needs goes into the chart's role.
"""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from controller.cluster.calls import Calls
from controller.cluster.errors import ForbiddenError
from controller.cluster.reaching import client
from controller.cluster.resources import Resource
from policy.cluster.resources import resources
from policy.documents import API_VERSION, KINDS
from policy.schema.crd import plural
from policy.schema.files import DEFINITIONS
from tests.cluster.api_server import ApiServer, eventually, one
from tests.cluster.helm import NAMESPACE, VALUES, Manifest, manifests, rendered
from tests.cluster.rendering import namespace
from tests.cluster.role import Asked, Right, as_controller, asked, covers, granted

pytestmark = [pytest.mark.cluster, pytest.mark.usefixtures("helm_is_built")]

ROLE = ("ServiceAccount", "Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding")


def reads_the_policy(kubeconfig: Path) -> None:
    """The documents of a cluster, as `kubernetes:CONTEXT` names them."""
    assert resources("controller", str(kubeconfig)) == []


DEEDS: tuple[Callable[[Path], None], ...] = (reads_the_policy,)


@pytest.fixture(scope="module")
def role() -> list[Manifest]:
    """What the chart renders of the account and its rights."""
    return [each for each in manifests(rendered(VALUES / "git.yaml")) if each["kind"] in ROLE]


@pytest.fixture(scope="module")
def account(bare: ApiServer, bare_work: Path, role: list[Manifest]) -> Iterator[Path]:
    """A kubeconfig of the controller's account, which has its role and no other, where every kind is defined."""
    made = [namespace(), *(yaml.safe_load(file.read_text()) for file in DEFINITIONS.glob("*.yaml")), *role]
    for manifest in made:
        bare.create(manifest)
    eventually(lambda: all(bare.is_served(f"/apis/{API_VERSION}/{plural(kind)}") for kind in KINDS))
    yield as_controller(bare, bare_work)
    for manifest in reversed(made):
        bare.delete(manifest)
    eventually(lambda: not any(bare.is_served(one(manifest)) for manifest in made))


@pytest.fixture(scope="module")
def done(account: Path, bare_work: Path) -> list[Asked]:
    """All that was asked for while everything was done."""
    for deed in DEEDS:
        deed(account)
    return asked(bare_work)


def test_whatever_the_controller_does_is_allowed(done: list[Asked]) -> None:
    assert len(done) >= len(KINDS)
    assert [each for each in done if each.status in {401, 403}] == []


def test_no_right_is_unused(done: list[Asked], role: list[Manifest]) -> None:
    unused = {right for right in granted(role) if not any(covers(right, each.right) for each in done)}
    assert unused == set()


def test_what_is_not_in_the_role_is_refused_and_noted(account: Path, bare_work: Path) -> None:
    with pytest.raises(ForbiddenError):
        asyncio.run(secrets(account))
    assert asked(bare_work)[-1] == Asked(Right("list", "", "secrets", NAMESPACE), 403)


async def secrets(kubeconfig: Path) -> object:
    """What no controller has to read."""
    async with client("controller", str(kubeconfig)) as reached:
        return await Calls(reached).get(Resource("v1", "secrets").path(namespace=NAMESPACE))
