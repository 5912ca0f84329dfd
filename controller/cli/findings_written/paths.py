"""Where a file of the policy is for somebody who reads a whole repository and not only the policy's folder."""

import os
from pathlib import Path, PurePath


def seen_from(here: Path, folder: Path, file: str) -> PurePath:
    """The file of a place in `folder`, relative to the absolute path `here` when it lies inside, else absolute.

    Links are not followed: a repository knows a file by the name that it has there.
    """
    path = PurePath(os.path.normpath(here / folder / file))
    return path.relative_to(here) if path.is_relative_to(here) else path
