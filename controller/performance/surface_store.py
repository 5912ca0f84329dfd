"""Surfaces kept from run to run, in the user's cache. They can be simulated again at any time: nothing here fails.

Deciding does no I/O: a process takes in what is kept before it decides, and keeps what it has simulated at its end.
"""

import hashlib
import logging
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from controller.performance.surface import LEVELS, UTILISATIONS, Shape, Surface, known, remember

LOG: Final = logging.getLogger(__name__)
MOST: Final = 256
"""Surfaces that are kept; beyond, the oldest go. Each takes 40 kB."""
PATIENCE_S: Final = 0.5
SOURCES: Final = ("arrivals.py", "batcher.py", "greedy.py", "serving.py", "surface.py")
SIZE: Final = (len(UTILISATIONS), LEVELS)


def cache_folder(environment: Mapping[str, str]) -> Path:
    """Where this user's caches are, by the XDG base directory specification."""
    home = environment.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(home).expanduser() / "gridwright"


@contextmanager
def kept_surfaces(folder: Path) -> Iterator[None]:
    """Know what is kept while the block runs, and keep what came to be known in it."""
    edition = _edition()
    before = _read(folder, edition)
    remember(before)
    try:
        yield
    finally:
        new = {shape: surface for shape, surface in known().items() if shape not in before}
        if new:
            _write(folder, edition, new)


def _edition() -> str:
    """A digest of the sources that surfaces come from: what other sources made is not taken for theirs."""
    here = Path(__file__).parent
    return hashlib.sha256(b"".join((here / name).read_bytes() for name in SOURCES)).hexdigest()[:16]


def _open(folder: Path) -> sqlite3.Connection:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    connection = sqlite3.connect(folder / "surfaces.sqlite", timeout=PATIENCE_S)
    connection.execute(
        "CREATE TABLE IF NOT EXISTS surface (edition TEXT, shape TEXT, data BLOB, PRIMARY KEY (edition, shape))"
    )
    return connection


def _read(folder: Path, edition: str) -> dict[Shape, Surface]:
    try:
        with closing(_open(folder)) as connection:
            rows = connection.execute("SELECT shape, data FROM surface WHERE edition = ?", (edition,)).fetchall()
        found = {msgspec.json.decode(shape, type=Shape): np.frombuffer(data, np.float32) for shape, data in rows}
        return {shape: surface.reshape(SIZE) for shape, surface in found.items()}
    except (sqlite3.Error, OSError, msgspec.MsgspecError, ValueError, TypeError) as error:
        LOG.debug("the cache of surfaces cannot be read: %s", error)
        return {}


def _write(folder: Path, edition: str, surfaces: Mapping[Shape, Surface]) -> None:
    rows = [(edition, msgspec.json.encode(shape).decode(), surface.tobytes()) for shape, surface in surfaces.items()]
    try:
        with closing(_open(folder)) as connection, connection:
            connection.executemany("INSERT OR REPLACE INTO surface VALUES (?, ?, ?)", rows)
            connection.execute(
                "DELETE FROM surface WHERE rowid IN (SELECT rowid FROM surface ORDER BY rowid DESC LIMIT -1 OFFSET ?)",
                (MOST,),
            )
    except (sqlite3.Error, OSError) as error:
        LOG.debug("the cache of surfaces cannot be written: %s", error)
