"""`gridwright up`: real Triton servers and an Envoy, a load on them and the controller, until it is told to stop."""

import fcntl
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from controller.cli.arguments import Environment, FollowedFolder
from controller.cli.errors import CliError, Exit, in_two
from controller.cli.solver import loading_solver
from controller.cli.sources import folder_or_address, source
from controller.cli.terminal import working

if TYPE_CHECKING:
    from controller.embedded.fleet import EmbeddedFleet
    from controller.loop.status import Status
    from policy.git.address import Address
    from policy.resolved import Policy


class Pace(StrEnum):
    """How fast a served model is."""

    DEVICE = "device"
    NONE = "none"


WORK: Final = Path("build/up")
TRITON_ENVIRONMENT: Final = Path(sys.prefix).parent / ".venv-triton"

PaceChoice = Annotated[
    Pace, typer.Option("--pace", help="device: as slow as the pool's device; none: as fast as this machine can.")
]
WorkFolder = Annotated[
    Path, typer.Option("--work", metavar="FOLDER", help="Where the fleet's files, logs, connections and journal go.")
]


def up(
    path: FollowedFolder, *, environment: Environment = "", pace: PaceChoice = Pace.DEVICE, work: WorkFolder = WORK
) -> int:
    """Start a fleet of real servers on this machine, load it and control it, until Ctrl-C.

    Everything that was started ends with the command, however it ends. The documents are read anew at each turn, so
    editing them shows what the controller makes of it. Two of these can run side by side with a `--work` each.
    """
    from controller.cli.inputs import read

    policy = read(source(path), environment).policy
    if not TRITON_ENVIRONMENT.is_dir():
        raise CliError(f"Triton is not set up in {TRITON_ENVIRONMENT}", "run `make setup` in Gridwright's folder")
    work.mkdir(parents=True, exist_ok=True)
    with _held(work), loading_solver():
        from controller.embedded.errors import EmbeddedError
        from controller.embedded.fleet import FleetMismatchError
        from controller.embedded.traffic import UnknownPipelineError
        from controller.journal.errors import JournalError

        try:
            _keep_up(folder_or_address(path), environment, policy, work, paced=pace is Pace.DEVICE)
        except (FleetMismatchError, UnknownPipelineError) as error:
            raise CliError(str(error), "give a policy of these models, such as examples/embedded") from error
        except EmbeddedError as error:
            raise CliError(str(error), f"see the logs in {work / 'fleet'}") from error
        except JournalError as error:
            raise in_two(error, ": ") from error
    return Exit.DONE


def _keep_up(path: "Path | Address", environment: str, policy: "Policy", work: Path, *, paced: bool) -> None:
    import asyncio

    from controller.cli.running import run_until_told, tell
    from controller.connections.reading import write_connections
    from controller.embedded.fleet import embedded_fleet
    from controller.places import Places

    with ExitStack() as stack:
        with working("Starting the servers and the gateway"):
            fleet = stack.enter_context(embedded_fleet(policy, TRITON_ENVIRONMENT, work / "fleet", paced=paced))
        write_connections(fleet.connections, work / "connections.json")
        print(f"Connections: {work / 'connections.json'}; logs of the parts: {work / 'fleet'}", flush=True)
        for gateway in fleet.connections.gateways:
            for origin, address in gateway.origins.items():
                print(f"Gateway of {origin}: http://{address}", flush=True)
        loading = _load_once_placed(policy, fleet, work / "fleet")

        def watch(status: "Status") -> None:
            tell(status)
            loading(status)

        places = Places(path, work / "journal.sqlite", fleet.connections, environment=environment)
        asyncio.run(run_until_told(places, watch))


def _load_once_placed(policy: "Policy", fleet: "EmbeddedFleet", work: Path) -> Callable[["Status"], None]:
    """Starts the load at the first turn with nothing left to do: before it, there is nothing to answer a request."""
    from controller.embedded.traffic import start_traffic

    begun = False

    def look(status: "Status") -> None:
        nonlocal begun
        decision = status.decision
        if not begun and decision is not None and decision.fleet.routes and not decision.transition.waves:
            begun = True
            start_traffic(policy, fleet, work, 1.0)
            print("The fleet is placed; its load begins", flush=True)

    return look


@contextmanager
def _held(work: Path) -> Iterator[None]:
    """Only one fleet may use a work folder; the lock goes with the process."""
    with (work / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise CliError(
                f"another `gridwright up` uses {work}", "end it, or give another folder with --work"
            ) from error
        yield
