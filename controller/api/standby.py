"""What a replica that does not lead answers: that it lives, and that another one does the work."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Final, Protocol

from fastapi import FastAPI

from controller.api.guard import Guard
from controller.api.problems import Problem, add_handlers

HEALTHY: Final = ("/healthz", "/readyz")


class Waiting(Protocol):
    """A part in who leads; `trouble` is what keeps it from leading, empty where another replica does."""

    trouble: str


def standing_by(waiting: Waiting, hosts: Sequence[str]) -> FastAPI:
    """An application for requests that address one of `hosts`: well, and 503 for whatever the leader would answer."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)

    @app.get("/{path:path}")
    async def answer(path: str) -> dict[str, str]:
        if f"/{path}" in HEALTHY:
            return {"status": "standing by", **({"trouble": waiting.trouble} if waiting.trouble else {})}
        raise Problem(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "standing-by",
            "This replica stands by",
            "ask again: the replica that leads answers",
        )

    add_handlers(app)
    app.add_middleware(Guard, hosts=hosts)
    return app
