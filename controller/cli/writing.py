"""Writing a file that others read meanwhile: whole, or not at all."""

import os
from pathlib import Path

from controller.cli.errors import CliError


def write_whole(path: Path, text: str) -> None:
    """Put the text there by a rename, so that nobody reads half of it and a full disk loses nothing.

    A link stays one, and a file keeps its permissions. Raises CliError.
    """
    target = path.resolve()
    partial = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        try:
            partial.write_bytes(text.encode())
            if target.exists():
                partial.chmod(target.stat().st_mode)
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        raise CliError(
            f"{path} cannot be written: {error.strerror}", "free space or change its permissions; it is as it was"
        ) from error
