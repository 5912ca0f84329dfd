"""A real git server on loopback: git's own `http-backend` behind TLS."""

import base64
import os
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import trustme


class Backend(BaseHTTPRequestHandler):
    """Answers as git does, or asks for credentials, or says that it has moved."""

    root: ClassVar[Path]
    credentials: ClassVar[str] = ""
    moved_to: ClassVar[str] = ""

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def log_message(self, *_: Any) -> None:
        pass

    def _answer(self) -> None:
        if self.moved_to:
            self._send(301, {"Location": self.moved_to + self.path})
        elif self.credentials and self.headers.get("Authorization") != f"Basic {self.credentials}":
            self._send(401, {"WWW-Authenticate": 'Basic realm="git"'})
        else:
            head, _, body = self._from_git().partition(b"\r\n\r\n")
            headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
            self._send(int(headers.pop("Status", "200 OK").split()[0]), headers, body)

    def _send(self, status: int, headers: dict[str, str], body: bytes = b"") -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _from_git(self) -> bytes:
        path, _, query = self.path.partition("?")
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        environment = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": str(self.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "REMOTE_ADDR": "127.0.0.1",
        }
        command = ["git", "http-backend"]
        return subprocess.run(command, env=environment, input=body, capture_output=True, check=False).stdout


@contextmanager
def serving(root: Path, authority: trustme.CA, *, user: str = "", moved_to: str = "") -> Iterator[str]:
    """Serve the repositories below a folder while the block runs: the address. With `user`, only to that one."""
    asked = {"root": root, "credentials": base64.b64encode(user.encode()).decode(), "moved_to": moved_to}
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Asked", (Backend,), asked))
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"https://localhost:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
