"""A real Triton server of one site: assembled from the wheel nvidia-pytriton, started, stopped, restarted."""

import json
import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import httpx

from controller.embedded.errors import PartFailedError, PartMissingError, log_tail
from controller.embedded.ports import HOST, free_ports, is_taken
from controller.embedded.reaper import Reaper, delete_shared_memory, signal_group

START_TRIES = 3
POLL_S = 0.1
PROBE = (
    "import json, sys, sysconfig; print(json.dumps({'minor': '%d.%d' % sys.version_info[:2],"
    " 'packages': sysconfig.get_path('purelib'), 'libraries': sysconfig.get_config_var('LIBDIR')}))"
)


@dataclass(frozen=True, slots=True)
class Installation:
    """Where the runnable parts are: one for a whole fleet."""

    server: Path
    backends: Path
    caches: Path
    python: Path
    packages: Path
    library_path: str


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The ports of one server on 127.0.0.1."""

    http: int
    grpc: int
    metrics: int


@dataclass(frozen=True, slots=True)
class TritonSettings:
    """What one server serves and where it reports. `otlp_url` is a full `…/v1/traces` URL, or empty for no traces."""

    site: str
    repository: Path
    work: Path
    otlp_url: str = ""
    metrics_interval_ms: int = 500
    trace_rate: int = 1


def assemble(environment: Path, work: Path) -> Installation:
    """Lay out a runnable Triton under `work` from a virtual environment that holds nvidia-pytriton.

    Triton looks for its Python stub beside the backend, where the wheel has none: links bring them together.
    """
    facts = _facts(environment)
    packages = Path(facts["packages"])
    source = packages / "pytriton" / "tritonserver"
    stub = source / "python_backend_stubs" / facts["minor"] / "triton_python_backend_stub"
    for needed in (source / "bin" / "tritonserver", stub):
        if not needed.exists():
            raise PartMissingError(
                f"{needed.name} is not in {environment}: run `make setup`, with a Python that nvidia-pytriton serves"
            )
    python = work / "backends" / "python"
    python.mkdir(parents=True, exist_ok=True)
    for file in (*(source / "backends" / "python").iterdir(), stub):
        _link(python / file.name, file)
    _link(work / "caches", source / "caches")
    libraries = f"{packages / 'nvidia_pytriton.libs'}:{facts['libraries']}"
    return Installation(
        server=source / "bin" / "tritonserver",
        backends=work / "backends",
        caches=work / "caches",
        python=environment / "bin" / "python",
        packages=packages,
        library_path=libraries,
    )


def _facts(environment: Path) -> dict[str, str]:
    python = environment / "bin" / "python"
    if not python.exists():
        raise PartMissingError(f"no environment for Triton at {environment}: run `make setup`")
    answer = subprocess.run([python, "-c", PROBE], check=True, capture_output=True, timeout=30)
    facts: dict[str, str] = json.loads(answer.stdout)
    return facts


def _link(link: Path, target: Path) -> None:
    link.unlink(missing_ok=True)
    link.symlink_to(target)


class TritonServer:
    """One server process. Its ports stay the same from start to restart."""

    def __init__(self, installation: Installation, settings: TritonSettings, reaper: Reaper) -> None:
        """Nothing runs before `start`."""
        self._installation = installation
        self._settings = settings
        self._reaper = reaper
        self._process: subprocess.Popen[bytes] | None = None
        self.endpoint = Endpoint(*free_ports(3))
        self.log = settings.work / f"triton-{settings.site}.log"
        self._shared_memory = f"gridwright-{os.getpid()}-{settings.site}-{self.endpoint.http}-"

    @property
    def site(self) -> str:
        """The site that this server stands for."""
        return self._settings.site

    @property
    def pid(self) -> int | None:
        """The server's process id, also its process group; None when it was never started."""
        return self._process.pid if self._process else None

    @property
    def is_running(self) -> bool:
        """Whether the process lives."""
        return self._process is not None and self._process.poll() is None

    def start(self, *, deadline_s: float = 60.0) -> None:
        """Start and wait until ready; new ports when another process took one first.

        Raises PartFailedError with the log's tail when the server ends early or is not ready in time.
        """
        for attempt in range(START_TRIES):
            if self._taken():
                self.endpoint = Endpoint(*free_ports(3))
            self.launch()
            try:
                self.wait_ready(deadline_s)
            except PartFailedError:
                lost_port = not self.is_running and self._taken()
                self.stop(grace_s=0.0)
                if attempt + 1 == START_TRIES or not lost_port:
                    raise
            else:
                return

    def launch(self) -> None:
        """Start the process and return at once; several servers can then become ready together."""
        self._reaper.sweep(self._shared_memory)
        self._process = self._reaper.spawn(self._argv(), env=self._environment(), cwd=self._settings.work, log=self.log)

    def wait_ready(self, deadline_s: float) -> None:
        """Wait until the server answers that it is ready."""
        url = f"http://{HOST}:{self.endpoint.http}/v2/health/ready"
        end = time.monotonic() + deadline_s
        while time.monotonic() < end:
            if not self.is_running:
                raise PartFailedError(
                    f"Triton of {self.site} ended before it was ready; the end of {self.log}:\n{log_tail(self.log)}"
                )
            try:
                if httpx.get(url, timeout=1.0).is_success:
                    return
            except httpx.TransportError:
                pass
            time.sleep(POLL_S)
        raise PartFailedError(
            f"Triton of {self.site} is not ready after {deadline_s:g} s; the end of {self.log}:\n{log_tail(self.log)}"
        )

    def stop(self, *, grace_s: float = 5.0) -> None:
        """End the server and its stubs, politely for `grace_s`. Safe when it does not run."""
        if self._process is not None:
            self._reaper.end(self._process, grace_s=grace_s)
            delete_shared_memory(self._shared_memory)

    def kill(self) -> None:
        """End the server as a crash would: SIGKILL to its whole group, no goodbye."""
        if self._process is not None:
            signal_group(self._process.pid, 9)
            self.stop(grace_s=0.0)

    def _taken(self) -> bool:
        return any(is_taken(port) for port in (self.endpoint.http, self.endpoint.grpc, self.endpoint.metrics))

    def _argv(self) -> list[str]:
        settings, ports, parts = self._settings, self.endpoint, self._installation
        argv = [
            str(parts.server),
            f"--model-repository={settings.repository}",
            "--model-control-mode=explicit",
            f"--backend-directory={parts.backends}",
            f"--cache-directory={parts.caches}",
            f"--backend-config=python,shm-region-prefix-name={self._shared_memory}",
            f"--http-address={HOST}",
            f"--http-port={ports.http}",
            f"--grpc-address={HOST}",
            f"--grpc-port={ports.grpc}",
            f"--metrics-address={HOST}",
            f"--metrics-port={ports.metrics}",
            f"--metrics-interval-ms={settings.metrics_interval_ms}",
            "--disable-auto-complete-config",
            "--exit-timeout-secs=3",
        ]
        if settings.otlp_url:
            argv += [
                "--trace-config=mode=opentelemetry",
                f"--trace-config=rate={settings.trace_rate}",
                "--trace-config=level=TIMESTAMPS",
                f"--trace-config=opentelemetry,url={settings.otlp_url}",
                f"--trace-config=opentelemetry,resource=service.name={settings.site}",
            ]
        return argv

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": f"{self._installation.python.parent}:{os.defpath}",
            "LD_LIBRARY_PATH": self._installation.library_path,
            "PYTHONPATH": str(self._installation.packages),
            "PYTHONDONTWRITEBYTECODE": "1",
            "OMP_NUM_THREADS": "1",
        }
