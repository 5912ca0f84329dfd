"""The application."""

from collections.abc import Sequence
from importlib.metadata import version
from typing import Any, Final

from fastapi import FastAPI

from collectors.snapshot import Snapshot
from controller.api import decisions, explain, health, metrics, plan, snapshot, whatif
from controller.api.encoding import schemas
from controller.api.guard import Guard
from controller.api.problems import MEDIA_TYPE, SCHEMA, add_handlers
from controller.api.view import View
from controller.loop.status import Readiness
from controller.planning.explaining.explanation import Explanation
from controller.summary import Proposal, Summary

LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")
ANSWERS: Final = (Snapshot, Summary, Proposal, Explanation, Readiness)
ROUTERS: Final = (
    health.routes,
    metrics.routes,
    snapshot.routes,
    plan.routes,
    decisions.routes,
    explain.routes,
    whatif.routes,
)


def create_app(view: View, hosts: Sequence[str] = LOOPBACK) -> FastAPI:
    """The API over `view`, for requests that address one of `hosts`. It serves no pages: those load foreign scripts."""
    problem = {"description": "A problem (RFC 9457).", "content": {MEDIA_TYPE: {"schema": SCHEMA}}}
    app = FastAPI(
        title="Gridwright",
        version=version("gridwright"),
        docs_url=None,
        redoc_url=None,
        responses={"4XX": problem, "5XX": problem},
    )
    for routes in ROUTERS:
        app.include_router(routes(view))
    add_handlers(app)
    app.add_middleware(Guard, hosts=hosts)
    _describe(app)
    return app


def _describe(app: FastAPI) -> None:
    """Add the schemas of the answers to the OpenAPI document."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = generate()
            document.setdefault("components", {}).setdefault("schemas", {}).update(schemas(ANSWERS))
        return generate()

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to extend the document
