"""Writing a file that others read meanwhile: whole, or not at all."""

import contextlib
import os
import tempfile
from pathlib import Path

from controller.cli.errors import CliError


def write_whole(path: Path, text: str) -> None:
    """Put the text there by a rename, so that nobody reads half of it and a full disk loses nothing.

    A link stays one, and a file keeps its permissions. Raises CliError.
    """
    target = path.resolve()
    partial: Path | None = None
    try:
        mode = target.stat().st_mode & 0o777 if target.exists() else 0o666 & ~_umask()
        with tempfile.NamedTemporaryFile("wb", dir=target.parent, prefix=f".{target.name}.", delete=False) as file:
            partial = Path(file.name)
            file.write(text.encode())
        partial.chmod(mode)
        partial.replace(target)
    except OSError as error:
        if partial is not None:
            with contextlib.suppress(OSError):
                partial.unlink()
        raise CliError(
            f"{path} cannot be written: {error.strerror}", "free space or change its permissions; it is as it was"
        ) from error


def _umask() -> int:
    """What new files may not be; it can only be read by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
