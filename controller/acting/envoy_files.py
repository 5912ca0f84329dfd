"""The route file of an origin, by which an Envoy is given its routes."""

import json
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from collectors.recording import RecordingError
from controller.acting.actuator import ActuatorError
from controller.acting.envoy_stages import Json, route_sets, version
from controller.fleet import RouteSet

ROUTE_FILE: Final = "routes.json"


@dataclass(frozen=True, slots=True)
class InForce:
    """The version of what an Envoy follows or is given for an origin, and the route sets that it was made from."""

    version: str = ""
    routes: tuple[RouteSet, ...] = ()


def is_younger(file: Path, than: timedelta) -> bool:
    """Whether a file was put there so short a time ago; False where there is none."""
    try:
        return time.time() - file.stat().st_mtime < than.total_seconds()
    except OSError:
        return False


def written(file: Path) -> InForce:
    """What a gateway was given last, as far as that reads as what Gridwright writes."""
    try:
        given = json.loads(file.read_bytes())
        (wanted,) = given["resources"]
        return InForce(given["version_info"], route_sets(wanted))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecordingError):
        return InForce()


def replace_file(file: Path, wanted: Json) -> None:
    """Put the file there by a rename, so that the gateway never reads half of it."""
    partial = file.with_suffix(".partial")
    try:
        partial.write_text(json.dumps({"version_info": version(wanted), "resources": [wanted]}))
        partial.rename(file)
    except OSError as error:
        raise ActuatorError(
            f"{file} cannot be written ({error.strerror}): see whether the gateway's route folder is there, has free "
            "space and may be written to"
        ) from error
