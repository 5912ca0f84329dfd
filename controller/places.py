"""Where a controller finds and keeps what it needs, and its clock."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from controller.cluster.leading.marking import Pod
from controller.connections.connections import Connections, journal_place
from controller.journal.place import Place
from policy.git.address import Address


@dataclass(frozen=True, slots=True)
class Places:
    """Where the controller finds and keeps what it needs, and the environment in which it reads the policy.

    `policy` is None where it is the custom resources of the cluster that the connections name. `kubeconfig` is a path,
    or several as `KUBECONFIG` has them. `pod` is the one that the controller runs in, None out of one.
    `otlp_endpoint` is for its own spans, empty for none.

    `journal` is its file, beside which stands what is kept of a policy's repository; where the connections name a
    database, that has the journal, and only the rest is beside the file that there would be.
    """

    policy: Path | Address | None
    journal: Path
    connections: Connections
    otlp_endpoint: str = ""
    environment: str = ""
    kubeconfig: str | None = None
    pod: Pod | None = None

    @property
    def kept_in(self) -> Place:
        """What has the journal."""
        return journal_place(self.connections, self.journal)


def now() -> datetime:
    """The clock of the loop."""
    return datetime.now(UTC)
