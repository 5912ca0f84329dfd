"""Surfaces kept from run to run in the user's cache. They can be simulated again at any time: nothing here fails."""

import hashlib
import logging
import os
import sqlite3
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

Surface = NDArray[np.float32]

LOG: Final = logging.getLogger(__name__)
MOST: Final = 4096
"""Surfaces that are kept; beyond, the oldest go. Each takes some 76 KiB."""
PATIENCE_S: Final = 0.5
SOURCES: Final = ("arrivals.py", "batcher.py", "greedy.py", "serving.py", "surface.py")


@cache
def _edition() -> str:
    """A digest of the sources that surfaces come from: what other sources made is not taken for theirs."""
    folder = Path(__file__).parent
    return hashlib.sha256(b"".join((folder / name).read_bytes() for name in SOURCES)).hexdigest()[:16]


def _path() -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(home).expanduser() / "gridwright" / "surfaces.sqlite"


def _open() -> sqlite3.Connection:
    path = _path()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    connection = sqlite3.connect(path, timeout=PATIENCE_S)
    connection.execute(
        "CREATE TABLE IF NOT EXISTS surface (edition TEXT, shape TEXT, data BLOB, PRIMARY KEY (edition, shape))"
    )
    return connection


def load(shape: str, size: tuple[int, int]) -> Surface | None:
    """The surface of a shape, of this size; None when it is not kept, or not whole."""
    try:
        with closing(_open()) as connection:
            question = "SELECT data FROM surface WHERE edition = ? AND shape = ?"
            row = connection.execute(question, (_edition(), shape)).fetchone()
    except (sqlite3.Error, OSError) as error:
        LOG.debug("the cache of surfaces cannot be read: %s", error)
        return None
    if row is None or len(row[0]) != 4 * size[0] * size[1]:
        return None
    return np.frombuffer(row[0], np.float32).reshape(size)


def save(shape: str, surface: Surface) -> None:
    """Keep a surface, where that is possible."""
    row = (_edition(), shape, surface.tobytes())
    oldest = "SELECT rowid FROM surface ORDER BY rowid DESC LIMIT -1 OFFSET ?"
    try:
        with closing(_open()) as connection, connection:
            connection.execute("INSERT OR REPLACE INTO surface VALUES (?, ?, ?)", row)
            connection.execute(f"DELETE FROM surface WHERE rowid IN ({oldest})", (MOST,))  # noqa: S608 - a constant
    except (sqlite3.Error, OSError) as error:
        LOG.debug("the cache of surfaces cannot be written: %s", error)
